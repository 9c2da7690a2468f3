"""Connecting: handle and app password against a real data server, the way from a handle to it, settings, renewal."""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bluesky import BlueskyAccount, BlueskyNetwork
from certificates import self_signed
from rapport.core.errors import GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.networks.base import Account, Connected, Grant
from rapport.networks.bluesky import form
from rapport.networks.bluesky.form import check_settings, read_claims, read_handle
from rapport.networks.bluesky.home import find_home
from rapport.networks.bluesky.network import Bluesky
from rapport.networks.http import GuardedSession, Limits
from wires import Caller, byte_server

network = Bluesky()
DID = "did:plc:abc"


def connect(fields: dict[str, str], bluesky: BlueskyNetwork, session: GuardedSession) -> Connected:
    """As the network does it, with the directory of the test in the place of the real one."""
    return form.connect(fields, session, resolver=bluesky.pds, directory=bluesky.plc)


# ---------------------------------------------------------------- the real network


def test_a_handle_and_an_app_password_are_enough(
    bluesky: BlueskyNetwork, session: GuardedSession, brand: BlueskyAccount
) -> None:
    connected = connect({"handle": " @Brand.Test ", "password": f" {brand.app_password} "}, bluesky, session)
    assert connected.server == bluesky.pds
    assert (connected.identity.handle, connected.identity.account_id) == ("brand.test", brand.did)
    assert (connected.identity.name, connected.identity.bot) == ("Brand", False)
    assert connected.expires_at is not None
    assert dt.timedelta(minutes=30) < connected.expires_at - dt.datetime.now(dt.UTC) < dt.timedelta(hours=5)
    assert brand.app_password not in repr(connected)
    assert brand.app_password not in connected.token
    account = Account(1, connected.server, "brand.test", brand.did, connected.token)
    assert network.verify(account, session).handle == "brand.test"


def test_a_did_will_do_as_well(bluesky: BlueskyNetwork, session: GuardedSession, brand: BlueskyAccount) -> None:
    connected = connect({"handle": brand.did, "password": brand.app_password}, bluesky, session)
    assert connected.identity.account_id == brand.did


def test_the_password_of_the_account_itself_is_refused(
    bluesky: BlueskyNetwork, session: GuardedSession, brand: BlueskyAccount
) -> None:
    with pytest.raises(InvalidInput, match="Make an app password"):
        connect({"handle": brand.handle, "password": "password-of-brand"}, bluesky, session)


def test_a_wrong_password_is_told_with_what_to_do(
    bluesky: BlueskyNetwork, session: GuardedSession, brand: BlueskyAccount
) -> None:
    with pytest.raises(InvalidInput, match="Copy the app password again"):
        connect({"handle": brand.handle, "password": "aaaa-bbbb-cccc-dddd"}, bluesky, session)


def test_a_handle_that_nobody_has_is_told(bluesky: BlueskyNetwork, session: GuardedSession) -> None:
    with pytest.raises((InvalidInput, RetryLater), match=r"nobody is found|cannot be resolved"):
        connect({"handle": "nobody-at-all.test", "password": "x"}, bluesky, session)


def test_a_session_is_renewed_and_the_old_renewal_works_once_more(
    bluesky: BlueskyNetwork, session: GuardedSession, ben: BlueskyAccount
) -> None:
    connected = connect({"handle": ben.handle, "password": ben.app_password}, bluesky, session)
    account = Account(1, connected.server, ben.handle, ben.did, connected.token)
    token, expires_at = network.renew(account, session)
    assert expires_at is not None
    assert Grant.decode(token).refresh != Grant.decode(connected.token).refresh
    renewed = msgspec.structs.replace(account, token=token)
    assert network.verify(renewed, session).account_id == ben.did
    # a process died between the answer and the note of it: the old one is used again
    again, _ = network.renew(account, session)
    assert network.verify(msgspec.structs.replace(account, token=again), session).account_id == ben.did


