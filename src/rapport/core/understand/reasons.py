"""Why a text was read as it was: the words that carried each reading that holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rapport.core.thresholds import HOLDS, SHIPPED, Thresholds
from rapport.core.understand.features import Features
from rapport.core.understand.heads import Floats, Heads, Ints, Scored
from rapport.core.understand.listed import LISTED, SPAN, Listed
from rapport.core.understand.vocabulary import MAX_REASONS, READINGS

#: What a word must add to the log-odds to be named.
WORTH_NAMING = 0.12
#: Words that add less than this share of what the first one adds are not named beside it.
WORTH_BESIDE = 0.25
_MOODS = ("negative", "neutral", "positive")
_NEUTRAL = _MOODS.index("neutral")


class Explainer:
    """Names the words. What it names are the parts of the very sum that the reading was made of."""

    def __init__(self, heads: Heads, thresholds: Thresholds = SHIPPED) -> None:
        """What counts by `thresholds` has its reasons also where it is less likely than not."""
        self._moods = np.array([heads.names.index(f"sentiment.{mood}") for mood in _MOODS])
        #: head -> how a line calls its reading
        self._names = [
            "sentiment" if place in self._moods else name.rpartition(".")[2] for place, name in enumerate(heads.names)
        ]
        #: (heads,) from which probability on a reading gives its reasons; the moods are told apart otherwise
        self._least = np.array([min(HOLDS, getattr(thresholds, name, HOLDS)) for name in self._names])
        self._slope = heads.model.slope
        weights = heads.model.dense_weights * heads.model.slope
        #: (2, heads): what bad and what good words add to each head
        self._feeling = weights[: len(("negative", "positive"))]
        #: head -> the list of its own name, and what a point of that list adds; heads without one have an empty list
        self._list = np.full(len(heads.names), len(READINGS))
        self._point = np.zeros(len(heads.names))
        for head, name in enumerate(self._names):
            if name in READINGS:
                self._list[head] = READINGS.index(name)
                self._point[head] = weights[LISTED.index(name), head] / SPAN

    def batch(
        self, features: Sequence[Features], listed: Sequence[Listed], scored: Scored, moods: Floats, chances: Floats
    ) -> list[list[str]]:
        """For each text one line a reading that holds: "complaint: 'still waiting', 'third time'"."""
        lines: list[list[str]] = [[] for _ in features]
        holds = self._hold(moods, chances)
        holds[np.diff(scored.bounds) == 0] = False
        texts, heads = np.nonzero(holds)
        if not len(texts):
            return lines
        on_lists = _OnLists(listed, scored)
        readings, tokens = self._worth_naming(texts, heads, on_lists, scored)
        last, quoted = 0, dict[str, None]()
        firsts = scored.bounds[texts].tolist()
        of_texts, of_heads = texts.tolist(), heads.tolist()
        for reading, token, pair in zip(
            readings.tolist(), tokens.tolist(), scored.paired[tokens].tolist(), strict=True
        ):
            if reading != last:
                if quoted:
                    lines[of_texts[last]].append(f"{self._names[of_heads[last]]}: {', '.join(quoted)}")
                last, quoted = reading, {}
            if len(quoted) < MAX_REASONS:
                first = firsts[reading]
                end = max(token + 1 + pair, on_lists.reach.get(token, 0))
                if words := _quotable(features[of_texts[reading]].written[token - first : end - first]):
                    quoted[f"'{words}'"] = None
        if quoted:
            lines[of_texts[last]].append(f"{self._names[of_heads[last]]}: {', '.join(quoted)}")
        return lines

    def _hold(self, moods: Floats, chances: Floats) -> npt.NDArray[np.bool_]:
        """(texts, heads) which readings hold: those that are sure, and of the moods the most probable."""
        holds: npt.NDArray[np.bool_] = chances >= self._least
        mood = moods.argmax(1)
        holds[:, self._moods] = (mood[:, None] == np.arange(len(_MOODS))) & (mood[:, None] != _NEUTRAL)
        return holds

    def _worth_naming(self, texts: Ints, heads: Ints, on_lists: _OnLists, scored: Scored) -> tuple[Ints, Ints]:
        """The tokens that carried readings, given by text and head: (which reading, token) in two arrays, by reading,
        the weightiest first.
        """
        lengths = np.diff(scored.bounds)[texts]
        starts = np.cumsum(lengths) - lengths
        reading = np.repeat(np.arange(len(texts)), lengths)
        token = np.arange(len(reading)) + (scored.bounds[texts] - starts)[reading]
        head = heads[reading]
        part = scored.part(texts[reading], token, head) * self._slope[head]
        part += on_lists.bad[token] * self._feeling[0, head] + on_lists.good[token] * self._feeling[1, head]
        part += on_lists.points[token, self._list[head]] * self._point[head]
        least = np.maximum(WORTH_NAMING, WORTH_BESIDE * np.maximum.reduceat(part, starts))
        named = np.flatnonzero(part >= least[reading])
        named = named[np.lexsort((-part[named], reading[named]))]
        return reading[named], token[named]


class _OnLists:
    """What the terms of the word lists say, by the token at which each begins; tokens are counted through the batch."""

    def __init__(self, listed: Sequence[Listed], scored: Scored) -> None:
        tokens = len(scored.gives)
        #: (tokens,) the share of a bad and of a good word in what its text feels
        self.bad = np.zeros(tokens)
        self.good = np.zeros(tokens)
        #: (tokens, lists and one that is empty) points
        self.points = np.zeros((tokens, len(READINGS) + 1))
        #: token -> where the longest term of several words that begins there ends
        self.reach: dict[int, int] = {}
        for first, (hits, feeling, _, _) in zip(scored.bounds[:-1].tolist(), listed, strict=True):
            for start, end, (_, marks, _) in hits:
                if end > start + 1:
                    self.reach[first + start] = first + end
                for place, points in marks:
                    self.points[first + start, place] = points
            if feeling.words:
                bad = feeling.negative / (sum([x for x, _ in feeling.words if x < 0]) or 1.0)
                good = feeling.positive / (sum([x for x, _ in feeling.words if x > 0]) or 1.0)
                for strength, hit in feeling.words:
                    if strength < 0:
                        self.bad[first + hit[0]] = strength * bad
                    else:
                        self.good[first + hit[0]] = strength * good


def _quotable(words: list[str]) -> str:
    """The words as they are quoted, in lower case; empty for what nobody would want to read: handles, addresses."""
    while len(words) > 1 and not words[-1][0].isalnum():
        words = words[:-1]
    if words[0][0] == "@" or words[0].startswith("http") or "'" in words:
        return ""
    return " ".join(words).lower()
