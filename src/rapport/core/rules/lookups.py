"""The tables of an index (core.rules.index): from the value of one field to the bits that it leaves possible."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from rapport.core.rules.fields import MOST_MOMENTS, Case
from rapport.core.rules.patterns import Patterns
from rapport.core.rules.values import Read


class OrderTable(NamedTuple):
    """Bits by the place of a number among cuts: slot i holds for values that i cuts do not lie above."""

    read: Read
    cuts: list[float]
    masks: list[int]
    #: for a value that is not known
    unknown: int


class CountedTable(NamedTuple):
    """Tables of how many moments of one list lie within spans of time; most people have said nothing before."""

    read: Read
    #: where the list is empty
    empty: int
    spans: list[tuple[dt.timedelta, OrderTable]]


class ValueTable(NamedTuple):
    """Bits by the value itself."""

    read: Read
    folded: bool
    masks: dict[Hashable, int]
    #: for all other values
    other: int
    #: there can be no other value
    closed: bool


class ItemTable(NamedTuple):
    """Bits of the clauses that need this item in the list, and of those that hold where there is none."""

    read: Read
    folded: bool
    masks: dict[Hashable, int]
    base: int
    #: bits of the clauses that need it not to be there
    barred: dict[Hashable, int]


class PatternTable(NamedTuple):
    """As `ItemTable`, for patterns that are searched together."""

    read: Read
    patterns: Patterns
    masks: list[int]
    base: int


def within(spans: Sequence[tuple[dt.timedelta, OrderTable]], moments: Sequence[dt.datetime], now: dt.datetime) -> int:
    """As `count` counts, for all spans at once."""
    # posts of one batch can arrive out of order
    latest = sorted(moments[-MOST_MOMENTS:])
    alive = -1
    for span, (_, cuts, masks, _) in spans:
        alive &= masks[bisect_right(cuts, len(latest) - bisect_right(latest, now - span))]
    return alive


def in_order(orders: Sequence[OrderTable], case: Case) -> int:
    """The AND over these. Raises `ValueError` for NaN, which has no place among the cuts."""
    alive = -1
    for read, cuts, masks, unknown in orders:
        value = read(case)
        if value is None:
            alive &= unknown
        elif value == value:  # noqa: PLR0124 - false for NaN alone, at a third of the price of isnan()
            alive &= masks[bisect_right(cuts, value)]
        else:
            raise ValueError(value)
    return alive


def searched(text: bytes | None, patterns: Patterns, masks: list[int], base: int) -> int:
    if text is not None:
        for number in patterns.find(text):
            base |= masks[number]
    return base
