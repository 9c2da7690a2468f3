"""Votes on Reddit, and changing what was sent there.

A vote up is what a like is elsewhere. Reddit's rule: "votes must be cast by humans"; a program that passes on one press
of one person as one vote is fine, one that decides what to vote on is not. So no rule may propose it.

Sources: reddit.com/dev/api, /api/vote (scope vote; dir 1 or 0, the same again changes nothing), /api/del and
/api/editusertext (scope edit), /api/info.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, Reauthorise, RetryLater
from rapport.core.reply import Act, ActKind, Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.parse import SITE
from rapport.networks.reddit.wire import Wire

ACTS: frozenset[ActKind] = frozenset({"like", "unlike"})
_VOTED, _SENT = re.compile(r"t[13]_[0-9a-z]{1,20}"), re.compile(r"t1_[0-9a-z]{1,20}")
_DELETED = "[deleted]"


class _Said(msgspec.Struct):
    name: str = ""
    author: str | None = None
    body: str | None = None
    permalink: str | None = None


class _Thing(msgspec.Struct):
    data: _Said


class _Slice(msgspec.Struct):
    children: list[_Thing] = []


class _Listing(msgspec.Struct):
    data: _Slice


def do_act(account: Account, act: Act, session: GuardedSession) -> Sent:
    """See `Network.act`."""
    if not _VOTED.fullmatch(act.target):
        raise GiveUp(f"{act.target[:40]!r} is nothing on Reddit that can be voted on; private messages take no votes.")
    form = {"id": act.target, "dir": "1" if act.kind == "like" else "0"}
    _change(Wire.of(account, session), "/api/vote", form)
    return Sent(act.target)


def remove_comment(account: Account, external_id: str, session: GuardedSession) -> None:
    """See `Network.remove`. Reddit answers the same to a second one as to the first, so what is gone is looked at."""
    wire = Wire.of(account, session)
    if _read_ours(account, wire, external_id) is not None:
        _change(wire, "/api/del", {"id": external_id})


def edit_comment(account: Account, external_id: str, reply: Reply, session: GuardedSession) -> Sent:
    """See `Network.edit`."""
    wire = Wire.of(account, session)
    said = _read_ours(account, wire, external_id)
    if said is None:
        raise GiveUp("the comment is not on Reddit any more; answer anew")
    if said.body != reply.text:
        _change(wire, "/api/editusertext", {"thing_id": external_id, "text": reply.text})
    path = said.permalink or ""
    return Sent(external_id, SITE + path if path.startswith("/") else None)


def _read_ours(account: Account, wire: Wire, external_id: str) -> _Said | None:
    """A comment of ours as it stands, None where it is gone."""
    if not _SENT.fullmatch(external_id):
        raise GiveUp("a private message on Reddit that was sent stays sent, and cannot be changed")
    params: dict[str, Any] = {"id": external_id}
    try:
        found = msgspec.json.decode(wire.read("/api/info", params).content, type=_Listing).data.children
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RetryLater(f"the comment on Reddit cannot be read: {error}") from None
    if not found or found[0].data.author in (None, _DELETED):
        return None
    said = found[0].data
    if str(said.author).casefold() != account.handle.casefold():
        raise GiveUp("the comment is by somebody else")
    return said


def _change(wire: Wire, path: str, form: dict[str, str]) -> None:
    try:
        wire.write(path, form)
    except Reauthorise as error:
        if "scope" in str(error).lower():  # connected before this was asked for; all else still works
            raise GiveUp(str(error)) from None
        raise
