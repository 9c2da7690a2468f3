"""What people want, as far as word lists and stars say it: the log-odds that they add to the readings."""

from __future__ import annotations

from rapport.core.understand.vocabulary import READINGS, Hit

#: What a review of 1, 2, 3, 4 and 5 stars adds to the log-odds.
STARS: dict[str, tuple[float, float, float, float, float]] = {
    "complaint": (3.5, 2.5, 0.5, -2.0, -3.0),
    "praise": (-3.0, -2.0, -0.3, 1.8, 3.2),
}


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
