"""Many patterns on one text in one pass: which of them can be found at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import re2

from rapport.core.rules.check import PATTERN_MEMORY, compile_pattern

#: Instructions of the patterns that share one automaton. RE2 takes time by their number when its states grow too many
#: to keep, and a text can be long.
TOGETHER = 1_000


class Patterns:
    """Accepted patterns that are searched together, in upper and lower case alike."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.numbers = range(len(patterns))
        self._any = re2.compile("|".join(f"(?:{one})" for one in patterns).encode("utf-8", "replace"), _options())
        self._set = re2.Set.SearchSet(_options())
        for pattern in patterns:
            self._set.Add(pattern.encode("utf-8", "replace"))
        self._set.Compile()

    def find(self, text: bytes) -> Sequence[int]:
        """Numbers of the patterns that `text` (UTF-8) can match; never fewer than those that it does match."""
        # The set cannot tell "none" from "out of memory"; the alternation can, and finds nothing in most texts.
        if self._any.search(text) is None:
            return ()
        return self._set.Match(text) or self.numbers


def group_patterns(patterns: Iterable[str]) -> list[list[str]]:
    """Put accepted patterns together as far as `TOGETHER` allows.

    In no group: one that is larger by itself, and one with \\Q, whose quotation would run on into its neighbours.
    """
    groups: list[list[str]] = []
    room = 0
    for pattern in patterns:
        size = compile_pattern(pattern, 0).programsize
        if size > TOGETHER or "\\Q" in pattern:
            continue
        if size > room:
            groups.append([])
            room = TOGETHER
        groups[-1].append(pattern)
        room -= size
    return groups


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = 4 * PATTERN_MEMORY
    return options
