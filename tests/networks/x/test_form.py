"""Connecting an X account, renewing its access, and what an admin may choose."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from rapport.core.errors import InvalidInput, Reauthorise, RetryLater
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession
from rapport.networks.x.form import SCOPES, begin, check_settings, finish, renew

TOKEN = "/2/oauth2/token"
FIELDS = {"client_id": "id", "client_secret": "secret", "app_token": "app"}


def test_the_whole_flow_with_a_challenge_that_fits_its_verifier(x: Any, session: GuardedSession) -> None:
    handshake = begin({**FIELDS, "server": x.url}, "https://desk.example/back", "state-1")
    parts = urlsplit(handshake.url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://x.com/i/oauth2/authorize"
    assert asked["scope"].split() == list(SCOPES)
    assert (asked["state"], asked["code_challenge_method"]) == ("state-1", "S256")
    digest = hashlib.sha256(handshake.kept["verifier"].encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    connected = finish(handshake.kept, "the-code", session)
    path, _, form, authorization = x.asked[0]
    assert (path, form["code"], form["code_verifier"]) == (TOKEN, "the-code", handshake.kept["verifier"])
    assert authorization == "Basic " + base64.b64encode(b"id:secret").decode()
    assert (connected.identity.handle, connected.identity.account_id) == ("brand", "4242")
    grant = Grant.decode(connected.token)
    assert (grant.access, grant.refresh, grant.more["app_token"]) == ("new", "rotated", "app")
    assert connected.expires_at == grant.expires_at
    assert x.asked[1][3] == "Bearer new"
    assert "secret" not in repr(handshake) + repr(connected) + repr(grant)


def test_a_right_that_was_left_out_is_named(x: Any, session: GuardedSession) -> None:
    handshake = begin({**FIELDS, "server": x.url}, "https://desk.example/back", "s")
    x.refuse(TOKEN, "200 OK", {"access_token": "a", "scope": "tweet.read users.read offline.access"})
    with pytest.raises(
        Reauthorise, match=r"tweet\.write, media\.write, like\.write, follows\.write, dm\.read, dm\.write"
    ):
        finish(handshake.kept, "code", session)


def test_a_renewal_keeps_the_new_refresh_token_and_the_keys_of_the_app(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    token, expires = renew(brand, session)
    grant = Grant.decode(token)
    assert x.asked[-1][2] == {"grant_type": "refresh_token", "refresh_token": "refresh", "client_id": "id"}
    assert (grant.access, grant.refresh) == ("new", "rotated")
    assert grant.more == Grant.decode(brand.token).more
    assert expires is not None
    assert dt.timedelta(hours=1) < expires - dt.datetime.now(dt.UTC) <= dt.timedelta(hours=2)
    again = msgspec.structs.replace(brand, token=token)
    renew(again, session)
    assert x.asked[-1][2]["refresh_token"] == "rotated"


def test_a_refresh_token_that_x_forgot_asks_for_a_new_connection(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    told = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
    x.refuse(TOKEN, "400 Bad Request", told)
    with pytest.raises(Reauthorise, match="token was invalid"):
        renew(brand, session)
    x.refuse(TOKEN, "502 Bad Gateway", {})
    with pytest.raises(RetryLater):
        renew(brand, session)
    with pytest.raises(Reauthorise):
        renew(msgspec.structs.replace(brand, token="plain"), session)


@pytest.mark.parametrize("fields", [{}, {"client_id": "two words"}, {"client_id": "id", "app_token": "a\nb"}])
def test_keys_that_no_app_has_are_refused_at_once(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        begin(fields, "https://desk.example/back", "s")


def test_settings_are_kept_as_they_are_used(brand: Account) -> None:
    kept = check_settings({"queries": ["  acme   delay ", "acme delay", '"lost bag" (a OR b)'], "live": True}, brand)
    assert kept == {
        "queries": ["acme delay", '"lost bag" (a OR b)'],
        "reads_a_day": 1_000,
        "live": True,
        "backfill": False,
        "compliance": False,
    }
    assert check_settings({"queries": [], "reads_a_day": "20,000"}, brand)["reads_a_day"] == 20_000


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"queries": ["x" * 5_000]}, "Search 1"),
        ({"queries": ["fine", 'one " quote']}, "Search 2: a quotation mark"),
        ({"queries": ["(a OR b"]}, "parenthesis"),
        ({"queries": [str(number) for number in range(60)]}, "60 searches"),
        ({"reads_a_day": "12"}, "from 500"),
        ({"reads_a_day": "lots"}, "write a number"),
        ({"reads_a_day": "9" * 30}, "write a number"),
    ],
)
def test_settings_that_make_no_sense_name_the_place(brand: Account, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        check_settings(settings, brand)


def test_the_live_line_asks_for_the_token_of_the_app(brand: Account) -> None:
    without = msgspec.structs.replace(brand, token=Grant("t", more={"client_id": "id"}).encode())
    with pytest.raises(InvalidInput, match="bearer token of the app"):
        check_settings({"live": True}, without)
