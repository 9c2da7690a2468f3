"""Why a text was read as it was: the words that carried each reading that holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rapport.core.understand.features import Features
from rapport.core.understand.heads import Floats, Heads, Scored
from rapport.core.understand.intent import SURE
from rapport.core.understand.listed import LISTED, SPAN, Listed
from rapport.core.understand.vocabulary import MAX_REASONS, READINGS

#: What a word must add to the log-odds to be named.
WORTH_NAMING = 0.12
#: Words that add less than this share of what the first one adds are not named beside it.
WORTH_BESIDE = 0.25
_MOODS = ("negative", "neutral", "positive")


class Explainer:
    """Names the words. What it names are the parts of the very sum that the reading was made of."""

    def __init__(self, heads: Heads) -> None:
        self._names = heads.names
        self._heads = {name: place for place, name in enumerate(heads.names)}
        dense = heads.model.dense_weights * heads.model.slope
        #: a head's weights of bad and of good words
        self._feeling = [(float(bad), float(good)) for bad, good in dense[:2].T]
        #: the weight of a point of the word list that speaks for a head itself, and the place of that list in READINGS
        self._own = [
            (float(dense[LISTED.index(short), place]) / SPAN, READINGS.index(short)) if short in READINGS else None
            for place, short in enumerate(name.rpartition(".")[2] for name in heads.names)
        ]

    def batch(
        self, features: Sequence[Features], listed: Sequence[Listed], scored: Scored, moods: Floats, chances: Floats
    ) -> list[list[str]]:
        """For each text one line a reading that holds: "complaint: 'still waiting', 'third time'"."""
        lines: list[list[str]] = [[] for _ in features]
        for text, mood in enumerate(moods.argmax(1).tolist()):
            if mood != 1:
                head = self._heads[f"sentiment.{_MOODS[mood]}"]
                self._add(lines[text], "sentiment", head, text, features[text], listed[text], scored)
        texts, heads = np.nonzero(chances >= SURE)
        for text, head in zip(texts.tolist(), heads.tolist(), strict=True):
            name = self._names[head]
            if not name.startswith("sentiment."):
                short = name.rpartition(".")[2]
                self._add(lines[text], short, head, text, features[text], listed[text], scored)
        return lines

    def _add(
        self, lines: list[str], name: str, head: int, text: int, features: Features, listed: Listed, scored: Scored
    ) -> None:
        first, last = scored.bounds[text], scored.bounds[text + 1]
        parts = scored.parts[first:last, head].tolist()
        reach: dict[int, int] = {}
        for start, end, more in self._of_lists(head, listed):
            parts[start] += more
            reach[start] = max(reach.get(start, 0), end)
        least = max(WORTH_NAMING, WORTH_BESIDE * max(parts, default=0.0))
        worth = sorted([(-part, place) for place, part in enumerate(parts) if part >= least])
        quoted: dict[str, None] = {}
        for _, place in worth[: 2 * MAX_REASONS]:
            end = max(place + 1 + int(scored.paired[first + place]), reach.get(place, 0))
            words = features.written[place:end]
            while len(words) > 1 and not words[-1][0].isalnum():
                words.pop()
            if words[0][0] != "@" and not words[0].startswith("http") and "'" not in words:
                quoted[f"'{' '.join(words).lower()}'"] = None
                if len(quoted) == MAX_REASONS:
                    break
        if quoted:
            lines.append(f"{name}: {', '.join(quoted)}")

    def _of_lists(self, head: int, listed: Listed) -> list[tuple[int, int, float]]:
        """What each listed term adds through the sums of the lists: (start, end, log-odds)."""
        adds: list[tuple[int, int, float]] = []
        feeling = listed.feeling
        if feeling.words:
            bad, good = self._feeling[head]
            negative = -sum([strength for strength, _ in feeling.words if strength < 0]) or 1.0
            positive = sum([strength for strength, _ in feeling.words if strength > 0]) or 1.0
            bad *= feeling.negative / negative
            good *= feeling.positive / positive
            adds = [
                (hit.start, hit.end, -bad * strength if strength < 0 else good * strength)
                for strength, hit in feeling.words
            ]
        if (own := self._own[head]) is not None:
            weight, wanted = own
            adds += [
                (hit.start, hit.end, weight * points)
                for hit in listed.hits
                for mark, points in hit.entry.marks
                if mark == wanted
            ]
        return adds
