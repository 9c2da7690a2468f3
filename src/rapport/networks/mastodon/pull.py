"""Reading the streams of a Mastodon account, so that nothing is lost between two reads.

A cursor is {"id": the newest id that was read}. Going on means paging upwards with `min_id` until an empty page:
a short page is no sign of the end, because servers filter after they have counted.

In hashtag and home timelines the id of a post from another server is made from the time when it was written, not
from the time when it came: what is late slips in below the cursor. There each read therefore starts a quarter of an
hour below it, and repeats are the store's to drop.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, RetryLater
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.parse import (
    parse_conversation,
    parse_notification,
    parse_status,
    split_ancestors,
    split_items,
)
from rapport.networks.mastodon.wire import Wire

PAGE_SIZE = 40  # the most that a server gives
FIRST_PULL = 200  # posts of each stream, when an account is new
_MOST_PAGES = 500  # of one pull: 20,000 posts; the cursor is saved page by page, so the next pull goes on
_OVERLAP = int(dt.timedelta(minutes=15).total_seconds() * 1000) << 16  # ids are milliseconds shifted by 16 bits
_FIRST_SNOWFLAKE = 10**16  # ids below were given before ids held a time
_NOTIFICATIONS = ["mention", "status", "quote", "update"]


class _Cursor(msgspec.Struct):
    id: str = ""


class _Id(msgspec.Struct):
    id: str | int


class _LastStatus(msgspec.Struct):
    last_status: _Id | None = None


class _Item(msgspec.Struct, frozen=True):
    """One item of a page: its place in the stream, and what came of it."""

    position: str
    posts: tuple[Post, ...] = ()
    rejected: str | None = None


class _Source(msgspec.Struct, frozen=True):
    """Where a stream is read, and how."""

    path: str
    params: dict[str, Any]
    read: Callable[[bytes], _Item]
    #: late posts slip in below the cursor
    overlaps: bool = False


def streams_of(account: Account) -> tuple[str, ...]:
    """Notifications, conversations and our own posts; the hashtags and the home timeline that were asked for."""
    hashtags = account.settings.get("hashtags")
    names = [str(name).lstrip("#") for name in hashtags] if isinstance(hashtags, list) else []
    home = ("home",) if account.settings.get("home") else ()
    return ("notifications", "conversations", "own", *home, *(f"hashtag:{name}" for name in names if name))


def domain_of(account: Account) -> str:
    """What completes the handles of the server's own accounts: it may differ from the host of its API."""
    return str(account.settings.get("domain") or urlsplit(account.server).hostname or "")


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that Mastodon does not have."""
    wire = Wire.of(account, session)
    start = _decode_cursor(cursor)
    source = _source(account, stream, wire, is_new=not start)
    if start:
        yield from _go_on(wire, source, stream, start)
    else:
        yield from _begin(wire, source, stream)


def decode_newest(cursor: str) -> str:
    """The id in a cursor, "" where there is none."""
    return _decode_cursor(cursor)


def age_order(identifier: str) -> tuple[int, str]:
    """A key by which ids of one server sort by age: numbers by size, others are of one length and sort as text."""
    return len(identifier), identifier


def _begin(wire: Wire, source: _Source, stream: str) -> Iterator[Page]:
    """The first read: the newest posts, oldest page first, and the cursor above them."""
    pages: list[list[_Item]] = []
    params = source.params | {"limit": PAGE_SIZE}
    while len(pages) < FIRST_PULL // PAGE_SIZE:
        items = _read_page(wire, source, params)
        if not items or (pages and items[-1].position == pages[-1][-1].position):
            break
        pages.append(items)
        params["max_id"] = items[-1].position
    else:
        reason = f"Only the newest {FIRST_PULL} were read when this account was connected."
        yield from _pages(stream, pages, gap=Gap(reason))
        return
    if not pages:
        # Everything that comes from now on lies above id 0, however much it is.
        yield Page(stream=stream, posts=(), cursor=_encode_cursor("0"))
    yield from _pages(stream, pages)


def _pages(stream: str, pages: list[list[_Item]], gap: Gap | None = None) -> Iterator[Page]:
    for left in range(len(pages) - 1, -1, -1):
        yield _page(stream, pages[left], pages[left][0].position, more=left > 0, gap=gap)
        gap = None


def _go_on(wire: Wire, source: _Source, stream: str, newest: str) -> Iterator[Page]:
    """From the cursor upwards, until the server has no more."""
    floor = _below(newest) if source.overlaps else newest
    for _ in range(_MOST_PAGES):
        items = _read_page(wire, source, source.params | {"limit": PAGE_SIZE, "min_id": floor})
        if not items:
            break
        if age_order(items[0].position) <= age_order(floor):
            raise GiveUp(
                f"{urlsplit(wire.server).hostname} does not page upwards (min_id); {stream} cannot be followed"
            )
        floor = items[0].position
        newest = max(newest, floor, key=age_order)
        yield _page(stream, items, newest, more=True)
    else:
        return
    yield Page(stream=stream, posts=(), cursor=_encode_cursor(newest))


def _page(stream: str, items: list[_Item], newest: str, more: bool, gap: Gap | None = None) -> Page:
    oldest_first = items[::-1]
    return Page(
        stream=stream,
        posts=tuple(post for item in oldest_first for post in item.posts),
        cursor=_encode_cursor(newest),
        more=more,
        gap=gap,
        rejected=tuple(item.rejected for item in oldest_first if item.rejected),
    )


def _read_page(wire: Wire, source: _Source, params: dict[str, Any]) -> list[_Item]:
    """One request -> its items, newest first."""
    try:
        return [source.read(item) for item in split_items(wire.read(source.path, params))]
    except InvalidPost as error:
        raise RetryLater(f"{urlsplit(wire.server).hostname} gave no readable page: {error}") from None


def _source(account: Account, stream: str, wire: Wire, is_new: bool) -> _Source:
    domain, ours = domain_of(account), account.account_id

    def statuses(path: str, overlaps: bool = False) -> _Source:
        return _Source(path, {}, lambda item: _status_item(item, domain, ours), overlaps)

    kind, _, name = stream.partition(":")
    if kind == "hashtag" and name:
        return statuses(f"/api/v1/timelines/tag/{quote(name, safe='')}", overlaps=True)
    if stream == "home":
        return statuses("/api/v1/timelines/home", overlaps=True)
    if stream == "own":
        return statuses(f"/api/v1/accounts/{quote(account.account_id, safe='')}/statuses")
    if stream == "notifications":
        # Filtered ones too: what a server hides as noise from strangers is what a desk is there to read.
        params = {"types[]": _NOTIFICATIONS, "include_filtered": "true"}
        return _Source("/api/v1/notifications", params, lambda item: _notification_item(item, domain, ours))
    if stream == "conversations":
        # Of an account that is new, the newest message of each is enough: all of them whole would be 200 requests.
        whole = None if is_new else wire
        return _Source("/api/v1/conversations", {}, lambda item: _conversation_item(item, domain, ours, whole))
    raise InvalidInput(f"Mastodon has no stream {stream!r}")


def _status_item(item: bytes, domain: str, ours: str) -> _Item:
    position = _position(item)
    try:
        return _Item(position, (_admitted(parse_status(item, domain, ours)),))
    except InvalidPost as error:
        return _Item(position, rejected=f"status {position}: {error}")


def _notification_item(item: bytes, domain: str, ours: str) -> _Item:
    position = _position(item)
    try:
        post = parse_notification(item, domain, ours)[1]
        return _Item(position, (_admitted(post),) if post else ())
    except InvalidPost as error:
        return _Item(position, rejected=f"notification {position}: {error}")


def _conversation_item(item: bytes, domain: str, ours: str, wire: Wire | None) -> _Item:
    """A conversation stands in its list at its newest message; what was said before it since then lies above it."""
    try:
        last = msgspec.json.decode(item, type=_LastStatus).last_status
        position = str(last.id) if last else _position(item)
        post = parse_conversation(item, domain, ours)
        if post is None:
            return _Item(position)
        above = _messages_above(post, domain, ours, wire) if wire and post.in_reply_to else ()
        return _Item(position, (*above, _admitted(post)))
    except (InvalidPost, msgspec.MsgspecError) as error:
        return _Item(_position(item), rejected=f"conversation {_position(item)}: {error}")


def _messages_above(post: Post, domain: str, ours: str, wire: Wire) -> tuple[Post, ...]:
    try:
        body = wire.read(f"/api/v1/statuses/{quote(post.id, safe='')}/context")
    except GiveUp:  # deleted in the meantime
        return ()
    found = (_status_item(item, domain, ours) for item in split_ancestors(body)[-PAGE_SIZE:])
    return tuple(message for item in found for message in item.posts if message.kind == "message")


def _admitted(post: Post) -> Post:
    return admit(post, dt.datetime.now(dt.UTC))


def _position(item: bytes) -> str:
    """The id of an item that may be unreadable otherwise. Without an id there is no way to go on behind it."""
    try:
        return str(msgspec.json.decode(item, type=_Id).id)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InvalidPost("id", "is missing") from None


def _below(newest: str) -> str:
    if newest.isdigit() and int(newest) > _FIRST_SNOWFLAKE:
        return str(int(newest) - _OVERLAP)
    return newest


def _decode_cursor(cursor: str) -> str:
    if not cursor:
        return ""
    try:
        return msgspec.json.decode(cursor, type=_Cursor).id
    except msgspec.MsgspecError:
        raise InvalidInput("the cursor of a Mastodon stream is not readable; reset it to read from the start") from None


def _encode_cursor(newest: str) -> str:
    return msgspec.json.encode(_Cursor(newest)).decode()
