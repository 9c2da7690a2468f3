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

from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, Reauthorise, RetryLater
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.find import not_allowed, search, why_nothing
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


class _Cursor(msgspec.Struct, omit_defaults=True):
    id: str
    #: of a search: what hinders it was said already
    told: bool = False


class _Id(msgspec.Struct):
    id: str | int


class _LastStatus(msgspec.Struct):
    last_status: _Id | None = None


class _Who(msgspec.Struct):
    suspended: bool | None = None


class _Status(msgspec.Struct):
    account: _Who


class _Told(msgspec.Struct):
    status: _Status | None = None


class _Item(msgspec.Struct, frozen=True):
    """One item of a page: its place in the stream, and what came of it."""

    position: str
    posts: tuple[Post, ...] = ()
    rejected: str | None = None
    #: keys of authors that the server took down
    suspended: tuple[str, ...] = ()


class _Source(msgspec.Struct, frozen=True):
    """Where a stream is read, and how."""

    path: str
    params: dict[str, Any]
    read: Callable[[bytes], _Item]
    #: late posts slip in below the cursor
    overlaps: bool = False


def streams_of(account: Account) -> tuple[str, ...]:
    """Notifications, conversations and our own posts; hashtags, searches and the home timeline that were asked for."""
    hashtags, searches = account.settings.get("hashtags"), account.settings.get("searches")
    names = [str(name).lstrip("#") for name in hashtags] if isinstance(hashtags, list) else []
    words = [" ".join(str(line).split()) for line in searches] if isinstance(searches, list) else []
    home = ("home",) if account.settings.get("home") else ()
    followed = (*(f"hashtag:{name}" for name in names if name), *(f"search:{line}" for line in words if line))
    return ("notifications", "conversations", "own", *home, *followed)


def domain_of(account: Account) -> str:
    """What completes the handles of the server's own accounts: it may differ from the host of its API."""
    return str(account.settings.get("domain") or urlsplit(account.server).hostname or "")


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that Mastodon does not have."""
    wire = Wire.of(account, session)
    start = _decode_cursor(cursor)
    if stream.startswith("search:") and stream != "search:":
        yield _search_page(account, wire, stream, start)
        return
    source = _source(account, stream, wire, is_new=not start.id)
    if not start.id:
        yield from _begin(wire, source, stream)
    else:
        yield from _go_on(wire, source, stream, start)


def decode_newest(cursor: str) -> str:
    """The id in a cursor, "" where there is none."""
    return _decode_cursor(cursor).id


def _search_page(account: Account, wire: Wire, stream: str, start: _Cursor) -> Page:
    """One followed search. What hinders it is said once, and it is tried again with each read."""
    words = stream.partition(":")[2]
    domain = domain_of(account)
    try:
        items, missing = search(wire, words, start.id, FIRST_PULL)
        if not items and not start.id and not start.told:
            missing = why_nothing(wire, words, account.account_id, domain)
    except (GiveUp, Reauthorise) as error:
        wire.read("/api/v1/accounts/verify_credentials")  # raises where it is the whole token that is dead
        items, missing = [], not_allowed(words, error)
    hindered = bool(missing) and not items
    found = [_status_item(item, domain, account.account_id) for item in items][::-1]
    newest = found[-1].position if found else start.id or ("" if hindered or start.told else "0")
    return Page(
        stream=stream,
        posts=tuple(post for item in found for post in item.posts),
        cursor=_encode_cursor(_Cursor(newest, told=hindered or (start.told and not found))),
        gap=Gap(missing) if missing and not (hindered and start.told) else None,
        rejected=tuple(item.rejected for item in found if item.rejected),
    )


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
        yield Page(stream=stream, posts=(), cursor=_encode_cursor(_Cursor("0")))
    yield from _pages(stream, pages)


def _pages(stream: str, pages: list[list[_Item]], gap: Gap | None = None) -> Iterator[Page]:
    for left in range(len(pages) - 1, -1, -1):
        yield _page(stream, pages[left], _Cursor(pages[left][0].position), more=left > 0, gap=gap)
        gap = None


def _go_on(wire: Wire, source: _Source, stream: str, start: _Cursor) -> Iterator[Page]:
    """From the cursor upwards, until the server has no more."""
    newest, after = start.id, start
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
        after = msgspec.structs.replace(start, id=newest)
        yield _page(stream, items, after, more=True)
    else:
        return
    yield Page(stream=stream, posts=(), cursor=_encode_cursor(after))


def _page(stream: str, items: list[_Item], after: _Cursor, more: bool, gap: Gap | None = None) -> Page:
    oldest_first = items[::-1]
    return Page(
        stream=stream,
        posts=tuple(post for item in oldest_first for post in item.posts),
        cursor=_encode_cursor(after),
        more=more,
        gap=gap,
        suspended=tuple(dict.fromkeys(key for item in oldest_first for key in item.suspended)),
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
        if post is None:
            return _Item(position)
        if _is_taken_down(item):
            return _Item(position, suspended=(post.author.key,))
        return _Item(position, (_admitted(post),))
    except InvalidPost as error:
        return _Item(position, rejected=f"notification {position}: {error}")


def _is_taken_down(item: bytes) -> bool:
    """Whether a notification tells of a post whose author the server has suspended."""
    try:
        status = msgspec.json.decode(item, type=_Told).status
    except msgspec.MsgspecError:
        return False
    return status is not None and bool(status.account.suspended)


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


def _decode_cursor(cursor: str) -> _Cursor:
    if not cursor:
        return _Cursor("")
    try:
        return msgspec.json.decode(cursor, type=_Cursor)
    except msgspec.MsgspecError:
        raise InvalidInput("the cursor of a Mastodon stream is not readable; reset it to read from the start") from None


def _encode_cursor(cursor: _Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
