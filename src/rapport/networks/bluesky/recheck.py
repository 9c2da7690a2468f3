"""Looking at posts again, for what the live stream told while nobody listened.

The app view leaves a post out for many reasons: it was deleted, its author is gone for a while, one of us blocks the
other, it is not indexed yet. So the author is asked about, then the record by itself, which no block hides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from rapport.core.errors import GiveUp, RetryLater
from rapport.networks.base import Account, Rechecked
from rapport.networks.bluesky.syntax import POSTS, Address, parse_address, written_before
from rapport.networks.bluesky.wire import Refused, Wire
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of

MOST = 25
WITHIN = 86_400.0  # seconds
#: a post may be heard live before the app view has it
_INDEXED = dt.timedelta(minutes=10)
_ACCOUNT_GONE = {"AccountTakedown", "AccountDeactivated", "AccountSuspended"}
_NO_RECORD = ("Could not locate record", "Record not found")
#: authors and records that one look asks for by themselves; the others wait for the next one
_MOST_SINGLES = 25


def recheck_posts(account: Account, ids: Mapping[str, str], session: GuardedSession, now: dt.datetime) -> Rechecked:
    """See `Network.recheck`. Bluesky has no edits."""
    wire = Wire.of(account, session)
    places = {each: parse_address(each) for each in ids}
    asked = {each: place for each, place in places.items() if place is not None and place.collection == POSTS}
    asked = dict(list(asked.items())[:MOST])
    there = _there(wire, list(asked)) if asked else set()
    missing = {each: place for each, place in asked.items() if each not in there}
    gone = _gone_authors(wire, {place.authority for place in missing.values()})
    hidden = [each for each, place in missing.items() if place.authority in gone]
    deleted = []
    for each, place in [pair for pair in missing.items() if pair[0] not in hidden][:_MOST_SINGLES]:
        if written_before(place.record_key, now - _INDEXED) and _is_deleted(wire, place):
            deleted.append(each)
    said = there | {*hidden, *deleted}
    return Rechecked(
        standing=tuple(each for each in ids if each in there),
        deleted=tuple(deleted),
        hidden=tuple(hidden),
        unseen=tuple(each for each in ids if each not in said),
    )


def _there(wire: Wire, uris: list[str]) -> set[str]:
    return {name_of(item, "uri") for item in _list(wire, "app.bsky.feed.getPosts", "posts", {"uris": uris})} & set(uris)


def _gone_authors(wire: Wire, dids: Collection[str]) -> set[str]:
    """Authors whom the network shows to nobody. One whom it does not know may be new: that is no proof."""
    if not dids:
        return set()
    actors = sorted(dids)[:MOST]
    shown = {name_of(item, "did") for item in _list(wire, "app.bsky.actor.getProfiles", "profiles", {"actors": actors})}
    gone = set()
    for did in actors:
        if did in shown:
            continue
        try:
            wire.query("app.bsky.actor.getProfile", {"actor": did})
        except Refused as error:
            if error.error in _ACCOUNT_GONE:
                gone.add(did)
    return gone


def _is_deleted(wire: Wire, place: Address) -> bool:
    """Whether the network says of the record itself that there is none."""
    named = {"repo": place.authority, "collection": place.collection, "rkey": place.record_key}
    try:
        wire.query("com.atproto.repo.getRecord", named)
    except Refused as error:
        return error.error == "RecordNotFound" or any(words in str(error) for words in _NO_RECORD)
    except GiveUp:
        return False
    return False


def _list(wire: Wire, method: str, name: str, parameters: dict[str, list[str]]) -> list[Any]:
    items = wire.query(method, parameters).get(name)
    if not isinstance(items, list):
        raise RetryLater(f"{wire.host} gave no list of {name}")
    return items
