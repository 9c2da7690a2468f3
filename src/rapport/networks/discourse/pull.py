"""Reading a Discourse forum, so that nothing is lost between two reads.

Posts of a forum are numbered through, so a cursor is the highest number that was read. Streams:

- "messages" and "posts": the forum's own lists of the newest posts, private and public, read backwards down to the
  cursor. "posts" keeps those of the categories that are followed, or everything.
- "tag:NAME": the topics with that tag by their last activity, and of each the posts above the cursor.
- "search:WORDS": what the search of the forum finds above the cursor. It tells one post of each topic, so each topic
  that it names is searched once more by itself.
- "notifications" and "own": lists that name posts, which are then read one by one.

No list tells of edits and deletions. So the cursor also keeps the newest posts that were read, and each read looks at
some of them again.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rapport.core.errors import InvalidInput
from rapport.networks.base import Account, Gap, Page
from rapport.networks.discourse.lists import LISTS, Found, Known, Look
from rapport.networks.discourse.parse import NAME
from rapport.networks.discourse.wire import Wire
from rapport.networks.http import GuardedSession

PAGE = 100  # posts of one `Page`
_KEPT = 50  # posts that the cursor keeps, to look at them again


class Cursor(msgspec.Struct):
    """Where a stream goes on."""

    #: the highest number that was read: of a post, or of a notification
    top: int = 0
    #: number of a post -> how it was
    known: dict[str, Known] = {}
    #: which of them was looked at last
    turn: int = 0


def streams_of(account: Account) -> tuple[str, ...]:
    """Notifications, messages and our own posts; categories, tags and searches that were asked for."""
    chosen = account.settings
    public = ("posts",) if chosen.get("everything") or chosen.get("category_ids") else ()
    tags = tuple(f"tag:{name}" for name in _listed(chosen.get("tags")))
    searches = tuple(f"search:{words}" for words in _listed(chosen.get("searches")))
    return ("notifications", "messages", "own", *public, *tags, *searches)


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that Discourse does not have."""
    kind, _, name = stream.partition(":")
    read = LISTS.get(kind)
    if read is None or (kind in {"tag", "search"}) != bool(name):
        raise InvalidInput(f"{NAME.title()} has no stream {stream!r}")
    start = _decode(cursor)
    look = Look(account, Wire.of(account, session), start.known, start.top, is_new=not cursor)
    found = read(look, name)
    look.check_again(found, start.turn)
    yield from _pages(stream, found, start)


def _pages(stream: str, found: Found, start: Cursor) -> Iterator[Page]:
    """Oldest first, in pieces. The cursor moves with the last of them: what comes before may be repeated."""
    numbers = sorted(found.posts)
    known = start.known | found.known
    for gone in found.forget:
        known.pop(gone, None)
    newest = sorted(known, key=int)[-_KEPT:]
    after = Cursor(max(start.top, found.top), {number: known[number] for number in newest}, start.turn + 1)
    gap = Gap(" ".join(found.missing)) if found.missing else None
    while len(numbers) > PAGE:
        part, numbers = numbers[:PAGE], numbers[PAGE:]
        posts = tuple(found.posts[number] for number in part)
        yield Page(stream=stream, posts=posts, cursor=_encode(start), more=True, gap=gap)
        gap = None
    yield Page(
        stream=stream,
        posts=tuple(found.posts[number] for number in numbers),
        cursor=_encode(after),
        gap=gap,
        deleted=tuple(dict.fromkeys(found.deleted)),
        rejected=tuple(found.rejected),
    )


def _listed(value: object) -> list[str]:
    return [each.strip() for each in value if isinstance(each, str) and each.strip()] if isinstance(value, list) else []


def _decode(cursor: str) -> Cursor:
    if not cursor:
        return Cursor()
    try:
        return msgspec.json.decode(cursor, type=Cursor)
    except msgspec.MsgspecError:
        raise InvalidInput(
            "the cursor of a Discourse stream is not readable; reset it to read from the start"
        ) from None


def _encode(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
