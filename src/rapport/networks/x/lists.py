"""Reading one list of posts from its newest item down to where the last look ended, and giving it out oldest first.

A look takes at most `MOST_PAGES` pages. What lies deeper is read by the next looks, before anything newer: the cursor
remembers both ends. A look repeats the last minute before the one before it, because X indexes late; what was seen
there already is dropped and not counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost, RetryLater
from rapport.core.post import EARLIEST, Post, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.x.answer import Answer, item_id, read_answer
from rapport.networks.x.cursor import Cursor, Position, age_order, id_at, moment_of
from rapport.networks.x.parse import gone_from, parse_tweet
from rapport.networks.x.wire import Wire, rest_of_limit, server_clock

MOST_PAGES = 10  # of one look; a page has up to a hundred posts
FIRST_PAGES = 2  # of a list that is new
LATE = dt.timedelta(seconds=60)
_MOST_SEEN = 500
_FUTURE = dt.timedelta(minutes=5)  # how far a clock may go wrong
#: what one post of an answer can bring: itself, its author, two posts that it refers to, five earlier versions, media
MOST_PER_POST = 13
POST_FIELDS = (
    "attachments", "conversation_id", "created_at", "entities", "id", "lang", "note_post", "public_metrics", "text",
)  # fmt: skip
USER_FIELDS = (
    "created_at", "description", "entities", "id", "name", "protected", "public_metrics", "username", "verified",
    "verified_type",
)  # fmt: skip
MEDIA_FIELDS = ("alt_text", "media_key", "preview_image_url", "type", "url")
EXPANSIONS = (
    "attachments.media_keys",
    "attachments.poll_ids",
    "author_id",
    "edit_history_post_ids",
    "referenced_posts",
)
FIELDS: dict[str, Any] = {
    "post.fields": POST_FIELDS,
    "user.fields": USER_FIELDS,
    "media.fields": MEDIA_FIELDS,
    "poll.fields": ("id", "options"),
    "expansions": EXPANSIONS,
}


class List(msgspec.Struct, frozen=True):
    """Where a list is read."""

    #: the stream that it belongs to, and its name within the cursor of that stream
    stream: str
    name: str
    #: for people: "the search for delay"
    title: str
    path: str
    params: Mapping[str, Any]
    #: the fewest items that may be asked for
    smallest: int
    #: how far back X shows it in time, None without such a bound
    reach: dt.timedelta | None = None
    #: how many of its newest items X shows, None without such a bound
    depth: int | None = None


class Found(msgspec.Struct):
    """One page of a list, newest first."""

    items: list[tuple[str, Post | None, str]]
    next_token: str
    deleted: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    #: seconds that the endpoint rests from now on
    rest: float | None = None
    #: when X was asked, by its own clock where it tells it
    asked_at: dt.datetime = EARLIEST


def read_list(
    account: Account, wire: Wire, source: List, cursor: Cursor, now: Callable[[], dt.datetime]
) -> Iterator[Page]:
    """One look at one list. `cursor` moves with every page; a look that is made gives out at least one page.

    Raises `RetryLater`, after the pages, when the budget or the limit of the endpoint is used up.
    """
    position = cursor.position(source.name)
    bounds, gap = _bounds(source, position, now())
    is_new = not position.newest
    pages: list[Found] = []
    more, stopped = True, None
    while more and len(pages) < (FIRST_PAGES if is_new else MOST_PAGES):
        try:
            found = _read_page(account, wire, source, cursor, bounds, pages, now())
        except RetryLater as error:
            if not pages:
                raise
            stopped = error
            break
        pages.append(found)
        more = bool(found.next_token)
        if found.rest is not None:
            stopped = RetryLater(f"X lets {source.title} be read again when its limit begins anew", found.rest)
            break
    if is_new and more:
        gap = gap or Gap(f"Only the newest posts of {source.title} were read when it was added.")
    elif not more and source.depth and sum(len(page.items) for page in pages) >= source.depth and not is_new:
        gap = gap or Gap(f"X shows only the newest {source.depth:,} posts of {source.title}; others may be missing.")
    yield from _given_out(source, cursor, pages, partly=more and not is_new, gap=gap)
    if stopped is not None:
        raise stopped


def _bounds(source: List, position: Position, now: dt.datetime) -> tuple[dict[str, str], Gap | None]:
    """Which stretch to ask for, and what of it is out of reach."""
    if not position.newest:
        return {}, None
    written = moment_of(position.newest)
    if written is not None and written > now + _FUTURE:
        _reset(position)
        reason = f"The place in {source.title} lay in the future; only its newest posts were read anew."
        return {}, Gap(reason, until=now)
    if source.reach is not None and written is not None and written < now - source.reach:
        since = now - source.reach
        _reset(position, id_at(since))
        days = source.reach.days + 1
        reason = (
            f"X shows {source.title} only {days} days back; what was said before that, since the last look, is missing."
        )
        return {"since_id": position.newest}, Gap(reason, since=written, until=since)
    bounds = {"since_id": position.newest}
    if position.below:
        bounds["until_id"] = position.below
    return bounds, None


def _reset(position: Position, newest: str = "") -> None:
    position.newest, position.below, position.top, position.seen = newest, "", "", []


def _read_page(
    account: Account,
    wire: Wire,
    source: List,
    cursor: Cursor,
    bounds: Mapping[str, str],
    pages: list[Found],
    now: dt.datetime,
) -> Found:
    """One request. Counts what it brought; raises `RetryLater` when it does not fit into today's budget."""
    left = cursor.check_budget(account, source.stream, source.smallest * MOST_PER_POST, now)
    params = {**source.params, **FIELDS, **bounds, "max_results": min(100, left // MOST_PER_POST)}
    if pages:
        params["pagination_token"] = pages[-1].next_token
    response = wire.read(source.path, params)
    try:
        answer = read_answer(response.content)
    except InvalidPost as error:
        raise RetryLater(f"X gave no readable page of {source.title}: {error}") from None
    known = set(cursor.position(source.name).seen)
    if {item_id(item) for item in answer.items} - known:
        cursor.spent += answer.resources
    deleted, suspended = gone_from(answer.problems)
    return Found(
        items=[_item(item, answer, account.account_id, now) for item in answer.items if item_id(item) not in known],
        next_token=answer.next_token,
        deleted=deleted,
        suspended=suspended,
        rest=rest_of_limit(response.headers, now),
        asked_at=server_clock(response.headers, now),
    )


def _item(item: bytes, answer: Answer, ours: str, now: dt.datetime) -> tuple[str, Post | None, str]:
    identifier = item_id(item)
    try:
        return identifier, admit(parse_tweet(item, answer, ours), now), ""
    except InvalidPost as error:
        return identifier, None, f"post {identifier or 'without an id'}: {error}"


def _given_out(source: List, cursor: Cursor, pages: list[Found], *, partly: bool, gap: Gap | None) -> Iterator[Page]:
    """The pages of a look, oldest first, each with the cursor that leads on from it.

    A look that came to the end has proved that the list is whole up to the moment when it began, less what X indexes
    late; so a list that is quiet for weeks does not fall behind.
    """
    position = cursor.position(source.name)
    ids = [identifier for page in pages for identifier, _, _ in page.items if identifier]
    looked = id_at(pages[0].asked_at - LATE)
    for place, page in enumerate(reversed(pages)):
        last = place == len(pages) - 1
        if last and partly:
            if not position.top:
                position.top, position.seen = looked, _late_ids(ids, looked)
            position.below = min(ids, key=age_order, default=position.below)
        elif last:
            position.newest = position.top or max(position.newest, looked, key=age_order)
            position.seen = position.seen if position.top else _late_ids([*position.seen, *ids], looked)
            position.below = position.top = ""
        elif not partly and not position.below:  # up to here all is out, but for what X indexes late
            newest = max((position.newest, *(item[0] for item in page.items)), key=age_order)
            position.newest = max(position.newest, min(newest, looked, key=age_order), key=age_order)
            position.seen = _late_ids([*position.seen, *(item[0] for item in page.items)], looked)
        yield _page(source, cursor, page, gap, more=not last or partly)
        gap = None


def _late_ids(ids: list[str], looked: str) -> list[str]:
    """What the next look will see again."""
    return sorted({each for each in ids if age_order(each) >= age_order(looked)}, key=age_order)[-_MOST_SEEN:]


def _page(source: List, cursor: Cursor, found: Found, gap: Gap | None, more: bool) -> Page:
    oldest_first = found.items[::-1]
    return Page(
        stream=source.stream,
        posts=tuple(post for _, post, _ in oldest_first if post is not None),
        cursor=cursor.encode(),
        more=more,
        gap=gap,
        deleted=found.deleted,
        suspended=found.suspended,
        rejected=tuple(reason for _, _, reason in oldest_first if reason),
    )
