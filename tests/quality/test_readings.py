"""How good the readings are on real data, beside VADER, and that the fitted constants are what a fit gives.

Run with `-s` to see the figures: pytest -s tests/quality/test_readings.py. The floors are a little below what was
measured (docs/reference/readings.md); they catch a regression, they are no targets.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import exp, log
from pathlib import Path

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from rapport.core.understand import intent, sentiment
from rapport.core.understand.features import extract
from rapport.core.understand.vocabulary import READINGS, Vocabulary, load_vocabularies

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.exists(), reason="the real data is not beside the project (../shared/data)"),
]
VOCABULARIES = load_vocabularies()
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


def complaints(held_out: bool) -> Rows:
    """The split: seven in ten by a hash of the id were there to choose words from, the rest was not looked at."""
    with (SHARED / "04_intent/complaints_preotiuc2019.csv").open(encoding="utf-8", newline="") as file:
        return [
            (row["text"], int(row["complaint"]))
            for row in csv.DictReader(file)
            if (zlib.crc32(row["tweet_id"].encode()) % 10 >= 7) is held_out
        ]


def feeling(text: str, vocabulary: Vocabulary = VOCABULARIES["en"]) -> Vector:
    weighed = sentiment.weigh(vocabulary.find(extract(text)))
    return weighed.negative, weighed.positive


def label_of(text: str, vocabulary: Vocabulary = VOCABULARIES["en"]) -> int:
    return LABELS.index(sentiment.judge(sentiment.weigh(vocabulary.find(extract(text)))).label)


def probability(text: str, reading: str) -> float:
    hits = VOCABULARIES["en"].find(extract(text))
    return intent.judge(hits, sentiment.weigh(hits))[READINGS.index(reading)]


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
        ("TweetEval validation", lambda: lines("01_tweeteval/sentiment", "val"), 0.61, 0.0),
        ("US airlines, unseen", airline, 0.67, 0.08),
    ],
)
def test_sentiment_is_at_least_as_good_as_vader_fitted_on_the_same_tweets(
    name: str,
    read_rows: Callable[[], Rows],
    floor: float,
    lead: float,
    vader: Callable[[str], Vector],
    vader_weights: list[list[float]],
) -> None:
    texts, truth = zip(*read_rows(), strict=True)
    ours = figures(map(label_of, texts), truth)
    theirs = figures((classify(vader_weights, vader(text)) for text in texts), truth)
    print(f"\n{name}: macro recall {ours[0]:.3f} F1 {ours[1]:.3f}; VADER {theirs[0]:.3f} F1 {theirs[1]:.3f}")
    assert ours[0] >= floor
    assert ours[0] >= theirs[0] + lead


def test_the_constants_of_sentiment_are_what_the_fit_gives() -> None:
    data = semeval()
    negative, positive = fit([feeling(text) for text, _ in data], [label for _, label in data])
    print("\nfitted", [round(value, 3) for value in (*negative, *positive)])
    assert negative == pytest.approx(sentiment.NEGATIVE, abs=0.12)
    assert positive == pytest.approx(sentiment.POSITIVE, abs=0.12)


@pytest.mark.parametrize(
    ("language", "code", "floor"),
    [
        ("spanish", "es", 0.50),
        ("french", "fr", 0.40),
        ("german", "de", 0.55),
        ("italian", "it", 0.46),
        ("portuguese", "pt", 0.54),
    ],
)
def test_sentiment_in_other_languages_is_better_than_chance(language: str, code: str, floor: float) -> None:
    texts, truth = zip(*lines(f"01b_xlmt_multilingual/{language}", "train"), strict=True)
    recall, score = figures((label_of(text, VOCABULARIES[code]) for text in texts), truth)
    print(f"\n{language}: macro recall {recall:.3f} F1 {score:.3f}")
    assert recall >= floor


def test_complaints_are_found_among_tweets_that_were_held_out() -> None:
    texts, truth = zip(*complaints(held_out=True), strict=True)
    values = [probability(text, "complaint") for text in texts]
    _, score = figures((int(value >= 0.5) for value in values), truth)
    print(f"\ncomplaint: macro F1 {score:.3f} area {area(values, truth):.3f} of {len(texts)}")
    assert score >= 0.76
    assert area(values, truth) >= 0.86


def test_the_slopes_of_complaint_are_near_what_a_fit_gives() -> None:
    """The log-likelihood on the training part is within half a percent of the best along each constant."""
    place = READINGS.index("complaint")
    points: list[tuple[float, float, float, int]] = []
    for text, label in complaints(held_out=False):
        hits = VOCABULARIES["en"].find(extract(text))
        weighed = sentiment.weigh(hits)
        marks = {id(hit.entry.marks): hit.entry.marks for hit in hits}.values()
        own = sum(weight for each in marks for mark, weight in each if mark == place)
        points.append((weighed.negative, weighed.positive, own, label))

    def loss(start: float, low: float, high: float) -> float:
        odds = ((start + low * n + high * p + own, label) for n, p, own, label in points)
        return sum(log(1 + exp(-x if label else x)) for x, label in odds) / len(points)

    start, low, high = intent.PRIORS["complaint"]
    here = loss(start, low, high)
    nearby = [
        loss(start + a, low + b, high + c) for a in (-0.4, 0, 0.4) for b in (-0.5, 0, 0.5) for c in (-0.5, 0, 0.5)
    ]
    assert here <= min(nearby) * 1.005


@pytest.mark.parametrize(("place", "name", "floor"), [(0, "anger", 0.83), (1, "joy", 0.88), (3, "sadness", 0.83)])
def test_emotions_are_told_apart(place: int, name: str, floor: float) -> None:
    texts, labels = zip(*lines("01_tweeteval/emotion", "val"), strict=True)
    truth = [int(label == place) for label in labels]
    values = [probability(text, name) for text in texts]
    _, score = figures((int(value >= 0.5) for value in values), truth)
    print(f"\n{name}: area {area(values, truth):.3f} macro F1 {score:.3f}")
    assert area(values, truth) >= floor


def test_offensive_words_are_found() -> None:
    texts, truth = zip(*lines("01_tweeteval/offensive", "val"), strict=True)
    values = [probability(text, "offensive") for text in texts]
    _, score = figures((int(value >= 0.5) for value in values), truth)
    print(f"\noffensive: area {area(values, truth):.3f} macro F1 {score:.3f}")
    assert area(values, truth) >= 0.75
    assert score >= 0.65


def test_what_is_called_spam_is_spam() -> None:
    data = rows("05_spam_bots/sms_spam.csv", "text", lambda row: int(row["label"] == "spam"))
    for file in sorted((SHARED / "05_spam_bots/youtube").glob("*.csv")):
        data += rows(f"05_spam_bots/youtube/{file.name}", "CONTENT", lambda row: int(row["CLASS"]))
    values = [probability(text, "spam") for text, _ in data]
    called = [label for value, (_, label) in zip(values, data, strict=True) if value >= 0.5]
    found = sum(called) / sum(label for _, label in data)
    print(f"\nspam: precision {sum(called) / len(called):.3f} recall {found:.3f} of {len(data)}")
    assert sum(called) / len(called) >= 0.9
