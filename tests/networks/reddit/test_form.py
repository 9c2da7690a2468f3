"""Connecting a Reddit account, renewing its access, and what an admin may choose."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from rapport.core.errors import InvalidInput, Reauthorise
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.form import SCOPES, begin, check_settings, finish, renew, token_url
from rapport.networks.reddit.wire import user_agent

FIELDS = {"client_id": "id", "client_secret": "secret"}
TOKEN = "/api/v1/access_token"


def test_the_whole_flow_asks_for_an_access_that_lasts(reddit: Any, session: GuardedSession) -> None:
    handshake = begin({**FIELDS, "server": reddit.url}, "https://desk.example/back", "state-1")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(handshake.url).query).items()}
    assert handshake.url.startswith("https://www.reddit.com/api/v1/authorize?")
    assert (asked["duration"], asked["state"], asked["scope"].split()) == ("permanent", "state-1", list(SCOPES))
    connected = finish(handshake.kept, "the-code", session)
    assert reddit.asked[0][:3] == (
        TOKEN, {}, {"grant_type": "authorization_code", "code": "the-code", "redirect_uri": "https://desk.example/back"},
    )  # fmt: skip
    grant = Grant.decode(connected.token)
    assert (grant.access, grant.refresh, grant.more) == ("fresh", "keep", FIELDS)
    assert (connected.identity.handle, connected.expires_at) == ("brand", grant.expires_at)
    assert "secret" not in repr(handshake) + repr(connected) + repr(grant)


def test_a_right_that_was_left_out_is_named(reddit: Any, session: GuardedSession) -> None:
    reddit.granted = "identity read"
    handshake = begin({**FIELDS, "server": reddit.url}, "https://desk.example/back", "s")
    with pytest.raises(Reauthorise, match="privatemessages, history, submit"):
        finish(handshake.kept, "code", session)


def test_a_code_that_is_no_good_asks_to_begin_again(reddit: Any, session: GuardedSession) -> None:
    handshake = begin({**FIELDS, "server": reddit.url}, "https://desk.example/back", "s")
    reddit.refuse(TOKEN, "200 OK", {"error": "invalid_grant"})
    with pytest.raises(Reauthorise, match="invalid_grant"):
        finish(handshake.kept, "code", session)


def test_a_renewal_keeps_the_refresh_token(reddit: Any, brand: Account, session: GuardedSession) -> None:
    token, expires = renew(brand, session)
    assert reddit.asked[-1][2] == {"grant_type": "refresh_token", "refresh_token": "refresh"}
    grant = Grant.decode(token)
    assert (grant.access, grant.refresh, grant.expires_at) == ("fresh", "refresh", expires)
    reddit.refuse(TOKEN, "400 Bad Request", {"message": "Bad Request"})
    with pytest.raises(Reauthorise):
        renew(brand, session)
    with pytest.raises(Reauthorise):
        renew(msgspec.structs.replace(brand, token="plain"), session)


def test_reddit_signs_in_on_its_site() -> None:
    assert token_url("https://oauth.reddit.com") == "https://www.reddit.com/api/v1/access_token"


def test_the_user_agent_names_the_application_and_the_account() -> None:
    assert user_agent("brand_x").startswith("server:rapport-desk:")
    assert user_agent("brand_x").endswith("(by /u/brand_x)")
    assert "\n" not in user_agent("a\r\nX-Evil: 1")


@pytest.mark.parametrize("fields", [{}, {"client_id": "id"}, {"client_id": "two words", "client_secret": "s"}])
def test_keys_that_no_app_has_are_refused_at_once(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        begin(fields, "https://desk.example/back", "s")


def test_settings_are_kept_as_they_are_used() -> None:
    kept = check_settings({"subreddits": ["r/Berlin", "/r/trains/", "berlin"], "queries": ["  late  train ", ""]})
    assert kept == {"subreddits": ["berlin", "trains"], "queries": ["late train"]}


@pytest.mark.parametrize(
    "settings", [{"subreddits": ["../x"]}, {"queries": ["x" * 600]}, {"subreddits": [f"name{n}" for n in range(40)]}]
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        check_settings(settings)
