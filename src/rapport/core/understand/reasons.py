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
        self._dense = heads.model.dense_weights * heads.model.slope
        #: head -> the sum of the word lists that speaks for it, as (place in LISTED, place in READINGS)
        self._own = {
            name: (LISTED.index(short), READINGS.index(short))
            for name in heads.names
            if (short := name.rpartition(".")[2]) in READINGS
        }

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
        spans = {place: place + 1 + paired for place, paired in enumerate(scored.paired[first:last].tolist())}
        for start, end, more in self._of_lists(head, listed):
            parts[start] += more
            spans[start] = max(spans[start], end)
        order = sorted(range(len(parts)), key=lambda place: -parts[place])
        quoted: dict[str, None] = {}
        for place in order[: 2 * MAX_REASONS]:
            if parts[place] < max(WORTH_NAMING, WORTH_BESIDE * parts[order[0]]) or len(quoted) == MAX_REASONS:
                break
            words = features.written[place : spans[place]]
            if words[0][0] != "@" and not words[0].startswith("http") and "'" not in words:
                quoted[f"'{' '.join(words).lower()}'"] = None
        if quoted:
            lines.append(f"{name}: {', '.join(quoted)}")

    def _of_lists(self, head: int, listed: Listed) -> list[tuple[int, int, float]]:
        """What each listed term adds through the sums of the lists: (start, end, log-odds)."""
        weights = self._dense[:, head]
        feeling = listed.feeling
        bad = sum(-strength for strength, _ in feeling.words if strength < 0)
        good = sum(strength for strength, _ in feeling.words if strength > 0)
        adds = [
            (hit.start, hit.end, float(weights[0]) * feeling.negative * -strength / bad)
            if strength < 0
            else (hit.start, hit.end, float(weights[1]) * feeling.positive * strength / good)
            for strength, hit in feeling.words
        ]
        own = self._own.get(self._names[head])
        if own:
            weight = float(weights[own[0]]) / SPAN
            adds += [
                (hit.start, hit.end, weight * points)
                for hit in listed.hits
                for mark, points in hit.entry.marks
                if mark == own[1]
            ]
        return adds
