"""How good the deep reader is on real texts that it has not learnt from, and how quick.

Run with `-s` to see the figures. It takes a sample of each validation part; `python -m rapport.training.measure` takes
all of it. The floors lie well below what was measured (docs/reference/model-card-deep.md): they catch a regression.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="the deep reader needs the extra rapport[deep]")

from rapport.core.understand.deep import DeepReader, load_deep, load_many
from rapport.training.examples import VALIDATION, Example, read_examples
from rapport.training.measure import Score, line_of, read_airline, score_reader

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.exists(), reason="the real data is not beside the project (../shared/data)"),
]

#: Texts of each task and set that are read here.
SAMPLE = 150
#: (task, set) -> floor of its measure in percent
FLOORS = {
    ("sentiment", "tweeteval"): 62.0,
    ("sentiment", "airline"): 60.0,
    ("emotion", "tweeteval"): 62.0,
    ("irony", "tweeteval"): 54.0,
    ("offensive", "tweeteval"): 66.0,
    ("hate", "tweeteval"): 64.0,
    ("complaint", "complaints"): 73.0,
    ("spam", "sms"): 90.0,
    ("report", "banking"): 66.0,
}


def sample(examples: list[Example]) -> list[Example]:
    """`SAMPLE` texts of each task and set, always the same."""
    by_set: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for one in sorted(examples, key=lambda one: zlib.crc32(one.text.encode("utf-8", "replace"))):
        by_set[one.task, one.source].append(one)
    return [one for some in by_set.values() for one in some[:SAMPLE]]


@pytest.fixture(scope="module")
def reader() -> DeepReader:
    loaded = load_deep()
    assert loaded is not None
    return loaded


@pytest.fixture(scope="module")
def scores(reader: DeepReader) -> dict[tuple[str, str], Score]:
    held = [one for one in read_examples(SHARED) if one.part == VALIDATION and one.language == "en"]
    found = score_reader(reader, sample(held + read_airline(SHARED)))
    print()
    for score in found:
        print(line_of(score), end="")
    return {(score.task, score.source): score for score in found}


@pytest.mark.parametrize(("task", "source"), FLOORS)
def test_a_reading_stays_above_its_floor(scores: dict[tuple[str, str], Score], task: str, source: str) -> None:
    assert scores[task, source].value > FLOORS[task, source]


def test_probabilities_mean_what_they_say(scores: dict[tuple[str, str], Score]) -> None:
    """On `SAMPLE` texts a calibrated reading shows an error of about 0.07 by chance alone."""
    errors = {place: scores[place].calibration_error for place in FLOORS}
    assert sum(errors.values()) / len(errors) < 0.1


def test_the_mood_in_eight_languages_stays_above_its_floor() -> None:
    many = load_many()
    assert many is not None
    held = [one for one in read_examples(SHARED, ("xlmt",)) if one.part == VALIDATION]
    by_language: dict[str, list[Example]] = defaultdict(list)
    for one in held:
        by_language[one.language].append(one)
    found = score_reader(many, [one for some in by_language.values() for one in some[:60]])
    print()
    for score in found:
        print(line_of(score), end="")
    values = [score.value for score in found if "/" in score.source]
    assert len(values) == len(by_language)
    assert sum(values) / len(values) > 54
