"""Reading the listings of Reddit, so that nothing is lost between two looks.

A listing is read from its newest item downwards until it meets what the last look knew, by time. Reddit's own way of
going on (`before` with the name of the newest item) has a trap: when that item is removed the answer is an empty
listing, which looks like "nothing new". Here a name is only used to turn from one page to the next, and an empty page
after one is asked for again behind the item above it.

A listing ends after about a thousand items; where that is before the last look, the stretch between is a gap. The
newest items of each list are remembered, so that edits and deletions are seen when they show again, and once an hour
some of them are asked for by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from rapport.core.errors import InvalidInput, InvalidPost, RetryLater
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.parse import Item, read_listing
from rapport.networks.reddit.wire import Wire, rest_of_limit

PAGE_SIZE = 100  # the most that Reddit gives
FIRST_PULL = 200  # items of a list that is new
DEPTH = 1_000  # items that Reddit keeps of a listing
_FULL = 900  # a listing this long may have been cut: items that are removed leave holes
_MOST_PAGES = 12
_LATE = 600.0  # seconds; what a moderator releases stands below what is newer
_REMEMBERED = 300  # items of a list, or more where more came within the last ten minutes of it
_CHECK_EVERY = 3_600.0  # seconds
_FUTURE = 86_400.0  # seconds


class _Cursor(msgspec.Struct, omit_defaults=True):
    #: seconds since 1970 of the newest item that was read
    created: float = 0.0
    #: name -> when it was edited (0: never), of the newest items, oldest first
    seen: dict[str, float] = {}
    #: when remembered items were last asked for by name, and up to which of them
    checked: float = 0.0
    checked_to: str = ""


class _Source(msgspec.Struct, frozen=True):
    #: for people: "the posts of r/berlin"
    title: str
    path: str
    params: dict[str, Any] = {}


def clock() -> dt.datetime:
    """Now, aware."""
    return dt.datetime.now(dt.UTC)


def streams_of(account: Account) -> tuple[str, ...]:
    """The inbox, what we said, and the subreddits and searches that an admin chose."""
    subreddits = [f"{kind}:{name}" for name in _chosen(account, "subreddits") for kind in ("posts", "comments")]
    return ("inbox", "own", "sent", *subreddits, *(f"search:{query}" for query in _chosen(account, "queries")))


def pull_pages(
    account: Account, stream: str, cursor: str, session: GuardedSession, now: Callable[[], dt.datetime] = clock
) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that Reddit does not have or a cursor that is none."""
    start, source, wire = _decode_cursor(cursor), _source(account, stream), Wire.of(account, session)
    return _read(account, wire, stream, source, start, now)


def _read(
    account: Account, wire: Wire, stream: str, source: _Source, cursor: _Cursor, now: Callable[[], dt.datetime]
) -> Iterator[Page]:
    gap = None
    if cursor.created > now().timestamp() + _FUTURE:
        cursor = _Cursor()
        gap = Gap(f"The place in {source.title} lay in the future; only the newest were read anew.", until=now())
    is_new = not cursor.created
    cursor.checked = cursor.checked or now().timestamp()
    floor = cursor.created - _LATE
    items, met, rest = _walk(account, wire, source, floor, FIRST_PULL if is_new else DEPTH)
    if is_new and not met:
        gap = gap or Gap(f"Only the newest {FIRST_PULL} of {source.title} were read when it was added.")
    elif not met and len(items) >= _FULL and (oldest := min(item.created for item in items)) > cursor.created:
        since, until = (dt.datetime.fromtimestamp(each, dt.UTC) for each in (cursor.created, oldest))
        reason = f"Reddit shows only the newest thousand of {source.title}; what came before them is missing."
        gap = Gap(reason, since=since, until=until)
    yield from _given_out(stream, items, cursor, floor, gap, now())
    if rest is not None:
        raise RetryLater("Reddit's limit is used up; it begins anew then", rest)
    yield from _checked(account, wire, stream, cursor, now())


def _walk(
    account: Account, wire: Wire, source: _Source, floor: float, most: int
) -> tuple[list[Item], bool, float | None]:
    """Items from the newest down to `floor`, whether it was met (or the list ended), and a wait, if any."""
    items: list[Item] = []
    anchors: list[str] = []
    for _ in range(_MOST_PAGES):
        params: dict[str, Any] = {**source.params, "limit": PAGE_SIZE}
        if anchors:
            params |= {"after": anchors[-1], "count": len(items)}
        response = wire.read(source.path, params)
        rest = rest_of_limit(response.headers)
        try:
            page, after = read_listing(response.content, account.handle)
        except InvalidPost as error:
            raise RetryLater(f"Reddit gave no readable page of {source.title}: {error}") from None
        if not page and len(anchors) > 1:
            anchors.pop()  # the item that should lead on was removed: go on behind the one above it
            continue
        items += [item for item in page if item.name not in {each.name for each in items}]
        ended = not after or any(0 < item.created < floor for item in page)
        if ended or len(items) >= most:
            return items, ended and not _was_cut(items, after, floor), rest
        if rest is not None:
            raise RetryLater("Reddit's limit is used up; it begins anew then", rest)
        anchors = [item.name for item in page if item.name][-3:] or [after]
    return items, False, None


