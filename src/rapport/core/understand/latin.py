"""Which language in Latin letters a short text is in, by its words and, for words never met, by their letters.

A naive Bayes classifier: each word of a text that the table knows, and each three neighbouring letters of a word that
it does not, says how much likelier it is in one language than in the others; what they say is added up. Made for posts
of a few words, on which detectors that were trained on books are unsure. The table was counted on posts of strangers by
`tests/quality/fit_languages.py`, which is also where its format comes from.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

#: What the numbers of the table are counted in: this many are a factor of e.
UNIT = 10
#: What three letters of an unknown word weigh beside a known word; letters that overlap say the same thing twice.
LETTERS_WEIGH = 0.4
#: The numbers of a term are packed into one integer, 32 bits each, so that adding up the terms of a text is one sum for
#: all languages. Each has this added, so that none is below zero.
_ZERO = 1 << 12

_WORD = re.compile(r"[^\W\d_]+")
_STRETCHED = re.compile(r"(.)\1{2,}")


class Verdict(NamedTuple):
    """The likeliest of the languages compared."""

    code: str
    #: natural logarithm of how much likelier it is than the next one, taking every word for independent
    lead: float
    #: share of the words that the table knows, 0..1
    known: float


class Latin:
    """The table, ready to be asked. Immutable."""

    def __init__(
        self, codes: Sequence[str], words: Mapping[str, Sequence[int]], letters: Mapping[str, Sequence[int]]
    ) -> None:
        #: the languages that it tells apart (ISO 639-1; "hi" is Hindi in Latin letters)
        self.codes = tuple(codes)
        self._fields = struct.Struct(f"<{len(codes)}I")
        self._words = {word: self._pack(row) for word, row in words.items()}
        self._letters = {
            three: self._pack([round(LETTERS_WEIGH * number) for number in row]) for three, row in letters.items()
        }

    def _pack(self, row: Sequence[int]) -> int:
        return int.from_bytes(self._fields.pack(*(_ZERO + number for number in row)), "little")

    def places(self, among: Collection[str]) -> tuple[int, ...]:
        """Where the languages of `among` that the table knows stand in it; for `judge`."""
        return tuple(place for place, code in enumerate(self.codes) if code in among)

    def judge(self, text: str, among: tuple[int, ...], letters: bool = True) -> Verdict | None:
        """The likeliest language of `among`; None where the text has nothing to go by, or there is nothing to compare.

        `letters`: look at the letters of unknown words, too, which takes three times as long.
        """
        found = _WORD.findall(text.lower())
        look_up = self._words.get
        known = [row for word in found if (row := look_up(word))]
        total = sum(known)
        if letters and len(known) < len(found):
            total += sum([self._sum_of_unknown(word) for word in found if word not in self._words])
        if not total or len(among) < 2:
            return None
        sums = self._fields.unpack(total.to_bytes(self._fields.size, "little"))
        compared = [sums[place] for place in among]
        most = max(compared)
        first = compared.index(most)
        compared[first] = 0
        return Verdict(self.codes[among[first]], (most - max(compared)) / UNIT, len(known) / len(found))

    def _sum_of_unknown(self, word: str) -> int:
        """Of a stretched word what it is stretched from; else what its letters say."""
        plain = word
        if _STRETCHED.search(word):
            for left in (2, 1):
                plain = squeeze_letters(word, left)
                if row := self._words.get(plain):
                    return row
        look_up = self._letters.get
        return sum([row for three in threes_of(plain) if (row := look_up(three))])


def words_of(text: str) -> list[str]:
    """The words of a text in lower case; what is stretched has two of a letter left ("sooooo", "soo")."""
    return [squeeze_letters(word) for word in _WORD.findall(text.lower())]


def squeeze_letters(text: str, left: int = 2) -> str:
    """Of what is stretched (three of a letter or more), so many of each letter are left."""
    return _STRETCHED.sub(lambda match: match[1] * left, text)


def threes_of(word: str) -> list[str]:
    """Three neighbouring letters each, the edges of the word counting as blanks."""
    edged = f" {word} "
    return [edged[at : at + 3] for at in range(len(edged) - 2)]


@cache
def load_latin() -> Latin:
    """The table that comes with the product. The first line names the languages; each other one has a word ("w"), or
    three letters with blanks written as `_` ("l"), and its number for each language.
    """
    source = resources.files("rapport.core.understand.tables").joinpath("latin.txt")
    first, *lines = source.read_text("utf-8").splitlines()
    terms: dict[str, dict[str, list[int]]] = {"w": {}, "l": {}}
    for line in lines:
        kind, term, *numbers = line.split(" ")
        terms[kind][term.replace("_", " ")] = [int(number) for number in numbers]
    return Latin(first.split(" "), terms["w"], terms["l"])
