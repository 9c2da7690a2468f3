"""Weights from what people answered first: found where there is something to find, silent where there is not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.score import FACTORS, SHIPPED, Weights
from rapport.core.score_learning import LEAST_PAIRS, Pair, Strengths, agreement, fit, learn

PRESENT: Strengths = tuple(float(getattr(SHIPPED, name)) for name in FACTORS)


def points(weights: Weights) -> Strengths:
    return tuple(float(getattr(weights, name)) for name in FACTORS)


def some_strengths(chance: random.Random) -> Strengths:
    return tuple(round(chance.random(), 3) if chance.random() < 0.6 else 0.0 for _ in FACTORS)


def answered_by(mind: Strengths, pairs: int, seed: int, noise: float = 0.0) -> list[Pair]:
    """Pairs of somebody who answers by the weights `mind`, and now and then by chance."""
    chance = random.Random(seed)
    made = []
    for _ in range(pairs):
        first, second = some_strengths(chance), some_strengths(chance)
        gap = sum(weight * (a - b) for weight, a, b in zip(mind, first, second, strict=True))
        by_chance = chance.random() < noise and chance.random() < 0.5
        if (gap < 0) != by_chance:
            first, second = second, first
        made.append(Pair(first, second))
    return made


def test_the_weights_in_the_heads_of_people_are_found() -> None:
    mind = points(Weights(mood=1, intent=10, urgency=5, reach=40, relationship=2, history=3, rating=5, waiting=25))
    lesson = learn(answered_by(mind, 600, seed=1, noise=0.1), SHIPPED)
    assert lesson.weights is not None
    assert lesson.held_out == 300
    assert lesson.learnt > lesson.present + 0.1
    assert lesson.weights.reach > 30
    assert lesson.weights.waiting > SHIPPED.waiting
    assert sum(points(lesson.weights)) == 100
    assert all(value == int(value) for value in points(lesson.weights))
    assert (lesson.weights.complaint, lesson.weights.journalist) == (SHIPPED.complaint, SHIPPED.journalist)


def test_people_who_answer_as_the_list_says_are_told_nothing() -> None:
    lesson = learn(answered_by(PRESENT, 400, seed=2), SHIPPED)
    assert lesson.weights is None
    assert lesson.present > 0.99


def test_pure_chance_is_no_lesson() -> None:
    assert all(learn(answered_by(PRESENT, 300, seed, noise=1.0), SHIPPED).weights is None for seed in range(3, 6))


def test_a_hundred_pairs_are_the_least() -> None:
    mind = points(Weights(reach=80, **dict.fromkeys(set(FACTORS) - {"reach"}, 0.0)))
    few = learn(answered_by(mind, LEAST_PAIRS - 1, seed=4), SHIPPED)
    assert (few.enough, few.pairs, few.weights) == (False, LEAST_PAIRS - 1, None)
    assert learn(answered_by(mind, 4 * LEAST_PAIRS, seed=4), SHIPPED).weights is not None


def test_the_same_pairs_give_the_same_weights_wherever_the_sum_stands() -> None:
    pairs = answered_by(tuple(reversed(PRESENT)), 300, seed=5)
    assert learn(pairs, SHIPPED) == learn(pairs, SHIPPED)
    half = Weights(**{name: value / 2 for name, value in zip(FACTORS, PRESENT, strict=True)})
    lesson = learn(pairs, half)
    assert lesson.weights is not None
    assert sum(points(lesson.weights)) == 50


def test_a_factor_that_never_differs_stays_in_proportion() -> None:
    pairs = [
        Pair((0.5, *pair.first[1:]), (0.5, *pair.second[1:])) for pair in answered_by(PRESENT, 200, seed=6, noise=0.2)
    ]
    assert fit(pairs, PRESENT)[0] == PRESENT[0]


pairs_of_anything = st.lists(
    st.builds(
        Pair,
        st.tuples(*[st.floats(0, 1)] * len(FACTORS)),
        st.tuples(*[st.floats(0, 1)] * len(FACTORS)),
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(pairs_of_anything)
def test_no_pairs_lead_below_zero_or_out_of_bounds(pairs: list[Pair]) -> None:
    fitted = fit(pairs, PRESENT)
    assert all(0 <= weight < 1e4 for weight in fitted)
    assert 0 <= agreement(pairs, fitted) <= 1
    lesson = learn(pairs * 10, SHIPPED)
    assert lesson.weights is None or sum(points(lesson.weights)) <= 100


@pytest.mark.slow
def test_how_many_pairs_it_takes_is_told_and_chance_is_rarely_taken_for_a_lesson() -> None:
    mind = points(Weights(mood=6, intent=15, urgency=20, reach=3, waiting=25, pile_on=10, crisis=5))
    print("\npairs, offered to those who weigh otherwise, and to those who do not; agreement before and after")
    for pairs in (100, 200, 400, 800):
        others = [learn(answered_by(mind, pairs, seed, noise=0.3), SHIPPED) for seed in range(20)]
        same = [learn(answered_by(PRESENT, pairs, seed, noise=0.3), SHIPPED) for seed in range(100, 120)]
        offered = [lesson for lesson in others if lesson.weights]
        wrongly = sum(lesson.weights is not None for lesson in same)
        before = sum(lesson.present for lesson in offered) / max(1, len(offered))
        after = sum(lesson.learnt for lesson in offered) / max(1, len(offered))
        print(f"{pairs}: {len(offered)} of 20, {wrongly} of 20; {before:.2f} {after:.2f}")
        assert wrongly <= 3
    assert len(offered) >= 15
