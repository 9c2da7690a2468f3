"""Answering on Reddit, and finding again what may have been sent: Reddit has no key for a second try."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Collection
from html import unescape
from typing import Any
from urllib.parse import quote

import msgspec

from rapport.core.errors import GiveUp, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.parse import SITE
from rapport.networks.reddit.wire import Wire

VISIBILITIES = ("public", "direct")
MAX_LENGTH = 10_000  # characters of a comment or message
_CLOCKS = dt.timedelta(minutes=5)  # how far Reddit's clock may be behind ours
_MOST_PAGES = 5


class _Said(msgspec.Struct):
    name: str = ""
    permalink: str | None = None
    parent_id: str | None = None
    body: str | None = None
    created_utc: float = 0.0


class _Thing(msgspec.Struct):
    data: _Said


class _Things(msgspec.Struct):
    things: list[_Thing] = []


class _Json(msgspec.Struct):
    data: _Things | None = None


class _Answer(msgspec.Struct):
    json: _Json


class _Slice(msgspec.Struct):
    children: list[_Thing] = []
    after: str | None = None


class _Listing(msgspec.Struct):
    data: _Slice


def push_reply(account: Account, reply: Reply, session: GuardedSession) -> Sent:
    """See `Network.push`. The text goes out as it was approved, as Markdown, which Reddit makes of every text."""
    if (reply.visibility == "direct") != reply.target.startswith("t4_"):
        raise GiveUp("Reddit answers messages with messages and comments with comments; choose the other visibility.")
    body = Wire.of(account, session).write("/api/comment", {"thing_id": reply.target, "text": reply.text})
    try:
        told = msgspec.json.decode(body, type=_Answer).json.data
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = None
    if told is None or not told.things or not told.things[0].data.name:
        raise Unconfirmed("Reddit accepted the reply and did not say under which id")
    return _sent(told.things[0].data)


def find_reply(
    account: Account, reply: Reply, since: dt.datetime, session: GuardedSession, besides: Collection[str] = ()
) -> Sent | None:
    """See `Network.find`. Reads our own comments, or the messages that we sent, back to `since`."""
    wire = Wire.of(account, session)
    direct = reply.target.startswith("t4_")
    path = "/message/sent" if direct else f"/user/{quote(account.handle, safe='')}/comments"
    params: dict[str, Any] = {"limit": 100} if direct else {"limit": 100, "sort": "new"}
    floor = (since - _CLOCKS).timestamp()
    wanted = comparable(reply.text)
    for _ in range(_MOST_PAGES):
        slice_ = _read_slice(wire, path, params)
        for thing in slice_.children:
            said = thing.data
            ours = said.created_utc >= floor and said.parent_id == reply.target
            if ours and comparable(said.body or "") == wanted and (sent := _sent(said)).id not in besides:
                return sent
        if not slice_.after or any(0 < thing.data.created_utc < floor for thing in slice_.children):
            return None
        params = params | {"after": slice_.after}
    raise Unconfirmed(f"{_MOST_PAGES * 100} of our newest comments do not go back to the time of the send")


def comparable(text: str) -> str:
    """A text without what Reddit changes: white space, Unicode forms, HTML entities."""
    return " ".join(unicodedata.normalize("NFC", unescape(text)).split())


def _read_slice(wire: Wire, path: str, params: dict[str, Any]) -> _Slice:
    try:
        return msgspec.json.decode(wire.read(path, params).content, type=_Listing).data
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        # What cannot be read may be the one that we look for: not found would be a guess.
        raise RetryLater(f"what we wrote on Reddit cannot be read: {error}") from None


def _sent(said: _Said) -> Sent:
    path = said.permalink or ""
    if said.name.startswith("t4_"):
        path = f"/message/messages/{said.name.removeprefix('t4_')}"
    return Sent(said.name, SITE + path if path.startswith("/") else None)
