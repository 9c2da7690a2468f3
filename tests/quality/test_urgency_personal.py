"""How well urgency, personal and the intents are read, on 300 opening tweets of support threads labelled by hand.

Run with `-s` to see the figures: pytest -s tests/quality/test_urgency_personal.py. What was labelled, how and by which
guidelines: docs/reference/labelling-urgency-and-personal.md and labelling-intents.md. Nothing may ever be fitted or
tuned on these 300.
"""

from __future__ import annotations

import csv
import datetime as dt
import html
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import rapport.training
from rapport.core.post import Author, Post
from rapport.core.understand import load_reader
from rapport.training.examples import BY_HAND, Example, key, read_examples

LABELS = Path(__file__).parent / "labels" / "urgency_personal.csv"
INTENTS = Path(__file__).parent / "labels" / "intents.csv"
FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "03_twcs"
THREADS = FOLDER / "threads.csv"
TRAINING_LABELS = Path(rapport.training.__file__).parent / "labels"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not THREADS.exists(), reason="the real data is not beside the project (../shared/data)"),
]
#: Areas under the curve that no reader may fall below; well under what was measured (docs/reference/readings.md).
FLOORS = {
    "urgency": 0.60,
    "personal": 0.60,
    "question": 0.85,
    "request": 0.85,
    "praise": 0.85,
    "purchase": 0.70,
    "report": 0.70,
}
ROUNDS = 400
Figure = Callable[[Sequence[float], Sequence[int]], float]


def area(scores: Sequence[float], truth: Sequence[int]) -> float:
    """Area under the ROC curve: how often one of the ones stands above one of the zeros; a tie counts half."""
    ranked = sorted(zip(scores, truth, strict=True))
    ones = sum(truth)
    above = below = 0.0
    place = 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        hits = sum(label for _, label in ranked[place:end])
        misses = end - place - hits
        above += hits * (below + misses / 2)
        below += misses
        place = end
    return above / (ones * (len(truth) - ones))


def average_precision(scores: Sequence[float], truth: Sequence[int]) -> float:
    """Precision at each step of recall, summed over the steps; equal scores are one step."""
    ranked = sorted(zip(scores, truth, strict=True), reverse=True)
    total = 0.0
    found = hits = 0
    for taken, (score, label) in enumerate(ranked, 1):
        hits += label
        if taken == len(ranked) or ranked[taken][0] != score:
            found += hits
            total += hits * found / taken
            hits = 0
    return total / sum(truth)


def precision(scores: Sequence[float], truth: Sequence[int]) -> float:
    named = [label for score, label in zip(scores, truth, strict=True) if score >= 0.5]
    return sum(named) / len(named) if named else 0.0


def recall(scores: Sequence[float], truth: Sequence[int]) -> float:
    return sum(label for score, label in zip(scores, truth, strict=True) if score >= 0.5) / sum(truth)


def f1(scores: Sequence[float], truth: Sequence[int]) -> float:
    right, found = precision(scores, truth), recall(scores, truth)
    return 2 * right * found / (right + found) if right + found else 0.0


FIGURES: dict[str, Figure] = {
    "precision": precision,
    "recall": recall,
    "F1": f1,
    "average precision": average_precision,
    "area": area,
}


def interval(figure: Figure, scores: Sequence[float], truth: Sequence[int]) -> tuple[float, float]:
    """95 of 100: the figure on `ROUNDS` draws with replacement, ones and zeros drawn apart so that none is empty."""
    draw = random.Random(4)
    pairs = list(zip(scores, truth, strict=True))
    parts = [[pair for pair in pairs if pair[1] == label] for label in (0, 1)]
    values = []
    for _ in range(ROUNDS):
        drawn = [pair for part in parts for pair in draw.choices(part, k=len(part))]
        values.append(figure([score for score, _ in drawn], [label for _, label in drawn]))
    values.sort()
    return values[ROUNDS * 25 // 1000], values[ROUNDS * 975 // 1000 - 1]


def labelled(path: Path = LABELS) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def opening_posts(ids: set[str]) -> dict[str, Post]:
    with THREADS.open(encoding="utf-8", newline="") as file:
        return {row["tweet_id"]: opening_post(row) for row in csv.DictReader(file) if row["tweet_id"] in ids}


def opening_post(row: dict[str, str]) -> Post:
    assert row["tweet_id"] == row["thread_root_id"]
    assert row["inbound"] == "True"
    when = dt.datetime.strptime(row["created_at"], "%a %b %d %H:%M:%S %z %Y")
    return Post("x", row["tweet_id"], html.unescape(row["text"]), when, Author(row["author_id"]))


def test_the_figures_are_what_they_should_be_on_a_case_worked_by_hand() -> None:
    scores, truth = [0.9, 0.8, 0.8, 0.2], [1, 0, 1, 0]

    assert area(scores, truth) == pytest.approx(3.5 / 4)
    assert average_precision(scores, truth) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert (precision(scores, truth), recall(scores, truth)) == pytest.approx((2 / 3, 1.0))
    assert f1(scores, truth) == pytest.approx(0.8)


@pytest.mark.slow
def test_every_labelled_opening_tweet_is_found_and_read_better_than_by_chance() -> None:
    wanted, intents = labelled(), {row["tweet_id"]: row for row in labelled(INTENTS)}
    posts = opening_posts({row["tweet_id"] for row in wanted})
    assert len(wanted) == len(intents) == len(posts) == 300
    readings = load_reader().read([posts[row["tweet_id"]] for row in wanted])

    for name, floor in FLOORS.items():
        if name in BY_HAND and name not in ("urgency", "personal"):
            scores = [getattr(reading.intent, name) for reading in readings]
            truth = [int(intents[row["tweet_id"]][BY_HAND[name]]) for row in wanted]
        else:
            scores = [getattr(reading, name) for reading in readings]
            truth = [int(row[BY_HAND[name]]) for row in wanted]
        print(f"\n{name}: {sum(truth)} of {len(truth)} labelled 1")
        for title, figure in FIGURES.items():
            low, high = interval(figure, scores, truth)
            print(f"  {title:18} {figure(scores, truth):.3f}  ({low:.3f} to {high:.3f})")
        assert area(scores, truth) >= floor


@pytest.fixture(scope="module")
def learnt() -> list[Example]:
    """What is learnt from texts that were labelled by hand."""
    sources = tuple(file.stem for file in sorted(TRAINING_LABELS.glob("*.csv")))
    return [one for one in read_examples(FOLDER.parent, sources) if one.task in BY_HAND]


def test_every_text_labelled_for_training_is_found(learnt: list[Example]) -> None:
    learnt = [one for one in learnt if one.task == "question"]
    files = sorted(TRAINING_LABELS.glob("*.csv"))
    assert {one.source for one in learnt} == {file.stem for file in files}
    for file in files:
        rows = labelled(file)
        assert {row[column] for row in rows for column in BY_HAND.values()} == {"0", "1"}
        found = sum(one.source == file.stem for one in learnt)
        # a text that is there twice, or in a validation part too, is learnt from once
        assert 0.95 * len(rows) <= found <= len(rows), file.name


def test_no_text_of_the_tests_is_learnt_from(learnt: list[Example]) -> None:
    tests = {key(post.text) for post in opening_posts({row["tweet_id"] for row in labelled()}).values()}
    tests |= {key(row["text"]) for row in labelled(LABELS.with_name("plain.csv"))}
    assert len(tests) > 350

    # "" is what is left of an address alone
    assert tests & {key(one.text) for one in learnt} <= {""}
