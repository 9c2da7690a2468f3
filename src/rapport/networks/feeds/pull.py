"""Reading one feed so that every item of it is read, not only the newest.

A look is polite: it does not happen before the time that the server, or the last failure, asked for; it asks only for
what changed; and one host is not asked for many feeds at once. What is new is told from what was seen before (`known`).
Where items must have come and gone between two looks, older pages of the feed are followed back to what is known
(RFC 5005); where there are none, the gap is told.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from rapport.core.errors import AddressRefused, GiveUp, InvalidInput, InvalidPost, NetworkError, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Gap, Page
from rapport.networks.feeds.document import Document, Item
from rapport.networks.feeds.fetch import Answered, Gone, fetch
from rapport.networks.feeds.hosts import Hosts
from rapport.networks.feeds.known import Memory, compare, decode_memory, joins, remember
from rapport.networks.feeds.parse import feed_key, parse_item, post_id
from rapport.networks.http import GuardedSession

FIRST_PULL = 100  # items of a feed that is new
PAGE_SIZE = 100
MOST_PAGES = 20  # older pages that are followed to fill one gap
EVERY = 5  # minutes between two looks, unless an admin chose otherwise
_SPREAD = 0.1  # of the time between two looks, more or less
_LONGEST_BACKOFF = dt.timedelta(hours=12)
_LATEST = dt.timedelta(days=2)  # a cursor that waits for longer was written by a clock that ran ahead
_ASK_THE_DEAD = dt.timedelta(days=1)

Entry = tuple[Item, str]


class _Look(msgspec.Struct, frozen=True):
    """One look at one feed."""

    stream: str
    #: as it was entered
    address: str
    every: dt.timedelta
    session: GuardedSession
    now: dt.datetime


def streams_of(account: Account) -> tuple[str, ...]:
    """One for each feed of the channel."""
    return tuple(_addresses(account))


def pull_pages(
    account: Account, stream: str, cursor: str, session: GuardedSession, hosts: Hosts, clock: Callable[[], dt.datetime]
) -> Iterator[Page]:
    """See `Network.pull`. A page may come before an error: it carries what is remembered of the failure.

    No page comes of a feed that is not due: it was not read, and 500 feeds that are not due shall not cost 500 writes.
    """
    address = _addresses(account).get(stream)
    if address is None:
        raise InvalidInput(f"this channel has no feed {stream!r}")
    look = _Look(stream, address, every_of(account), session, clock())
    memory = decode_memory(cursor)
    if memory is None:
        lost = Gap("The mark of what was read of this feed was unreadable; it was read from the start.")
        memory = Memory()
    else:
        lost = None
    due = _due(memory, look)
    if due is not None and look.now < due <= look.now + _LATEST:
        _complain_again(memory, look)
        return
    target = memory.moved or address
    host = urlsplit(target).hostname or ""
    if not hosts.admits(host):
        return
    try:
        yield from _ask(look, target, memory, lost)
    except NetworkError as error:
        if isinstance(error, RetryLater) and error.after:
            hosts.hold(host, error.after)
        yield from _note_failure(look, memory, error)


def _due(memory: Memory, look: _Look) -> dt.datetime | None:
    """When the feed may be asked again. Who chooses a shorter time does not wait for the longer one to end."""
    every = look.every.total_seconds()
    if memory.wait_until is None or memory.chosen <= every * (1 + _SPREAD):
        return memory.wait_until
    due = memory.wait_until - dt.timedelta(seconds=memory.chosen - every)
    return due if memory.asked is None else max(due, memory.asked)


def every_of(account: Account) -> dt.timedelta:
    """How long to leave a feed alone between two looks."""
    chosen = str(account.settings.get("every") or EVERY)
    minutes = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 6 else EVERY
    return dt.timedelta(minutes=min(max(minutes, 1), 1440))


def _addresses(account: Account) -> dict[str, str]:
    """Stream -> address."""
    feeds = account.settings.get("feeds")
    return {f"feed:{feed_key(str(url))}": str(url) for url in feeds} if isinstance(feeds, list) else {}


def _ask(look: _Look, target: str, memory: Memory, lost: Gap | None) -> Iterator[Page]:
    answer = fetch(
        target, look.session, look.now, etag=memory.etag, modified=memory.modified, body=memory.body
    )  # fmt: skip
    if answer.document is None:
        yield Page(stream=look.stream, posts=(), cursor=_settled(memory, answer, look).encode(), gap=lost)
        return
    document = answer.document
    news = compare(document.items, memory)
    fresh = list(news.fresh)
    gap = lost
    start = memory
    if memory.is_new and len(fresh) > FIRST_PULL:
        start = remember(memory, fresh[:-FIRST_PULL])
        gap = Gap(f"Only the newest {FIRST_PULL} of {len(fresh):,} items were read when this feed was connected.")
        skipped, fresh = fresh[:-FIRST_PULL], fresh[-FIRST_PULL:]
        news = msgspec.structs.replace(news, memory=remember(news.memory, skipped))
    elif news.broken and not document.complete:
        older, gap = _fill(look, document, memory)
        seen = {key for _, key in fresh}
        fresh = [entry for entry in older if entry[1] not in seen] + fresh
    final = _settled(remember(news.memory, fresh), answer, look)
    yield from _pages(look, document, fresh, news.changed, start, final, gap)


def _pages(
    look: _Look,
    document: Document,
    fresh: Sequence[Entry],
    changed: Sequence[Entry],
    start: Memory,
    final: Memory,
    gap: Gap | None,
) -> Iterator[Page]:
    """Oldest first. Only the last cursor holds what lets the server say "nothing new": until then all is asked anew."""
    chunks = [fresh[place : place + PAGE_SIZE] for place in range(0, len(fresh), PAGE_SIZE)] or [()]
    for number, chunk in enumerate(chunks, 1):
        is_last = number == len(chunks)
        start = remember(start, chunk)
        posts, rejected = _posts(look, document, chunk, changed if is_last else ())
        if is_last and document.left_out:
            rejected.append(f"the feed holds {document.left_out:,} items more than are read at once")
        deleted = [post_id(look.address, guid) for guid in document.deleted] if is_last else []
        yield Page(
            stream=look.stream,
            posts=tuple(posts),
            cursor=(final if is_last else start).encode(),
            more=not is_last,
            gap=gap,
            deleted=tuple(deleted),
            rejected=tuple(rejected),
        )
        gap = None


def _posts(
    look: _Look, document: Document, fresh: Sequence[Entry], changed: Sequence[Entry]
) -> tuple[list[Post], list[str]]:
    posts: list[Post] = []
    rejected: list[str] = []
    for place, (item, key) in enumerate([*fresh, *changed]):
        # items without a date get the time of this look, and keep their order
        seen = look.now - dt.timedelta(milliseconds=len(fresh) + len(changed) - place)
        edited = look.now if place >= len(fresh) else None
        try:
            posts.append(parse_item(item, document, look.address, key, seen, edited))
        except InvalidPost as error:
            rejected.append(f"item {key[:100]}: {error}")
    return posts, rejected


def _fill(look: _Look, document: Document, memory: Memory) -> tuple[list[Entry], Gap | None]:
    """Older pages of the feed, back to what is known -> (their new items, oldest first; the gap that is left)."""
    found: list[Entry] = []
    visited = {look.address}
    reason = ""
    older, oldest = document.older, document
    for _ in range(MOST_PAGES):
        if not older or older in visited:
            break
        visited.add(older)
        try:
            answer = fetch(older, look.session, look.now)
        except RetryLater as error:
            if memory.failures < 3:
                raise
            reason = f" Its older pages could not be read: {error}"
            break
        except (GiveUp, AddressRefused) as error:
            reason = f" Its older pages could not be read: {error}"
            break
        if answer.document is None:
            break
        oldest = answer.document
        news = compare(oldest.items, msgspec.structs.replace(memory, recent=()))
        have = {key for _, key in found}
        found = [*(entry for entry in news.fresh if entry[1] not in have), *found]
        if joins(oldest.items, memory):
            return found, None  # joined to what is known
        older = oldest.older
    else:
        reason = f" {MOST_PAGES} older pages were read and did not reach back to what is known."
    if document.older and not older and not reason:
        return found, None  # followed to the very first item: there is nothing before it
    return found, _gap(look, memory, [item for item, _ in found] or list(document.items), reason)


def _gap(look: _Look, memory: Memory, items: Sequence[Item], reason: str) -> Gap:
    since = memory.newest if memory.newest is not None and memory.newest <= look.now else None
    dates = [date for item in items if (date := item.published or item.updated) is not None]
    until = min(dates, default=look.now)
    if since is not None and until < since:
        since, until = until, since
    between = f"between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC" if since else "before this look"
    host = urlsplit(look.address).hostname
    return Gap(
        f"Items of {host} may have been missed {between}: nothing that was read before is in the feed.{reason}"[:300],
        since,
        until,
    )


def _settled(memory: Memory, answer: Answered, look: _Look) -> Memory:
    """After a look that went well."""
    return msgspec.structs.replace(
        memory,
        moved=answer.moved or memory.moved,
        etag=answer.etag,
        modified=answer.modified,
        body=answer.body,
        wait_until=look.now + max(_spread(look), answer.wait),
        chosen=_spread(look).total_seconds(),
        asked=look.now + answer.wait if answer.wait else None,
        failures=0,
        error="",
        gone=False,
    )


def _note_failure(look: _Look, memory: Memory, error: NetworkError) -> Iterator[Page]:
    """Remember the failure, then raise it. A feed that is gone is told of on screen as well."""
    failures = memory.failures + 1
    wait = min(look.every * 2 ** min(failures, 12), _LONGEST_BACKOFF)
    after = error.after if isinstance(error, RetryLater) else None
    if isinstance(error, Gone):
        wait = _ASK_THE_DEAD
    elif after is not None:
        wait = max(dt.timedelta(seconds=after), look.every)
    times = f" ({failures} looks in a row)" if failures > 1 else ""
    said = f"{error if not isinstance(error, AddressRefused) else f'{look.address[:200]}: {error}'}{times}"
    kept = msgspec.structs.replace(
        memory,
        wait_until=look.now + wait,
        chosen=0.0,
        failures=failures,
        error=said[:400],
        gone=isinstance(error, Gone),
    )
    if memory.moved and (failures >= 5 or not isinstance(error, RetryLater)):
        # an address that it moved to and that fails now is no better than the one that was entered
        kept = msgspec.structs.replace(kept, moved="", etag="", modified="", body="")
    gap = Gap(f"A feed has ended: {error}."[:300], memory.newest, None) if kept.gone and not memory.gone else None
    yield Page(stream=look.stream, posts=(), cursor=kept.encode(), gap=gap)
    if isinstance(error, RetryLater):
        raise RetryLater(said, wait.total_seconds()) from error
    if isinstance(error, Gone):
        raise Gone(said) from error
    raise GiveUp(said) from error  # a refused address too: one feed of many, the others go on


def _complain_again(memory: Memory, look: _Look) -> None:
    """Before its time a feed that failed is not asked, and still has failed."""
    assert memory.wait_until is not None
    if memory.gone:
        raise Gone(memory.error)
    if memory.error:
        raise RetryLater(memory.error, (memory.wait_until - look.now).total_seconds())


def _spread(look: _Look) -> dt.timedelta:
    """The time between two looks, a tenth more or less, so that many feeds do not fall due together."""
    chance = hashlib.sha256(f"{look.address} {look.now.isoformat()}".encode()).digest()[0] / 255
    return look.every * (1 - _SPREAD + 2 * _SPREAD * chance)
