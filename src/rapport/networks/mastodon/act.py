"""Likes, boosts and follows on Mastodon, and changing what was sent. Each, done twice, has one effect.

A favourite that is there is answered like a new one; a status that is gone answers 404, which means that it is deleted.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from rapport.core.errors import GiveUp, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Act, ActKind, Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.pull import domain_of
from rapport.networks.mastodon.wire import Refused, Wire

ACTS: frozenset[ActKind] = frozenset({"like", "unlike", "boost", "unboost", "follow", "unfollow"})
_VERBS = {"like": "favourite", "unlike": "unfavourite", "boost": "reblog", "unboost": "unreblog"}


class _Status(msgspec.Struct):
    id: str | int = ""
    url: str | None = None


class _Media(msgspec.Struct):
    id: str | int


class _Standing(msgspec.Struct):
    """What of a status an edit must give back, or it is lost."""

    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    media_attachments: list[_Media] = []


class _Found(msgspec.Struct):
    id: str | int
    acct: str = ""


def do_act(account: Account, act: Act, session: GuardedSession) -> Sent:
    """See `Network.act`. An account that was connected before likes were asked for lacks that right, and no other."""
    try:
        return _do(account, act, session)
    except Reauthorise as error:
        if "scope" in str(error):
            raise GiveUp(f"{error}; connect the account again, and allow what is asked for") from None
        raise


def _do(account: Account, act: Act, session: GuardedSession) -> Sent:
    wire = Wire.of(account, session)
    if act.kind in ("follow", "unfollow"):
        who = _account_id(wire, act.handle.removesuffix(f"@{domain_of(account)}"))
        wire.write("POST", f"/api/v1/accounts/{quote(who, safe='')}/{act.kind}")
        return Sent(act.handle)
    body = wire.write("POST", f"/api/v1/statuses/{quote(act.target, safe='')}/{_VERBS[act.kind]}")
    try:
        found = msgspec.json.decode(body, type=_Status)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Unconfirmed("the server accepted it and answered in a way that cannot be read") from None
    # a boost is a status of its own
    return Sent(str(found.id or act.target), found.url)


def remove_status(account: Account, external_id: str, session: GuardedSession) -> None:
    """See `Network.remove`."""
    try:
        Wire.of(account, session).write("DELETE", f"/api/v1/statuses/{quote(external_id, safe='')}")
    except Refused as error:
        if error.status not in (404, 410) or not error.in_words:
            raise


def edit_status(account: Account, external_id: str, reply: Reply, session: GuardedSession) -> Sent:
    """See `Network.edit`. Images, warning and language stay as they are: a server drops what an edit does not name."""
    wire = Wire.of(account, session)
    path = f"/api/v1/statuses/{quote(external_id, safe='')}"
    try:
        standing = msgspec.json.decode(wire.read(path), type=_Standing)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RetryLater(f"the reply that would be edited cannot be read: {error}") from None
    form: list[tuple[str, str]] = [("status", reply.text), ("spoiler_text", standing.spoiler_text)]
    form += [("sensitive", "true")] if standing.sensitive else []
    form += [("language", standing.language)] if standing.language else []
    form += [("media_ids[]", str(each.id)) for each in standing.media_attachments]
    try:
        found = msgspec.json.decode(wire.write("PUT", path, form), type=_Status)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Unconfirmed("the server accepted the edit and answered in a way that cannot be read") from None
    return Sent(external_id, found.url)


def _account_id(wire: Wire, handle: str) -> str:
    """The server's number of an account, by its address."""
    params: dict[str, Any] = {"acct": handle}
    try:
        return str(msgspec.json.decode(wire.read("/api/v1/accounts/lookup", params), type=_Found).id)
    except Refused as error:
        raise GiveUp(f"the server knows no account {handle[:100]!r}: {error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RetryLater(f"the account cannot be read: {error}") from None
