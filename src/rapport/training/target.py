"""Fits and measures the model of the mood toward a target.

`rapport train --data ../shared/data --only target --out DIR` learns from the training parts of `targets`, writes
target.npz with its card, target.json, and prints how good it is on the validation parts, beside the mood of the whole.
It is learnt beside the heads that ship: when these change, it is made anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from rapport.core.understand.deep import DeepReader, load_deep
from rapport.core.understand.heads import Heads, load_model, shares
from rapport.core.understand.scope import MARK, Scope, look_from
from rapport.core.understand.target import MOODS, WEIGHT, TargetModel, TargetReader, bag, pack, unpack
from rapport.core.understand.vocabulary import load_vocabularies
from rapport.training.examples import TRAIN, VALIDATION, Example
from rapport.training.measure import Score, line_of, score_on
from rapport.training.sparse import FOLDS, calibrate_together
from rapport.training.targets import TASK, read_targets
from rapport.training.tokens import Text

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

VERSION = "target-2026.11"
#: Texts that a feature must stand in to be learnt.
LEAST = 4
#: Inverse of the strength of regularisation, chosen on the validation parts.
STRENGTH = 1.0


def scope_of(text: str) -> Scope:
    """How a text with `MARK` in it looks from there."""
    return look_from(text, [found.span() for found in re.finditer(MARK, text)])


class Rows:
    """Scopes as the columns that are weighed."""

    def __init__(self, reader: TargetReader, scopes: Sequence[Scope], places: dict[str, int] | None = None) -> None:
        own = reader.look([scope.own for scope in scopes], ["en"] * len(scopes))
        self.moods = own.moods
        rest = reader.look([scope.rest for scope in scopes], ["en"] * len(scopes)).moods
        self._dense = reader.dense(scopes, own, rest)
        bags = [bag(features, scope.rest) for features, scope in zip(own.features, scopes, strict=True)]
        counted = Counter(feature for found in bags for feature in found)
        self.places = places or {
            name: place for place, name in enumerate(sorted(name for name, count in counted.items() if count >= LEAST))
        }
        self.idf = np.array([np.log((1 + len(bags)) / (1 + counted[name])) + 1 for name in self.places])
        self.idf = self.idf.astype(np.float16).astype(np.float64)  # as it is stored
        self._bags = bags

    def matrix(self) -> csr_matrix:
        """Dense features, then those of the bags by their idf, each row divided by its length."""
        columns, values, bounds = [], [], [0]
        for found in self._bags:
            rows = [self.places[name] for name in sorted(found) if name in self.places]
            idf = self.idf[rows]
            columns += rows
            values += (idf / (np.sqrt((idf**2).sum()) or 1.0)).tolist()
            bounds.append(len(columns))
        words = csr_matrix((values, columns, bounds), shape=(len(self._bags), len(self.places)))
        return hstack([csr_matrix(self._dense), words]).tocsr()


def fit(examples: Sequence[Example], log: Callable[[str], object] = print) -> TargetModel:
    """The model learnt from the training parts, calibrated on folds that were left out. Comparisons are no examples:
    what they mean is not learnt.
    """
    reader = TargetReader(None, Heads(load_model()), load_vocabularies())
    train = [one for one in examples if one.part == TRAIN]
    scopes = [scope_of(one.text) for one in train]
    kept = [place for place, scope in enumerate(scopes) if not scope.side]
    truth = np.array([train[place].label for place in kept], np.int64)
    made = np.array([train[place].source == "acl14-joined" for place in kept])
    rows = Rows(reader, [scopes[place] for place in kept])
    matrix = rows.matrix()
    log(f"{len(kept)} texts, {len(rows.places)} features")
    apart = np.zeros((len(kept), len(MOODS)))
    for learnt, left in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(matrix, truth):
        weights, bias = _learn(matrix[learnt], truth[learnt])
        apart[left] = matrix[left] @ weights + bias
    logits = WEIGHT * np.log(np.maximum(shares(apart), 1e-4)) + (1 - WEIGHT) * np.log(np.maximum(rows.moods, 1e-4))
    slope, shift = calibrate_together(logits[~made], truth[~made])
    weights, bias = _learn(matrix, truth)
    dense = matrix.shape[1] - len(rows.places)
    return TargetModel(VERSION, rows.places, rows.idf, weights[dense:], weights[:dense], bias, slope, shift)


def _learn(matrix: csr_matrix, truth: Ints) -> tuple[Floats, Floats]:
    learners = [
        LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", random_state=0).fit(
            matrix, truth == label
        )
        for label in range(len(MOODS))
    ]
    weights = np.stack([one.coef_[0] for one in learners], axis=1)
    return weights, np.array([float(one.intercept_[0]) for one in learners])


def score_target(
    model: TargetModel | None, examples: Sequence[Example], deep: Sequence[DeepReader] = ()
) -> list[Score]:
    """How good a model is on examples, a row a set, alone or beside transformers; None: the mood of the whole text as
    the heads read it.
    """
    reader = TargetReader(model, Heads(load_model()), load_vocabularies(), deep)
    scopes = [scope_of(one.text) for one in examples]
    if model is None:
        found = reader.look([scope.whole for scope in scopes], ["en"] * len(scopes)).moods
    else:
        felt = [one.sentiment for one in reader.read(scopes, ["en"] * len(scopes))]
        found = np.array([[one.negative, one.neutral, one.positive] for one in felt])
    texts = [Text([], [], {TASK: one.label}, one.source, "") for one in examples]
    return score_on(texts, {TASK: found})


def train(data: Path, out: Path, log: Callable[[str], object]) -> list[Score]:
    """Learn, write target.npz with its card, target.json, and answer how good it is on the validation parts."""
    examples = read_targets(data)
    packed = pack(fit(examples, log))
    held = [one for one in examples if one.part == VALIDATION]
    whole, ours = score_target(None, held), score_target(unpack(packed), held)
    for score in whole:
        log(f"by the mood of the whole text: {line_of(score).strip()}")
    deep = load_deep()
    for score in score_target(unpack(packed), held, [deep]) if deep else []:
        log(f"beside the transformer that ships: {line_of(score).strip()}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "target.npz").write_bytes(packed)
    card = {
        "model": VERSION,
        "command": "rapport train --data ../shared/data --only target --out DIR",
        "sha256": hashlib.sha256(packed).hexdigest(),
        "whole": msgspec.to_builtins(whole),
        "scores": msgspec.to_builtins(ours),
    }
    (out / "target.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return ours
