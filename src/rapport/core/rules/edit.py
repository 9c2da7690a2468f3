"""Changing one rule of a document as text: everything else keeps its bytes, comments, order and blank lines with it.

Documents are TOML that `tomllib` accepts, with line ends as \\n; whether they are good rules is not looked at. A rule
is named by its place, from 0, a group by its name. Comment lines right above a `[[rule]]` belong to it and move with
it; a ruled heading (`# ------ noise`) and comments between blank lines stand for themselves and stay.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from rapport.core.errors import InvalidRule
from rapport.core.rules.document import load_document
from rapport.core.rules.locate import Entry, Section, Value, locate

#: Text, yes or no, a list of texts, or None for a key that is not written.
Setting = str | bool | Sequence[str] | None
Kind = Literal["rule", "group"]
#: In which order the keys of a rule, and of a group, are written.
ORDER: dict[Kind, tuple[str, ...]] = {
    "rule": ("name", "group", "enabled", "when", "then", "autonomy", "stop"),
    "group": ("name", "on", "when", "note"),
}

_HEADING = re.compile(r"#.*(?:-{4}|={4}|#{4}|─{4})")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: what a list begins with, and what stands behind a text in it: a comma, and a comment on the same line
_OPENING = re.compile(r"\[(?:[ \t]*#[^\n]*)?")
_BEHIND = re.compile(r"(?:[ \t]*(,))?((?:[ \t]*#[^\n]*)?)")


class Piece(msgspec.Struct, frozen=True):
    """One rule or group of a document: where its text stands and what it says."""

    number: int
    #: line of its header, from 1
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
    #: offset of its header
    head: int
    kind: Kind

    @property
    def name(self) -> str:
        """Its name, "" where it has none."""
        return str(self.values.get("name", ""))

    @property
    def then(self) -> tuple[str, ...]:
        """The actions of a rule; in a draft there may be none, or something else in their place."""
        found = self.values.get("then")
        return tuple(map(str, found)) if isinstance(found, list) else ()


def pieces(document: str, kind: Kind = "rule") -> list[Piece]:
    """The rules (or groups) of a document in order. Raises `ValueError` for what is no TOML or beyond all bounds."""
    try:
        values = load_document(document).get(kind, [])
    except InvalidRule as error:
        raise ValueError(str(error)) from None
    sections = locate(document)
    heads = [number for number, section in enumerate(sections) if section.header == f"[[{kind}"]
    if not isinstance(values, list) or len(values) != len(heads):
        return []
    return [_piece(document, sections, at, number, values[number], kind) for number, at in enumerate(heads)]


def find_piece(document: str, name: str, kind: Kind = "rule") -> Piece | None:
    """The rule (or group) of that name; None where there is none."""
    return next((piece for piece in pieces(document, kind) if piece.name == name), None)


def put(document: str, number: int, key: str, value: Setting) -> str:
    """Set one key of one rule, or take it away (None). The way a text is quoted is kept where it can be.

    Raises `IndexError` for a rule that does not exist.
    """
    return _put(document, pieces(document)[number], key, value)


def _put(document: str, piece: Piece, key: str, value: Setting) -> str:
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


def put_in_group(document: str, number: int, group: str) -> str:
    """Put a rule into a group, or out of any (""). It stays at its place, because rules are tried as they stand.

    Raises `KeyError` for a group that does not exist.
    """
    if group:
        _find_group(document, group)
    return put(document, number, "group", group or None)


def put_group(document: str, name: str, key: str, value: Setting) -> str:
    """Set one key of one group ("on", "when", "note"), or take it away (None). A new "name" goes to its rules too.

    Raises `KeyError` for a group that does not exist.
    """
    group = _find_group(document, name)
    if key == "name":  # from the end, so that the places of what stands above hold
        for piece in reversed([each for each in pieces(document) if each.values.get("group") == name]):
            document = _put(document, piece, "group", value)
        group = _find_group(document, name)
    return _put(document, group, key, value)


def switch_group(document: str, name: str, on: bool) -> str:
    """Switch a group on or off as one; on is what a group is that does not say. Raises `KeyError` as `put_group`."""
    return put_group(document, name, "on", None if on else False)


def add_group(document: str, values: Mapping[str, Setting]) -> str:
    """A new group, behind the last one, or above the first rule where there is none yet. Nothing is in it."""
    text = _compose("group", values)
    groups, rules = pieces(document, "group"), pieces(document)
    if groups:
        at = groups[-1].end
        return f"{document[:at]}\n\n{text}{document[at:]}"
    if rules:
        at = rules[0].start
        return f"{document[:at]}{text}\n\n{document[at:]}"
    head = document.rstrip("\n")
    return f"{head}\n\n{text}\n" if head else f"{text}\n"


def _find_group(document: str, name: str) -> Piece:
    piece = find_piece(document, name, "group")
    if piece is None:
        raise KeyError(name)
    return piece


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
    return "\n".join([*(f"# {line}".rstrip() for line in comment.splitlines()), _compose("rule", values)])


def _compose(kind: Kind, values: Mapping[str, Setting]) -> str:
    lines = [f"{key} = {write(value, _style(key))}" for key in ORDER[kind] if (value := values.get(key)) is not None]
    return "\n".join([f"[[{kind}]]", *lines])


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


def _piece(document: str, sections: list[Section], at: int, number: int, values: dict[str, Any], kind: Kind) -> Piece:
    section = sections[at]
    start = _lead(document, section.at, _body_end(document, sections[at - 1]) if at else 0)
    end = _body_end(document, section)
    tail = end
    while tail < len(document) and document[tail] in " \t\r\n":
        tail += 1
    if tail < len(document):  # what is indented on the next line that says something belongs to that line
        tail = max(end, document.rfind("\n", end, tail) + 1)
    line = document.count("\n", 0, section.at) + 1
    return Piece(number, line, start, end, tail, values, section.entries, section.at, kind)


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
    order = ORDER[piece.kind]
    before = order[: order.index(key)] if key in order else order
    above = [piece.entries[name] for name in before if name in piece.entries]
    at = _line_end(document, max((entry.end for entry in above), default=piece.head))
    return f"{document[:at]}\n{key} = {write(value, _style(key))}{document[at:]}"


def _string_end(document: str, value: Value) -> int:
    long = document.startswith(document[value.at] * 3, value.at) and len(value.characters) > 1
    return value.characters[-1] + (3 if long else 1)


class _Item(NamedTuple):
    """One text of a list, with what stands around it."""

    #: the comment lines above it
    notes: str
    #: blanks and line breaks right in front of it
    gap: str
    written: str
    #: the comment behind it on its line
    rest: str


def _with_list(document: str, entry: Entry, values: list[str]) -> str:
    """What stays in a list keeps its comments, wherever it stands then; a text that is changed at its place keeps
    those of the one that stood there.
    """
    opening, items, comma, ending = _items_of(document, entry)
    if not items or not values:
        like = items[0].written if items else ""
        return document[: entry.value.at] + write(values, like) + document[_value_end(document, entry) :]
    old = [tomllib.loads(f"v = {item.written}")["v"] for item in items]
    line = next((item.gap for item in items if "\n" in item.gap), "\n    ")
    apart = items[1].gap if len(items) > 1 else line if "\n" in items[0].gap else " "
    text, commented = opening, "#" in opening
    for place, value in enumerate(values):
        if value in old:
            item = items[old.index(value)]
        elif place < len(old) and old[place] not in values:
            item = items[place]._replace(written=write(value, items[place].written))
        else:
            item = _Item("", apart, write(value, items[0].written), "")
        gap = items[0].gap if place == 0 else apart if item is items[0] else item.gap
        if "\n" not in gap and (item.notes or commented):
            gap = line
        behind = "," if comma or place + 1 < len(values) else ""
        text += f"{item.notes}{gap}{item.written}{behind}{item.rest}"
        commented = bool(item.rest)
    if commented and "\n" not in ending:
        ending = "\n" + ending
    return document[: entry.value.at] + text + ending + document[entry.end :]


def _items_of(document: str, entry: Entry) -> tuple[str, list[_Item], bool, str]:
    """A list taken apart: its bracket, its texts, whether a comma stands behind the last, and its end.

    No texts where it holds something else, or has its commas elsewhere than right behind them.
    """
    opening = _OPENING.match(document, entry.value.at)
    if opening is None:  # in a draft anything can stand there
        return "", [], False, ""
    at, comma, items = opening.end(), True, list[_Item]()
    for element in entry.value.elements:
        if not element.characters or not comma:
            return opening[0], [], False, ""
        end = _string_end(document, element)
        lead = document[at : element.at]
        notes = lead[: lead.rfind("\n")] if "#" in lead else ""
        behind = _BEHIND.match(document, end)
        assert behind is not None  # it matches nothing too
        items.append(_Item(notes, lead[len(notes) :], document[element.at : end], behind[2]))
        at, comma = behind.end(), behind[1] is not None
    ending = document[at : entry.end]
    if "," in re.sub("#[^\n]*", "", ending):
        return opening[0], [], False, ""
    return opening[0], items, comma, ending
