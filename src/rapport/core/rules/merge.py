"""Bringing a draft up to date: what changed in the rules in force since it began is taken over, line by line."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

#: How often a stretch of lines is cut at the lines that are unique in it; rules differ in their names, so once is
#: nearly always enough.
ROUNDS = 8
#: Lines of both sides of a stretch without unique lines that are still held against each other one by one; of a longer
#: one nothing is taken to be the same.
MOST_COMPARED = 400


class Merged(msgspec.Struct, frozen=True):
    """What came of it. `text` is None where both sides changed the same lines."""

    text: str | None
    #: first lines in the draft, from 1, where both changed something
    conflicts: tuple[int, ...] = ()


def merge(base: str, theirs: str, ours: str) -> Merged:
    """Three texts -> `ours` with what `theirs` changed since `base`, after the diff3 algorithm (Khanna, Kunal, Pierce,
    "A Formal Investigation of Diff3", 2007): stretches of lines that all three share hold the text together, and
    between two of them at most one side may have changed something, unless both changed it alike.
    """
    lines = [_lines(text) for text in (base, theirs, ours)]
    found: list[str] = []
    conflicts: list[int] = []
    at = (0, 0, 0)
    for anchor in (*_anchors(*lines), (len(lines[0]), len(lines[1]), len(lines[2]), 0)):
        old, new, own = (lines[side][at[side] : anchor[side]] for side in range(3))
        if own in (old, new):
            found += new
        elif new == old:
            found += own
        else:
            conflicts.append(at[2] + 1)
        length = anchor[3]
        found += lines[2][anchor[2] : anchor[2] + length]
        at = (anchor[0] + length, anchor[1] + length, anchor[2] + length)
    return Merged(None if conflicts else "".join(found), tuple(conflicts))


def _lines(text: str) -> list[str]:
    """As editors count them: `str.splitlines` would break at separators inside a comment too."""
    found = text.split("\n")
    return [line + "\n" for line in found[:-1]] + ([found[-1]] if found[-1] else [])


def _anchors(base: Sequence[str], theirs: Sequence[str], ours: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """(place in base, in theirs, in ours, length) of the stretches that all three share, in order."""
    there, here = shared_lines(base, theirs), shared_lines(base, ours)
    found: list[tuple[int, int, int, int]] = []
    for line in range(len(base)):
        if line not in there or line not in here:
            continue
        last = found[-1] if found else None
        place = (line, there[line], here[line])
        if last and place == (last[0] + last[3], last[1] + last[3], last[2] + last[3]):
            found[-1] = (*last[:3], last[3] + 1)
        else:
            found.append((*place, 1))
    return found


class _Stretch(NamedTuple):
    """Lines of one side and of the other that may be the same: from, to, from, to."""

    a: int
    a_end: int
    b: int
    b_end: int


def shared_lines(one: Sequence[str], two: Sequence[str]) -> dict[int, int]:
    """Lines of one text -> the same lines of another, in order in both.

    Patience diff (Cohen): what is alike at both ends, then lines that are unique on both sides, then what lies between
    these in the same way. In time that grows with the lines, where `difflib` alone takes minutes for 5,000 of them.
    """
    found: dict[int, int] = {}
    stretches = [_Stretch(0, len(one), 0, len(two))]
    for _ in range(ROUNDS):
        stretches = [inner for outer in stretches for inner in _cut(one, two, outer, found)]
    for a, a_end, b, b_end in stretches:
        if a_end - a + b_end - b <= MOST_COMPARED:
            blocks = difflib.SequenceMatcher(None, one[a:a_end], two[b:b_end], autojunk=False).get_matching_blocks()
            found |= {a + block.a + n: b + block.b + n for block in blocks for n in range(block.size)}
    return found


def _cut(one: Sequence[str], two: Sequence[str], stretch: _Stretch, found: dict[int, int]) -> Iterator[_Stretch]:
    """What lies between the lines that surely are the same; these go to `found`."""
    a, a_end, b, b_end = stretch
    while a < a_end and b < b_end and one[a] == two[b]:
        found[a] = b
        a, b = a + 1, b + 1
    while a < a_end and b < b_end and one[a_end - 1] == two[b_end - 1]:
        a_end, b_end = a_end - 1, b_end - 1
        found[a_end] = b_end
    for place, other in _unique_in_both(one, two, _Stretch(a, a_end, b, b_end)):
        found[place] = other
        if a < place and b < other:
            yield _Stretch(a, place, b, other)
        a, b = place + 1, other + 1
    if a < a_end and b < b_end:
        yield _Stretch(a, a_end, b, b_end)


def _unique_in_both(one: Sequence[str], two: Sequence[str], stretch: _Stretch) -> list[tuple[int, int]]:
    """Lines that occur once on each side, as many as stand in the same order (the longest increasing subsequence)."""
    a, a_end, b, b_end = stretch
    times, others = Counter(one[a:a_end]), Counter(two[b:b_end])
    place_of = {two[at]: at for at in range(b, b_end)}
    pairs = [(at, place_of[one[at]]) for at in range(a, a_end) if times[one[at]] == others.get(one[at]) == 1]
    ends: list[int] = []  # the last place of the best row of each length
    rows: list[int] = []  # which pair each of these is
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        if length == len(ends):
            ends.append(place)
            rows.append(number)
        else:
            ends[length], rows[length] = place, number
        before.append(rows[length - 1] if length else -1)
    chosen: list[tuple[int, int]] = []
    at = rows[-1] if rows else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]
