"""What a person sets for themselves, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

SET = {
    "name": "Amir K.",
    "timezone": "Asia/Tehran",
    "language": "en",
    "theme": "dark",
    "shortcuts": "on",
    "after": "list",
}


def test_a_profile_is_saved(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    assert client.post("/me/", SET).headers["Location"] == "/me/"
    user = cast.amir.user
    user.refresh_from_db()
    assert (user.name, user.timezone, user.theme, user.shortcuts) == ("Amir K.", "Asia/Tehran", "dark", True)
    assert user.after == "list"
    page = client.get("/me/").content.decode()
    assert 'data-after="list"' in page
    assert 'data-theme="dark"' in page
    assert "Saved." in page


def test_single_letter_keys_can_be_turned_off(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    client.post("/me/", {name: value for name, value in SET.items() if name != "shortcuts"})
    assert 'data-shortcuts="off"' in client.get("/me/").content.decode()


@pytest.mark.parametrize("extra", ["role", "workspace", "is_active", "email", "memberships", "joined_at", "password"])
def test_a_field_that_the_form_does_not_have_is_refused(extra: str, cast: Any, enter: Any) -> None:
    answer = enter(cast.vera).post("/me/", {**SET, extra: "owner"})
    assert answer.status_code == 400
    cast.vera.refresh_from_db()
    cast.vera.user.refresh_from_db()
    assert (cast.vera.role, cast.vera.user.name, cast.vera.user.is_active) == ("viewer", "Vera", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("timezone", "Mars/Olympus"), ("timezone", "../etc/passwd"), ("theme", "neon"), ("language", "tlh")],
)
def test_a_value_that_does_not_exist_is_refused_and_what_was_typed_stays(
    field: str, value: str, cast: Any, enter: Any
) -> None:
    answer = enter(cast.amir).post("/me/", {**SET, field: value})
    assert answer.status_code == 200
    assert "Select a valid choice" in answer.content.decode()
    assert "Amir K." in answer.content.decode()
    cast.amir.user.refresh_from_db()
    assert cast.amir.user.name == "Amir"


def test_times_are_shown_in_the_zone_of_the_reader(cast: Any, enter: Any, now: Any) -> None:
    cast.alice.user.timezone = "Asia/Tokyo"
    cast.alice.user.save()
    page = enter(cast.alice).get("/w/fernway/settings/audit/").content.decode()
    assert "21 November 2026, 21:00 (JST)" in page
    cast.ben.user.timezone = "no/such/zone"
    cast.ben.user.save()
    assert "12:00 (UTC)" in enter(cast.ben).get("/w/fernway/settings/audit/").content.decode()