def test_a_session_whose_app_password_was_withdrawn_is_dead(
    bluesky: BlueskyNetwork, session: GuardedSession, ben: BlueskyAccount
) -> None:
    secret = ben.call("com.atproto.server.createAppPassword", {"name": "withdrawn"})["password"]
    connected = connect({"handle": ben.handle, "password": secret}, bluesky, session)
    ben.call("com.atproto.server.revokeAppPassword", {"name": "withdrawn"})
    with pytest.raises(Reauthorise, match="onnect the account again"):
        network.renew(Account(1, connected.server, ben.handle, ben.did, connected.token), session)


def test_an_access_token_renews_nothing(signed_in: Account, session: GuardedSession) -> None:
    grant = Grant.decode(signed_in.token)
    for token in (grant.access, Grant(grant.access, grant.access).encode(), "dead"):
        with pytest.raises(Reauthorise):
            network.renew(msgspec.structs.replace(signed_in, token=token), session)


def test_an_account_that_was_taken_down_is_told(bluesky: BlueskyNetwork, session: GuardedSession) -> None:
    villain = bluesky.account("villain")
    connected = connect({"handle": villain.handle, "password": villain.app_password}, bluesky, session)
    account = Account(1, connected.server, villain.handle, villain.did, connected.token)
    bluesky.take_down(villain)
    with pytest.raises(Reauthorise):
        network.verify(account, session)
    with pytest.raises(Reauthorise):
        network.renew(account, session)
    with pytest.raises(InvalidInput):
        connect({"handle": villain.did, "password": villain.app_password}, bluesky, session)


# ---------------------------------------------------------------- from a handle to its data server


class World:
    """A resolver, a directory and a data server in one: what they answer is the test's."""

    def __init__(self, document: dict[str, Any] | bytes | None, resolves_to: str = DID) -> None:
        self.document, self.resolves_to = document, resolves_to
        self.passwords: list[bytes] = []
        self.url = ""

    def __call__(self, caller: Caller) -> None:
        if "resolveHandle" in caller.path:
            found = json.dumps({"did": self.resolves_to}).encode()
            caller.send("200 OK" if self.resolves_to else "400 x", found)
        elif caller.path.startswith("/did:"):
            document = self.document
            if isinstance(document, dict):
                document = json.dumps(document).replace("HERE", self.url).encode()
            caller.send("200 OK" if document is not None else "404 x", document or b"")
        elif "createSession" in caller.path:
            self.passwords.append(caller.body)
            caller.send("200 OK", json.dumps(self.told()).encode())
        else:
            caller.send("400 x", b"{}")

    def told(self) -> dict[str, Any]:
        return {"did": DID, "handle": "us.test", "accessJwt": jwt({"scope": "x", "exp": 2}), "refreshJwt": "r"}


def jwt(claims: dict[str, Any]) -> str:
    return f"h.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.s"


def document(**changes: Any) -> dict[str, Any]:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "HERE"}
    return {"id": DID, "alsoKnownAs": ["at://us.test"], "service": [service]} | changes


def home_of(world: World, handle: str = "us.test") -> tuple[str, str]:
    with byte_server(world) as server, GuardedSession(allow={server.authority}, limits=Limits(total=3.0)) as session:
        world.url = server.url
        return find_home(handle, session, resolver=server.url, directory=server.url)


