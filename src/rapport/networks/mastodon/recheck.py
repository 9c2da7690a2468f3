"""Looking at posts again, for what the stream told while nobody listened: deletions, edits, people who were taken down.

A list of ids leaves out what is gone, and a server that knows no such lists leaves out everything; so what it leaves
out is asked for by itself. A post that is not found there may also be one whose author blocked us or was taken down, so
the author is asked about before a post is called deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import quote

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, Reauthorise
from rapport.core.post import Post
from rapport.networks.base import Account, Rechecked
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.parse import parse_status, split_items
from rapport.networks.mastodon.pull import domain_of
from rapport.networks.mastodon.wire import Refused, Wire

MOST = 20  # the most that a server gives of a list of ids
WITHIN = 86_400.0  # seconds
_GONE = {404, 410}


class _Who(msgspec.Struct):
    id: str | int
    suspended: bool | None = None


class _Status(msgspec.Struct):
    id: str | int
    account: _Who
    edited_at: str | None = None


class _Relation(msgspec.Struct):
    id: str | int
    blocked_by: bool = False


_statuses = msgspec.json.Decoder(_Status, strict=False)
_who = msgspec.json.Decoder(_Who, strict=False)
_relations = msgspec.json.Decoder(list[_Relation], strict=False)


def recheck_posts(account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
    """See `Network.recheck`."""
    wire = Wire.of(account, session)
    asked = list(ids)[:MOST]
    found, missing = _read(wire, asked)
    standing, hidden, changed = [], [], []
    for identifier, (item, status) in found.items():
        if status.account.suspended:
            hidden.append(identifier)
            continue
        standing.append(identifier)
        if status.edited_at:
            changed += _parsed(item, account)
    shut = {key: _is_shut(wire, key, account) for key in {ids[each] for each in missing}}
    deleted = [each for each in missing if shut[ids[each]] is False]
    hidden += [each for each in missing if shut[ids[each]] is True]
    said = {*standing, *deleted, *hidden}
    return Rechecked(
        standing=tuple(standing),
        deleted=tuple(deleted),
        hidden=tuple(hidden),
        unseen=tuple(each for each in ids if each not in said),
        changed=tuple(changed),
    )


def _read(wire: Wire, ids: list[str]) -> tuple[dict[str, tuple[bytes, _Status]], list[str]]:
    """(Those that are there; those that the server does not find). Some may be in neither."""
    try:
        found = _by_id(split_items(wire.read("/api/v1/statuses", {"id[]": ids})))
    except (GiveUp, InvalidPost):
        found = {}
    found = {each: told for each, told in found.items() if each in ids}
    missing = []
    for identifier in [each for each in ids if each not in found]:
        try:
            alone = _by_id([wire.read(f"/api/v1/statuses/{quote(identifier, safe='')}")])
            found |= {each: told for each, told in alone.items() if each == identifier}
        except Refused as error:
            if error.status in _GONE and error.in_words:
                missing.append(identifier)
        except GiveUp:
            continue
    return found, missing


def _by_id(items: list[bytes]) -> dict[str, tuple[bytes, _Status]]:
    found = {}
    for item in items:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            status = _statuses.decode(item)
            found[str(status.id)] = (item, status)
    return found


def _parsed(item: bytes, account: Account) -> list[Post]:
    with suppress(InvalidPost):
        return [parse_status(item, domain_of(account), account.account_id)]
    return []


def _is_shut(wire: Wire, key: str, account: Account) -> bool | None:
    """Whether this author was taken down, is gone, or blocks us; None when the server does not say.

    A server that does not find even ourselves knows no such question.
    """
    local = f"@{domain_of(account)}"
    try:
        who = _look_up(wire, key.removesuffix(local))
        if who is None:
            return True if _look_up(wire, account.handle.removesuffix(local)) is not None else None
        if who.suspended:
            return True
        told = _relations.decode(_read_relations(wire, str(who.id)))
    except (GiveUp, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    relations = [each for each in told if str(each.id) == str(who.id)]
    return relations[0].blocked_by if relations else None


def _read_relations(wire: Wire, identifier: str) -> bytes:
    """The answer about one account. Raises `GiveUp` where our token is not allowed to ask (`form.SCOPES`)."""
    try:
        return wire.read("/api/v1/accounts/relationships", {"id[]": [identifier]})
    except Reauthorise as error:
        # an account that was connected without this right is read and answered all the same
        raise GiveUp(str(error)) from None


def _look_up(wire: Wire, handle: str) -> _Who | None:
    """An account by its handle; None for one that the server says it does not know."""
    try:
        return _who.decode(wire.read("/api/v1/accounts/lookup", {"acct": handle}))
    except Refused as error:
        if error.status in _GONE and error.in_words:
            return None
        raise
