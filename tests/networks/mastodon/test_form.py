"""Connecting an account through the real code flow of a Mastodon API server."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import requests

from rapport.core.errors import AddressRefused, GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.form import SCOPES, begin, finish, identify, read_server
from rapport.networks.mastodon.network import Mastodon
from rapport.networks.mastodon.wire import Wire
from servers import MastodonServer
from wires import Caller, byte_server

BACK = "http://127.0.0.1:8000/settings/channels/mastodon/callback"


def consent(mastodon: MastodonServer, url: str, user: str) -> dict[str, str]:
    """What a person does in the browser on the server's page; what comes back in the address."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert mastodon.url == f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    form = {name: asked[name] for name in ("redirect_uri", "client_id", "scope", "state")} | {"username": user}
    answer = requests.post(f"{mastodon.url}/oauth/authorize", data=form, allow_redirects=False, timeout=10)
    assert answer.headers["Location"].startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def test_a_person_connects_an_account_and_it_can_speak(mastodon: MastodonServer, session: GuardedSession) -> None:
    network = Mastodon()
    handshake = network.authorize_url({"server": mastodon.url}, BACK, "state-1", session)
    back = consent(mastodon, handshake.url, "brand")
    assert back["state"] == "state-1"
    connected = network.exchange(handshake.kept, back["code"], session)
    assert connected.identity.account_id == mastodon.ids["brand"]
    assert connected.identity.handle == f"brand@{mastodon.authority}"
    assert connected.settings["max_length"] == 500
    account = Account(
        channel=1,
        server=connected.server,
        handle=connected.identity.handle,
        account_id=connected.identity.account_id,
        token=connected.token,
        settings=connected.settings,
    )
    assert network.verify(account, session) == connected.identity
    asked = mastodon.post("ann", "@brand connected?")
    reply = Reply(network="mastodon", channel=1, target=asked["id"], text="@ann yes", approved_by=1)
    assert network.push(account, reply, "connected", session).id
    for stream in network.streams(account):
        assert list(network.pull(account, stream, "", session))


def test_only_the_rights_that_are_needed_are_asked_for(mastodon: MastodonServer, session: GuardedSession) -> None:
    handshake = begin({"server": mastodon.url}, BACK, "s", session)
    asked = parse_qs(urlsplit(handshake.url).query)
    assert asked["scope"] == [" ".join(SCOPES)]
    assert set(SCOPES) == {
        "read:accounts", "read:statuses", "read:follows", "read:search", "read:notifications", "write:statuses",
        "write:media", "write:favourites", "write:follows",
    }  # fmt: skip
    challenge = base64.urlsafe_b64encode(hashlib.sha256(handshake.kept["verifier"].encode()).digest()).rstrip(b"=")
    assert asked["code_challenge"] == [challenge.decode()]
    assert handshake.kept["client_secret"] not in handshake.url
    assert handshake.kept["verifier"] not in handshake.url


def test_secrets_do_not_show_in_a_log(mastodon: MastodonServer, brand: Account, session: GuardedSession) -> None:
    handshake = begin({"server": mastodon.url}, BACK, "s", session)
    connected = finish(handshake.kept, consent(mastodon, handshake.url, "brand")["code"], session)
    shown = f"{handshake!r} {connected!r} {brand!r} {brand} {[brand]}"
    for secret in (handshake.kept["client_secret"], handshake.kept["verifier"], connected.token, brand.token):
        assert secret not in shown


def test_a_code_that_is_no_good_means_connecting_again(mastodon: MastodonServer, session: GuardedSession) -> None:
    handshake = begin({"server": mastodon.url}, BACK, "s", session)
    with pytest.raises(Reauthorise):
        finish(handshake.kept, "made-up", session)


def test_a_right_that_was_not_granted_is_named() -> None:
    granted = json.dumps({"access_token": "t", "scope": "read write:media"}).encode()
    kept = {"client_id": "i", "client_secret": "s", "redirect_uri": BACK, "verifier": "v"}
    with (
        byte_server(lambda caller: caller.send("200 OK", granted)) as server,
        GuardedSession(allow={server.authority}) as session,
        pytest.raises(Reauthorise, match="write:statuses"),
    ):
        finish(kept | {"server": server.url}, "code", session)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"client_id":"a"}', b'{"client_id":"a\\n","client_secret":"b"}']
)
def test_what_is_no_mastodon_server_is_told_so(body: bytes) -> None:
    with (
        byte_server(lambda caller: caller.send("200 OK", body)) as server,
        GuardedSession(allow={server.authority}) as session,
        pytest.raises(GiveUp),
    ):
        begin({"server": server.url}, BACK, "s", session)


def test_a_client_id_that_is_the_name_of_a_file_is_not_opened() -> None:
    app = json.dumps({"client_id": "/etc/hostname", "client_secret": "s"}).encode()
    with (
        byte_server(lambda caller: caller.send("200 OK", app)) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        url = begin({"server": server.url}, BACK, "s", session).url
    assert parse_qs(urlsplit(url).query)["client_id"] == ["/etc/hostname"]


def test_a_server_that_says_nothing_of_itself_can_be_connected_all_the_same() -> None:
    def answer(caller: Caller) -> None:
        if caller.path == "/oauth/token":
            caller.send("200 OK", b'{"access_token":"t"}')
        elif caller.path.endswith("verify_credentials"):
            caller.send("200 OK", b'{"id":5,"acct":"brand"}')
        else:
            caller.send("404 Not Found")

    kept = {"client_id": "i", "client_secret": "s", "redirect_uri": BACK, "verifier": "v"}
    with byte_server(answer) as server, GuardedSession(allow={server.authority}) as session:
        connected = finish(kept | {"server": server.url}, "code", session)
    assert (connected.identity.handle, connected.identity.account_id) == ("brand@127.0.0.1", "5")
    assert connected.settings == {}


@pytest.mark.parametrize(
    ("entered", "server"),
    [
        ("mastodon.social", "https://mastodon.social"),
        (" Mastodon.Social/ ", "https://mastodon.social"),
        ("https://mastodon.social/@brand", "https://mastodon.social"),
        ("@brand@mastodon.social", "https://mastodon.social"),
        ("brand@mastodon.social", "https://mastodon.social"),
        ("social.example:8443", "https://social.example:8443"),
    ],
)  # fmt: skip
def test_what_people_type_is_understood(entered: str, server: str) -> None:
    assert read_server(entered, GuardedSession()) == server


@pytest.mark.parametrize(
    "entered", ["", "@", "http://mastodon.social", "ftp://x.example", "https://a@b.example", "2130706433", "a b"]
)
def test_what_is_no_server_is_refused_with_the_reason(entered: str) -> None:
    with pytest.raises(InvalidInput):
        read_server(entered, GuardedSession())


def test_a_server_on_the_inside_cannot_be_connected_unless_it_is_allowed(mastodon: MastodonServer) -> None:
    with GuardedSession() as session:
        with pytest.raises(InvalidInput):
            begin({"server": mastodon.url}, BACK, "s", session)
        with pytest.raises(AddressRefused):
            begin({"server": f"https://{mastodon.authority}"}, BACK, "s", session)


def test_a_dead_token_asks_for_a_new_one(mastodon: MastodonServer, brand: Account, session: GuardedSession) -> None:
    dead = msgspec.structs.replace(brand, token="revoked")
    with pytest.raises(Reauthorise):
        Mastodon().verify(dead, session)
    mastodon.fault("/api/v1/accounts/verify_credentials", {"type": "status", "status": 503}, methods=("GET",))
    with pytest.raises(RetryLater):
        identify(Wire.of(brand, session), "s.example")
