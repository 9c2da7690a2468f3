"""Where in a text the words stand that carried a reading, for marking them on screen."""

from __future__ import annotations

import re

from rapport.core.reading import Reading
from rapport.core.understand.features import extract, locate

_QUOTED = re.compile(r"'(.+?)'(?=, |$)")


def why_spans(reading: Reading, text: str) -> list[tuple[int, int, str]]:
    """(start, end, name of the reading) for each place where a word of `reading.why` stands in `text`.

    Offsets count characters. Whole words only, whatever their case and accents; in the order of the text. The same
    words can be marked for two readings.
    """
    places = locate(text)
    words = [word for word, _, _ in places]
    spans: set[tuple[int, int, str]] = set()
    for line in reading.why:
        name, _, rest = line.partition(": ")
        for quoted in _QUOTED.findall(rest):
            wanted = extract(quoted).words
            length = len(wanted)
            if not length:
                continue
            for start in range(len(words) - length + 1):
                if words[start : start + length] == wanted:
                    spans.add((places[start][1], places[start + length - 1][2], name))
    return sorted(spans)
