"""Catalogs of words: the .po that people write and the .mo that gettext reads, to and from rows."""

from __future__ import annotations

import ast
import re
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One string: what the source says, where, and what is said for it."""

    context: str
    one: str
    many: str = ""
    #: files below src/rapport
    places: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    #: one text, or one for each plural form; empty = not translated
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Header:
    """The head of a catalog: the comment above it and its fields, as they stand."""

    comment: str
    fields: str

    @property
    def forms(self) -> int:
        """How many plural forms the language has."""
        count = re.search(r"nplurals\s*=\s*(\d+)", self.fields)
        return int(count[1]) if count else 2


def read_po(text: str) -> tuple[Header, list[Entry]]:
    """The head and the rows of a .po, without what is obsolete (#~). Raises `ValueError` for a line it cannot read."""
    header, entries = Header("", ""), []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in block.split("\n") if not line.startswith("#~")]
        comments = [line for line in lines if line.startswith("#")]
        words = _words([line for line in lines if line and not line.startswith("#")])
        if "msgid" not in words:
            continue
        said = tuple(words[key] for key in sorted(words) if key.startswith("msgstr"))
        if not words["msgid"]:
            header = Header("\n".join(comments), said[0])
            continue
        flags = tuple(flag.strip() for line in comments if line.startswith("#,") for flag in line[2:].split(","))
        places = tuple(line[2:].strip() for line in comments if line.startswith("#:"))
        said = said if any(said) else ()
        entries.append(
            Entry(words.get("msgctxt", ""), words["msgid"], words.get("msgid_plural", ""), places, flags, said)
        )
    return header, entries


def _words(lines: list[str]) -> dict[str, str]:
    """keyword -> text of the lines of one row."""
    words, keyword = dict[str, str](), ""
    for line in lines:
        start = re.fullmatch(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?)\s+)?("(?:[^"\\]|\\.)*")', line.strip())
        if start is None:
            raise ValueError(f"not a line of a catalog: {line}")
        keyword = start[1] or keyword
        words[keyword] = words.get(keyword, "") + ast.literal_eval(start[2])
    return words


def written(header: Header, entries: list[Entry]) -> str:
    """The .po of these rows."""
    fields = "".join(f'"{line}\\n"\n' for line in header.fields.split("\n") if line)
    blocks = [f'{header.comment}\nmsgid ""\nmsgstr ""\n{fields}']
    for entry in entries:
        lines = [f"#: {place}\n" for place in entry.places]
        lines += [f"#, {', '.join(entry.flags)}\n"] if entry.flags else []
        lines += [_line("msgctxt", entry.context)] if entry.context else []
        lines += [_line("msgid", entry.one)]
        if entry.many:
            said = entry.said or ("",) * header.forms
            lines += [_line("msgid_plural", entry.many)]
            lines += [_line(f"msgstr[{at}]", each) for at, each in enumerate(said)]
        else:
            lines += [_line("msgstr", entry.said[0] if entry.said else "")]
        blocks.append("".join(lines))
    return "\n".join(blocks)


def _line(keyword: str, text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'{keyword} "{escaped}"\n'


def compiled(header: Header, entries: list[Entry]) -> bytes:
    """The .mo of these rows, the same bytes for the same rows (GNU gettext manual, "The Format of GNU MO Files")."""
    rows = {b"": header.fields.encode()}
    for entry in entries:
        if any(entry.said):
            key = f"{entry.context}\x04{entry.one}" if entry.context else entry.one
            rows[(f"{key}\0{entry.many}" if entry.many else key).encode()] = "\0".join(entry.said).encode()
    keys = sorted(rows)
    start = 28 + 16 * len(keys)
    table, texts = b"", b""
    for column in (keys, [rows[key] for key in keys]):
        for text in column:
            table += struct.pack("<II", len(text), start + len(texts))
            texts += text + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, start) + table + texts
