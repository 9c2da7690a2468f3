"""Likes, reposts and follows on Bluesky, and changing what was sent.

Each is a record of ours under a key made from what it is about, put on the condition that nothing lies there: done
twice, it has one effect. What a person did on the site lies under another key, and is seen by what the network shows to
us of the post. An edit is a new post with the time of the old one, which then goes: the network shows no edits.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from rapport.core.errors import GiveUp, Unconfirmed
from rapport.core.reply import Act, ActKind, Reply
from rapport.networks.base import Account, Sent
from rapport.networks.bluesky.push import at, chosen_key, did_of
from rapport.networks.bluesky.richtext import MOST_BYTES, MOST_GRAPHEMES, counted_length, find_facets
from rapport.networks.bluesky.syntax import POSTS, Address, is_did, parse_address, web_address, write_time
from rapport.networks.bluesky.wire import Refused, Wire
from rapport.networks.http import GuardedSession

ACTS: frozenset[ActKind] = frozenset({"like", "unlike", "boost", "unboost", "follow", "unfollow"})
#: kind -> where its records lie, and under which name the network shows ours
_RECORDS = {
    "like": ("app.bsky.feed.like", "like"),
    "boost": ("app.bsky.feed.repost", "repost"),
    "follow": ("app.bsky.graph.follow", "following"),
}
_GONE = {"RecordNotFound", "NotFound", "CouldNotLocateRecord"}


def do_act(account: Account, act: Act, session: GuardedSession) -> Sent:
    """See `Network.act`."""
    wire, kind = Wire.of(account, session), act.kind.removeprefix("un")
    collection, name = _RECORDS[kind]
    subject, standing = _person(wire, act.handle, name) if kind == "follow" else _post(wire, act.target, name)
    where = Address(account.account_id, collection, chosen_key(kind, act.target or act.handle))
    if act.kind.startswith("un"):
        _delete(wire, where)
        other = parse_address(standing)
        if other is not None and other != where and other.authority == account.account_id:
            _delete(wire, other)
        return Sent(act.target or act.handle)
    if standing:
        return Sent(standing)
    if subject is None:
        raise GiveUp("it is not on Bluesky any more, or its author has blocked the account")
    record = {"$type": collection, "subject": subject, "createdAt": write_time(dt.datetime.now(dt.UTC))}
    _put(wire, where, record)
    return Sent(where.uri)


def remove_post(account: Account, external_id: str, session: GuardedSession) -> None:
    """See `Network.remove`. Deleting a record that is not there is no error on Bluesky."""
    _delete(Wire.of(account, session), _own(account, external_id))


def edit_post(account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
    """See `Network.edit`: a new post with these words in the same place of the thread, then the old one goes."""
    if counted_length(reply.text) > MOST_GRAPHEMES:
        raise GiveUp(
            f"Bluesky takes {MOST_GRAPHEMES} characters and {MOST_BYTES:,} bytes; this is longer: shorten the reply"
        )
    wire, old = Wire.of(account, session), _own(account, external_id)
    new = Address(account.account_id, POSTS, chosen_key(key, external_id))
    before = _record(wire, old)
    if before is None:
        there = _record(wire, new)
        if there is None or there.get("text") != reply.text:
            raise GiveUp("the reply is not on Bluesky any more; answer anew")
        return Sent(new.uri, web_address(new.uri))
    record = {name: value for name, value in before.items() if name != "facets"} | {"text": reply.text}
    if facets := find_facets(reply.text, lambda handle: did_of(wire, handle)):
        record["facets"] = facets
    _put(wire, new, record)
    _delete(wire, old)
    return Sent(new.uri, web_address(new.uri))


def _post(wire: Wire, target: str, name: str) -> tuple[dict[str, str] | None, str]:
    """The post as the subject of a record, None where it is gone; the address of our own record about it, or ""."""
    if parse_address(target) is None:
        raise GiveUp(f"{target[:100]!r} is no post on Bluesky")
    found = wire.query("app.bsky.feed.getPosts", {"uris": [target]}).get("posts")
    view = found[0] if isinstance(found, list) and found else None
    uri, cid = at(view, "uri"), at(view, "cid")
    subject = {"uri": uri, "cid": cid} if isinstance(uri, str) and isinstance(cid, str) else None
    return subject, str(at(view, "viewer", name) or "")


def _person(wire: Wire, did: str, name: str) -> tuple[str | None, str]:
    if not is_did(did):
        raise GiveUp(f"{did[:100]!r} is no account on Bluesky")
    view = wire.query("app.bsky.actor.getProfile", {"actor": did})
    return (did if view.get("did") == did else None), str(at(view, "viewer", name) or "")


def _put(wire: Wire, where: Address, record: dict[str, Any]) -> None:
    body = {"repo": where.authority, "collection": where.collection, "rkey": where.record_key, "record": record}
    try:
        answer = wire.procedure("com.atproto.repo.putRecord", {**body, "swapRecord": None})
    except Refused as error:
        if error.error != "InvalidSwap":
            raise
        return  # it lies there already: nothing else is ever put under this key
    if answer.get("uri") != where.uri:
        raise Unconfirmed("the data server accepted it and did not say under which address")


def _delete(wire: Wire, where: Address) -> None:
    body = {"repo": where.authority, "collection": where.collection, "rkey": where.record_key}
    wire.procedure("com.atproto.repo.deleteRecord", body)


def _record(wire: Wire, where: Address) -> dict[str, Any] | None:
    parameters = {"repo": where.authority, "collection": where.collection, "rkey": where.record_key}
    try:
        found = wire.query("com.atproto.repo.getRecord", parameters).get("value")
    except Refused as error:
        if error.error in _GONE:
            return None
        raise
    return found if isinstance(found, dict) else None


def _own(account: Account, external_id: str) -> Address:
    address = parse_address(external_id)
    if address is None or address.authority != account.account_id or address.collection != POSTS:
        raise GiveUp(f"{external_id[:100]!r} is no post of this account")
    return address
