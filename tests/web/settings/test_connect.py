"""Connecting an account, against a real Mastodon API server: the state fits one session once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import requests
from django.test import Client

from rapport.store.models import Channel
from rapport.store.secrets import unseal
from servers import MastodonServer, mastodon_server

BASE = "/w/fernway/settings/channels/"


@pytest.fixture(scope="module")
def running() -> Iterator[MastodonServer]:
    with mastodon_server() as server:
        yield server


@pytest.fixture
def mastodon(running: MastodonServer, settings: Any) -> MastodonServer:
    settings.RAPPORT = msgspec.structs.replace(settings.RAPPORT, allow_private=running.authority)
    return running


@pytest.fixture
def ben(cast: Any, enter: Any) -> Client:
    client: Client = enter(cast.ben)
    return client


def begin(client: Client, server: str, base: str = BASE) -> str:
    """Asks to connect; answers the address that the page leads to."""
    page = client.post(f"{base}connect/mastodon/", {"server": server}).content.decode()
    found = re.search(r'id="go" rel="noreferrer" href="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


def consent(address: str, user: str = "brand") -> str:
    """Says yes on the server; answers our address that it leads back to, without the host."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    with requests.Session() as session:
        session.trust_env = False
        form = {**query, "username": user, "account": user}
        answer = session.post(address.partition("?")[0], data=form, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    assert parse_qs(back.query)["state"] == [query["state"]]
    return f"{back.path}?{back.query}"


def test_an_account_is_connected_through_the_consent_of_its_server(
    ben: Client, cast: Any, mastodon: MastodonServer
) -> None:
    back = consent(begin(ben, mastodon.url))
    answer = ben.get(back)
    channel = Channel.objects.of(cast.workspace).get()
    assert answer.headers["Location"] == f"{BASE}{channel.pk}/"
    assert (channel.state, channel.server, channel.network) == ("connected", mastodon.url, "mastodon")
    assert channel.handle.startswith("brand")
    assert unseal(channel.token)
    assert "Connected." in ben.get(answer.headers["Location"]).content.decode()


def test_the_way_out_is_a_link_that_names_the_server(ben: Client, mastodon: MastodonServer) -> None:
    page = ben.post(f"{BASE}connect/mastodon/", {"server": mastodon.url}).content.decode()
    assert f"Continue to {mastodon.authority}" in page
    assert 'rel="noreferrer"' in page


def test_a_state_works_once(ben: Client, cast: Any, mastodon: MastodonServer) -> None:
    back = consent(begin(ben, mastodon.url))
    ben.get(back)
    again = ben.get(back)
    assert again.status_code == 400
    assert "was used already" in again.content.decode()
    assert Channel.objects.count() == 1


def test_a_state_of_another_session_links_nothing(ben: Client, cast: Any, enter: Any, mastodon: MastodonServer) -> None:
    back = consent(begin(ben, mastodon.url))
    for client in (enter(cast.ben), enter(cast.alice), enter(cast.charlie)):
        assert client.get(back).status_code == 400
    assert Client().get(back).headers["Location"].startswith("/account/login/")
    assert not Channel.objects.exists()


@pytest.mark.parametrize("query", ["", "?code=x", "?state=&code=x", "?state=made-up&code=x", "?state=x&state=y"])
def test_a_callback_that_nobody_began_links_nothing(query: str, ben: Client, cast: Any) -> None:
    assert ben.get(f"/connect/mastodon/callback/{query}").status_code == 400
    assert not Channel.objects.exists()


def test_a_state_grows_old(ben: Client, mastodon: MastodonServer, monkeypatch: Any) -> None:
    from rapport.web.settings import connect

    monkeypatch.setattr(connect, "PATIENCE", -1)
    assert ben.get(consent(begin(ben, mastodon.url))).status_code == 400
    assert not Channel.objects.exists()


def test_somebody_who_lost_the_right_in_between_links_nothing(
    ben: Client, cast: Any, mastodon: MastodonServer, now: Any
) -> None:
    from rapport.actions.accounts import change_member

    back = consent(begin(ben, mastodon.url))
    change_member(cast.alice, cast.ben, role="viewer", active=True, baskets=[], now=now)
    assert ben.get(back).status_code == 404
    assert not Channel.objects.exists()


def test_a_refusal_on_the_other_side_is_told(ben: Client, mastodon: MastodonServer) -> None:
    address = begin(ben, mastodon.url)
    state = parse_qs(urlsplit(address).query)["state"][0]
    answer = ben.get(f"/connect/mastodon/callback/?state={state}&error=access_denied")
    assert "did not give its consent" in ben.get(answer.headers["Location"]).content.decode()
    assert not Channel.objects.exists()


def test_a_wrong_code_is_told_and_links_nothing(ben: Client, mastodon: MastodonServer) -> None:
    state = parse_qs(urlsplit(begin(ben, mastodon.url)).query)["state"][0]
    answer = ben.get(f"/connect/mastodon/callback/?state={state}&code=wrong")
    assert "Nothing was connected" in ben.get(answer.headers["Location"]).content.decode()
    assert not Channel.objects.exists()


def test_an_account_of_another_workspace_is_refused(
    ben: Client, cast: Any, enter: Any, mastodon: MastodonServer
) -> None:
    charlie = enter(cast.charlie)
    charlie.get(consent(begin(charlie, mastodon.url, "/w/other/settings/channels/")))
    answer = ben.get(consent(begin(ben, mastodon.url)))
    assert "connected to another workspace" in ben.get(answer.headers["Location"]).content.decode()
    assert not Channel.objects.of(cast.workspace).exists()


def test_connecting_again_renews_the_token_and_keeps_the_channel(
    ben: Client, cast: Any, mastodon: MastodonServer, now: Any
) -> None:
    from rapport.actions.listening import ask_to_reconnect

    ben.get(consent(begin(ben, mastodon.url)))
    channel = Channel.objects.of(cast.workspace).get()
    ask_to_reconnect(channel, "revoked", now=now)
    ben.get(consent(begin(ben, mastodon.url)))
    renewed = Channel.objects.of(cast.workspace).get()
    assert (renewed.pk, renewed.state) == (channel.pk, "connected")


@pytest.mark.parametrize(
    "server", ["127.0.0.1:1", "http://169.254.169.254/", "https://[::ffff:10.0.0.1]/", "0x7f000001", "", "not a server"]
)
def test_a_server_that_we_never_call_is_refused_and_stays_in_the_form(server: str, ben: Client, cast: Any) -> None:
    answer = ben.post(f"{BASE}connect/mastodon/", {"server": server})
    assert answer.status_code == 422
    assert "connecting" not in ben.session
    if server:
        assert f'value="{server}"' in answer.content.decode()


def test_what_is_kept_between_the_halves_is_sealed(ben: Client, mastodon: MastodonServer) -> None:
    begin(ben, mastodon.url)
    assert "client_secret" not in str(dict(ben.session))
    assert "verifier" not in str(dict(ben.session))


def test_a_network_that_we_do_not_speak_is_missing(ben: Client) -> None:
    assert ben.get(f"{BASE}connect/myspace/").status_code == 404
