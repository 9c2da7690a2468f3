"""Which of many texts speak of the same matter as a new one: TF-IDF over hashed words and parts of words.

`core.copies` finds texts that say nearly the same words; this finds those that are about the same thing, so that an
answer to one may serve as the beginning of an answer to the other. Weights: (1 + ln tf) * (ln((1 + n) / (1 + df)) + 1),
vectors of length 1, likeness = cosine (Salton and Buckley, "Term-weighting approaches in automatic text retrieval",
1988); features are hashed into a fixed number of places (Weinberger et al., "Feature hashing", 2009), so that no
vocabulary is kept. How often the nearest one helps on real threads: docs/reference/drafts.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np

from rapport.core.text import words

#: places that features are hashed into
PLACES = 1 << 20
#: the beginning of a long text stands for it
MOST_WORDS = 300
#: words longer than this also count by their parts, so that "cancelled" is near to "cancellation"
_LEAST_LETTERS = 5
_PART = 4
#: parts of words tell less than words
_WEIGHT_OF_PARTS = 0.4
_LINK = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)


class Near(NamedTuple):
    """One text of an index that is near to another."""

    #: its place among the texts that the index was made of
    position: int
    #: 0..1
    likeness: float


class Index:
    """Texts, ready to be asked which of them are nearest. Made once, never changed, safe to share between threads."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [_features(text) for text in texts]
        self.size = len(counted)
        lengths = np.fromiter((len(each) for each in counted), dtype=np.int64, count=self.size)
        total = int(lengths.sum())
        places = np.fromiter((place for each in counted for place in each), dtype=np.int64, count=total)
        weights = np.fromiter((weight for each in counted for weight in each.values()), dtype=np.float32, count=total)
        documents = np.repeat(np.arange(self.size, dtype=np.int32), lengths)
        order = np.argsort(places, kind="stable")
        places, weights, documents = places[order], weights[order], documents[order]
        #: the places in use, in order, and where the entries of each begin
        self._places, starts = np.unique(places, return_index=True)
        self._starts = np.append(starts, total)
        held_by = np.diff(self._starts)
        self._rarity = (np.log((1 + self.size) / (1 + held_by)) + 1).astype(np.float32)
        weights = weights * np.repeat(self._rarity, held_by)
        norms = np.sqrt(np.bincount(documents, weights=weights**2, minlength=self.size))
        self._documents = documents
        self._weights = (weights / np.maximum(norms[documents], 1e-9)).astype(np.float32) if total else weights
        #: what a feature that no text has weighs: the rarest there can be
        self._unknown = float(np.log(1 + self.size) + 1)

    def nearest(self, text: str, k: int, least: float = 0.0) -> list[Near]:
        """The `k` texts that are nearest to `text`, the nearest first; of two as near, the later one of the index.

        `least`: leave out what is less alike. Nothing that shares no word is ever given back.
        """
        asked = _features(text)
        if not asked or not self.size or k < 1:
            return []
        likeness = np.zeros(self.size)
        norm = 0.0
        for place, often in asked.items():
            at = int(np.searchsorted(self._places, place))
            known = at < len(self._places) and self._places[at] == place
            weight = often * (float(self._rarity[at]) if known else self._unknown)
            norm += weight * weight
            if known:
                # a document has each place once: no two of these additions meet
                held = slice(self._starts[at], self._starts[at + 1])
                likeness[self._documents[held]] += weight * self._weights[held]
        likeness /= norm**0.5
        found = np.flatnonzero(likeness > max(least - 1e-9, 0.0))
        best = found[np.lexsort((-found, -likeness[found]))][:k]
        return [Near(int(at), min(1.0, float(likeness[at]))) for at in best]


def _features(text: str) -> dict[int, float]:
    """Place -> 1 + ln of how often, of the words of a text and of the parts of its longer words."""
    said = words(_LINK.sub(" ", text))
    counts: Counter[str] = Counter(
        word for word in said.words[:MOST_WORDS] if not word.startswith("@") and not word.isdigit()
    )
    counts.update(
        first + second
        for at, (first, second) in enumerate(zip(said.words[:MOST_WORDS], said.words[1:MOST_WORDS], strict=False), 1)
        if at in said.glued
    )
    found: dict[int, float] = {}
    for word, count in counts.items():
        weight = 1.0 + float(np.log(count)) if count > 1 else 1.0
        # the ending that most languages here put on more than one
        place = _place(word.rstrip("s") if len(word) >= _LEAST_LETTERS else word)
        found[place] = found.get(place, 0.0) + weight
        for part in _parts(word):
            place = _place(part)
            found[place] = found.get(place, 0.0) + weight * _WEIGHT_OF_PARTS
    return found


def _parts(word: str) -> set[str]:
    if len(word) < _LEAST_LETTERS or word[0] == "#":
        return set()
    framed = f" {word} "
    return {f"\x00{framed[at : at + _PART]}" for at in range(len(framed) - _PART + 1)}


def _place(feature: str) -> int:
    return crc32(feature.encode("utf-8", "surrogatepass")) & (PLACES - 1)
