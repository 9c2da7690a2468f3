"""A team's own model on real data: a simulated team corrects half of the airline tweets, the other half is the test.

Nothing that ships was learnt from these tweets, and nothing of how a team's model is learnt was chosen on them.
Run with `-s` to see the figures: pytest -s tests/quality/test_team_model.py (docs/reference/team-model.md).
"""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.core.understand import Reader, load_reader
from rapport.core.understand.corrected import MOODS
from rapport.training.measure import measure
from rapport.training.team import Said, fold, learn

pytestmark = [pytest.mark.data, pytest.mark.slow]
AT = dt.datetime(2015, 2, 24, tzinfo=dt.UTC)
#: what the team corrects of what is wrong, and what it lets stand of what is right
CORRECTED, STOOD = 400, 600


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader(["en"])


@pytest.fixture
def tweets(real_data: Path) -> list[tuple[Post, str]]:
    """Each text once, shuffled with a seed."""
    with (real_data / "02_airline" / "airline_tweets.csv").open(encoding="utf-8", newline="") as file:
        told = {row["text"]: row["airline_sentiment"] for row in csv.DictReader(file)}
    order = sorted(told)
    random.Random(20).shuffle(order)
    return [(Post("x", str(number), text, AT, Author(id="1")), told[text]) for number, text in enumerate(order)]


def apart(tweets: Sequence[tuple[Post, str]]) -> tuple[list[tuple[Post, str]], list[tuple[Post, str]]]:
    """Two halves; nothing in the second says nearly what something in the first does."""
    parts = fold([post.text for post, _ in tweets])
    first = [pair for pair, part in zip(tweets, parts, strict=True) if part < 2]
    return first, [pair for pair, part in zip(tweets, parts, strict=True) if part >= 3]


def scores(readings: Sequence[Reading], truth: Sequence[str]) -> tuple[float, float]:
    """Macro F1 and macro recall in percent."""
    labels = np.array([MOODS.index(label) for label in truth])
    shares = np.array([[each.sentiment.negative, each.sentiment.neutral, each.sentiment.positive] for each in readings])
    return measure("macro F1", labels, shares), measure("macro recall", labels, shares)


def test_a_team_that_corrects_its_airline_reads_the_rest_of_its_tweets_better(
    tweets: list[tuple[Post, str]], reader: Reader
) -> None:
    own, unseen = apart(tweets)
    read = reader.read([post for post, _ in own])
    wrong = [pair for pair, reading in zip(own, read, strict=True) if reading.sentiment.label != pair[1]]
    right = [pair for pair, reading in zip(own, read, strict=True) if reading.sentiment.label == pair[1]]
    said = [Said(post, "sentiment", label, True) for post, label in wrong[:CORRECTED]]
    said += [Said(post, "sentiment", label, False) for post, label in right[:STOOD]]
    lesson = learn(said, reader)
    (figures,) = lesson.figures
    print(f"\n{figures}")
    assert figures.taken
    assert lesson.difference is not None
    posts, truth = [post for post, _ in unseen], [label for _, label in unseen]
    before, after = (scores(each.read(posts), truth) for each in (reader, reader.taught(lesson.difference, 1)))
    print(f"{len(unseen)} unseen tweets: macro F1 {before[0]:.1f} -> {after[0]:.1f}")
    print(f"macro recall {before[1]:.1f} -> {after[1]:.1f}")
    assert after[0] > before[0] + 3
    assert after[1] > before[1]


def test_a_team_that_corrects_at_random_teaches_nothing(tweets: list[tuple[Post, str]], reader: Reader) -> None:
    dice = random.Random(7)
    some = [post for post, _ in tweets[: CORRECTED + STOOD]]
    said = []
    for place, (post, reading) in enumerate(zip(some, reader.read(some), strict=True)):
        was = reading.sentiment.label
        value = dice.choice([mood for mood in MOODS if mood != was]) if place < CORRECTED else was
        said.append(Said(post, "sentiment", value, place < CORRECTED))
    (figures,) = learn(said, reader).figures
    print(f"\n{figures}")
    assert not figures.taken
