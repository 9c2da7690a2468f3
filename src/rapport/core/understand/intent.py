"""What the author wants, how pressing it is and what it stirs: weighted words added up as log-odds.

For each reading r: P(r) = 1 / (1 + exp(-x)), x = start + sum of the weights of the terms found (each term once)
+ share of the feeling + what the stars of a review say. Intent and emotion are judged one by one, not against
each other.
"""

from __future__ import annotations

from math import exp

from rapport.core.understand.sentiment import Weighed
from rapport.core.understand.vocabulary import READINGS, Hit, quote

#: Log-odds of each reading for a text in which no term was found: (start, by negative feeling, by positive feeling).
#: The feelings run from 0 to 1. Complaint, offensive, spam and the emotions: fitted (tests/quality fits them again),
#: with the start lowered where the set has far more of it than a brand's mentions do. The rest: set by hand.
PRIORS: dict[str, tuple[float, float, float]] = {
    "complaint": (-1.85, 1.2, -0.9),
    "question": (-2.4, 0.0, 0.0),
    "request": (-2.2, 0.3, 0.0),
    "praise": (-2.9, -3.0, 2.6),
    "purchase": (-3.0, 0.0, 0.0),
    "report": (-3.0, 0.4, 0.0),
    "urgency": (-2.7, 0.8, -0.6),
    "personal": (-1.9, 0.0, 0.0),
    "spam": (-3.0, -1.2, 0.2),
    "offensive": (-2.2, 1.2, -0.5),
    "anger": (-1.8, 0.8, -1.6),
    "joy": (-1.9, -2.5, 1.6),
    "optimism": (-2.6, -0.8, 0.3),
    "sadness": (-2.2, 0.2, -1.2),
}
#: What a review of 1, 2, 3, 4 and 5 stars adds.
STARS: dict[str, tuple[float, float, float, float, float]] = {
    "complaint": (3.5, 2.5, 0.5, -1.0, -2.0),
    "praise": (-3.0, -2.0, -0.3, 1.8, 3.2),
}

#: From this probability on, a reading gives its reasons.
SURE = 0.5

_STARTS = [PRIORS[name][0] for name in READINGS]
_SLOPES = [PRIORS[name][1:] for name in READINGS]
_STARS = {READINGS.index(name): points for name, points in STARS.items()}

#: The logistic curve between -12 and 12 in steps of 1/256: a look-up, because fourteen exponentials and roundings a
#: post cost a fifth of the whole reading.
_STEPS = 256
_EDGE = 12
_CURVE = [round(1 / (1 + exp(-step / _STEPS)), 4) for step in range(-_EDGE * _STEPS, _EDGE * _STEPS + 1)]


def judge(hits: list[Hit], feeling: Weighed, stars: float | None = None) -> list[float]:
    """The probabilities, in the order of `READINGS`."""
    odds = _STARTS.copy()
    seen: set[int] = set()
    for hit in hits:
        marks = hit[2][1]
        if marks and id(marks) not in seen:
            seen.add(id(marks))
            for place, weight in marks:
                odds[place] += weight
    if stars is not None:
        for place, points in _STARS.items():
            odds[place] += points[round(stars) - 1]
    negative, positive = feeling.negative, feeling.positive
    return [
        _CURVE[int((x + _EDGE) * _STEPS)] if -_EDGE < x < _EDGE else float(x > 0)
        for x in [x + negative * slope[0] + positive * slope[1] for x, slope in zip(odds, _SLOPES, strict=True)]
    ]


def reasons(
    hits: list[Hit], feeling: Weighed, judged: list[float], written: list[str], stars: float | None = None
) -> list[str]:
    """One line for each reading that is sure: "complaint: 'still waiting', 'third time'". Words as written, in lower
    case, the weightiest first; when no term speaks for it, the words whose feeling does."""
    lines: list[str] = []
    for place, probability in enumerate(judged):
        if probability < SURE:
            continue
        found = [(weight, hit) for hit in hits for mark, weight in hit.entry.marks if mark == place and weight > 0]
        parts = quote(found, written)
        if stars is not None and place in _STARS and _STARS[place][round(stars) - 1] > 0:
            parts.insert(0, f"rated {stars:g} of 5")
        if not parts:
            by_negative = _SLOPES[place][0] > 0
            parts = quote([(abs(v), hit) for v, hit in feeling.words if (v < 0) == by_negative], written)
        if parts:
            lines.append(f"{READINGS[place]}: {', '.join(parts)}")
    return lines
