"""How good a deep reader is: scores with intervals on the validation parts, and on what was never learnt from.

`python -m rapport.training.measure --data DIR` prints the table of docs/reference/model-card-deep.md for the model
that ships; `--model DIR` for another. Needs the extra `rapport[deep]`, no torch.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapport.core.understand.deep import DeepReader, open_deep
from rapport.training.examples import SENTIMENT, VALIDATION, Example, read_examples
from rapport.training.tokens import Text, tokenise

Numbers = NDArray[np.int64]
Shares = NDArray[np.floating[Any]]
#: Draws of the bootstrap behind each interval.
DRAWS = 500
#: task -> what is measured, by the custom of its set
MEASURES = {
    "sentiment": "macro recall",
    "emotion": "macro F1",
    "irony": "F1",
    "offensive": "macro F1",
    "hate": "macro F1",
    "complaint": "macro F1",
    "spam": "macro F1",
    "report": "macro F1",
    "purchase": "macro F1",
}


class Score(msgspec.Struct, frozen=True):
    """How good a reading is on the validation part of one set."""

    task: str
    source: str
    measure: str
    #: in percent, with the 95 % interval of a bootstrap over texts
    value: float
    low: float
    high: float
    texts: int
    calibration_error: float


def measure(kind: str, labels: Numbers, shares: Shares) -> float:
    """A measure in percent of what is answered: the most probable class, or true from a half on."""
    found = shares.argmax(axis=1) if shares.shape[1] > 1 else (shares[:, 0] >= 0.5).astype(np.int64)
    size = max(shares.shape[1], 2)
    met = np.bincount(labels * size + found, minlength=size * size).reshape(size, size).astype(float)
    right, wanted, given = met.diagonal(), met.sum(axis=1), met.sum(axis=0)
    if kind == "macro recall":
        return 100 * float(np.mean(right / np.maximum(wanted, 1)))
    each = 2 * right / np.maximum(wanted + given, 1)
    return 100 * float(each[1] if kind == "F1" else each.mean())


def measure_of(task: str, source: str) -> str:
    """What is measured of a task on a set, by the custom of the set."""
    return "macro F1" if source.startswith(("airline", "xlmt")) else MEASURES.get(task, "macro F1")


def cuts_of(texts: Sequence[Text], task: str) -> dict[str, tuple[list[int], Numbers]]:
    """Places and labels for each source; languages, and the domain rows of complaints, also by themselves."""
    cuts: dict[str, list[int]] = {}
    for at, text in enumerate(texts):
        if task not in text.labels:
            continue
        cuts.setdefault(text.source, []).append(at)
        if text.source == "xlmt":
            cuts.setdefault(f"xlmt/{text.language}", []).append(at)
        if text.group == "domain":
            cuts.setdefault(f"{text.source}/domain", []).append(at)
    return {
        name: (places, np.array([texts[at].labels[task] for at in places], dtype=np.int64))
        for name, places in sorted(cuts.items())
    }


def score_on(texts: Sequence[Text], shares: Mapping[str, Shares], seed: int = 0) -> list[Score]:
    """A score for each task and cut."""
    draw = np.random.default_rng(seed)
    scores = []
    for task, answered in shares.items():
        for source, (places, labels) in cuts_of(texts, task).items():
            kind, some = measure_of(task, source), answered[places]
            samples = (draw.integers(0, len(labels), len(labels)) for _ in range(DRAWS))
            low, high = np.percentile([measure(kind, labels[rows], some[rows]) for rows in samples], [2.5, 97.5])
            value, error = measure(kind, labels, some), calibration_error(some, labels)
            near = (round(value, 2), round(float(low), 2), round(float(high), 2))
            scores.append(Score(task, source, kind, *near, len(labels), round(error, 4)))
    return scores


def calibration_error(shares: Shares, labels: Numbers, bins: int = 10) -> float:
    """Expected calibration error (Naeini 2015): mean distance of what is claimed from what holds, in bins of equal
    width. Of true and false the claim is that it is true; of several classes, that it is the most probable.
    """
    if shares.shape[1] == 1:
        claims, holds = shares[:, 0], labels == 1
    else:
        claims, holds = shares.max(axis=1), shares.argmax(axis=1) == labels
    places = np.minimum((claims * bins).astype(int), bins - 1)
    gaps = [
        abs(claims[places == one].mean() - holds[places == one].mean()) * (places == one).mean()
        for one in set(places.tolist())
    ]
    return float(sum(gaps))


def read_airline(folder: Path) -> list[Example]:
    """The airline tweets: under a non-commercial licence, so never learnt from nor tuned on."""
    with (folder / "02_airline" / "airline_tweets.csv").open(encoding="utf-8", newline="") as file:
        return [
            Example(row["text"], "sentiment", SENTIMENT.index(row["airline_sentiment"]), "airline", VALIDATION)
            for row in csv.DictReader(file)
        ]


def score_reader(reader: DeepReader, held: Sequence[Example]) -> list[Score]:
    """Scores of a reader on held-back examples, of the tasks that it has."""
    texts = tokenise(held, reader.tokenizer)
    return score_on(texts, reader.read_tokens([text.ids for text in texts]))


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = sys.stdout.write) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m rapport.training.measure", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled texts")
    shipped = Path(str(files("rapport.core.understand") / "models" / "deep"))
    parser.add_argument("--model", type=Path, default=shipped, help="folder of the model")
    given = parser.parse_args(arguments)
    reader = open_deep(given.model)
    held = [one for one in read_examples(given.data) if one.part == VALIDATION and reader.reads(one.language)]
    for score in score_reader(reader, held + (read_airline(given.data) if reader.reads("en") else [])):
        say(line_of(score))


def line_of(score: Score) -> str:
    """One row of the table."""
    return (
        f"{score.task:<10} {score.source:<18} {score.measure:<13} {score.value:5.1f} "
        f"[{score.low:.1f}, {score.high:.1f}]  {score.texts:5} texts  calibration error {score.calibration_error:.3f}\n"
    )


if __name__ == "__main__":
    main()
