"""Connecting an account of a real homeserver by form, and choosing its rooms."""

from __future__ import annotations

import datetime as dt
import json

import msgspec
import pytest

from rapport.core.errors import InvalidInput, Reauthorise, RetryLater
from rapport.networks.base import Account, Connected, Grant
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.network import Matrix
from synapse import DOMAIN, PASSWORD, Synapse, mxid
from wires import Caller, byte_server

NETWORK = Matrix()


def account_of(connected: Connected) -> Account:
    return Account(
        channel=1,
        server=connected.server,
        handle=connected.identity.handle,
        account_id=connected.identity.account_id,
        token=connected.token,
        settings=connected.settings,
    )


def test_a_password_becomes_a_token_that_can_be_renewed(homeserver: Synapse, session: GuardedSession) -> None:
    fields = {"server": homeserver.url, "user": "brand", "password": PASSWORD}
    connected = NETWORK.connect(fields, session)
    assert connected.identity.account_id == mxid("brand")
    assert connected.identity.name == "Brand"
    assert connected.expires_at is not None
    assert PASSWORD not in connected.token
    account = account_of(connected)
    assert NETWORK.verify(account, session) == connected.identity
    token, expires = NETWORK.renew(account, session)
    assert expires is not None
    assert expires > dt.datetime.now(dt.UTC)
    fresh = msgspec.structs.replace(account, token=token)
    assert NETWORK.verify(fresh, session) == connected.identity
    assert Grant.decode(token).access != Grant.decode(connected.token).access
    with pytest.raises(Reauthorise):
        NETWORK.renew(account, session)  # what renewed once is used up


def test_a_token_is_taken_as_it_is(homeserver: Synapse, session: GuardedSession) -> None:
    connected = NETWORK.connect({"server": homeserver.url, "token": homeserver.tokens["brand"]}, session)
    assert (connected.token, connected.expires_at) == (homeserver.tokens["brand"], None)
    assert connected.identity.handle == f"brand:{DOMAIN}"
    with pytest.raises(Reauthorise, match="connect the account again"):
        NETWORK.renew(account_of(connected), session)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"user": "brand", "password": "wrong"}, "did not accept"),
        ({"token": "made-up"}, "not accepted"),
        ({"user": "brand"}, "password, or an access token"),
    ],
)
def test_what_is_wrong_with_the_form_is_said(
    fields: dict[str, str], words: str, homeserver: Synapse, session: GuardedSession
) -> None:
    with pytest.raises(InvalidInput, match=words):
        NETWORK.connect({"server": homeserver.url, **fields}, session)


def test_the_address_behind_a_name_is_found_and_what_is_no_matrix_server_is_told(homeserver: Synapse) -> None:
    def known(caller: Caller) -> None:
        told = {"m.homeserver": {"base_url": homeserver.url + "/"}}
        caller.send("200 OK", json.dumps(told).encode())

    with byte_server(known) as name, GuardedSession(allow={name.authority, homeserver.authority}) as session:
        connected = NETWORK.connect({"server": name.url, "token": homeserver.tokens["brand"]}, session)
        assert connected.server == homeserver.url
    with (
        byte_server(lambda caller: caller.send("404 x", b"<html>")) as other,
        GuardedSession(allow={other.authority}) as session,
        pytest.raises(InvalidInput, match="like a Matrix server"),
    ):
        NETWORK.connect({"server": other.url, "token": "t"}, session)
    with GuardedSession() as session, pytest.raises(InvalidInput, match="https"):
        NETWORK.connect({"server": "http://example.org", "token": "t"}, session)


def test_names_of_rooms_become_ids_and_public_ones_are_joined(
    homeserver: Synapse, brand: Account, session: GuardedSession
) -> None:
    room = homeserver.create_room("ann", preset="public_chat", room_alias_name="open")
    kept = NETWORK.check_settings({"rooms": [f"#open:{DOMAIN}", f"https://matrix.to/#/{room}"]}, brand, session)
    assert kept["room_ids"] == [room]
    assert kept["direct"] is False
    assert room in homeserver.call("GET", "/joined_rooms", "brand")["joined_rooms"]
    assert NETWORK.check_settings({"rooms": [], "direct": True}, brand, session)["room_ids"] == []
    closed = homeserver.create_room("ann")
    assert NETWORK.check_settings({"rooms": [closed]}, brand, session)["room_ids"] == [closed]


def test_rooms_that_cannot_be_chosen_are_named_with_their_line(
    homeserver: Synapse, brand: Account, session: GuardedSession
) -> None:
    encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    secret = homeserver.create_room("ann", join=["brand"], initial_state=[encryption])
    for entered, words in ((f"#nowhere:{DOMAIN}", "line 2"), ("support", "line 2"), (secret, "encrypted")):
        with pytest.raises(InvalidInput, match=words):
            NETWORK.check_settings({"rooms": ["!a:b", entered]}, brand, session)


def test_a_token_that_expired_a_moment_ago_waits_for_its_renewal() -> None:
    refusal = b'{"errcode":"M_UNKNOWN_TOKEN","error":"expired","soft_logout":true}'
    now = dt.datetime.now(dt.UTC)
    with (
        byte_server(lambda caller: caller.send("401 x", refusal)) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        for expires, error in ((now - dt.timedelta(seconds=1), RetryLater), (now + dt.timedelta(hours=1), Reauthorise)):
            token = Grant("a", "r", expires).encode()
            account = Account(channel=1, server=server.url, handle="b:c", account_id="@b:c", token=token)
            with pytest.raises(error):
                NETWORK.verify(account, session)
