"""The second look: texts whose mood the sparse heads are unsure of are read by the transformer as well.

Whether a text is looked at again depends on that text alone, never on what else came with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from rapport.core.understand.deep import DeepReader
from rapport.core.understand.heads import Floats, logistic, shares

#: share of tweets that are looked at again -> doubt about the mood (1 - the greatest probability) from which on that
#: is so: quantiles on TweetEval's validation part (docs/reference/model-card.md)
DOUBTS = {0.0: 1.0, 0.1: 0.533, 0.3: 0.442, 0.5: 0.344, 0.7: 0.232, 1.0: 0.0}
#: Share that is looked at again where nobody set another.
SHARE = 0.3
#: How much the transformer counts beside the heads, in log-odds. Both err in different places: on TweetEval's
#: validation part the moods come to a macro recall of 67.4 and 71.1 alone and to 71.9 together.
WEIGHT = 0.6
#: Hindi is read in its own letters only: in Latin ones no transformer of ours is better than guessing.
_DEVANAGARI = re.compile("[\u0900-\u097f]")
_MOODS = ("negative", "neutral", "positive")
_EMOTIONS = ("anger", "joy", "optimism", "sadness")
_TRUE_OR_FALSE = (
    "irony", "offensive", "hate", "spam",
    "complaint", "question", "request", "praise", "purchase", "report", "urgency", "personal",
)  # fmt: skip
_LEAST = 1e-6


class Cascade:
    """Decides who is looked at again, and blends what both say."""

    def __init__(self, deep: Sequence[DeepReader], names: Sequence[str], share: float = SHARE) -> None:
        """A text is read by the first of `deep` that reads its language. `names` are the heads, in their order;
        `share` (0..1) as in `DOUBTS`. Raises ValueError for another share.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"the share of posts for the transformer is {share:g}; it must lie between 0 and 1")
        self._deep = deep
        self._doubt = float(np.interp(share, list(DOUBTS), list(DOUBTS.values())))
        places = {name: place for place, name in enumerate(names)}
        self._moods = [places[f"sentiment.{name}"] for name in _MOODS]
        self._emotions = [places[f"emotion.{name}"] for name in _EMOTIONS]
        self._alone = [(name, places[name]) for name in _TRUE_OR_FALSE]

    @property
    def readers(self) -> Sequence[DeepReader]:
        """The transformers, in the order in which they are asked."""
        return self._deep

    def look(
        self, texts: Sequence[str], languages: Sequence[str], relevant: Sequence[bool], logits: Floats
    ) -> dict[int, str]:
        """Read the doubtful ones among the relevant again and correct their logits in place; answers which, and the
        name of the model that did.
        """
        doubts = 1 - shares(logits[:, self._moods]).max(1)
        chosen: dict[DeepReader, list[int]] = {}
        for place, (language, matters) in enumerate(zip(languages, relevant, strict=True)):
            if matters and doubts[place] >= self._doubt and _is_readable(texts[place], language):
                reader = next((one for one in self._deep if one.reads(language)), None)
                if reader is not None:
                    chosen.setdefault(reader, []).append(place)
        for reader, places in chosen.items():
            self._blend(logits, places, reader.read([texts[place] for place in places]))
        return {place: reader.name for reader, places in chosen.items() for place in places}

    def _blend(self, logits: Floats, rows: list[int], said: Mapping[str, Floats]) -> None:
        moods = np.ix_(rows, self._moods)
        theirs, ours = (np.log(np.maximum(felt, _LEAST)) for felt in (said["sentiment"], shares(logits[moods])))
        logits[moods] = WEIGHT * theirs + (1 - WEIGHT) * ours
        for name, place in self._alone:
            if name not in said:
                continue
            theirs = np.clip(said[name][:, 0], _LEAST, 1 - _LEAST)
            logits[rows, place] = WEIGHT * np.log(theirs / (1 - theirs)) + (1 - WEIGHT) * logits[rows, place]
        if "emotion" in said:
            self._share_out(logits, rows, said["emotion"])

    def _share_out(self, logits: Floats, rows: list[int], said: Floats) -> None:
        """The transformer learnt emotions where each text has one of four, so it tells which, not whether: the heads'
        greatest probability stays and goes to the emotion that both find likeliest, the others in proportion.
        """
        place = np.ix_(rows, self._emotions)
        ours = np.clip(logistic(logits[place]), _LEAST, 1 - _LEAST)
        both = np.maximum(said, _LEAST) ** WEIGHT * np.maximum(shares(logits[place]), _LEAST) ** (1 - WEIGHT)
        shared = np.clip(ours.max(1, keepdims=True) * both / both.max(1, keepdims=True), _LEAST, 1 - _LEAST)
        logits[place] = np.log(shared / (1 - shared))


def _is_readable(text: str, language: str) -> bool:
    return _DEVANAGARI.search(text) is not None if language == "hi" else bool(text.strip())
