"""Where in a text something is wrong, and what changed between two texts, for the screen."""

from __future__ import annotations

import msgspec

from rapport.core.rules.edit import pieces
from rapport.core.rules.merge import shared_lines


class Line(msgspec.Struct, frozen=True):
    """One line of a text."""

    #: from 1
    number: int
    text: str
    #: true: here it is
    marked: bool = False
    #: spaces up to the place, then a caret; empty on other lines
    caret: str = ""


class Excerpt(msgspec.Struct, frozen=True):
    """The lines around a place."""

    line: int
    column: int
    lines: tuple[Line, ...]


class Change(msgspec.Struct, frozen=True):
    """One line of a comparison."""

    #: "same", "added", "removed", or "gap" for a stretch of equal lines that is left out
    kind: str
    text: str
    #: line numbers before and after; None where it does not exist
    before: int | None = None
    after: int | None = None


def mark_line(text: str, line: int, column: int, around: int = 2) -> Excerpt:
    """The line and its neighbours with a caret under the column; both count from 1 and are drawn into the text."""
    lines = text.split("\n")
    line = min(max(line, 1), len(lines))
    column = min(max(column, 1), len(lines[line - 1]) + 1)
    # tabs stay tabs, so that the caret stands under its character whatever a tab is wide
    lead = "".join("\t" if char == "\t" else " " for char in lines[line - 1][: column - 1])
    first, last = max(1, line - around), min(len(lines), line + around)
    return Excerpt(
        line,
        column,
        tuple(
            Line(number, lines[number - 1], number == line, f"{lead}^" if number == line else "")
            for number in range(first, last + 1)
        ),
    )


def mark_position(text: str, position: int) -> Excerpt:
    """As `mark_line`, for an offset in characters from 0."""
    before = text[: max(position, 0)]
    return mark_line(text, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def place_of(text: str, position: int) -> tuple[int, int]:
    """Start and end of what stands at an offset, up to the next blank; at the end of a text, its last word."""
    start = min(max(position, 0), len(text))
    if not text[start:].strip():
        start = len(text.rstrip())
        while start and not text[start - 1].isspace():
            start -= 1
    end = start
    while end < len(text) and not text[end].isspace():
        end += 1
    return start, max(end, min(start + 1, len(text)))


def compare(old: str, new: str, around: int = 3) -> list[Change]:
    """The changed lines with `around` equal ones on either side; empty when nothing changed."""
    before, after = old.splitlines(), new.splitlines()
    whole: list[Change] = []
    i = j = 0
    for a, b in (*sorted(shared_lines(before, after).items()), (len(before), len(after))):
        whole += [Change("removed", before[n], n + 1, None) for n in range(i, a)]
        whole += [Change("added", after[n], None, n + 1) for n in range(j, b)]
        if a < len(before):
            whole.append(Change("same", before[a], a + 1, b + 1))
        i, j = a + 1, b + 1
    found: list[Change] = []
    last, shown = len(whole), _near_changes(whole, around)
    for place, change in enumerate(whole):
        if place not in shown:
            continue
        if place and (not found or place > last + 1):
            found.append(Change("gap", ""))
        found.append(change)
        last = place
    return found


def _near_changes(lines: list[Change], around: int) -> set[int]:
    """The places of what changed, and of so many lines on either side."""
    changed = (place for place, change in enumerate(lines) if change.kind != "same")
    return {near for place in changed for near in range(max(0, place - around), min(len(lines), place + around + 1))}


class Touched(msgspec.Struct, frozen=True):
    """A rule that one document has otherwise than another."""

    name: str
    #: "new", "changed" or "gone"
    what: str


def list_touched(old: str, new: str) -> list[Touched]:
    """The rules in which two documents differ, in the order of the newer one; those that are gone come last."""
    before, after = name_rules(old), name_rules(new)
    found = [
        Touched(name, "changed" if name in before else "new")
        for name, text in after.items()
        if before.get(name) != text
    ]
    return found + [Touched(name, "gone") for name in before if name not in after]


def name_rules(document: str) -> dict[str, str]:
    """The text of each rule by its name; none of a document that is no TOML yet."""
    try:
        return {piece.name: document[piece.start : piece.end] for piece in pieces(document)}
    except ValueError:
        return {}
