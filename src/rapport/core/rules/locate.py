"""Where things stand in a TOML document that `tomllib` has already accepted.

`tomllib` gives values without their places. This scanner walks the same text a second time and notes, for each
section, where each key and value begins, and for each string which character of the document every character of
its value came from, so that a fault in the middle of a condition is reported at its own line and column.
"""

from __future__ import annotations

import re

import msgspec

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_INNER_SCALAR = re.compile(r"[^,=\]}\s#]+")
_CONTINUED = re.compile(r"\\[ \t\n]+")
_ESCAPES = {"x": 2, "u": 4, "U": 8}


class Value(msgspec.Struct):
    """One value: where it begins, where its characters came from, and the values inside an array."""

    at: int
    #: for a string: offset in the document of each character of the value, and of its end
    characters: list[int] = []
    elements: list[Value] = []

    def character(self, index: int, length: int) -> int:
        """The place of the `index`-th character of a string of `length` (its beginning, if they do not agree)."""
        if len(self.characters) != length + 1:
            return self.at
        return self.characters[min(index, length)]


class Entry(msgspec.Struct):
    """One `key = value`."""

    key_at: int
    value: Value
    #: offset behind the value
    end: int


class Section(msgspec.Struct):
    """A `[[header]]` or `[header]` with the entries below it; the top of the document has an empty header."""

    header: str
    at: int
    entries: dict[str, Entry]


def locate(document: str) -> list[Section]:
    """A valid TOML document (line ends as \\n) -> its sections in order, the top of the document first."""
    sections = [Section("", 0, {})]
    at = _skip(document, 0)
    while at < len(document):
        if document[at] == "[":
            depth = 2 if document.startswith("[[", at) else 1
            parts, end = _key(document, at + depth)
            sections.append(Section("[" * depth + ".".join(parts), at, {}))
            at = _skip(document, _after(document, end, "]" * depth))
            continue
        parts, end = _key(document, at)
        start = _skip(document, _after(document, end, "="))
        value, end = _value(document, start)
        sections[-1].entries.setdefault(parts[0], Entry(at, value, end))
        at = _skip(document, end)
    return sections


def line_and_column(document: str, at: int) -> tuple[int, int]:
    """A character offset -> line and column, both from 1."""
    before = document[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def _skip(document: str, at: int) -> int:
    found = _BLANK.match(document, at)
    return found.end() if found else at


def _after(document: str, at: int, mark: str) -> int:
    return document.index(mark, at) + len(mark)


def _key(document: str, at: int) -> tuple[list[str], int]:
    """The parts of a key that dots hold together, and the offset behind it."""
    parts: list[str] = []
    while True:
        at = _skip(document, at)
        if document[at] in "\"'":
            value, end = _string(document, at)
            parts.append("".join(document[place] for place in value.characters[:-1]))
        else:
            end = _BARE.match(document, at).end()  # type: ignore[union-attr]  # tomllib accepted it
            parts.append(document[at:end])
        at = _skip(document, end)
        if document[at] != ".":
            return parts, at
        at += 1


def _value(document: str, at: int) -> tuple[Value, int]:
    """The value that begins at `at`, and the offset behind it.

    Arrays and inline tables are walked with a list of our own, not by recursion.
    """
    if document[at] in "\"'":
        return _string(document, at)
    if document[at] not in "[{":
        return Value(at), _SCALAR.match(document, at).end()  # type: ignore[union-attr]  # matches the empty text too
    outer = Value(at)
    depth, at = 1, at + 1
    while depth:
        at = _skip(document, at)
        letter = document[at]
        if letter in "\"'":
            inner, at = _string(document, at)
            if depth == 1:
                outer.elements.append(inner)
        elif letter in "[{":
            if depth == 1:
                outer.elements.append(Value(at))
            depth, at = depth + 1, at + 1
        elif letter in "]}":
            depth, at = depth - 1, at + 1
        elif letter in ",=":
            at += 1
        else:
            if depth == 1:
                outer.elements.append(Value(at))
            at = _INNER_SCALAR.match(document, at).end()  # type: ignore[union-attr]  # it begins with one of these
    return outer, at


def _string(document: str, at: int) -> tuple[Value, int]:
    quote = document[at]
    long = document.startswith(quote * 3, at)
    closing = quote * 3 if long else quote
    value = Value(at)
    place = at + len(closing)
    if long and document[place] == "\n":
        place += 1  # a line break right behind the opening quotes does not belong to the value
    while not document.startswith(closing, place):
        if quote == '"' and document[place] == "\\":
            place = _escape(document, place, value)
        else:
            value.characters.append(place)
            place += 1
    while long and document[place + 3 : place + 4] == quote:  # up to two quotes of the value before the closing ones
        value.characters.append(place)
        place += 1
    value.characters.append(place)
    return value, place + len(closing)


def _escape(document: str, at: int, value: Value) -> int:
    """One escape of a basic string; a backslash at the end of a line swallows the blanks that follow."""
    if (continued := _CONTINUED.match(document, at)) is not None:
        return continued.end()
    value.characters.append(at)
    return at + 2 + _ESCAPES.get(document[at + 1], 0)
