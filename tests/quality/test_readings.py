"""How good the readings are on real data, beside VADER.

Run with `-s` to see the figures: pytest -s tests/quality/test_readings.py. The floors are a little below what was
measured (docs/reference/readings.md); they catch a regression, they are no targets.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from math import exp
from pathlib import Path

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.core.understand import Reader, load_reader
from rapport.core.understand.heads import unpack
from rapport.training.examples import VALIDATION, read_examples

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.exists(), reason="the real data is not beside the project (../shared/data)"),
]
LABELS = ("negative", "neutral", "positive")
Rows = list[tuple[str, int]]
Vector = tuple[float, ...]

ESCAPE = re.compile(r"\\u([0-9a-f]{4})")


def rows(name: str, text: str, label: Callable[[dict[str, str]], int]) -> Rows:
    with (SHARED / name).open(encoding="utf-8", newline="") as file:
        return [(ESCAPE.sub(lambda m: chr(int(m[1], 16)), row[text]), label(row)) for row in csv.DictReader(file)]


def lines(folder: str, split: str) -> Rows:
    texts = (SHARED / folder / f"{split}_text.txt").read_text("utf-8").split("\n")
    labels = (SHARED / folder / f"{split}_labels.txt").read_text("utf-8").split()
    return [(text, int(label)) for text, label in zip(texts, labels, strict=False)]


def semeval() -> Rows:
    return rows("01_tweeteval/sentiment/train_semeval2013-2016.csv", "text", lambda row: int(row["label"]))


def airline() -> Rows:
    return rows("02_airline/airline_tweets.csv", "text", lambda row: LABELS.index(row["airline_sentiment"]))


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader()


def read_all(reader: Reader, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Reading]:
    """Readings of bare texts."""
    chosen = load_reader(languages) if languages else reader
    author = Author(id="1", handle="nadia", name="Nadia")
    return chosen.read(
        [Post(network="x", id="1", url="", kind="post", author=author, text=text, created_at=NOON) for text in texts]
    )


def fit(vectors: Sequence[Vector], labels: Sequence[int], steps: int = 400) -> list[list[float]]:
    """Multinomial logistic regression (neutral as the base, classes weighted alike) by gradient descent."""
    weight = {label: 1 / (3 * count) for label, count in Counter(labels).items()}
    together = Counter(
        (tuple(round(x, 2) for x in vector), label) for vector, label in zip(vectors, labels, strict=True)
    )
    items = [((1.0, *vector), label, count * weight[label]) for (vector, label), count in together.items()]
    size = len(items[0][0])
    low, high = [0.0] * size, [0.0] * size
    for _ in range(steps):
        step_low, step_high = [0.0] * size, [0.0] * size
        for vector, label, count in items:
            down = exp(sum(a * b for a, b in zip(low, vector, strict=True)))
            up = exp(sum(a * b for a, b in zip(high, vector, strict=True)))
            total = 1 + down + up
            wrong_down, wrong_up = count * (down / total - (label == 0)), count * (up / total - (label == 2))
            for place, value in enumerate(vector):
                step_low[place] += wrong_down * value
                step_high[place] += wrong_up * value
        low = [a - 6 * b for a, b in zip(low, step_low, strict=True)]
        high = [a - 6 * b for a, b in zip(high, step_high, strict=True)]
    return [low, high]


def classify(weights: list[list[float]], vector: Vector) -> int:
    down, up = (sum(a * b for a, b in zip(row, (1.0, *vector), strict=True)) for row in weights)
    return 0 if down > up and down > 0 else 2 if up > 0 else 1


def figures(guesses: Iterable[int], truth: Iterable[int]) -> tuple[float, float]:
    """(macro recall, macro F1)."""
    pairs = Counter(zip(truth, guesses, strict=True))
    classes = sorted({label for label, _ in pairs})
    recalls, scores = [], []
    for label in classes:
        right = pairs[label, label]
        actual = sum(count for (true, _), count in pairs.items() if true == label)
        guessed = sum(count for (_, guess), count in pairs.items() if guess == label)
        recalls.append(right / actual)
        scores.append(2 * right / (actual + guessed))
    return sum(recalls) / len(classes), sum(scores) / len(classes)


def area(values: Sequence[float], truth: Sequence[int]) -> float:
    """Area under the ROC curve: how often a true one stands above a false one (ties half)."""
    below, ranked, total = 0, 0.0, 0
    groups: dict[float, list[int]] = {}
    for value, label in zip(values, truth, strict=True):
        groups.setdefault(value, [0, 0])[label] += 1
    for value in sorted(groups):
        false, true = groups[value]
        ranked += true * (below + false / 2)
        below, total = below + false, total + true
    return ranked / (total * below)


@pytest.fixture(scope="module")
def vader() -> Callable[[str], Vector]:
    analyzer = SentimentIntensityAnalyzer()

    def polarity(text: str) -> Vector:
        found = analyzer.polarity_scores(text)
        return found["neg"], found["pos"], found["compound"]

    return polarity


@pytest.fixture(scope="module")
def vader_weights(vader: Callable[[str], Vector]) -> list[list[float]]:
    sample = semeval()[::3]
    return fit([vader(text) for text, _ in sample], [label for _, label in sample])


@pytest.mark.parametrize(
    ("name", "read_rows", "floor", "lead"),
    [
        ("TweetEval validation", lambda: lines("01_tweeteval/sentiment", "val"), 0.64, 0.03),
        ("US airlines, unseen", airline, 0.68, 0.10),
    ],
)
def test_sentiment_is_at_least_as_good_as_vader_fitted_on_the_same_tweets(
    name: str,
    read_rows: Callable[[], Rows],
    floor: float,
    lead: float,
    vader: Callable[[str], Vector],
    vader_weights: list[list[float]],
    reader: Reader,
) -> None:
    texts, truth = zip(*read_rows(), strict=True)
    ours = figures((LABELS.index(one.sentiment.label) for one in read_all(reader, texts)), truth)
    theirs = figures((classify(vader_weights, vader(text)) for text in texts), truth)
    print(f"\n{name}: macro recall {ours[0]:.3f} F1 {ours[1]:.3f}; VADER {theirs[0]:.3f} F1 {theirs[1]:.3f}")
    assert ours[0] >= floor
    assert ours[0] >= theirs[0] + lead


@pytest.mark.parametrize(
    ("language", "code", "floor"),
    [
        ("spanish", "es", 0.50),
        ("french", "fr", 0.55),
        ("german", "de", 0.55),
        ("italian", "it", 0.46),
        ("portuguese", "pt", 0.54),
        ("arabic", "ar", 0.54),
    ],
)
def test_sentiment_in_other_languages_is_better_than_chance(
    language: str, code: str, floor: float, reader: Reader
) -> None:
    texts, truth = zip(*lines(f"01b_xlmt_multilingual/{language}", "val"), strict=True)
    recall, score = figures((LABELS.index(one.sentiment.label) for one in read_all(reader, texts, [code])), truth)
    print(f"\n{language}: macro recall {recall:.3f} F1 {score:.3f}")
    assert recall >= floor


@pytest.mark.parametrize(("task", "floor"), [("irony", 0.66), ("offensive", 0.78), ("hate", 0.76)])
def test_what_is_true_stands_above_what_is_not(task: str, floor: float, reader: Reader) -> None:
    texts, truth = zip(*lines(f"01_tweeteval/{task}", "val"), strict=True)
    values = [getattr(one, task) for one in read_all(reader, texts)]
    _, score = figures((int(value >= 0.5) for value in values), truth)
    print(f"\n{task}: area {area(values, truth):.3f} macro F1 {score:.3f}")
    assert area(values, truth) >= floor


@pytest.mark.parametrize(("place", "name", "floor"), [(0, "anger", 0.85), (1, "joy", 0.88), (3, "sadness", 0.83)])
def test_emotions_are_told_apart(place: int, name: str, floor: float, reader: Reader) -> None:
    texts, labels = zip(*lines("01_tweeteval/emotion", "val"), strict=True)
    truth = [int(label == place) for label in labels]
    values = [getattr(one.emotion, name) for one in read_all(reader, texts)]
    _, score = figures((int(value >= 0.5) for value in values), truth)
    print(f"\n{name}: area {area(values, truth):.3f} macro F1 {score:.3f}")
    assert area(values, truth) >= floor


def test_complaints_are_found_among_tweets_that_were_held_out(reader: Reader) -> None:
    held = [one for one in read_examples(SHARED, ("complaints",)) if one.task == "complaint" and one.part == VALIDATION]
    truth = [one.label for one in held]
    values = [one.intent.complaint for one in read_all(reader, [one.text for one in held])]
    _, score = figures((int(value >= 0.5) for value in values), truth)
    print(f"\ncomplaint: macro F1 {score:.3f} area {area(values, truth):.3f} of {len(held)}")
    assert score >= 0.77


def test_what_is_called_spam_is_spam(reader: Reader) -> None:
    held = [one for one in read_examples(SHARED, ("sms",)) if one.part == VALIDATION]
    values = [one.spam for one in read_all(reader, [one.text for one in held])]
    called = [one.label for value, one in zip(values, held, strict=True) if value >= 0.5]
    found = sum(called) / sum(one.label for one in held)
    print(f"\nspam: precision {sum(called) / len(called):.3f} recall {found:.3f} of {len(held)}")
    assert sum(called) / len(called) >= 0.9
    assert found >= 0.85


def test_the_card_belongs_to_the_model() -> None:
    """The card of the model that ships belongs to its file."""
    folder = resources.files("rapport.core.understand") / "models"
    card = json.loads((folder / "heads.json").read_text("utf-8"))
    packed = (folder / "heads.npz").read_bytes()
    assert card["sha256"] == hashlib.sha256(packed).hexdigest()
    assert card["model"] == unpack(packed).version
