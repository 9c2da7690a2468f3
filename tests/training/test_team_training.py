"""A team's own model is taken where it is better on what it has not seen, and nowhere else."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import numpy as np
import pytest

from rapport.core.post import Author, Post
from rapport.core.understand import load_reader
from rapport.core.understand.corrected import MOODS, value_of
from rapport.training.descent import minimise
from rapport.training.team import (
    FOLDS,
    LEAST_CORRECTED,
    LEAST_STOOD,
    Lesson,
    Said,
    fisher_test,
    fold,
    judge,
    learn,
    sign_test,
)

READER = load_reader(["en"])
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ITEMS = ("parcel", "tram", "app", "invoice", "meter", "router", "ticket", "kettle", "seat", "bag", "lamp", "phone")
PLACES = ("in Graz", "on Monday", "at the depot", "near the lake", "since March", "for my aunt", "by noon", "at home")
WAYS = (
    "So the {0} {1} {2}.",
    "The {0} {2} {1}",
    "{2}, the {0} {1} it seems",
    "One more {0}: {1} {2}",
    "{0} {1} {2} today",
)
#: what the customers of this team say of trouble, which no shipped model can know
TROUBLE = ("went gurkel", "is gurkelled", "gurkels", "turned gurkel again")
CALM = ("was handed over", "is on its way", "stands here", "got measured", "was listed", "has a number")


def post(number: int, text: str) -> Post:
    return Post("x", str(number), text, AT, Author(id="1"))


def sentences(kinds: tuple[str, ...], count: int, seed: int) -> list[str]:
    dice = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found[dice.choice(WAYS).format(dice.choice(ITEMS), dice.choice(kinds), dice.choice(PLACES))] = None
    return list(found)


def told(corrected: int, stood: int, truth: Callable[[str, str], str]) -> list[Said]:
    """Corrections of trouble, and calm posts that were let stand; `truth(text, was)` is what people say."""
    bad, calm = sentences(TROUBLE, corrected, 1), sentences(CALM, stood, 2)
    read = READER.read([post(number, text) for number, text in enumerate([*bad, *calm])])
    said = []
    for number, (text, reading) in enumerate(zip([*bad, *calm], read, strict=True)):
        was = value_of(reading, "intent.complaint")
        value = truth(text, was) if number < corrected else was
        said.append(Said(post(number, text), "intent.complaint", value, number < corrected))
    return said


def lesson_of(corrected: int, stood: int) -> Lesson:
    return learn(told(corrected, stood, lambda text, was: "true"), READER)


def test_words_that_only_this_team_knows_are_learnt_and_read_in_texts_never_seen() -> None:
    lesson = lesson_of(80, 160)
    (figures,) = lesson.figures
    assert figures.taken, figures
    assert figures.team_right > figures.shipped_right + 40
    assert figures.overturned <= 3
    assert lesson.difference is not None
    taught = READER.taught(lesson.difference, 1)
    fresh = [post(0, "The boiler went gurkel again in Linz"), post(1, "The boiler was handed over in Linz")]
    trouble, calm = taught.read(fresh)
    assert trouble.intent.complaint > 0.5 > calm.intent.complaint
    assert READER.read(fresh)[0].intent.complaint < 0.5
    assert any(line.startswith("complaint: ") and "gurkel" in line for line in trouble.why)


def test_the_same_words_in_another_order_give_the_same_lesson() -> None:
    said = told(60, 120, lambda text, was: "true")
    one, other = learn(said, READER), learn(said[::-1], READER)
    assert one.figures == other.figures
    assert one.difference is not None
    assert other.difference is not None
    assert one.difference.features == other.difference.features
    assert np.array_equal(one.difference.weights, other.difference.weights)


def test_who_corrects_at_random_teaches_nothing() -> None:
    dice = random.Random(5)
    texts = sentences(CALM, 300, 3)
    read = READER.read([post(number, text) for number, text in enumerate(texts)])
    said = []
    for number, (text, reading) in enumerate(zip(texts, read, strict=True)):
        was = value_of(reading, "sentiment")
        wrong = dice.random() < 0.4
        value = dice.choice([mood for mood in MOODS if mood != was]) if wrong else was
        said.append(Said(post(number, text), "sentiment", value, wrong))
    lesson = learn(said, READER)
    assert not lesson.figures[0].taken
    assert lesson.difference is None


def test_with_too_few_words_nothing_is_tried_and_it_says_which_are_missing() -> None:
    few = lesson_of(LEAST_CORRECTED - 1, LEAST_STOOD).figures[0]
    assert (few.tried, few.reason) == (False, "few corrected")
    alone = lesson_of(LEAST_CORRECTED, LEAST_STOOD - 1).figures[0]
    assert (alone.tried, alone.reason) == (False, "few stood")
    assert learn([], READER) == Lesson((), None)


def test_texts_that_say_nearly_the_same_are_in_one_part() -> None:
    texts = [
        "The parcel was handed to my neighbour on Monday and nobody told me about it at all",
        "@fernway the parcel was handed to my neighbour on Monday and nobody told me about it at all!!",
        "RT The parcel was handed to my neighbour on Monday, and nobody told me about it at all http://t.co/1",
        "Thanks!",
        "@ben thanks",
        "thanks 2",
    ]
    parts = fold(texts)
    assert len(set(parts[:3])) == 1
    assert len(set(parts[3:])) == 1
    assert list(fold(texts[::-1])[::-1]) == list(parts)
    spread = fold([f"parcel number {number} {'x' * (number % 7)} of {'y' * (number % 11)}z" for number in range(300)])
    assert set(spread) == set(range(FOLDS))


def judged(mended: int, spoilt: int, overturned: int, wrong: int = 100, stood: int = 400) -> str:
    """The reason of a verdict on `wrong` corrected texts that the shipped model reads wrongly, and `stood` others."""
    corrected = np.array([True] * (wrong + spoilt) + [False] * stood)
    truth = np.array(([1, 0] * (wrong + spoilt + stood))[: wrong + spoilt + stood])
    shipped = np.where(np.arange(len(truth)) < wrong, 1 - truth, truth)
    team = shipped.copy()
    team[:mended] = truth[:mended]
    team[wrong : wrong + spoilt] = 1 - truth[wrong : wrong + spoilt]
    team[wrong + spoilt : wrong + spoilt + overturned] = 1 - truth[wrong + spoilt : wrong + spoilt + overturned]
    return judge("spam", shipped, team, truth, corrected).reason


@pytest.mark.parametrize(
    ("mended", "spoilt", "overturned", "reason"),
    [(40, 2, 10, ""), (3, 0, 0, "not better"), (40, 30, 0, "not better"), (40, 0, 35, "overturns"), (90, 0, 0, "")],
)
def test_it_is_taken_only_when_it_mends_more_than_it_breaks(
    mended: int, spoilt: int, overturned: int, reason: str
) -> None:
    assert judged(mended, spoilt, overturned) == reason


def test_who_moves_as_many_right_readings_as_wrong_ones_is_not_taken_however_many_corrections_there_are() -> None:
    """With more corrections than readings that stood, moving a quarter of all at random mends more than it breaks."""
    assert judged(mended=100, spoilt=0, overturned=25, wrong=400, stood=100) == "overturns"


def test_a_rare_answer_is_not_given_up_for_a_common_one() -> None:
    truth = np.array([0] * 60 + [1] * 400)
    corrected = np.array([False] * 60 + [True] * 150 + [False] * 250)
    shipped = np.array([0] * 60 + [0] * 150 + [1] * 250)
    team = np.array([0] * 20 + [1] * 40 + [1] * 150 + [1] * 250)
    assert judge("sentiment", shipped, team, truth, corrected).reason == "gives up"


def test_the_tests_are_exact() -> None:
    assert sign_test(0, 0) == 1
    assert sign_test(5, 0) == pytest.approx(1 / 32)
    assert sign_test(8, 2) == pytest.approx(56 / 1024)
    # R: fisher.test(matrix(c(8, 2, 1, 5), 2), alternative = "greater")$p.value
    assert fisher_test(8, 10, 1, 6) == pytest.approx(0.02447, abs=1e-4)
    assert fisher_test(0, 10, 0, 5) == pytest.approx(1)


def test_descent_finds_the_bottom_of_a_bowl() -> None:
    bowl = np.array([[3.0, 1.0], [1.0, 2.0]])
    wanted = np.array([1.5, -4.0])
    found = minimise(
        lambda at: (float((at - wanted) @ bowl @ (at - wanted)), 2 * bowl @ (at - wanted)), np.zeros(2), tolerance=1e-8
    )
    assert np.allclose(found, wanted, atol=1e-6)
