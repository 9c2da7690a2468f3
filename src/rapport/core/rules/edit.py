"""Changing one rule of a document as text: everything else keeps its bytes, comments, order and blank lines with it.

Documents are TOML that `tomllib` accepts, with line ends as \\n; whether they are good rules is not looked at. A rule
is named by its place, from 0. Comment lines right above a `[[rule]]` belong to it and move with it; a ruled heading
(`# ------ noise`) and comments between blank lines stand for themselves and stay.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rapport.core.rules.locate import Entry, Section, Value, locate

#: Text, yes or no, a list of texts, or None for a key that is not written.
Setting = str | bool | Sequence[str] | None
#: In which order the keys of a rule are written.
ORDER = ("name", "group", "enabled", "when", "then", "autonomy", "stop")

_HEADING = re.compile(r"#.*(?:-{4}|={4}|#{4}|─{4})")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Piece(msgspec.Struct, frozen=True):
    """One rule of a document: where its text stands and what it says."""

    number: int
    #: line of its `[[rule]]`, from 1
    line: int
    #: offsets of its text with the comments above it, without the blank lines behind it
    start: int
    end: int
    #: offset behind the blank lines that follow
    tail: int
    #: what `tomllib` read
    values: dict[str, Any]
    #: the keys as they stand in the document
    entries: dict[str, Entry]
    #: offset of its `[[rule]]`
    head: int

    @property
    def name(self) -> str:
        """Its name, "" where it has none."""
        return str(self.values.get("name", ""))


def pieces(document: str) -> list[Piece]:
    """The rules of a document in order. Raises `ValueError` (tomllib.TOMLDecodeError) for what is no TOML."""
    values = tomllib.loads(document).get("rule", [])
    sections = locate(document)
    heads = [number for number, section in enumerate(sections) if section.header == "[[rule"]
    if not isinstance(values, list) or len(values) != len(heads):
        return []
    return [_piece(document, sections, at, number, values[number]) for number, at in enumerate(heads)]


def find_piece(document: str, name: str) -> Piece | None:
    """The rule of that name; None where there is none."""
    return next((piece for piece in pieces(document) if piece.name == name), None)


def put(document: str, number: int, key: str, value: Setting) -> str:
    """Set one key of one rule, or take it away (None). The way a text is quoted is kept where it can be.

    Raises `IndexError` for a rule that does not exist.
    """
    piece = pieces(document)[number]
    entry = piece.entries.get(key)
    if entry is not None and piece.values.get(key) == value:
        return document
    if value is None:
        return document if entry is None else _without_line(document, entry)
    if entry is None:
        return _with_line(document, piece, key, value)
    if not isinstance(value, str | bool):
        return _with_list(document, entry, list(value))
    end = _value_end(document, entry)
    return document[: entry.value.at] + write(value, document[entry.value.at : end]) + document[end:]


def switch(document: str, number: int, on: bool) -> str:
    """Switch one rule on or off; on is what a rule is that does not say."""
    return put(document, number, "enabled", None if on else False)


def move(document: str, number: int, to: int) -> str:
    """Put a rule where the rule `to` stands now; those between close up. Moving it back gives the same document, but
    for a heading that stood at its place: it cannot be known on which side of that it was.
    """
    if not document.endswith("\n"):
        return move(document + "\n", number, to)[:-1]
    found = pieces(document)
    moved, target = found[number], found[to]
    if moved is target:
        return document
    last = found[-1]
    text, tail = document[moved.start : moved.end], document[moved.end : moved.tail]
    if number < to:
        behind = document[target.end : target.tail]
        if target is last:  # the end of the document stays as it is
            tail, behind = behind, tail
        return (
            document[: moved.start] + document[moved.tail : target.end] + behind + text + tail + document[target.tail :]
        )
    between = document[target.start : moved.start]
    if moved is last:
        before = found[number - 1]
        tail, own = document[before.end : before.tail], tail
        between = document[target.start : before.end] + own + document[before.tail : moved.start]
    return document[: target.start] + text + tail + between + document[moved.tail :]


def remove(document: str, number: int) -> tuple[str, str]:
    """Take a rule out: the document without it, and its text, which `insert` takes."""
    if not document.endswith("\n"):
        without, text = remove(document + "\n", number)
        return without.removesuffix("\n"), text
    found = pieces(document)
    piece = found[number]
    text, tail = document[piece.start : piece.end], document[piece.end : piece.tail]
    if piece is found[-1] and number and found[number - 1].tail == piece.start:
        before = found[number - 1]
        kept = document[before.end : before.tail]
        return document[: before.end] + tail + document[piece.tail :], text + kept
    return document[: piece.start] + document[piece.tail :], text + tail


def insert(document: str, number: int, text: str) -> str:
    """Put the text of one rule (or several) before the rule `number`, or at the end of the document."""
    if document and not document.endswith("\n"):
        return insert(document + "\n", number, text)[:-1]
    found = pieces(document)
    body = text.rstrip("\n")
    tail = text[len(body) :] or "\n\n"
    if number < len(found):
        at = found[number].start
        return document[:at] + body + tail + document[at:]
    if not found:
        head = document.rstrip("\n")
        return f"{head}\n\n{body}\n" if head else f"{body}\n"
    last = found[-1]
    kept = document[last.end : last.tail]
    if last.tail != len(document):  # comments stand behind it
        return document.rstrip("\n") + tail + body + "\n"
    return document[: last.end] + tail + body + (kept or "\n")


def compose(values: Mapping[str, Setting], comment: str = "") -> str:
    """A new rule as text, without a line end; its keys in the usual order."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += ["[[rule]]"]
    lines += [f"{key} = {write(value, _style(key))}" for key in ORDER if (value := values.get(key)) is not None]
    return "\n".join(lines)


