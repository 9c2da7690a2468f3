"""What weights the people at a desk seem to have in mind, learnt from what they answered first.

A pair is two conversations that were open at the same moment in the same basket: people answered the first before the
second. With the strengths of its factors, the probability that the first is answered first is modelled as
sigma(w * (first - second) / SCALE) with weights w >= 0 (pairwise logistic regression: RankNet without a hidden layer,
Burges et al. 2005). The weights are drawn towards the present ones, so that few pairs change little and a factor that
never differs stays as it is. Fitted on the older half of the pairs, judged on the newer one.

What is learnt is a habit: people tend to answer what stands on top. That the present weights agree with them well is
partly their own doing, which is why a proposal must beat them on pairs that it has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, floor, sqrt

import msgspec

from rapport.core.score import FACTORS, Weights

#: one number for each of `FACTORS`, each 0..1
Strengths = tuple[float, ...]
#: fewer pairs say nothing
LEAST_PAIRS = 100
#: so many points more make it e times as likely to be answered first
SCALE = 10.0
#: how strongly the weights are drawn to the present ones: as much as so many pairs of opposite outcome
PULL = 4.0
#: sweeps over the factors at most, and the change in points below which no further one is made
SWEEPS, SMALL = 60, 1e-3
#: a better agreement counts when chance alone would give it once in twenty times (one-sided sign test)
CONFIDENT = 1.645


class Pair(msgspec.Struct, frozen=True, gc=False):
    """`first` was answered while `second` waited, and `second` later."""

    first: Strengths
    second: Strengths


class Lesson(msgspec.Struct, frozen=True):
    """What some pairs say about the weights."""

    pairs: int
    #: those that were kept apart from the fitting
    held_out: int = 0
    #: the share of the held-out pairs that the present weights, and the learnt ones, would have put in that order
    present: float = 0.0
    learnt: float = 0.0
    #: the learnt weights where there are enough pairs and they are better, else None
    weights: Weights | None = None

    @property
    def enough(self) -> bool:
        """Whether there were pairs enough to learn from."""
        return self.pairs >= LEAST_PAIRS


def learn(pairs: Sequence[Pair], present: Weights) -> Lesson:
    """What `pairs` (oldest first) say; deterministic. The learnt weights are whole points that add up to no more than
    the present ones do; shares of intents and relationships stay as they are.
    """
    if len(pairs) < LEAST_PAIRS:
        return Lesson(len(pairs))
    half = len(pairs) // 2
    seen, unseen = pairs[:half], pairs[half:]
    now = tuple(float(getattr(present, name)) for name in FACTORS)
    values = _whole(fit(seen, now), sum(now))
    before, after = agreement(unseen, now), agreement(unseen, values)
    learnt = None
    if _is_better(unseen, now, values):
        learnt = msgspec.structs.replace(present, **dict(zip(FACTORS, values, strict=True)))
    return Lesson(len(pairs), len(unseen), before, after, learnt)


def agreement(pairs: Sequence[Pair], weights: Strengths) -> float:
    """The share of pairs, 0 to 1, whose first one has the higher score; equal scores count half."""
    return sum(_verdict(pair, weights) for pair in pairs) / len(pairs) if pairs else 0.0


def _verdict(pair: Pair, weights: Strengths) -> float:
    gap = sum(weight * (a - b) for weight, a, b in zip(weights, pair.first, pair.second, strict=True))
    return 0.5 if abs(gap) < 1e-9 else float(gap > 0)


def _is_better(pairs: Sequence[Pair], present: Strengths, learnt: Strengths) -> bool:
    gains = [_verdict(pair, learnt) - _verdict(pair, present) for pair in pairs]
    spread = sqrt(sum(gain * gain for gain in gains))
    return spread > 0 and sum(gains) / spread >= CONFIDENT


def fit(pairs: Sequence[Pair], present: Strengths) -> Strengths:
    """The weights (points, each >= 0) that make what people did most likely, drawn towards `present`.

    Newton steps, one factor after the other; the loss is convex, so where it ends does not depend on where it begins.
    """
    columns = [[pair.first[place] - pair.second[place] for pair in pairs] for place in range(len(present))]
    weights = list(present)
    margins = [sum(weight * column[row] for weight, column in zip(weights, columns, strict=True)) / SCALE
               for row in range(len(pairs))]  # fmt: skip
    for _ in range(SWEEPS):
        largest = 0.0
        for place, column in enumerate(columns):
            step = _newton_step(column, margins, weights[place], present[place])
            if abs(step) <= SMALL / 10:
                continue
            weights[place] += step
            largest = max(largest, abs(step))
            margins = [margin + step * gap / SCALE for margin, gap in zip(margins, column, strict=True)]
        if largest < SMALL:
            break
    return tuple(weights)


def _newton_step(column: Sequence[float], margins: Sequence[float], weight: float, start: float) -> float:
    """How far to move one weight, never below zero and at most ten points at once."""
    slope, bend = PULL * (weight - start) / SCALE, PULL / SCALE
    for gap, margin in zip(column, margins, strict=True):
        if gap:
            missed = 1 / (1 + exp(min(max(margin, -30.0), 30.0)))  # the probability of what did not happen
            slope -= gap * missed
            bend += gap * gap * missed * (1 - missed) / SCALE
    return max(-weight, min(10.0, max(-10.0, -slope / bend)))


def _whole(weights: Strengths, total: float) -> Strengths:
    """Whole points in the same proportions that add up to `total`, cut to a whole number (largest remainders)."""
    aim = floor(total + 1e-9)
    found = sum(weights)
    if found <= 0:
        return tuple(0.0 for _ in weights)
    exact = [weight * aim / found for weight in weights]
    points = [floor(value) for value in exact]
    rest = sorted(range(len(exact)), key=lambda place: (points[place] - exact[place], place))
    for place in rest[: aim - sum(points)]:
        points[place] += 1
    return tuple(float(value) for value in points)
