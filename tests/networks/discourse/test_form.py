"""Connecting a forum by form, and choosing what is followed there."""

from __future__ import annotations

from typing import Any

import pytest

from discourse import KEY, Forum, Refusal
from rapport.core.errors import InvalidInput
from rapport.networks.base import Account
from rapport.networks.discourse.network import Discourse
from rapport.networks.http import GuardedSession
from wires import byte_server

NETWORK = Discourse()


def test_a_key_and_a_user_become_an_account(server: Forum, session: GuardedSession) -> None:
    fields = {"server": f"{server.url}/latest", "username": "@brand", "key": f" {KEY} "}
    connected = NETWORK.connect(fields, session)
    assert (connected.server, connected.token) == (server.url, KEY)
    assert (connected.identity.handle, connected.identity.account_id) == (f"brand@{server.host}", "2")
    assert KEY not in repr(connected)
    account = Account(
        channel=1, server=connected.server, handle=connected.identity.handle, account_id="2", token=connected.token
    )
    assert NETWORK.verify(account, session) == connected.identity


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"username": "brand", "key": "wrong-key-wrong"}, "does not accept"),
        ({"username": "", "key": KEY}, "user name and the API key"),
        ({"username": "brand", "key": "ключ-ключ-ключ"}, "no API key"),
        ({"username": "brand", "key": f"{KEY}\nX: y"}, "no API key"),
    ],
)
def test_what_is_wrong_with_the_form_is_said(
    fields: dict[str, str], words: str, server: Forum, session: GuardedSession
) -> None:
    with pytest.raises(InvalidInput, match=words):
        NETWORK.connect({"server": server.url, **fields}, session)


def test_a_key_without_the_right_to_read_is_told_which_to_choose(server: Forum, session: GuardedSession) -> None:
    server.faults.append(("/notifications", Refusal(403, "invalid_access", "no")))
    with pytest.raises(InvalidInput, match="global: read"):
        NETWORK.connect({"server": server.url, "username": "brand", "key": KEY}, session)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"current_user":{"id":"x"}}'])
def test_what_is_no_forum_is_told_so(body: bytes) -> None:
    with (
        byte_server(lambda caller: caller.send("200 OK", body)) as server,
        GuardedSession(allow={server.authority}) as session,
        pytest.raises(Exception, match=r"forum|cannot be read"),
    ):
        NETWORK.connect({"server": server.url, "username": "brand", "key": KEY}, session)


@pytest.mark.parametrize(
    ("entered", "ids"),
    [
        (["support"], ["5", "6"]),
        (["support/phones"], ["6"]),
        (["/c/support/phones/6", "General"], ["6", "4"]),
    ],
)
def test_categories_are_found_by_what_people_write(
    entered: list[str], ids: list[str], brand: Account, session: GuardedSession
) -> None:
    assert NETWORK.check_settings({"categories": entered}, brand, session)["category_ids"] == ids


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"categories": ["support", "nowhere"]}, "line 2"),
        ({"categories": ["general/phones"]}, "line 1"),
        ({"tags": ["nothing"]}, "tag 1"),
        ({"searches": [str(number) for number in range(60)]}, "at most 50"),
        ({"searches": ["short", "x" * 200]}, "line 2"),
        ({"webhook_secret": "short"}, "16 characters"),
    ],
)
def test_what_cannot_be_followed_is_named(
    chosen: dict[str, Any], words: str, brand: Account, session: GuardedSession
) -> None:
    with pytest.raises(InvalidInput, match=words):
        NETWORK.check_settings(chosen, brand, session)


def test_the_streams_follow_the_settings(server: Forum, brand: Account, session: GuardedSession) -> None:
    assert NETWORK.streams(brand) == ("notifications", "messages", "own")
    server.open_topic("ann", "Late", "words", tags=("delay",))
    chosen: dict[str, Any] = {"tags": ["#delay"], "searches": ["fernway late", ""], "everything": True}
    kept = NETWORK.check_settings(chosen, brand, session)
    account = Account(channel=1, server=server.url, handle=brand.handle, account_id="2", token=KEY, settings=kept)
    assert NETWORK.streams(account)[3:] == ("posts", "tag:delay", "search:fernway late")
    assert "webhook_secret" not in kept  # what was left empty stays as it was