def test_a_handle_leads_to_its_data_server() -> None:
    world = World(document())
    assert home_of(world) == (DID, world.url)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alsoKnownAs": ["at://somebody.test"]}, "does not go by this name"),
        ({"alsoKnownAs": "at://us.test"}, "does not go by this name"),
        ({"alsoKnownAs": None}, "does not go by this name"),
        ({"id": "did:plc:other"}, "not its own"),
        ({"service": []}, "no data server"),
        ({"service": [None, {"id": "#other", "serviceEndpoint": "https://x.example"}]}, "no data server"),
        ({"service": [{"id": "#atproto_pds", "serviceEndpoint": "http://10.0.0.1"}]}, "https"),
        ({"service": [{"id": "#atproto_pds", "serviceEndpoint": "javascript:x"}]}, "no server"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused_and_no_password_is_sent(changes: dict[str, Any], words: str) -> None:
    world = World(document(**changes))
    with pytest.raises(InvalidInput, match=words):
        home_of(world)
    assert world.passwords == []


@pytest.mark.parametrize("found", [b"", b"<html>", b"[]"])
def test_an_entry_that_cannot_be_read_is_asked_for_again(found: bytes) -> None:
    with pytest.raises(RetryLater):
        home_of(World(found))


def test_an_account_that_is_not_in_the_directory_is_told() -> None:
    with pytest.raises(InvalidInput, match="not in the directory"):
        home_of(World(None))


@pytest.mark.parametrize("did", ["did:key:abc", "did:web:localhost", "did:web:x.example:8080", "did:web:a/../b"])
def test_accounts_that_cannot_be_looked_up_are_told(did: str) -> None:
    with pytest.raises(InvalidInput):
        home_of(World(document(), resolves_to=did), did if did.count("/") else "us.test")


@pytest.mark.parametrize("did", [DID, "did:web:us.test"])
def test_a_handle_that_only_its_own_web_server_knows_leads_home(did: str, tmp_path: Path) -> None:
    """`/.well-known/atproto-did`, and for a did:web `/.well-known/did.json`, over TLS with the name of the handle."""
    entry = json.dumps(document(id=did, service=[{"id": "#atproto_pds", "serviceEndpoint": "https://pds.example"}]))

    def web(caller: Caller) -> None:
        pages = {"/.well-known/atproto-did": f"{did}\n", "/.well-known/did.json": entry}
        body = pages.get(caller.path, "")
        caller.send("200 OK" if body else "404 x", body.encode())

    def directory(caller: Caller) -> None:
        known = caller.path == f"/{DID}"
        caller.send("200 OK" if known else "400 x", entry.encode() if known else b'{"error":"InvalidRequest"}')

    public, private = self_signed("us.test", tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(public, private)
    with byte_server(web, tls=tls) as site, byte_server(directory) as plc:

        def resolve(host: str, port: int, **_: Any) -> list[Any]:
            return [(0, 0, 0, "", ("127.0.0.1", site.port if host == "us.test" else port))]

        def dial(address: tuple[str, int], timeout: float) -> socket.socket:
            port = site.port if address[1] == 443 else address[1]
            return socket.create_connection(("127.0.0.1", port), timeout=timeout)

        with GuardedSession(allow={"us.test:443", plc.authority}, resolve=resolve, dial=dial) as session:
            session.verify = str(public)
            assert find_home("us.test", session, resolver=plc.url, directory=plc.url) == (did, "https://pds.example")


def signs_in(world: World, **fields: str) -> Connected:
    with byte_server(world) as server, GuardedSession(allow={server.authority}, limits=Limits(total=3.0)) as session:
        world.url = server.url
        entered = {"handle": "us.test", "password": "aaaa-bbbb-cccc-dddd", "server": server.url} | fields
        return form.connect(entered, session, resolver=server.url, directory=server.url)


def test_the_session_says_where_the_account_really_lives() -> None:
    class Door(World):
        def told(self) -> dict[str, Any]:
            service = {"id": "#atproto_pds", "serviceEndpoint": "https://morel.host.example"}
            return super().told() | {"didDoc": document(service=[service])}

    assert signs_in(Door(None)).server == "https://morel.host.example"


@pytest.mark.parametrize(
    "changes",
    [{"did": None}, {"did": "x"}, {"accessJwt": 5}, {"accessJwt": ""}, {"refreshJwt": None}, {"did": "x" * 20_000}],
)
def test_an_answer_without_a_session_is_no_sign_in(changes: dict[str, Any]) -> None:
    class Odd(World):
        def told(self) -> dict[str, Any]:
            return super().told() | changes

    with pytest.raises(GiveUp, match="no data server of Bluesky"):
        signs_in(Odd(None))


def test_somebody_else_signed_in_is_no_sign_in() -> None:
    with pytest.raises(InvalidInput, match="somebody else"):
        signs_in(World(None), handle="did:plc:other")


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        ("401 x", b'{"error":"AuthFactorTokenRequired"}', InvalidInput, "app password"),
        ("401 x", b'{"error":"AuthenticationRequired"}', InvalidInput, "Copy the app password"),
        ("401 x", b'{"error":"AccountTakedown"}', InvalidInput, "taken down"),
        ("404 x", b"<html>", InvalidInput, "does not answer like a data server"),
        ("200 OK", b"<html>", RetryLater, "no readable answer"),
        ("429 x", b'{"error":"RateLimitExceeded"}', RetryLater, "429"),
        ("500 x", b"", RetryLater, "500"),
    ],
)
def test_a_refusal_to_sign_in_says_what_to_do(status: str, body: bytes, error: type[Exception], words: str) -> None:
    with byte_server(lambda caller: caller.send(status, body)) as server:
        session = GuardedSession(allow={server.authority}, limits=Limits(total=3.0))
        with pytest.raises(error, match=words):
            form.connect({"handle": "us.test", "password": "x", "server": server.url}, session)


