"""A file of any known layout -> its rows, one by one: what became posts, and what did not and why."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.core.post import Post, admit, decode_post
from rapport.networks.files.layouts import JSONL, Layout, detect_layout
from rapport.networks.files.lines import Lines, UnreadableLine

#: characters of one cell; above it a quote has been left open
MAX_CELL = 10_000_000
_BOM = b"\xef\xbb\xbf"
_EXCERPT = 200  # characters


class Row(msgspec.Struct, frozen=True):
    """One line of the file that could be read."""

    #: number of its first physical line, from 1
    line: int
    #: the post of the row first, then what came along with it (a company's reply to a review)
    posts: tuple[Post, ...]


class Reject(msgspec.Struct, frozen=True):
    """One line of the file that could not be read."""

    line: int
    #: field and reason in plain words
    reason: str
    #: how the line begins, to find it where there is no file to look into
    excerpt: str = ""


def open_rows(file: BinaryIO, now: dt.datetime) -> tuple[Layout, Iterator[Row | Reject]]:
    """Find out the layout of `file` (open for reading bytes) and hand out its rows as they are read.

    Nothing but the row at hand is kept in memory. `now` (aware) bounds dates in the future.
    Raises `InvalidInput` when the file as a whole cannot be read: not UTF-8, packed, an unknown header.
    """
    lines = Lines(file)
    first = _first_line(lines)
    if first is None:
        return JSONL, iter(())
    number, line = first
    line = line.removeprefix(_BOM)
    if line.lstrip()[:1] == b"{":
        lines.put_back([(number, line)])
        return JSONL, _json_rows(lines, now)
    if line.lstrip()[:1] == b"[":
        raise InvalidInput("this is a JSON list; write one object a line (jq -c '.[]' turns one into the other)")
    if not _names_a_layout(line) and _goes_on_as_json(lines):
        lines.put_back([(number, line)])
        return JSONL, _json_rows(lines, now)
    lines.put_back([(number, line)])
    reader = _Records(lines, _delimiter(line))
    header = next(iter(reader), None)
    if not isinstance(header, _Record):
        raise InvalidInput(f"the header cannot be read: {header.reason if header else 'it is empty'}")
    names = [name.strip() for name in header.cells]
    layout = detect_layout(names)
    return layout, _table_rows(reader, layout, names, now)


def _first_line(lines: Lines) -> tuple[int, bytes] | None:
    """The first line that is not blank. Raises `InvalidInput` when the file is not UTF-8 text."""
    try:
        for number, line in lines:
            if number == 1:
                _refuse_foreign(line)
            if line.removeprefix(_BOM).strip():
                line.removeprefix(_BOM).decode("utf-8")
                return number, line
    except UnreadableLine as error:
        raise InvalidInput(f"line {error.line}: {error.reason}; this is no table and no JSONL") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"not UTF-8 at byte {error.start + 1} of the first line; save the file as UTF-8") from None
    return None


def _refuse_foreign(line: bytes) -> None:
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput("the file is UTF-16; save it as UTF-8")
    if line.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        raise InvalidInput("the file is packed; unpack it first")


def _names_a_layout(line: bytes) -> bool:
    try:
        detect_layout([name.strip().strip('"') for name in line.decode().split(_delimiter(line))])
    except InvalidInput:
        return False
    return True


def _goes_on_as_json(lines: Lines) -> bool:
    """Whether the second line is an object: then only the first one of a JSONL file is broken."""
    try:
        following = next(lines, None)
    except UnreadableLine:
        return False
    if following is None:
        return False
    lines.put_back([following])
    return following[1].lstrip()[:1] == b"{"


def _delimiter(header: bytes) -> str:
    """Comma, semicolon or tab: whichever parts the header most often."""
    return max(",;\t", key=lambda sign: header.count(sign.encode()))


def _json_rows(lines: Lines, now: dt.datetime) -> Iterator[Row | Reject]:
    while True:
        try:
            number, line = next(lines)
        except StopIteration:
            return
        except UnreadableLine as error:
            yield Reject(error.line, error.reason)
            continue
        line = line.strip()
        if not line:
            continue
        try:
            yield Row(number, (decode_post(line, now),))
        except InvalidPost as error:
            yield Reject(number, str(error), _excerpt(line))
        except (OverflowError, ValueError, RecursionError) as error:
            yield Reject(number, f"cannot be read: {error}", _excerpt(line))


def _table_rows(records: _Records, layout: Layout, names: list[str], now: dt.datetime) -> Iterator[Row | Reject]:
    assert layout.parse is not None
    for record in records:
        if isinstance(record, Reject):
            yield record
            continue
        if not any(record.cells):
            continue
        if len(record.cells) != len(names):
            reason = f"{len(record.cells)} cells, but the header names {len(names)} columns"
            yield Reject(record.line, reason, ",".join(record.cells)[:_EXCERPT])
            continue
        try:
            posts = layout.parse(dict(zip(names, record.cells, strict=True)))
            yield Row(record.line, tuple(admit(post, now) for post in posts))
        except InvalidPost as error:
            yield Reject(record.line, str(error), ",".join(record.cells)[:_EXCERPT])


class _Record(msgspec.Struct, frozen=True):
    """The cells of one row; a row may span several physical lines."""

    line: int
    cells: list[str]


class _Records:
    """The rows of a table as text, parsed strictly, going on after each row that is broken."""

    def __init__(self, lines: Lines, delimiter: str) -> None:
        csv.field_size_limit(MAX_CELL)
        self._lines = lines
        #: the physical lines that went into the row being read
        self._current: list[tuple[int, bytes]] = []
        self._reader = csv.reader(_Decoded(lines, self._current), delimiter=delimiter, strict=True)

    def __iter__(self) -> Iterator[_Record | Reject]:
        while True:
            self._current.clear()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except UnreadableLine as error:
                first = self._current[0][0] if self._current else error.line
                yield Reject(first, f"{error.reason} (line {error.line})" if first != error.line else error.reason)
                continue
            except csv.Error as error:
                yield self._broken(error)
                if "field limit" in str(error):
                    return
                continue
            yield _Record(self._current[0][0], cells)

    def _broken(self, error: csv.Error) -> Reject:
        first, raw = self._current[0]
        if "field limit" in str(error):
            reason = f"a cell of more than {MAX_CELL:,} characters: a quote is left open; nothing after it was read"
            return Reject(first, reason, _excerpt(raw))
        # A correct writer of tables never gets here, so what follows the first line is rows of its own,
        # swallowed by a quote that nobody closed: read them again.
        self._lines.put_back(self._current[1:])
        return Reject(first, f"broken quotes: {error}", _excerpt(raw))


class _Decoded:
    """Lines as text, with a note of those that the row at hand is made of."""

    def __init__(self, lines: Lines, current: list[tuple[int, bytes]]) -> None:
        self._lines = lines
        self._current = current

    def __iter__(self) -> _Decoded:
        return self

    def __next__(self) -> str:
        number, line = next(self._lines)
        self._current.append((number, line))
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnreadableLine(number, f"not UTF-8 at byte {error.start + 1}") from None


def _excerpt(line: bytes) -> str:
    return line[: _EXCERPT * 4].decode("utf-8", "replace").strip()[:_EXCERPT]
