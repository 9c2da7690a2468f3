"""What is remembered of a feed between two looks: the cursor of its stream.

A feed has no positions. It shows a window of its newest items, and which of them are new can only be told from those
that were seen before. So the cursor holds a short mark of every item seen lately: bounded, and always more than the
feed shows at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from rapport.networks.feeds.document import Item
from rapport.networks.feeds.parse import content_mark, digest, item_key

MOST_KNOWN = 1_000  # marks that are kept beside those of the items that the feed shows
_RECENT = 25  # of the items shown last, how many are looked for when a gap is suspected
_LONGEST_HEADER = 500  # characters of an ETag


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """One item that was seen."""

    #: hash of `item_key`
    key: str
    #: hash of what it says now, and of what it said before
    content: str
    before: str = ""
    #: hash of its link
    link: str = ""
    #: seconds since 1970 of its date; 0: it has none
    at: int = 0


class Memory(msgspec.Struct, frozen=True):
    """The cursor of one feed."""

    #: in the order in which they were seen
    marks: tuple[Mark, ...] = ()
    #: keys of the newest half of what was shown at the last look
    recent: tuple[str, ...] = ()
    #: the feed gives several items one guid
    loose: bool = False
    #: where the feed moved to for good; "" = where it was entered
    moved: str = ""
    etag: str = ""
    modified: str = ""
    #: hash of the last body: the same one again needs no reading
    body: str = ""
    #: when the feed may be asked again
    wait_until: dt.datetime | None = None
    #: seconds from that look to the next as an admin had chosen them; 0 where a failure chose
    chosen: float = 0.0
    #: until when the server asked to be left alone
    asked: dt.datetime | None = None
    #: looks in a row that failed, and how the last one did
    failures: int = 0
    error: str = ""
    #: the server said that it is gone for good
    gone: bool = False
    #: date of the newest item, as far as items have dates
    newest: dt.datetime | None = None

    def encode(self) -> str:
        """The cursor."""
        return msgspec.json.encode(self).decode()

    @property
    def is_new(self) -> bool:
        """The feed was never read."""
        return not self.marks and not self.body


def decode_memory(cursor: str) -> Memory | None:
    """The cursor -> what is remembered; None for one that cannot be read."""
    if not cursor:
        return Memory()
    try:
        return msgspec.json.decode(cursor, type=Memory)
    except msgspec.MsgspecError:
        return None


class News(msgspec.Struct, frozen=True):
    """What one reading of a feed brings beside what is remembered."""

    #: (item, its key), oldest first
    fresh: tuple[tuple[Item, str], ...]
    #: known items that say something else now
    changed: tuple[tuple[Item, str], ...]
    #: the memory after these were stored; cursors on the way there come from `remember`
    memory: Memory
    #: some of the items between the last look and this one were never shown to us
    broken: bool


def mark_of(item: Item, key: str) -> Mark:
    """The mark of an item as it is now."""
    date = item.published or item.updated
    return Mark(digest(key), content_mark(item), "", digest(item.link.partition("://")[2]), _seconds(date))


def compare(items: Sequence[Item], memory: Memory) -> News:
    """The items of a feed, as it shows them, beside what is remembered of it."""
    loose = memory.loose or _guids_tell_nothing(items)
    shown: dict[str, tuple[Item, str, Mark]] = {}
    for item in items:
        key = item_key(item, loose)
        mark = mark_of(item, key)
        shown.setdefault(mark.key, (item, key, mark))
    known = {mark.key: mark for mark in memory.marks}
    unknown = [entry for entry in shown.values() if entry[2].key not in known]
    renamed = _renamed([mark for _, _, mark in unknown], [mark for mark in memory.marks if mark.key not in shown])
    fresh = [entry for entry in unknown if entry[2].key not in renamed]
    edited = [entry for entry in shown.values() if _says_something_else(entry[2], known.get(entry[2].key))]
    broken = _is_broken(shown, fresh, memory, renamed)
    kept = {entry[2].key for entry in fresh}
    newer = {
        mark.key: msgspec.structs.replace(mark, before=known[mark.key].content)
        for _, _, mark in edited
    }  # fmt: skip
    marks = [newer.get(mark.key, mark) for mark in memory.marks]
    marks += [mark for _, _, mark in shown.values() if mark.key in renamed]
    dates = [_believable(item) for item, _, _ in shown.values()]
    after = msgspec.structs.replace(
        memory,
        marks=_bounded(marks, set(shown)),
        loose=loose,
        recent=_recent(shown) or memory.recent,
        newest=max([date for date in [memory.newest, *dates] if date is not None], default=None),
    )
    ordered = [(item, key) for item, key, mark in _oldest_first(list(shown.values())) if mark.key in kept]
    return News(tuple(ordered), tuple((item, key) for item, key, _ in edited), after, broken)


def joins(items: Sequence[Item], memory: Memory) -> bool:
    """Whether one of these items is known: what lies between them and the newest ones is then known or among them."""
    known = {mark.key for mark in memory.marks}
    return any(digest(item_key(item, memory.loose)) in known for item in items)


def remember(memory: Memory, entries: Sequence[tuple[Item, str]]) -> Memory:
    """The memory with these items in it as well; `compare` bounds it at the next look."""
    added = [mark_of(item, key) for item, key in entries]
    keys = {mark.key for mark in added}
    return msgspec.structs.replace(memory, marks=(*(mark for mark in memory.marks if mark.key not in keys), *added))


def header(value: str | None) -> str:
    """What a server gave to be sent back, if it can be sent back."""
    text = value or ""
    return text if len(text) <= _LONGEST_HEADER and text.isascii() and text.isprintable() else ""


def _guids_tell_nothing(items: Sequence[Item]) -> bool:
    """Several items with one guid and different words and links: some feeds give the address of the site as guid."""
    first: dict[str, Item] = {}
    for item in items:
        if item.guid:
            other = first.setdefault(item.guid, item)
            if other is not item and other.link != item.link and other.title != item.title:
                return True
    return False


def _renamed(unknown: Sequence[Mark], vanished: Sequence[Mark]) -> set[str]:
    """Keys of items that are old ones under a new guid.

    The same words with the same date, or with the same link where there is no date, are the same item. With another
    date they are only when it happens to several at once: then the site was moved, and nobody said it all again.
    """
    old: dict[str, list[Mark]] = {}
    for mark in vanished:
        old.setdefault(mark.content, []).append(mark)
    sure, likely = set(), set()
    for mark in unknown:
        for other in old.get(mark.content, ()):
            if other.at == mark.at and (mark.at or other.link == mark.link):
                sure.add(mark.key)
            elif other.link == mark.link:
                likely.add(mark.key)
    return sure | likely if len(likely | sure) > 1 else sure


def _says_something_else(now: Mark, before: Mark | None) -> bool:
    """An edit. Going back to what was there before is none: several servers that differ would edit for ever."""
    return before is not None and now.content not in {before.content, before.before}


def _is_broken(
    shown: dict[str, tuple[Item, str, Mark]],
    fresh: list[tuple[Item, str, Mark]],
    memory: Memory,
    renamed: set[str],
) -> bool:
    """Whether items may have come and gone unseen: nothing that was newest before is shown any more.

    An item that is pinned to the top stays for ever and proves nothing, so a few old ones among many new do not count.
    """
    if not fresh or not memory.recent or renamed:
        return False
    if any(key in shown for key in memory.recent):
        return False
    return len(fresh) * 2 > len(shown)


def _recent(shown: dict[str, tuple[Item, str, Mark]]) -> tuple[str, ...]:
    entries = _oldest_first(list(shown.values()))
    return tuple(mark.key for _, _, mark in entries[len(entries) // 2 :])[-_RECENT:]


def _oldest_first(entries: list[tuple[Item, str, Mark]]) -> list[tuple[Item, str, Mark]]:
    """By date; what has none keeps its place among its neighbours. Most feeds show the newest first."""
    dated = [mark.at for _, _, mark in entries if mark.at]
    upwards = len(dated) > 1 and dated[0] < dated[-1]
    in_order = entries if upwards else entries[::-1]
    last, keyed = 0, []
    for entry in in_order:
        last = entry[2].at or last
        keyed.append((last, entry))
    return [entry for _, entry in sorted(keyed, key=lambda pair: pair[0])]


def _bounded(marks: Sequence[Mark], shown: set[str]) -> tuple[Mark, ...]:
    """All marks of what is shown, and the newest others."""
    others = [mark for mark in marks if mark.key not in shown]
    dropped = {mark.key for mark in others[:-MOST_KNOWN]} if len(others) > MOST_KNOWN else set()
    return tuple(mark for mark in marks if mark.key not in dropped)


def _believable(item: Item) -> dt.datetime | None:
    return item.published or item.updated


def _seconds(moment: dt.datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
