"""What the word lists say of a text, as numbers that the trained heads weigh."""

from __future__ import annotations

from typing import NamedTuple

from rapport.core.understand import intent, sentiment
from rapport.core.understand.features import Features
from rapport.core.understand.vocabulary import READINGS, Hit, Vocabulary

#: The names of the sums, in order: how bad and how good the words feel, then the log-odds of each reading.
LISTED = ("negative", "positive", *READINGS)
#: Log-odds are divided by this and cut at 1 on both sides, so that no sum outweighs what was learnt.
SPAN = 4.0


class Listed(NamedTuple):
    """The terms of the word lists in one text, and what they add up to."""

    hits: list[Hit]
    feeling: sentiment.Weighed
    #: what the terms add to the log-odds of each of `READINGS`
    odds: list[float]
    #: the numbers for `LISTED`, each within -1..1
    sums: list[float]


def list_words(vocabulary: Vocabulary, features: Features) -> Listed:
    """Look the words of a text up."""
    hits = vocabulary.find(features)
    feeling = sentiment.weigh(hits)
    odds = intent.odds(hits)
    limited = [1.0 if x >= SPAN else -1.0 if x <= -SPAN else x / SPAN for x in odds]
    return Listed(hits, feeling, odds, [feeling.negative, feeling.positive, *limited])
