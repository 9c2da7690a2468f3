"""Many patterns on one text in one pass: which of them are found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import re2

from rapport.core.rules.check import PATTERN_MEMORY, compile_pattern

#: Instructions of the patterns that share one automaton. RE2 takes time by their number when its states grow too many
#: to keep, and a text can be long.
TOGETHER = 1_000
#: The same for patterns that find nothing but a few words: their states are the beginnings of these words, which are
#: as many as their letters, whatever the text says.
WORDS_TOGETHER = 10_000
_WORDS = re.compile(r"(?:[\w #@'’-]|[|)]|\((?:\?:)?|(?<=[\w )])\?|\\b|\\x\{[0-9a-f]+\})+")


class Patterns:
    """Accepted patterns that are searched together, in upper and lower case alike."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._set = re2.Set.SearchSet(_options())
        for pattern in patterns:
            self._set.Add(pattern.encode("utf-8", "replace"))
        # Without one that every text holds, "none found" could not be told from "out of memory".
        self._always = self._set.Add(b"")
        self._set.Compile()

    def find(self, text: bytes) -> Sequence[int]:
        """Numbers of the patterns that `text` (UTF-8) matches. Raises `LookupError` when there is no memory to tell."""
        found: list[int] = self._set.Match(text)
        if len(found) == 1:
            return ()
        if not found:
            raise LookupError("too little memory to search for all patterns at once")
        return [number for number in found if number != self._always]


def group_patterns(patterns: Iterable[str]) -> list[list[str]]:
    """Put accepted patterns together as far as `TOGETHER` and `WORDS_TOGETHER` allow; one that is larger by itself
    is in no group.
    """
    together: dict[int, list[list[str]]] = {TOGETHER: [], WORDS_TOGETHER: []}
    room = {TOGETHER: 0, WORDS_TOGETHER: 0}
    for pattern in patterns:
        size = compile_pattern(pattern, 0).programsize
        limit = WORDS_TOGETHER if _WORDS.fullmatch(pattern) else TOGETHER
        if size > TOGETHER:
            continue
        if size > room[limit]:
            together[limit].append([])
            room[limit] = limit
        together[limit][-1].append(pattern)
        room[limit] -= size
    return [group for groups in together.values() for group in groups]


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = 16 * PATTERN_MEMORY
    return options
