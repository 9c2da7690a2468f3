"""Writing to Bluesky: one reply has one record key, chosen beforehand, so that sending it again has one effect.

The record is put under that key on the condition that nothing lies there (`swapRecord: null`). The data server takes
an identical repeat without a new commit and refuses a different one (`InvalidSwap`); what lies there then tells whether
it is ours.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Any

from rapport.core.errors import GiveUp, Unconfirmed
from rapport.core.reply import Reply, begun_at
from rapport.networks.base import Account, Sent
from rapport.networks.bluesky.richtext import MOST_BYTES, MOST_GRAPHEMES, counted_length, find_facets
from rapport.networks.bluesky.syntax import (
    POSTS,
    Address,
    decode_tid,
    encode_tid,
    is_handle,
    is_record_key,
    is_tid,
    parse_address,
    web_address,
    write_time,
)
from rapport.networks.bluesky.upload import embed_of
from rapport.networks.bluesky.wire import Refused, Wire
from rapport.networks.http import GuardedSession

VISIBILITIES = ("public",)
_EPOCH = 1_704_067_200_000_000  # 2024-01-01, in microseconds: for answers to posts whose key holds no time
_SPREAD = 26  # bits of microseconds, 67 seconds, over which the keys of answers to one post lie
_LATEST = 1 << 52
_SHOWN = re.compile(r"https://bsky\.app/profile/[^/?#]+/post/([^/?#]+)/?")


def push_reply(account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
    """See `Network.push`. The text goes out as it was approved; what is a link, mention or hashtag in it is marked."""
    if reply.visibility not in VISIBILITIES:
        raise GiveUp(f"Bluesky has no visibility {reply.visibility!r}: everything on it is public")
    if counted_length(reply.text) > MOST_GRAPHEMES:
        raise GiveUp(
            f"Bluesky takes {MOST_GRAPHEMES} characters and {MOST_BYTES:,} bytes; this is longer: shorten the reply"
        )
    wire = Wire.of(account, session)
    record: dict[str, object] = {
        "$type": POSTS,
        "text": reply.text,
        "createdAt": write_time(dt.datetime.now(dt.UTC)),
    }
    if reply.target:
        record["reply"] = _places(wire, account, reply.target)
    if (embed := embed_of(reply.media)) is not None:
        record["embed"] = embed
    facets = find_facets(reply.text, lambda handle: did_of(wire, handle))
    if facets:
        record["facets"] = facets
    where = _where(account, reply, key)
    body = {
        "repo": where.authority,
        "collection": POSTS,
        "rkey": where.record_key,
        "record": record,
        "swapRecord": None,
    }
    try:
        answer = wire.procedure("com.atproto.repo.putRecord", body)
    except Refused as error:
        if error.error != "InvalidSwap":
            raise
        there = _found(wire, where, reply)
        if there is None:
            raise GiveUp("something else lies where this reply was to go; write the reply anew") from None
        return there
    if answer.get("uri") != where.uri:
        raise Unconfirmed("the data server accepted the reply and did not say under which address")
    return Sent(where.uri, web_address(where.uri))


def find_reply(account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent | None:
    """See `Network.find`: whether the reply lies under its key."""
    return _found(Wire.of(account, session), _where(account, reply, key), reply)


def id_at(account_id: str, link: str) -> str:
    """See `Network.id_at`. The page may name us by our handle: the post is ours, so its repository is known."""
    shown = _SHOWN.fullmatch(link)
    return Address(account_id, POSTS, shown[1]).uri if shown and is_record_key(shown[1]) else ""


def chosen_key(key: str, target: str) -> str:
    """The record key of a reply: made from our key, and placed in time just behind the post that it answers; a post of
    our own, which answers none, just behind the time in our key.

    Bluesky wants keys of posts to be TIDs, which hold a time and sort by it. 36 bits of SHA-256 tell the answers to one
    post apart; should two meet all the same, the second is refused, never written over the first.
    """
    digest = int.from_bytes(hashlib.sha256(f"{key}\n{target}".encode()).digest()[:8], "big")
    address = parse_address(target)
    base = decode_tid(address.record_key) if address is not None and is_tid(address.record_key) else _EPOCH
    if not target:
        base = begun_at(key) or _EPOCH
    if base > _LATEST:
        base = _EPOCH
    return encode_tid(base + 1 + (digest >> 10) % (1 << _SPREAD), digest & 1023)


def _where(account: Account, reply: Reply, key: str) -> Address:
    return Address(account.account_id, POSTS, chosen_key(key, reply.target))


def _found(wire: Wire, where: Address, reply: Reply) -> Sent | None:
    """What lies under the key of a reply, if it is that reply."""
    parameters = {"repo": where.authority, "collection": where.collection, "rkey": where.record_key}
    try:
        record = wire.query("com.atproto.repo.getRecord", parameters).get("value")
    except Refused as error:
        if error.error in {"RecordNotFound", "NotFound"}:
            return None
        raise
    parent = at(record, "reply", "parent", "uri")
    if at(record, "text") != reply.text or parent != (reply.target or None):
        return None
    return Sent(where.uri, web_address(where.uri))


def _places(wire: Wire, account: Account, target: str) -> dict[str, dict[str, str]]:
    """The post that is answered, and the root of its thread, each with the hash of its content."""
    address = parse_address(target)
    if address is not None and address.authority == account.account_id:
        return _own_places(wire, address)
    try:
        found = wire.query("app.bsky.feed.getPosts", {"uris": [target]}).get("posts")
    except Refused as error:
        raise GiveUp(f"{target[:100]!r} is no post on Bluesky that could be answered: {error}") from error
    view = found[0] if isinstance(found, list) and found else None
    uri, cid = at(view, "uri"), at(view, "cid")
    if not isinstance(uri, str) or not isinstance(cid, str):
        raise GiveUp("the post that this answers is not on Bluesky any more, or its author has blocked the account")
    if at(view, "viewer", "replyDisabled"):
        raise GiveUp("the author of the post that this answers does not take replies from everybody")
    parent = {"uri": uri, "cid": cid}
    root = at(view, "record", "reply", "root")
    above = {"uri": str(at(root, "uri")), "cid": str(at(root, "cid"))} if isinstance(root, dict) else parent
    return {"root": above, "parent": parent}


def _own_places(wire: Wire, address: Address) -> dict[str, dict[str, str]]:
    """The same of a post of ours, from where it lies: the rest of Bluesky may not have heard of it yet."""
    parameters = {"repo": address.authority, "collection": address.collection, "rkey": address.record_key}
    try:
        found = wire.query("com.atproto.repo.getRecord", parameters)
    except Refused as error:
        raise GiveUp(f"the post of ours that this goes on from is not there any more: {error}") from error
    parent = {"uri": str(found.get("uri")), "cid": str(found.get("cid"))}
    root = at(found, "value", "reply", "root")
    above = {"uri": str(at(root, "uri")), "cid": str(at(root, "cid"))} if isinstance(root, dict) else parent
    return {"root": above, "parent": parent}


def did_of(wire: Wire, handle: str) -> str | None:
    """Who has this handle; None where nobody has it."""
    if not is_handle(handle):
        return None
    try:
        did = wire.query("com.atproto.identity.resolveHandle", {"handle": handle}).get("did")
    except Refused:
        return None
    return did if isinstance(did, str) else None


def at(value: Any, *path: str) -> Any:
    """What lies at the end of a path of keys; None where there is no such path."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
