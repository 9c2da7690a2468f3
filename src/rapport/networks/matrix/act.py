"""Reactions on Matrix, and changing what was sent: redactions and replacements.

A transaction id makes a repeat of a request the same one; a second reaction of the same kind is refused by the server,
which says that it is there.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, RetryLater
from rapport.core.reply import Act, ActKind, Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.parse import Event, post_id, split_id
from rapport.networks.matrix.wire import Refused, Wire, segment
from rapport.networks.payload import read_json, take

ACTS: frozenset[ActKind] = frozenset({"like", "unlike"})
LIKE = "👍"


class _SentEvent(msgspec.Struct):
    event_id: str


class _Relations(msgspec.Struct):
    chunk: list[Any] = []


def do_act(account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
    """See `Network.act`. A like is the reaction with a thumb."""
    wire = Wire.of(account, session)
    room, event = _place(act.target)
    if act.kind == "unlike":
        for reaction in _own_likes(wire, account, room, event):
            _redact(wire, room, reaction)
        return Sent(act.target)
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": LIKE}}
    try:
        sent = wire.write("PUT", f"/rooms/{segment(room)}/send/m.reaction/{segment(key)}", content, _SentEvent)
    except Refused as error:
        if error.code != "M_DUPLICATE_ANNOTATION":
            raise
        return Sent(act.target)
    return Sent(post_id(room, sent.event_id))


def remove_message(account: Account, external_id: str, session: GuardedSession) -> None:
    """See `Network.remove`: a redaction."""
    wire = Wire.of(account, session)
    room, event = _place(external_id)
    try:
        found = wire.read(f"/rooms/{segment(room)}/event/{segment(event)}", Event)
    except Refused as error:
        if error.status == 404:
            return
        raise
    if found.sender != account.account_id:
        raise GiveUp(f"{external_id[:100]!r} is no message of this account")
    if not found.is_redacted:
        _redact(wire, room, event)


def edit_message(account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
    """See `Network.edit`: a replacement, which programs show in the place of the first words."""
    room, event = _place(external_id)
    wire = Wire.of(account, session)
    before = wire.read(f"/rooms/{segment(room)}/event/{segment(event)}", Event).content
    # an image stays what it shows: the words are its caption
    shown: dict[str, Any] = {name: before[name] for name in ("url", "info", "filename") if name in before}
    new: dict[str, Any] = {"msgtype": "m.image" if shown else "m.text", **shown}
    content = {
        **new,
        "body": f"* {reply.text}",
        "m.new_content": {**new, "body": reply.text},
        "m.relates_to": {"rel_type": "m.replace", "event_id": event},
    }
    path = f"/rooms/{segment(room)}/send/m.room.message/{segment(key)}"
    wire.write("PUT", path, content, _SentEvent)
    return Sent(external_id)


def _place(identifier: str) -> tuple[str, str]:
    room, event = split_id(identifier)
    if not room:
        raise GiveUp(f"{identifier[:100]!r} names no message in a Matrix room")
    return room, event


def _redact(wire: Wire, room: str, event: str) -> None:
    # the same event is redacted once, whoever asks how often
    transaction = hashlib.sha256(f"redact {room} {event}".encode()).hexdigest()[:32]
    wire.write("PUT", f"/rooms/{segment(room)}/redact/{segment(event)}/{transaction}", {}, _SentEvent)


def _own_likes(wire: Wire, account: Account, room: str, event: str) -> list[str]:
    """Our reactions with a thumb to an event; the newest hundred reactions are looked through."""
    path = f"/_matrix/client/v1/rooms/{segment(room)}/relations/{segment(event)}/m.annotation/m.reaction"
    response = wire.request("GET", path, params={"limit": 100})
    try:
        items = take(read_json(response.content), _Relations).chunk
        events = [take(item, Event) for item in items]
    except InvalidPost as error:
        raise RetryLater(f"{wire.host} gave an answer that cannot be read ({error})") from None
    ours = [each for each in events if each.sender == account.account_id and not each.is_redacted]
    return [each.event_id for each in ours if _reaction(each) == LIKE]


def _reaction(event: Event) -> str:
    relation = event.content.get("m.relates_to")
    found = relation.get("key") if isinstance(relation, dict) else None
    return found if isinstance(found, str) else ""
