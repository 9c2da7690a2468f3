"""Which characters of a text a query is about, to be marked on the screen."""

from __future__ import annotations

import re

from rapport.core.query.nodes import Near, Node, Placed, Raw
from rapport.core.query.parse import Query, parse, positive_parts
from rapport.core.query.view import View
from rapport.core.text import tokens


class Highlighter:
    """One text, read once, in which several queries are marked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = tokens(text)
        self._view = View.of_text(text, self._found)

    def mark(self, query: Query) -> list[tuple[int, int]]:
        """As `highlight`."""
        found = self._found
        marks: list[tuple[int, int]] = []
        for part in positive_parts(query.root):
            if isinstance(part, Raw):
                marks += [match.span() for match in re.finditer(re.escape(part.text), self._text)]
            for placed in _placed_in(part, self._view):
                marks += [(found.starts[first], found.ends[last]) for first, last in placed.spans(self._view)]
        return _merged(marks)


def highlight(query: Query | str, text: str) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every find of the positive terms of `query` in `text`, in order, without overlap.

    Terms are marked wherever they stand, even if the query as a whole does not match. Fields mark nothing, but for
    `raw:`. Raises `InvalidQuery` where `query` is text that cannot be read.
    """
    return Highlighter(text).mark(parse(query) if isinstance(query, str) else query)


def _placed_in(part: Node, view: View) -> tuple[Placed, ...]:
    if isinstance(part, Placed):
        return (part,)
    if isinstance(part, Near) and part.holds(view):
        return (part.left, part.right)
    return ()


def _merged(marks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
