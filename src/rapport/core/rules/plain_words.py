"""Whether a pattern stands for a few words that could as well be listed: `refund|cancel(led)?|lost (bag|luggage)`.

Such a pattern becomes an automaton of as many states as these words have bytes (Aho and Corasick, 1975), and goes
through a text once. Anything that repeats, or stands for sets of characters, can have very many states instead.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: Bytes of all the words together; with several thousand RE2 runs out of room for its states and takes a thousand times
#: as long (measured).
MAX_LISTED = 1_000
_MAX_BRACKETS = 50

_FLAGS = re.compile(r"\(\?(?:-?i|i-?)\)")
_ANCHOR = re.compile(r"\\[bAz]|[\^$]")
_CHARACTER = re.compile(r"\\x\{[0-9A-Fa-f]+\}|\\[^A-Za-z0-9]|[^\\.\[\](){}*+?|^$]")
_SET = re.compile(r"\[([A-Za-z0-9]+)\]")


class _Words(NamedTuple):
    """How many words a part of a pattern stands for, and how many bytes they have together."""

    number: int
    length: int

    def then(self, other: _Words) -> _Words:
        return _Words(self.number * other.number, self.length * other.number + other.length * self.number)

    def beside(self, other: _Words) -> _Words:
        return _Words(self.number + other.number, self.length + other.length)


_NOTHING, _EMPTY = _Words(0, 0), _Words(1, 0)


def stands_for_words(pattern: str) -> bool:
    """True for a pattern without repeats and sets whose words have at most `MAX_LISTED` bytes together."""
    if pattern.count("(") > _MAX_BRACKETS:
        return False
    found = _read(pattern, 0)
    return found is not None and found[1] == len(pattern) and found[0].length <= MAX_LISTED


def _read(pattern: str, at: int) -> tuple[_Words, int] | None:
    """Alternatives up to a closing bracket or the end; None for anything but words."""
    found, here = _NOTHING, _EMPTY
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            found, here, at = found.beside(here), _EMPTY, at + 1
            continue
        part = _part(pattern, at)
        if part is None:
            return None
        words, at = part
        if pattern.startswith("?", at):
            words, at = words.beside(_EMPTY), at + 1
            at += pattern.startswith("?", at)
        if at < len(pattern) and pattern[at] in "*+{?":
            return None
        here = here.then(words)
        if here.length > MAX_LISTED or here.number > MAX_LISTED:
            return None
    return found.beside(here), at


def _part(pattern: str, at: int) -> tuple[_Words, int] | None:  # noqa: PLR0911 - one line for each kind of part
    if pattern[at] == "(":
        if (flags := _FLAGS.match(pattern, at)) is not None:
            return _EMPTY, flags.end()
        if pattern.startswith("(?", at) and not pattern.startswith("(?:", at):
            return None
        inner = _read(pattern, at + (3 if pattern.startswith("(?:", at) else 1))
        if inner is None or not pattern.startswith(")", inner[1]):
            return None
        return inner[0], inner[1] + 1
    if (anchor := _ANCHOR.match(pattern, at)) is not None:
        return _EMPTY, anchor.end()
    if (several := _SET.match(pattern, at)) is not None:
        return _Words(len(several[1]), len(several[1])), several.end()
    one = _CHARACTER.match(pattern, at)
    if one is None:
        return None
    written = one[0]
    letter = chr(int(written[3:-1], 16)) if written.startswith("\\x") else written[-1]
    return _Words(1, len(letter.encode("utf-8", "replace"))), one.end()
