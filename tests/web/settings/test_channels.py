"""Sources: their state, how far they are read, and what may be changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rapport.actions.listening import connect_channel
from rapport.store.models import Channel, Cursor, Gap

BASE = "/w/fernway/settings/channels/"


@pytest.fixture
def brand(channel: Any, now: dt.datetime) -> Any:
    Cursor.objects.create(workspace=channel.workspace, channel=channel, stream="notifications", value="1", moved_at=now)
    Cursor.objects.create(
        workspace=channel.workspace, channel=channel, stream="hashtag:fernway", value="1",
        moved_at=now - dt.timedelta(hours=3),
    )  # fmt: skip
    Gap.objects.create(
        workspace=channel.workspace, channel=channel, stream="hashtag:fernway", noticed_at=now,
        reason="Between 08:00 and 09:00 the server kept nothing.",
    )  # fmt: skip
    return channel


def test_the_empty_page_says_what_to_do(cast: Any, enter: Any) -> None:
    page = enter(cast.ben).get(BASE).content.decode()
    assert "Nothing is connected yet" in page
    assert f"{BASE}connect/" in page


def test_a_source_shows_how_far_it_is_read_and_what_is_missing(cast: Any, enter: Any, brand: Any) -> None:
    page = enter(cast.ben).get(BASE).content.decode()
    assert "Between 08:00 and 09:00 the server kept nothing." in page
    assert "something is missing" in page
    detail = enter(cast.ben).get(f"{BASE}{brand.pk}/").content.decode()
    assert "hashtag:fernway" in detail


def test_a_dead_token_is_shown_with_the_way_to_mend_it(cast: Any, enter: Any, brand: Any, now: dt.datetime) -> None:
    from rapport.actions.listening import ask_to_reconnect

    ask_to_reconnect(brand, "the token was revoked", now=now)
    page = enter(cast.ben).get(BASE).content.decode()
    assert "must be connected again" in page
    assert "the token was revoked" in page
    assert f"{BASE}connect/mastodon/?server=http%3A//127.0.0.1%3A9" in page


def test_the_token_is_on_no_page(cast: Any, enter: Any, brand: Any) -> None:
    Channel.objects.filter(pk=brand.pk).update(token=b"canary-sealed")
    for page in (BASE, f"{BASE}{brand.pk}/"):
        assert "canary" not in enter(cast.ben).get(page).content.decode()


def test_name_zone_and_hashtags_are_changed(cast: Any, enter: Any, brand: Any) -> None:
    data = {"name": "Brand", "timezone": "Europe/Lisbon", "hashtags": "#fernway, FernwayDelay  #FERNWAY\n＃遅延"}
    assert enter(cast.ben).post(f"{BASE}{brand.pk}/", data).headers["Location"] == f"{BASE}{brand.pk}/"
    brand.refresh_from_db()
    assert (brand.name, brand.timezone) == ("Brand", "Europe/Lisbon")
    assert brand.settings["hashtags"] == ["fernway", "FernwayDelay", "遅延"]


def test_changing_hashtags_keeps_what_the_network_asked_to_keep(cast: Any, enter: Any, brand: Any) -> None:
    Channel.objects.filter(pk=brand.pk).update(settings={"max_length": 5000})
    enter(cast.ben).post(f"{BASE}{brand.pk}/", {"name": "Brand", "timezone": "UTC", "hashtags": "a1"})
    brand.refresh_from_db()
    assert brand.settings == {"max_length": 5000, "hashtags": ["a1"], "searches": []}


@pytest.mark.parametrize(
    "change", [{"hashtags": "no-tag!"}, {"hashtags": "#2026"}, {"timezone": "Mars/Olympus"}, {"name": ""}]
)
def test_what_makes_no_sense_is_refused_and_stays_in_the_form(
    change: dict[str, str], cast: Any, enter: Any, brand: Any
) -> None:
    data = {"name": "A new name", "timezone": "UTC", "hashtags": "", **change}
    answer = enter(cast.ben).post(f"{BASE}{brand.pk}/", data)
    assert answer.status_code == 422
    brand.refresh_from_db()
    assert brand.name == "Fernway"


@pytest.mark.parametrize("extra", ["token", "state", "server", "external_id", "workspace"])
def test_a_field_that_the_form_does_not_have_is_refused(extra: str, cast: Any, enter: Any, brand: Any) -> None:
    data = {"name": "Brand", "timezone": "UTC", "hashtags": "", extra: "x"}
    assert enter(cast.ben).post(f"{BASE}{brand.pk}/", data).status_code == 400


def test_an_account_is_disconnected_and_its_token_is_gone(cast: Any, enter: Any, brand: Any) -> None:
    enter(cast.ben).post(f"{BASE}{brand.pk}/disconnect/")
    brand.refresh_from_db()
    assert (brand.state, bytes(brand.token)) == ("off", b"")


def test_a_network_has_one_name_on_every_page(cast: Any, enter: Any, now: Any) -> None:
    folder = connect_channel(
        cast.alice, "folder", server="", handle="drop", external_id="folder-1", name="Reviews", token="", now=now
    )
    alice = enter(cast.alice)
    for page in (BASE, f"{BASE}{folder.pk}/"):
        assert "Watched folder, <bdi>drop</bdi>" in alice.get(page).content.decode()
    assert "<span>Watched folder</span>" in alice.get("/w/fernway/settings/topics/new/").content.decode()