def _was_cut(items: list[Item], after: str, floor: float) -> bool:
    """The listing ended at Reddit's bound, and not at its own end."""
    return not after and len(items) >= _FULL and not any(0 < item.created < floor for item in items)


def _given_out(
    stream: str, items: list[Item], cursor: _Cursor, floor: float, gap: Gap | None, now: dt.datetime
) -> Iterator[Page]:
    """What is new, edited or gone, oldest first; `cursor` moves with every page."""
    oldest_first = sorted(items, key=lambda item: item.created)
    fresh = [item for item in oldest_first if item.created >= floor or item.name in cursor.seen]
    newest = max((cursor.created, *(item.created for item in fresh)))
    kept = max(_REMEMBERED, sum(item.created >= newest - _LATE for item in fresh))
    chunks = [fresh[start : start + PAGE_SIZE] for start in range(0, len(fresh), PAGE_SIZE)] or [[]]
    for place, chunk in enumerate(chunks):
        found = _sorted_out(chunk, cursor, now, kept)
        cursor.created = min(max((cursor.created, *(item.created for item in chunk))), now.timestamp())
        if place == len(chunks) - 1 and not cursor.created:
            cursor.created = now.timestamp() - _LATE  # an empty list is whole from now on
        page = Page(stream=stream, posts=(), cursor=_encode_cursor(cursor), more=place < len(chunks) - 1, gap=gap)
        yield msgspec.structs.replace(page, **found)
        gap = None


def _sorted_out(items: list[Item], cursor: _Cursor, now: dt.datetime, kept: int) -> dict[str, tuple[object, ...]]:
    """Posts, deletions and rejects of a chunk; what was seen unchanged is dropped. Remembers `kept` of it."""
    posts: list[Post] = []
    deleted: list[str] = []
    rejected: list[str] = []
    for item in items:
        known = cursor.seen.get(item.name)
        if item.gone:
            deleted.append(item.name)
            cursor.seen.pop(item.name, None)
        elif item.post is None:
            if known is None:
                rejected.append(item.rejected)
                cursor.seen[item.name] = 0.0
        else:
            edited = item.post.edited_at.timestamp() if item.post.edited_at else 0.0
            if known == edited:
                continue
            cursor.seen[item.name] = edited
            try:
                posts.append(admit(item.post, now))
            except InvalidPost as error:
                rejected.append(f"{item.name}: {error}")
    for name in list(cursor.seen)[: max(len(cursor.seen) - kept, 0)]:
        del cursor.seen[name]
    return {"posts": tuple(posts), "deleted": tuple(deleted), "rejected": tuple(rejected)}


def _checked(account: Account, wire: Wire, stream: str, cursor: _Cursor, now: dt.datetime) -> Iterator[Page]:
    """Once an hour: a hundred of the remembered items by name, in turn."""
    names = [name for name in cursor.seen if not name.startswith("t4_")]
    if not names or 0 <= now.timestamp() - cursor.checked < _CHECK_EVERY:
        return
    start = names.index(cursor.checked_to) + 1 if cursor.checked_to in names else 0
    asked = names[start : start + PAGE_SIZE] or names[:PAGE_SIZE]
    response = wire.read("/api/info", {"id": ",".join(asked)})
    try:
        items, _ = read_listing(response.content, account.handle)
    except InvalidPost as error:
        raise RetryLater(f"Reddit gave no readable answer about single posts: {error}") from None
    cursor.checked, cursor.checked_to = now.timestamp(), asked[-1]
    found = _sorted_out(items, cursor, now, len(cursor.seen))
    yield msgspec.structs.replace(Page(stream=stream, posts=(), cursor=_encode_cursor(cursor)), **found)


def _source(account: Account, stream: str) -> _Source:
    name = quote(account.handle, safe="")
    kind, _, chosen = stream.partition(":")
    if stream == "inbox":
        return _Source("the inbox", "/message/inbox", {"mark": "false"})
    if stream == "own":
        return _Source("our own posts", f"/user/{name}/overview", {"sort": "new"})
    if stream == "sent":
        return _Source("the messages that we sent", "/message/sent")
    if kind in {"posts", "comments"} and chosen:
        return _Source(f"the {kind} of r/{chosen}", f"/r/{quote(chosen, safe='')}/{'new' if kind == 'posts' else kind}")
    if kind == "search" and chosen:
        params = {"q": chosen, "sort": "new", "t": "all", "type": "link", "include_over_18": "on"}
        return _Source(f"the search for {chosen[:80]}", "/search", params)
    raise InvalidInput(f"Reddit has no stream {stream!r}")


def _chosen(account: Account, name: str) -> list[str]:
    chosen = account.settings.get(name)
    return [str(each) for each in chosen if str(each).strip()] if isinstance(chosen, list) else []


def _decode_cursor(cursor: str) -> _Cursor:
    try:
        return msgspec.json.decode(cursor, type=_Cursor) if cursor else _Cursor()
    except msgspec.MsgspecError:
        raise InvalidInput("the cursor of a Reddit list is not readable; reset it to read from the start") from None


def _encode_cursor(cursor: _Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