def write(value: str | bool | Sequence[str], like: str = "") -> str:
    """A value as TOML; a text is quoted like the text `like` where it can be."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return f"[{', '.join(write(each, like) for each in value)}]"
    if like.startswith("'''") and "'''" not in value and not value.endswith("'") and not _controls(value, "\n"):
        return f"'''\n{value}'''" if like.startswith("'''\n") or value.startswith("\n") else f"'''{value}'''"
    if like.startswith("'") and "'" not in value and not _controls(value, ""):
        return f"'{value}'"
    escaped = "".join(_ESCAPES.get(letter, letter) for letter in value)
    return f'"{_CONTROL.sub(_code_point, escaped)}"'


def _code_point(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04X}"


def _value_end(document: str, entry: Entry) -> int:
    """Behind a value, without the blanks before a comment."""
    return entry.value.at + len(document[entry.value.at : entry.end].rstrip(" \t\r"))


def _controls(value: str, allowed: str) -> bool:
    return any(found not in allowed for found in _CONTROL.findall(value))


def _style(key: str) -> str:
    """Conditions hold texts in double quotes, so they stand in single ones."""
    return "'" if key == "when" else '"'


def _piece(document: str, sections: list[Section], at: int, number: int, values: dict[str, Any]) -> Piece:
    section = sections[at]
    start = _lead(document, section.at, _body_end(document, sections[at - 1]) if at else 0)
    end = _body_end(document, section)
    tail = end
    while tail < len(document) and document[tail] in " \t\r\n":
        tail += 1
    if tail < len(document):  # what is indented on the next line that says something belongs to that line
        tail = max(end, document.rfind("\n", end, tail) + 1)
    line = document.count("\n", 0, section.at) + 1
    return Piece(number, line, start, end, tail, values, section.entries, section.at)


def _lead(document: str, at: int, floor: int) -> int:
    """Where the comments right above a header begin."""
    start = document.rfind("\n", 0, at) + 1
    while start > floor:
        above = document.rfind("\n", 0, start - 1) + 1
        line = document[above : start - 1].strip()
        if above < floor or not line.startswith("#") or _HEADING.match(line):
            break
        start = above
    return start


def _body_end(document: str, section: Section) -> int:
    """Behind the last line of a section that says something, and the comments right below it; before its line end."""
    if section.entries:
        at = max(entry.end for entry in section.entries.values())
    elif section.header:
        at = document.index("\n", section.at) if "\n" in document[section.at :] else len(document)
    else:
        return 0
    end = _line_end(document, at)
    following = end
    while following < len(document):
        stop = _line_end(document, following + 1)
        line = document[following + 1 : stop].strip()
        if line.startswith("[[") or (line.startswith("#") and _HEADING.match(line)):
            return end if line.startswith("[[") else following
        if not line.startswith("#"):
            return following
        following = stop
    return following


def _line_end(document: str, at: int) -> int:
    found = document.find("\n", at)
    return len(document) if found < 0 else found


def _without_line(document: str, entry: Entry) -> str:
    start = document.rfind("\n", 0, entry.key_at) + 1
    end = _line_end(document, entry.end)
    if end < len(document):
        return document[:start] + document[end + 1 :]
    return document[: max(0, start - 1)]


def _with_line(document: str, piece: Piece, key: str, value: str | bool | Sequence[str]) -> str:
    before = ORDER[: ORDER.index(key)] if key in ORDER else ORDER
    above = [piece.entries[name] for name in before if name in piece.entries]
    at = _line_end(document, max((entry.end for entry in above), default=piece.head))
    return f"{document[:at]}\n{key} = {write(value, _style(key))}{document[at:]}"


def _string_end(document: str, value: Value) -> int:
    long = document.startswith(document[value.at] * 3, value.at) and len(value.characters) > 1
    return value.characters[-1] + (3 if long else 1)


def _with_list(document: str, entry: Entry, values: list[str]) -> str:
    """A list over several lines keeps its lines and comments: what stays is not touched."""
    written = document[entry.value.at : entry.end]
    old = entry.value.elements
    if "\n" not in written or not old or not values or not all(element.characters for element in old):
        like = document[old[0].at] if old else '"'
        return document[: entry.value.at] + write(values, like) + document[entry.end :]
    ends = [_string_end(document, element) for element in old]
    kept = min(len(old), len(values))
    first = old[0].at
    indent = document[document.rfind("\n", 0, first) + 1 : first]
    apart = "\n" + indent if indent and not indent.strip() else " "
    added = "".join(f",{apart}{write(value, document[first])}" for value in values[kept:])
    text = document[: ends[kept - 1]] + added + document[ends[-1] :]
    for element, end, value in reversed(list(zip(old, ends, values, strict=False))):
        if tomllib.loads(f"v = {document[element.at : end]}")["v"] != value:
            text = text[: element.at] + write(value, document[element.at]) + text[end:]
    return text
