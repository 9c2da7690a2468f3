"""Direct messages. X gives the events of the last 30 days, newest first, and cannot be asked for new ones only.

So a look begins at the newest and goes down until it meets what it knows. X allows one such request a minute; what it
brings again is billed once a day, and counted once a day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, RetryLater
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.x.answer import Answer, item_id, read_answer
from rapport.networks.x.cursor import Cursor, Position, age_order, is_recent, moment_of
from rapport.networks.x.lists import MEDIA_FIELDS, USER_FIELDS
from rapport.networks.x.parse import parse_message
from rapport.networks.x.wire import Wire, rest_of_limit

EVERY = dt.timedelta(seconds=60)
REACH = dt.timedelta(days=30)
MOST_PAGES = 10
_FIRST_PAGES = 2
_MOST_PER_EVENT = 4  # itself, its sender, two media
_FEWEST = 10  # events of a look that most often finds nothing new
_MOST_COUNTED = 2_000
EVENT_FIELDS = ("attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id", "text")


class _Found(msgspec.Struct):
    """One page of events, newest first."""

    ids: list[str]
    posts: list[Post]
    rejected: list[str]
    next_token: str
    #: it reaches down to what was read before
    meets: bool
    rest: float | None


def pull_messages(account: Account, wire: Wire, cursor: Cursor, now: Callable[[], dt.datetime]) -> Iterator[Page]:
    """See `Network.pull`. Asks at most once a minute; in between a page without posts is given out."""
    position = cursor.position()
    if is_recent(cursor.asked_at, now(), EVERY):
        yield Page(stream="messages", posts=(), cursor=cursor.encode())
        return
    is_new = not position.newest
    gap = _out_of_reach(position, now())
    pages: list[_Found] = []
    stopped: RetryLater | None = None
    token, more = position.below, True
    while more and len(pages) < (_FIRST_PAGES if is_new else MOST_PAGES):
        try:
            found = _read_page(account, wire, cursor, token, len(pages), now())
        except RetryLater as error:
            if not pages:
                raise
            stopped = error
            break
        except GiveUp:
            if not token or pages:
                raise
            token, position.below, position.top = "", "", ""  # the place to go on from is no longer known to X
            gap = Gap("X forgot the place in the messages; some that are older than the newest hundred may be missing.")
            continue
        pages.append(found)
        token, more = found.next_token, bool(found.next_token) and not found.meets
        if found.rest is not None:
            stopped = RetryLater("X lets messages be read again when its limit begins anew", found.rest)
            break
    if is_new and more:
        gap = gap or Gap("Only the newest messages were read when this account was connected.")
    cursor.asked_at = now().isoformat()
    yield from _given_out(cursor, position, pages, token if more and not is_new else "", gap)
    if stopped is not None:
        raise stopped


def _out_of_reach(position: Position, now: dt.datetime) -> Gap | None:
    written = moment_of(position.newest)
    if written is None or written > now - REACH:
        return None
    since = now - REACH
    return Gap("X shows messages only 30 days back; earlier ones since the last look are missing.", written, since)


def _read_page(account: Account, wire: Wire, cursor: Cursor, token: str, read: int, now: dt.datetime) -> _Found:
    position = cursor.position()
    left = cursor.check_budget(account, "messages", _MOST_PER_EVENT, now)
    wanted = _FEWEST if position.newest and not read and not token else 100
    params = {
        "max_results": min(wanted, left // _MOST_PER_EVENT),
        "event_types": "MessageCreate",
        "dm_event.fields": EVENT_FIELDS,
        "expansions": ("attachments.media_keys", "sender_id"),
        "user.fields": USER_FIELDS,
        "media.fields": MEDIA_FIELDS,
    }
    response = wire.read("/2/dm_events", params | ({"pagination_token": token} if token else {}))
    try:
        answer = read_answer(response.content)
    except InvalidPost as error:
        raise RetryLater(f"X gave no readable page of messages: {error}") from None
    ids = [item_id(item) for item in answer.items]
    _count(cursor, ids, answer)
    new = [item for item in answer.items if age_order(item_id(item)) > age_order(position.newest)]
    posts, rejected = _parsed(new, answer, account.account_id, now)
    meets = len(new) < len(ids)
    return _Found(ids, posts, rejected, answer.next_token, meets, rest_of_limit(response.headers, now))


def _count(cursor: Cursor, ids: list[str], answer: Answer) -> None:
    billed = {*ids, *answer.users, *answer.media} - set(cursor.counted)
    cursor.spent += len(billed)
    cursor.counted = [*cursor.counted, *sorted(billed)][-_MOST_COUNTED:]


def _parsed(items: list[bytes], answer: Answer, ours: str, now: dt.datetime) -> tuple[list[Post], list[str]]:
    posts: list[Post] = []
    rejected: list[str] = []
    for item in items:
        try:
            post = parse_message(item, answer, ours)
            if post is not None:
                posts.append(admit(post, now))
        except InvalidPost as error:
            rejected.append(f"message {item_id(item) or 'without an id'}: {error}")
    return posts, rejected


def _given_out(cursor: Cursor, position: Position, pages: list[_Found], token: str, gap: Gap | None) -> Iterator[Page]:
    """Oldest first. `token`: where the next look goes on downwards, "" when this one came to its end."""
    top = max((position.top, position.newest, *(each for page in pages for each in page.ids)), key=age_order)
    for place, page in enumerate(reversed(pages)):
        last = place == len(pages) - 1
        if last and token:
            position.top, position.below = top, token
        elif last:
            position.newest, position.top, position.below = top, "", ""
        yield Page(
            stream="messages",
            posts=tuple(page.posts[::-1]),
            cursor=cursor.encode(),
            more=not last,
            gap=gap if place == 0 else None,
            rejected=tuple(page.rejected[::-1]),
        )
