"""How the words of a text feel: a lexicon with negation, intensity and turns ("but")."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from rapport.core.understand.vocabulary import Hit, turned

#: A negator turns what follows within this many tokens ("not a very good one").
NEGATION_REACH = 3
BOOST = 1.3
DAMP = 0.7
#: What stands before a "but" counts less, what follows counts more.
BEFORE_TURN = 0.5
AFTER_TURN = 1.4
#: Each sum s is squeezed to s / sqrt(s * s + SATURATION), so that a long text is not surer than a clear one.
SATURATION = 12.0


class Weighed(NamedTuple):
    """What the words of a text feel, by sums of valence squeezed to 0..1, and which words said it."""

    negative: float
    positive: float
    #: (strength, hit), in the order of the text; strength below zero is negative
    words: list[tuple[float, Hit]]


def weigh(hits: list[Hit]) -> Weighed:
    """The feeling of the terms that were found, each in its surroundings."""
    negative = positive = 0.0
    words: list[tuple[float, Hit]] = []
    gain = 1.0
    negated = boosted = damped = -100
    for hit in hits:
        start, end, (valence, _, role) = hit
        if valence:
            if start - boosted <= 1:
                valence *= BOOST
            elif start - damped <= 1:
                valence *= DAMP
            if start - negated <= NEGATION_REACH:
                valence = turned(valence)
            valence *= gain
            if valence > 0:
                positive += valence
            else:
                negative -= valence
            words.append((valence, hit))
        if role:
            if role == "negator":
                negated = end
            elif role == "booster":
                boosted = end
            elif role == "damper":
                damped = end
            elif role == "turn":
                gain = AFTER_TURN
                positive *= BEFORE_TURN
                negative *= BEFORE_TURN
    return Weighed(_squeeze(negative), _squeeze(positive), words)


def _squeeze(amount: float) -> float:
    return amount / sqrt(amount * amount + SATURATION)
