"""Connecting an account: a handle and an app password become a session that is renewed every two hours."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from rapport.core.errors import (
    AddressRefused,
    GiveUp,
    InvalidInput,
    NetworkError,
    Reauthorise,
    RetryLater,
    Unconfirmed,
)
from rapport.networks.addresses import check_url
from rapport.networks.base import Account, Connected, Field, Grant, Identity, Step
from rapport.networks.bluesky.home import DIRECTORY, RESOLVER, data_server, find_home
from rapport.networks.bluesky.syntax import is_did, is_handle
from rapport.networks.bluesky.wire import Refused, SignedOut, Wire
from rapport.networks.entered import read_origin
from rapport.networks.http import GuardedSession

FIELDS = (
    Field(
        name="handle",
        label="Handle",
        help="name.bsky.social, or a domain of your own; without @.",
    ),
    Field(
        name="password",
        label="App password",
        kind="secret",
        help="Four groups of four characters, made for Rapport. Never the password of the account itself.",
    ),
    Field(
        name="server",
        label="Data server",
        kind="server",
        required=False,
        help="Leave it empty: it is found from the handle. Only for a server that the directory does not know.",
    ),
)
GUIDE = (
    Step("Sign in to Bluesky with the account that shall speak for you.", "https://bsky.app"),
    Step(
        "Open Settings, Privacy and security, App passwords, and choose Add App Password.",
        "https://bsky.app/settings/app-passwords",
    ),
    Step("Name it Rapport. Leave access to direct messages off: Rapport does not read them. Copy what is shown."),
    Step("Write the handle and the app password here. The first posts arrive within a minute."),
)
SETTINGS = (
    Field(
        name="searches",
        label="Searches",
        kind="lines",
        required=False,
        help="Posts with these words, beside those that speak to the account. One search a line, phrases in quotes.",
    ),
    Field(
        name="hashtags",
        label="Hashtags to follow",
        kind="words",
        required=False,
        help="Separate them with spaces.",
    ),
    Field(
        name="jetstream",
        label="Jetstream",
        required=False,
        help="The live stream of all posts. Empty: Bluesky's own, about 4 GB a day. The address of another one "
        "(wss://jetstream.example). off: no stream; mentions are looked for every second instead.",
    ),
)
MOST_SEARCHES = 20
LONGEST_SEARCH = 150  # characters

_FULL_ACCESS = "com.atproto.access"
_PROFILE = re.compile(r"^(?:https?://)?bsky\.app/profile/", re.IGNORECASE)


def connect(
    fields: Mapping[str, str], session: GuardedSession, resolver: str = RESOLVER, directory: str = DIRECTORY
) -> Connected:
    """See `Network.connect`. Refuses the password of the account itself: it can do more than Rapport should."""
    handle, password = read_handle(fields.get("handle", "")), fields.get("password", "").strip()
    if not password:
        raise InvalidInput("write the app password: four groups of four characters")
    entered = fields.get("server", "").strip()
    server = read_origin(entered, session) if entered else find_home(handle, session, resolver, directory)[1]
    told = _sign_in(server, handle, password, session)
    did, access, refresh = (_required(told, name) for name in ("did", "accessJwt", "refreshJwt"))
    if is_did(handle) and did != handle:
        raise InvalidInput("the data server signed somebody else in; check its address")
    with suppress(InvalidInput):  # behind a common door (bsky.social) the session says where the account really lives
        server = data_server(told.get("didDoc"), session)
    claims = read_claims(access)
    if claims.get("scope") == _FULL_ACCESS:
        _sign_out(server, refresh, session)
        raise InvalidInput(
            "this is the password of the account itself. Make an app password (Settings, Privacy and security, "
            "App passwords) and write that one: it cannot change the account, and you can withdraw it at any time."
        )
    grant = Grant(access, refresh, _expiry(claims))
    wire = Wire(server, grant, session)
    identity = _identity(told, did, _display_name(wire, did))
    return Connected(server, identity, grant.encode(), {}, grant.expires_at)


def identify(account: Account, session: GuardedSession) -> Identity:
    """See `Network.verify`."""
    wire = Wire.of(account, session)
    try:
        told = wire.query("com.atproto.server.getSession")
    except Refused as error:  # so the data server speaks of accounts that were taken down or deleted
        raise Reauthorise(f"the data server does not know the account any more: {error}") from error
    if told.get("active") is False:
        raise Reauthorise(f"Bluesky says that the account is {told.get('status') or 'not active'}; look into the app")
    did = _required(told, "did")
    return _identity(told, did, _display_name(wire, did))


def renew(account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
    """See `Network.renew`. The old renewal token works for a while after, so a lost answer costs nothing."""
    grant = Grant.decode(account.token)
    if not grant.refresh:
        raise Reauthorise("this session cannot be renewed. Make a new app password and connect the account again.")
    wire = Wire(account.server, Grant(access=""), session)
    try:
        told = wire.procedure("com.atproto.server.refreshSession", token=grant.refresh)
    except Unconfirmed as error:
        raise RetryLater(f"the session was not renewed yet: {error}") from error
    except GiveUp as error:
        raise Reauthorise(f"the session cannot be renewed ({error}). Connect the account again.") from error
    if told.get("did") != account.account_id:
        raise Reauthorise("the data server renewed the session of somebody else. Connect the account again.")
    access = _required(told, "accessJwt")
    renewed = Grant(access, _required(told, "refreshJwt"), _expiry(read_claims(access)), grant.more)
    return renewed.encode(), renewed.expires_at


def check_settings(
    settings: Mapping[str, str | bool | list[str]], session: GuardedSession
) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`."""
    kept: dict[str, str | int | bool | list[str]] = dict(settings)
    searches = settings.get("searches")
    if isinstance(searches, list):
        cleaned = list(dict.fromkeys(" ".join(each.split()) for each in searches if each.strip()))
        if len(cleaned) > MOST_SEARCHES:
            raise InvalidInput(f"searches: at most {MOST_SEARCHES}; these are {len(cleaned)}")
        for each in cleaned:
            if len(each) > LONGEST_SEARCH:
                raise InvalidInput(f"searches: {each[:40]!r} ... is longer than {LONGEST_SEARCH} characters")
        kept["searches"] = cleaned
    hashtags = settings.get("hashtags")
    if isinstance(hashtags, list):
        names = list(dict.fromkeys(each.strip().lstrip("#") for each in hashtags))
        kept["hashtags"] = [name for name in names if name]
        for name in names:
            if len(name) > 64 or any(each.isspace() for each in name):
                raise InvalidInput(
                    f"hashtags: {name[:40]!r} is no hashtag; they have no spaces and 64 characters at most"
                )
    if "jetstream" in settings:
        kept["jetstream"] = _read_jetstream(str(settings["jetstream"] or ""), session)
    return kept


