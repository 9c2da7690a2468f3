"""Many wildcards held against the words of a post at once.

Each wildcard is found by its longest run of plain characters: at the beginning of a word (cancel*), at its end (*port)
or anywhere (*port*). That settles most; the others are tried on the word then. What was found for a word is remembered,
because words come again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rapport.core.query.keys import WILDCARD
from rapport.core.query.needles import Beginnings, Needles
from rapport.core.query.nodes import glob

_RUN = re.compile(r"[^*?]+")
#: words whose wildcards are remembered
_REMEMBERED = 1 << 14
LONGEST_REMEMBERED = 40  # characters


class Wildcards:
    """The wildcards of all queries, each as often as it was added."""

    def __init__(self) -> None:
        #: sign of the words (none, # or @) -> wildcards for such words
        self._by_sign = {"": _OneSign(), "#": _OneSign(), "@": _OneSign()}
        self._counts: dict[str, int] = {}
        #: word -> what `look_up` said
        self.remembered: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, pattern: str) -> bool:
        """Seek this wildcard (folded, as in `nodes.Wildcard`), too. True when it is new."""
        self._counts[pattern] = self._counts.get(pattern, 0) + 1
        if self._counts[pattern] > 1:
            return False
        self._by_sign[sign_of(pattern)].add(pattern)
        return True

    def remove(self, pattern: str) -> None:
        """Take back one `add`."""
        self._counts[pattern] -= 1
        if not self._counts[pattern]:
            del self._counts[pattern]
            self._by_sign[sign_of(pattern)].remove(pattern)

    def forget(self) -> None:
        """Look every word up anew: due after wildcards were added."""
        self.remembered = {}

    def look_up(self, word: str) -> tuple[str, ...]:
        """The keys of the wildcards that hold for one entry of `View.known`; remembered, but for very long ones."""
        # a hostile handle can hold a line break, and then counts as two
        lines: Iterable[str] = word.split("\n") if "\n" in word else (word,)
        found = tuple({WILDCARD + pattern for line in lines for pattern in self._by_sign[sign_of(line)].found_in(line)})
        if len(word) <= LONGEST_REMEMBERED:
            if len(self.remembered) >= _REMEMBERED:
                self.remembered = {}
            self.remembered[word] = found
        return found


def sign_of(word: str) -> str:
    """# or @ where the word or wildcard begins with it, else nothing."""
    return word[:1] if word[:1] in {"#", "@"} else ""


class _OneSign:
    """Wildcards for words that begin with the same sign."""

    def __init__(self) -> None:
        self._beginnings = Beginnings()
        #: written backwards
        self._ends = Beginnings()
        self._inner = Needles()
        #: run of plain characters -> the wildcards that are found by it
        self._by_beginning: dict[str, list[str]] = {}
        self._by_end: dict[str, list[str]] = {}
        self._by_inner: dict[str, list[str]] = {}

    def add(self, pattern: str) -> None:
        seekers, patterns, run = self._place(pattern)
        seekers.add(run)
        patterns.setdefault(run, []).append(pattern)

    def remove(self, pattern: str) -> None:
        seekers, patterns, run = self._place(pattern)
        seekers.remove(run)
        patterns[run].remove(pattern)
        if not patterns[run]:
            del patterns[run]

    def found_in(self, word: str) -> list[str]:
        """The wildcards that hold for `word`."""
        found: list[str] = []
        for run in self._beginnings.found_in(word) if self._by_beginning else ():
            found += [
                p for p in self._by_beginning[run] if (len(p) == len(run) + 1 and p[-1] == "*") or glob(p).search(word)
            ]
        for run in self._ends.found_in(word[::-1]) if self._by_end else ():
            found += [p for p in self._by_end[run] if (len(p) == len(run) + 1 and p[0] == "*") or glob(p).search(word)]
        for run in self._inner.found_in(word) if self._by_inner else ():
            found += [p for p in self._by_inner[run] if p == f"*{run}*" or glob(p).search(word)]
        return found

    def _place(self, pattern: str) -> tuple[Beginnings | Needles, dict[str, list[str]], str]:
        """Where a wildcard is kept: by its longest run, the ends of the word before the middle."""
        longest = max(
            _RUN.finditer(pattern), key=lambda run: (len(run[0]), run.start() == 0, run.end() == len(pattern))
        )
        if longest.start() == 0:
            return self._beginnings, self._by_beginning, longest[0]
        if longest.end() == len(pattern):
            return self._ends, self._by_end, longest[0][::-1]
        return self._inner, self._by_inner, longest[0]
