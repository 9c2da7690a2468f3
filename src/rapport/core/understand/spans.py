"""Where in a text the words stand that carried a reading, for marking them on screen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rapport.core.reading import Reading
from rapport.core.understand.features import extract, locate

_QUOTED = re.compile(r"'(.+?)'(?=, |$)")


def why_spans(reading: Reading, text: str) -> list[tuple[int, int, str]]:
    """(start, end, name of the reading) for each place where a word of `reading.why` stands in `text`.

    Offsets count characters. Whole words only, whatever their case and accents; in the order of the text. The same
    words can be marked for two readings.
    """
    return list(_spans(tuple(reading.why), text))


@lru_cache(maxsize=512)  # a page asks twice for each of its posts, and somebody who comes back asks again
def _spans(why: tuple[str, ...], text: str) -> tuple[tuple[int, int, str], ...]:
    spans: set[tuple[int, int, str]] = set()
    places = locate(text)
    for line in why:
        name, _, rest = line.partition(": ")
        spans |= {(start, end, name) for start, end in _find(_QUOTED.findall(rest), places)}
    return tuple(sorted(spans))


def find_words(quoted: Iterable[str], text: str) -> list[tuple[int, int]]:
    """(start, end) of each place where one of these words or phrases stands, as for `why_spans`."""
    return sorted(_find(quoted, locate(text)))


def _find(quoted: Iterable[str], places: Sequence[tuple[str, int, int]]) -> set[tuple[int, int]]:
    words = [word for word, _, _ in places]
    found: set[tuple[int, int]] = set()
    for phrase in quoted:
        wanted = extract(phrase).words
        length = len(wanted)
        if not length:
            continue
        for start in range(len(words) - length + 1):
            if words[start : start + length] == wanted:
                found.add((places[start][1], places[start + length - 1][2]))
    return found
