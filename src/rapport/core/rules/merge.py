"""Bringing a draft up to date: what changed in the rules in force since it began is taken over, line by line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import msgspec


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
    lines = [text.splitlines(keepends=True) for text in (base, theirs, ours)]
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


def _anchors(base: Sequence[str], theirs: Sequence[str], ours: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """(place in base, in theirs, in ours, length) of the stretches that all three share, in order."""
    there = {block.a + n: block.b + n for block in _blocks(base, theirs) for n in range(block.size)}
    here = {block.a + n: block.b + n for block in _blocks(base, ours) for n in range(block.size)}
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


def _blocks(one: Sequence[str], two: Sequence[str]) -> list[difflib.Match]:
    return difflib.SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
