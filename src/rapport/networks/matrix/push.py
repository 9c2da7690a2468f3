"""Writing to a Matrix room, and finding again what may have been written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.parse import Event, is_room, post_id, split_id
from rapport.networks.matrix.upload import shown
from rapport.networks.matrix.wire import Wire, segment
from rapport.networks.payload import same_text, take

MAX_LENGTH = 60_000  # bytes of the words as JSON; an event may have 65,536 with all that stands around them
VISIBILITIES = ("public", "private", "direct")
_CLOCKS = dt.timedelta(minutes=5)  # how far the server's clock may be behind ours
_PAGE_SIZE = 100
_MOST_PAGES = 10


class _SentEvent(msgspec.Struct):
    event_id: str


class _Messages(msgspec.Struct):
    chunk: list[Any] = []
    end: str | None = None


def push_reply(account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
    """See `Network.push`. The key is the transaction id: the server answers a repeat with the event of the first."""
    wire = Wire.of(account, session)
    room, target = _place(wire, reply)
    content = {
        "msgtype": "m.text",
        "body": reply.text,
        **shown(reply.media),
        **({"m.relates_to": _relation(wire, room, target)} if target else {}),
        "m.mentions": {"user_ids": [f"@{handle}" for handle in reply.to if ":" in handle]},
    }
    path = f"/rooms/{segment(room)}/send/m.room.message/{segment(key)}"
    sent = wire.write("PUT", path, content, _SentEvent)
    return _sent(room, sent.event_id)


def find_reply(
    account: Account,
    reply: Reply,
    since: dt.datetime,
    key: str,
    session: GuardedSession,
    besides: Collection[str] = (),
) -> Sent | None:
    """See `Network.find`. Our own messages in the room, newest first: the one with our transaction id, or our words."""
    wire = Wire.of(account, session)
    room, target = _place(wire, reply)
    mine = msgspec.json.encode({"types": ["m.room.message"], "senders": [account.account_id]}).decode()
    params: dict[str, Any] = {"dir": "b", "limit": _PAGE_SIZE, "filter": mine}
    oldest = int((since - _CLOCKS).timestamp() * 1000)
    for _ in range(_MOST_PAGES):
        page = wire.read(f"/rooms/{segment(room)}/messages", _Messages, params)
        for event in _own(page.chunk, account):
            sent = _sent(room, event.event_id)
            named = event.unsigned.get("transaction_id")  # the server tells it to whom it belongs to alone, if at all
            if named == key:
                return sent
            if event.origin_server_ts < oldest:
                return None
            if named is None and sent.id not in besides and _is_it(event, reply, target):
                return sent
        if not page.end or page.end == params.get("from"):
            return None
        params["from"] = page.end
    raise Unconfirmed(f"{_MOST_PAGES * _PAGE_SIZE} of our newest messages do not go back to the time of the send")


def counted_length(text: str) -> int:
    """Bytes of the text as it stands in an event."""
    return len(msgspec.json.encode(text.encode("utf-8", "replace").decode())) - 2


def _place(wire: Wire, reply: Reply) -> tuple[str, str]:
    """Room and event that the reply is for; no event for a message to a room. Raises `GiveUp` for other targets."""
    if is_room(reply.target):
        return reply.target, ""
    room, target = split_id(reply.target)
    if not room:
        wire.read("/account/whoami", dict[str, Any])  # a dead token is the more urgent thing to say
        raise GiveUp(f"{reply.target[:100]!r} names no message in a Matrix room; answer it in another program")
    return room, target


def _relation(wire: Wire, room: str, target: str) -> dict[str, Any]:
    """An answer to the event, in its thread where it stands in one."""
    answered = {"m.in_reply_to": {"event_id": target}}
    try:
        event = wire.read(f"/rooms/{segment(room)}/event/{segment(target)}", Event)
    except GiveUp as error:
        raise GiveUp(f"the message that is answered cannot be found: {error}") from None
    if event.is_redacted:
        raise GiveUp("the message that is answered was deleted by its author")
    relation = event.content.get("m.relates_to")
    root = relation.get("event_id") if isinstance(relation, dict) and relation.get("rel_type") == "m.thread" else None
    if not isinstance(root, str):
        return answered
    return answered | {"rel_type": "m.thread", "event_id": root, "is_falling_back": False}


def _own(items: list[Any], account: Account) -> list[Event]:
    """The events that can be read and are ours; a server may know no filter by sender."""
    found = []
    for item in items:
        try:
            event = take(item, Event)
        except InvalidPost:
            continue
        if event.sender == account.account_id:
            found.append(event)
    return found


def _is_it(event: Event, reply: Reply, target: str) -> bool:
    relation = event.content.get("m.relates_to")
    answered = relation.get("m.in_reply_to") if isinstance(relation, dict) else None
    body = event.content.get("body")
    same = answered is None if not target else isinstance(answered, dict) and answered.get("event_id") == target
    return same and isinstance(body, str) and same_text(body, reply.text)


def _sent(room: str, event: str) -> Sent:
    return Sent(post_id(room, event), f"https://matrix.to/#/{quote(room, safe='!:')}/{quote(event, safe='$')}")
