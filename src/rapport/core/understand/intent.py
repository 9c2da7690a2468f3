"""What the word lists alone say: the log-odds that their terms add to each reading, and the three readings that nothing
else decides because there are no texts to learn them from.

For each of these: P = 1 / (1 + exp(-x)), x = start + sum of the weights of the terms found (each term once) + share of
the feeling + what the stars of a review say.
"""

from __future__ import annotations

from math import exp

from rapport.core.understand.sentiment import Weighed
from rapport.core.understand.vocabulary import READINGS, Hit, quote

#: Log-odds of each reading for a text in which no term was found: (start, by negative feeling, by positive feeling).
#: The feelings run from 0 to 1. Set by hand.
PRIORS: dict[str, tuple[float, float, float]] = {
    "question": (-2.4, 0.0, 0.0),
    "praise": (-2.9, -3.0, 2.6),
    "purchase": (-3.0, 0.0, 0.0),
}
#: What a review of 1, 2, 3, 4 and 5 stars adds.
STARS: dict[str, tuple[float, float, float, float, float]] = {
    "complaint": (3.5, 2.5, 0.5, -2.0, -3.0),
    "praise": (-3.0, -2.0, -0.3, 1.8, 3.2),
}

#: From this probability on, a reading gives its reasons.
SURE = 0.5

_PLACES = tuple((READINGS.index(name), *prior) for name, prior in PRIORS.items())
_PRAISE = tuple(PRIORS).index("praise")


def odds(hits: list[Hit]) -> list[float]:
    """What the terms add to the log-odds of each of `READINGS`; each term once."""
    sums = [0.0] * len(READINGS)
    seen: set[int] = set()
    for hit in hits:
        marks = hit[2][1]
        if marks and id(marks) not in seen:
            seen.add(id(marks))
            for place, weight in marks:
                sums[place] += weight
    return sums


def judge(added: list[float], feeling: Weighed, stars: float | None = None) -> list[float]:
    """The probabilities of question, praise and purchase, from what `odds` found."""
    negative, positive = feeling.negative, feeling.positive
    sums = [
        start + added[place] + negative * by_negative + positive * by_positive
        for place, start, by_negative, by_positive in _PLACES
    ]
    if stars is not None:
        sums[_PRAISE] += STARS["praise"][round(stars) - 1]
    return [round(1 / (1 + exp(-x)), 4) if x > -30 else 0.0 for x in sums]


def reasons(hits: list[Hit], feeling: Weighed, judged: list[float], written: list[str]) -> list[str]:
    """One line for each of the three that is sure: "praise: 'well done'". Words as written, in lower case, the
    weightiest first; when no term speaks for it, the words whose feeling does."""
    lines: list[str] = []
    for probability, name, (place, _, by_negative, _) in zip(judged, PRIORS, _PLACES, strict=True):
        if probability < SURE:
            continue
        found = [(weight, hit) for hit in hits for mark, weight in hit.entry.marks if mark == place and weight > 0]
        parts = quote(found, written)
        if not parts:
            parts = quote([(abs(v), hit) for v, hit in feeling.words if (v < 0) == (by_negative > 0)], written)
        if parts:
            lines.append(f"{name}: {', '.join(parts)}")
    return lines