# ---------------------------------------------------------------- what people type


@pytest.mark.parametrize(
    ("entered", "handle"),
    [
        ("Brand.Bsky.Social", "brand.bsky.social"),
        (" @brand.example ", "brand.example"),
        ("brand", "brand.bsky.social"),
        ("https://bsky.app/profile/brand.example/", "brand.example"),
        ("bsky.app/profile/did:plc:abc", "did:plc:abc"),
        ("at://brand.example", "brand.example"),
        (DID, DID),
    ],
)
def test_a_handle_is_taken_as_people_write_it(entered: str, handle: str) -> None:
    assert read_handle(entered) == handle


@pytest.mark.parametrize(
    "entered", ["", "@", "brand@example.com", "br and", "bränd.example", "-x.example", "x.1", "a/b.c"]
)
def test_what_is_no_handle_is_refused(entered: str) -> None:
    with pytest.raises(InvalidInput):
        read_handle(entered)


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("", ""),
        (" OFF ", "off"),
        ("jetstream.example", "wss://jetstream.example"),
        ("https://Jetstream.example/subscribe", "wss://jetstream.example"),
        ("wss://jetstream.example:8443/x?y", "wss://jetstream.example:8443"),
        ("ws://127.0.0.1:6008", "ws://127.0.0.1:6008"),
    ],
)
def test_the_address_of_a_jetstream_is_taken_as_people_write_it(entered: str, kept: str) -> None:
    assert check_settings({"jetstream": entered}, GuardedSession(allow={"127.0.0.1:6008"}))["jetstream"] == kept


@pytest.mark.parametrize(
    "entered", ["ws://jetstream.example", "wss://a@b.example", "wss://", "wss://0x7f000001", "a b"]
)
def test_what_is_no_jetstream_is_refused(entered: str) -> None:
    with pytest.raises(InvalidInput, match="jetstream"):
        check_settings({"jetstream": entered}, GuardedSession())


def test_searches_and_hashtags_are_cleaned() -> None:
    entered: dict[str, str | bool | list[str]] = {
        "searches": [" lost   luggage ", "", "lost luggage", '"gate b"'],
        "hashtags": ["#delay", "delay", " strike", "#"],
    }
    assert check_settings(entered, GuardedSession()) == {
        "searches": ["lost luggage", '"gate b"'],
        "hashtags": ["delay", "strike"],
    }


@pytest.mark.parametrize(
    "entered", [{"searches": ["x" * 151]}, {"searches": [str(n) for n in range(21)]}, {"hashtags": ["a b"]}]
)
def test_too_much_to_search_for_is_refused(entered: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        check_settings(entered, GuardedSession())


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.\xff.c", f"a.{base64.b64encode(b'[]').decode()}.c", "....."])
def test_a_token_that_says_nothing_is_no_error(token: str) -> None:
    assert read_claims(token) == {}
