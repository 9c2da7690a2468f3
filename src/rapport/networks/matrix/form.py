"""Connecting a Matrix account by form: its password becomes a token of our own, or a token is given.

connected = connect({"server": "example.org", "user": "brand", "password": "..."}, session)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, NetworkError, Reauthorise, Unconfirmed
from rapport.networks.base import Account, Connected, Field, Grant, Identity, Step
from rapport.networks.entered import read_origin
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.parse import handle_of, is_room
from rapport.networks.matrix.wire import Refused, Wire, segment
from rapport.networks.payload import read_json, take

FIELDS = (
    Field(
        name="server",
        label="Server",
        kind="server",
        help="The part of the name behind the colon: example.org for @brand:example.org, or the address of the server.",
    ),
    Field(
        name="user",
        label="User",
        required=False,
        help="The name in front of the colon: brand. Not needed with a token.",
    ),
    Field(
        name="password",
        label="Password",
        kind="secret",
        required=False,
        help="Used once, to sign in as a device of its own named Rapport; it is not kept.",
    ),
    Field(
        name="token",
        label="Access token",
        kind="secret",
        required=False,
        help="Instead of the password, where the server signs people in by a website.",
    ),
)
GUIDE = (
    Step("Make an account for your team on your Matrix server, or take the one that people know you by."),
    Step("Join the rooms that Rapport shall hear with that account, or have it invited. Not encrypted ones."),
    Step("Write the server, the user and its password here. Rapport signs in as a device of its own."),
    Step(
        "If your server signs people in by a website only, take an access token instead: in Element under "
        "All settings, Help and About, Advanced, Access token."
    ),
    Step("Afterwards choose the rooms on the page of this source; without a choice all joined rooms are heard."),
)  # fmt: skip
SETTINGS = (
    Field(
        name="rooms",
        label="Rooms to hear",
        kind="lines",
        required=False,
        help=(
            "One a line: #support:example.org or !id:example.org. None: every room that the account is in. "
            "Invitations are accepted for rooms in this list only."
        ),
    ),
    Field(
        name="direct",
        label="Accept private conversations",
        kind="flag",
        required=False,
        help="When somebody invites the account to a private conversation, accept it and hear it.",
    ),
)
_DEVICE = "Rapport"
_MOST_ROOMS = 200


class _Home(msgspec.Struct):
    base_url: str = ""


class _WellKnown(msgspec.Struct):
    homeserver: _Home = msgspec.field(name="m.homeserver", default_factory=_Home)


class _Login(msgspec.Struct):
    user_id: str
    access_token: str
    device_id: str = ""
    refresh_token: str = ""
    expires_in_ms: int | None = None


class _Refreshed(msgspec.Struct):
    access_token: str
    refresh_token: str = ""
    expires_in_ms: int | None = None


class _Whoami(msgspec.Struct):
    user_id: str
    device_id: str = ""


class _Alias(msgspec.Struct):
    room_id: str


def connect(fields: Mapping[str, str], session: GuardedSession) -> Connected:
    """See `Network.connect`."""
    user, token = fields.get("user", "").strip(), fields.get("token", "").strip()
    entered = fields.get("server", "").strip()
    if entered.startswith("@"):
        user, _, entered = (user or entered).partition(":")[0], "", entered.partition(":")[2]
    server = _find_homeserver(read_origin(entered, session), session)
    if token:
        grant = Grant(token)
    elif user and fields.get("password"):
        grant = _sign_in(Wire(server, "", session), user, fields["password"])
    else:
        raise InvalidInput("Write the user and its password, or an access token.")
    kept = grant.encode() if grant.refresh else grant.access
    try:
        identity = identify(Wire(server, kept, session))
    except Reauthorise as error:
        raise InvalidInput(f"The access token is not accepted: {error}") from None
    settings: dict[str, str | int | bool | list[str]] = {"device_id": grant.more.get("device_id", "")}
    return Connected(server, identity, kept, settings if settings["device_id"] else {}, grant.expires_at)


def identify(wire: Wire) -> Identity:
    """Who the token of this wire speaks for."""
    user = wire.read("/account/whoami", _Whoami).user_id
    try:
        told = wire.read(f"/profile/{segment(user)}/displayname", dict[str, Any]).get("displayname")
    except GiveUp:
        told = ""
    return Identity(
        handle=handle_of(user),
        account_id=user,
        name=told if isinstance(told, str) else "",
        url=f"https://matrix.to/#/{user}",
    )


def renew(account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
    """See `Network.renew`."""
    grant = Grant.decode(account.token)
    if not grant.refresh:
        raise Reauthorise("the server gave nothing to renew this token with; connect the account again")
    try:
        body = {"refresh_token": grant.refresh}
        told = Wire(account.server, "", session).write("POST", "/refresh", body, _Refreshed)
    except Refused as error:
        raise Reauthorise(f"the token could not be renewed; connect the account again: {error}") from None
    expires = _expiry(told.expires_in_ms)
    fresh = Grant(told.access_token, told.refresh_token or grant.refresh, expires, grant.more)
    return fresh.encode(), expires


def read_room(account: Account, entered: str) -> str:
    """See `Network.place_of_post`: one of the rooms that an admin chose, by the name that they wrote, or an id."""
    name = unquote(entered.strip().removeprefix("https://matrix.to/#/").partition("?")[0])
    named, ids = account.settings.get("rooms"), account.settings.get("room_ids")
    if isinstance(named, list) and isinstance(ids, list) and len(named) == len(ids) and entered.strip() in named:
        return str(ids[named.index(entered.strip())])
    if not is_room(name):
        raise InvalidInput("Write the room as its number, !id:server, or as it stands in the settings of the source.")
    return name


def check_settings(
    settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`. Names of rooms become ids; rooms that may be joined are joined."""
    entered = settings.get("rooms") or []
    lines = entered.split("\n") if isinstance(entered, str) else list(entered if isinstance(entered, list) else [])
    rooms = [line.strip() for line in lines if line.strip()]
    if len(rooms) > _MOST_ROOMS:
        raise InvalidInput(
            f"{len(rooms)} rooms; at most {_MOST_ROOMS} can be chosen. Leave the list empty to hear all."
        )
    wire = Wire.of(account, session)
    ids = [_check_room(place, room, wire) for place, room in enumerate(rooms, 1)]
    return {"rooms": rooms, "room_ids": list(dict.fromkeys(ids)), "direct": settings.get("direct") is True}


