"""What is new is told from what was seen: every item that a feed ever shows comes once, and a gap is never silent."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.networks.feeds.document import Item
from rapport.networks.feeds.known import MOST_KNOWN, Memory, compare, decode_memory, remember

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
WINDOW = 10


def item(number: int, *, guid: bool = True, dated: bool = True, words: str = "") -> Item:
    return Item(
        guid=f"g{number}" if guid else "",
        link=f"https://parcel.example/{number}",
        title=f"Story {number}",
        text=words or f"Words of {number}",
        published=START + dt.timedelta(minutes=number) if dated else None,
    )


@given(
    bursts=st.lists(st.integers(0, 25), min_size=1, max_size=12),
    guid=st.booleans(),
    dated=st.booleans(),
    newest_first=st.booleans(),
    pinned=st.booleans(),
    lost=st.sets(st.integers(0, 11)),
)
@settings(max_examples=300, deadline=None)
def test_every_item_that_is_ever_shown_comes_once_in_order_and_every_gap_is_seen(
    bursts: list[int], guid: bool, dated: bool, newest_first: bool, pinned: bool, lost: set[int]
) -> None:
    newest_first = newest_first or not dated  # without dates the usual order is taken for granted
    memory, said, came, last = Memory(), 0, list[int](), 0
    shown: set[int] = set()
    for look, burst in enumerate(bursts):
        said += burst
        numbers = list(range(max(0, said - WINDOW), said))
        if pinned and said > WINDOW:
            numbers = [0, *numbers]
        missed = set(range(said)) - shown - set(numbers)
        feed = [item(n, guid=guid, dated=dated) for n in (reversed(numbers) if newest_first else numbers)]
        news = compare(feed, memory)
        here = [int(each.title.split()[1]) for each, _ in news.fresh]
        assert set(here) == set(numbers) - shown
        # a pinned item that was all there was cannot be told from the newest one
        if shown and missed - set(range(max(shown))) and (not pinned or last > 1):
            assert news.broken
        if not shown or said - max(shown) - 1 < WINDOW // 2:
            assert not news.broken
        if look in lost:  # killed before it was stored: everything comes again
            continue
        assert here == sorted(here) or (pinned and not dated)
        came, last = came + here, len(numbers)
        shown |= set(here) | missed
        after = decode_memory(remember(news.memory, news.fresh).encode())
        assert after is not None
        memory = after
    assert len(came) == len(set(came))


@given(st.lists(st.integers(0, 3), min_size=2, max_size=10))
def test_an_item_that_changes_is_an_edit_each_time_it_says_something_new(versions: list[int]) -> None:
    memory = Memory()
    edits, before = 0, list[int]()
    for version in versions:
        news = compare([item(1, words=f"version {version}")], memory)
        edits += len(news.changed)
        expected = bool(before) and version != before[-1] and version not in before[-2:]
        assert bool(news.changed) == expected
        if expected or not before:
            before.append(version)
        memory = remember(news.memory, news.fresh)
    assert edits == len(before) - 1


def test_items_that_a_feed_still_shows_are_never_forgotten() -> None:
    old = [item(n) for n in range(5)]
    memory = remember(compare(old, Memory()).memory, compare(old, Memory()).fresh)
    for start in range(100, 5000, 300):
        news = compare([*old, *(item(n) for n in range(start, start + 300))], memory)
        assert {each.title for each, _ in news.fresh}.isdisjoint({each.title for each in old})
        memory = remember(news.memory, news.fresh)
    assert len(memory.marks) <= MOST_KNOWN + 700
