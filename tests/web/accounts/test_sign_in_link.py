"""One-time links: used up by a person, never by a program that looks into mails."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone


@pytest.fixture
def link(cast: Any) -> str:
    from rapport.actions.accounts import make_sign_in_link

    return f"/sign-in/{make_sign_in_link(cast.amir.user, dt.timedelta(hours=1), now=timezone.now())}/"


def inside(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_looking_at_a_link_does_not_use_it_up(link: str, client: Client) -> None:
    for _ in range(3):
        page = client.get(link)
        assert page.status_code == 200
        assert "Sign in as Amir" in page.content.decode()
        assert not inside(client)
    client.head(link)
    client.post(link)
    assert inside(client)


def test_a_link_signs_in_once(link: str, client: Client) -> None:
    assert client.post(link).headers["Location"] == "/me/password/"
    second = Client()
    again = second.post(link)
    assert again.status_code == 410
    assert "Ask an admin of your workspace for a new one" in again.content.decode()
    assert not inside(second)
    assert second.get(link).status_code == 410


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "é"])
def test_a_made_up_link_opens_nothing(token: str, db: None, client: Client) -> None:
    assert client.get(f"/sign-in/{token}/").status_code == 410
    assert client.post(f"/sign-in/{token}/").status_code == 410


def test_a_link_grows_old(cast: Any, client: Client) -> None:
    from rapport.actions.accounts import make_sign_in_link

    token = make_sign_in_link(cast.amir.user, dt.timedelta(hours=1), now=timezone.now() - dt.timedelta(hours=2))
    assert client.post(f"/sign-in/{token}/").status_code == 410


def test_after_the_link_a_password_is_chosen_without_the_old_one(link: str, cast: Any, client: Client) -> None:
    client.post(link)
    chosen = "a sentence of my own"
    weak = client.post("/me/password/", {"new_password1": "short", "new_password2": "short"})
    assert "too short" in weak.content.decode()
    done = client.post("/me/password/", {"new_password1": chosen, "new_password2": chosen})
    assert done.headers["Location"] == "/"
    assert inside(client), "the session lives on"
    cast.amir.user.refresh_from_db()
    assert cast.amir.user.check_password(chosen)
    # and only once: from here on the old password is asked for
    assert client.get("/me/password/").headers["Location"] == "/account/password/change/"


def test_without_a_link_the_old_password_is_asked_for(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    chosen = {"new_password1": "a sentence of my own", "new_password2": "a sentence of my own"}
    assert client.post("/me/password/", chosen).headers["Location"] == "/account/password/change/"
    cast.amir.user.refresh_from_db()
    assert cast.amir.user.check_password("correct horse battery")


def test_a_link_replaces_whoever_was_signed_in(link: str, cast: Any, enter: Any) -> None:
    client = enter(cast.vera)
    client.post(link)
    assert client.session["_auth_user_id"] == str(cast.amir.user.pk)