def _check_room(place: int, entered: str, wire: Wire) -> str:
    """One line -> the id of the room, after a try to join it. Raises `InvalidInput`."""
    name = unquote(entered.removeprefix("https://matrix.to/#/").partition("?")[0])
    if name.startswith("#") and ":" in name:
        try:
            room = wire.read(f"/directory/room/{segment(name)}", _Alias).room_id
        except GiveUp:
            raise InvalidInput(f"line {place}: nobody knows a room {name[:100]}; look at its name once more") from None
    elif name.startswith("!") and len(name) > 1 and "/" not in name:
        room = name
    else:
        raise InvalidInput(f"line {place}: {entered[:100]!r} is no room; write #name:server or !id:server")
    try:
        wire.write("POST", f"/join/{segment(name)}", {}, dict[str, Any])
    except (GiveUp, Unconfirmed):
        return room  # its invitation is accepted when it comes
    try:
        wire.read(f"/rooms/{segment(room)}/state/m.room.encryption/", dict[str, Any])
    except GiveUp:
        return room
    raise InvalidInput(
        f"line {place}: {name[:100]} is encrypted from end to end, so nothing in it can be read here. "
        "Choose a room without encryption."
    )


def _find_homeserver(origin: str, session: GuardedSession) -> str:
    """Where the API of this server is, as its .well-known says, and else there. Raises `InvalidInput`."""
    server = origin
    try:
        told = Wire(origin, "", session).request("GET", "/.well-known/matrix/client")
        base = take(read_json(told.content), _WellKnown).homeserver.base_url
        server = read_origin(base, session) if base else origin
    except (NetworkError, InvalidPost):
        pass  # it has none: the name is the address
    try:
        Wire(server, "", session).request("GET", "/_matrix/client/versions")
    except GiveUp as error:
        host = urlsplit(server).hostname
        raise InvalidInput(f"{host} does not answer like a Matrix server ({error}); look at its address") from None
    return server


def _sign_in(wire: Wire, user: str, password: str) -> Grant:
    """Raises `InvalidInput` with the remedy."""
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user},
        "password": password,
        "initial_device_display_name": _DEVICE,
        "refresh_token": True,
    }
    try:
        told = wire.write("POST", "/login", body, _Login)
    except (Refused, Reauthorise) as error:
        code = error.code if isinstance(error, Refused) else ""
        if code in {"M_UNKNOWN", "M_UNRECOGNIZED", "M_INVALID_PARAM"}:
            raise InvalidInput(f"This server takes no passwords; give an access token instead ({error}).") from None
        raise InvalidInput(f"The server did not accept user and password: {error}") from None
    expires = _expiry(told.expires_in_ms) if told.refresh_token else None
    return Grant(told.access_token, told.refresh_token, expires, {"device_id": told.device_id})


def _expiry(milliseconds: int | None) -> dt.datetime | None:
    if milliseconds is None or not 0 <= milliseconds < 10**13:
        return None
    return dt.datetime.now(dt.UTC) + dt.timedelta(milliseconds=milliseconds)
