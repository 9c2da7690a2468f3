"""How a text feels: a lexicon with negation, intensity and turns ("but"), read as three probabilities."""

from __future__ import annotations

from math import exp, sqrt
from typing import NamedTuple

from rapport.core.reading import Sentiment
from rapport.core.understand.vocabulary import Hit, quote, turned

#: A negator turns what follows within this many tokens ("not a very good one").
NEGATION_REACH = 3
BOOST = 1.3
DAMP = 0.7
#: What stands before a "but" counts less, what follows counts more.
BEFORE_TURN = 0.5
AFTER_TURN = 1.4
#: Each sum s is squeezed to s / sqrt(s * s + SATURATION), so that a long text is not surer than a clear one.
SATURATION = 12.0

#: Log-odds of negative and of positive against neutral: (constant, by negative sum, by positive sum). Fitted by
#: maximum likelihood on SemEval 2013-2016 with the three classes weighted alike; tests/quality fits them again.
NEGATIVE = (-1.251, 3.727, -0.019)
POSITIVE = (-0.963, -0.768, 3.141)


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


def judge(weighed: Weighed, stars: float | None = None) -> Sentiment:
    """The probabilities that follow. `stars` (1 to 5) of a review count as the strongest word of it."""
    negative, positive = weighed.negative, weighed.positive
    if stars is not None:
        negative, positive = (negative + max(0.0, 3 - stars)) / 2, (positive + max(0.0, stars - 3)) / 2
    low = exp(NEGATIVE[0] + NEGATIVE[1] * negative + NEGATIVE[2] * positive)
    high = exp(POSITIVE[0] + POSITIVE[1] * negative + POSITIVE[2] * positive)
    total = 1.0 + low + high
    low, high = round(low / total, 4), round(high / total, 4)
    middle = round(1.0 - low - high, 4)
    label = max(("neutral", middle), ("negative", low), ("positive", high), key=lambda item: item[1])[0]
    return Sentiment(label, low, middle, high)


def reasons(feeling: Weighed, felt: Sentiment, written: list[str], stars: float | None = None) -> list[str]:
    """The line that says what carried the label: "sentiment: 'terrible', 'never again'"; none for neutral."""
    side = {"negative": -1, "positive": 1}.get(felt.label, 0)
    parts = quote([(strength * side, hit) for strength, hit in feeling.words if strength * side > 0], written)
    if stars is not None and side * (stars - 3) > 0:
        parts.insert(0, f"rated {stars:g} of 5")
    return [f"sentiment: {', '.join(parts)}"] if parts else []


def _squeeze(amount: float) -> float:
    return amount / sqrt(amount * amount + SATURATION)