def read_handle(entered: str) -> str:
    """What a person typed -> a handle in lower case, or a DID: with @, the address of the profile, only the name."""
    text = _PROFILE.sub("", entered.strip()).strip("/").removeprefix("@").removeprefix("at://")
    if is_did(text):
        return text
    if "@" in text:
        raise InvalidInput("write the handle (name.bsky.social), not the mail address")
    if text and "." not in text:
        text = f"{text}.bsky.social"
    if not is_handle(text):
        raise InvalidInput(f"{entered.strip()[:60]!r} is no handle; it looks like name.bsky.social")
    return text.lower()


def read_claims(token: str) -> dict[str, Any]:
    """What a session token says of itself, unchecked: it comes from the server that made it. {} if unreadable."""
    with suppress(ValueError, msgspec.MsgspecError, UnicodeError):
        part = token.split(".")[1] if token.count(".") == 2 else ""
        return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=dict[str, Any])
    return {}


def _sign_in(server: str, handle: str, password: str, session: GuardedSession) -> dict[str, Any]:
    wire = Wire(server, Grant(access=""), session)
    try:
        return wire.procedure("com.atproto.server.createSession", {"identifier": handle, "password": password})
    except SignedOut as error:
        if error.error == "AuthFactorTokenRequired":
            raise InvalidInput("the account asks for a code by mail: use an app password, which needs none") from None
        if error.error in {"AuthenticationRequired", ""}:
            raise InvalidInput(
                f"{wire.host} does not know this handle with this app password. Copy the app password again, "
                "or make a new one."
            ) from None
        raise InvalidInput(str(error)) from error  # taken down, deactivated, suspended
    except Unconfirmed as error:  # one session more on the server harms nobody
        raise RetryLater(str(error)) from error
    except GiveUp as error:
        raise InvalidInput(f"{wire.host} does not answer like a data server of Bluesky: {error}") from error


def _sign_out(server: str, refresh: str, session: GuardedSession) -> None:
    with suppress(NetworkError):  # a session that nobody uses runs out by itself
        Wire(server, Grant(access=""), session).procedure("com.atproto.server.deleteSession", token=refresh)


def _identity(told: Mapping[str, Any], did: str, name: str) -> Identity:
    handle = told.get("handle")
    known = handle if isinstance(handle, str) and is_handle(handle) and handle != "handle.invalid" else did
    return Identity(handle=known, account_id=did, name=name, url=f"https://bsky.app/profile/{did}")


def _display_name(wire: Wire, did: str) -> str:
    """The name in the profile; a data server without an app view has none."""
    with suppress(NetworkError):
        return str(wire.query("app.bsky.actor.getProfile", {"actor": did}).get("displayName") or "")
    return ""


def _required(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value or len(value) > 10_000 or (name == "did" and not is_did(value)):
        raise GiveUp(f"the server's answer has no usable {name}: it may be no data server of Bluesky")
    return value


def _expiry(claims: Mapping[str, Any]) -> dt.datetime | None:
    seconds = claims.get("exp")
    if isinstance(seconds, int) and 0 < seconds < 2**33:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    return None


def _read_jetstream(entered: str, session: GuardedSession) -> str:
    """ "" (Bluesky's own), "off", or the origin of a Jetstream: "wss://jetstream.example"."""
    text = entered.strip()
    if text.lower() in {"", "off"}:
        return text.lower()
    scheme, _, rest = text.rpartition("://")
    secure = scheme.lower() not in {"ws", "http"}
    plain = f"{'https' if secure else 'http'}://{rest}"
    try:
        parts = check_url(plain)
        if not secure and not session.is_allowed(plain):
            raise InvalidInput("jetstream: write an address that begins with wss://")
    except AddressRefused as error:
        raise InvalidInput(f"jetstream: {entered.strip()[:100]!r} is no address of a Jetstream: {error}") from error
    return f"{'wss' if secure else 'ws'}://{parts.netloc}".lower()
