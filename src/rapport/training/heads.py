"""Measures sparse heads, and writes them with their card: what they were learnt from and how good they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rapport.core.understand.features import extract
from rapport.core.understand.heads import Heads, Model, logistic, pack, shares, unpack
from rapport.core.understand.listed import list_words
from rapport.core.understand.vocabulary import load_vocabularies
from rapport.training.examples import EMOTION, SENTIMENT, VALIDATION, Example
from rapport.training.measure import Score, Shares, score_on
from rapport.training.sparse import TASKS, fit
from rapport.training.tokens import Text

#: Texts that are scored together.
BATCH = 256
_TOGETHER = {"sentiment": SENTIMENT, "emotion": EMOTION}


def shares_of(model: Model, examples: Sequence[Example]) -> dict[str, Shares]:
    """Probabilities of each task for each example: one column, or one a class where the classes exclude each other.

    The emotions of a reading are judged one by one; the sets have one in each text, so here the four are compared.
    """
    heads, vocabularies = Heads(model), load_vocabularies()
    logits = []
    for start in range(0, len(examples), BATCH):
        batch = examples[start : start + BATCH]
        features = [extract(one.text) for one in batch]
        listed = [
            list_words(vocabularies.get(one.language, vocabularies[""]), its).sums
            for one, its in zip(batch, features, strict=True)
        ]
        scored = heads.score([one.text for one in batch], features, listed, [one.language for one in batch])
        logits.append(scored.logits)
    table = np.concatenate(logits)
    places = {name: at for at, name in enumerate(model.names)}
    found: dict[str, Shares] = {}
    for name in dict.fromkeys(name.partition(".")[0] for name in model.names):
        if name in _TOGETHER:
            found[name] = shares(table[:, [places[f"{name}.{one}"] for one in _TOGETHER[name]]])
        else:
            found[name] = logistic(table[:, [places[name]]])
    return found


def score_heads(model: Model, examples: Sequence[Example]) -> list[Score]:
    """How good the heads are on these examples, a row for each task and set that holds more than one answer."""
    answers: dict[tuple[str, str], set[int]] = {}
    for one in examples:
        answers.setdefault((one.task, one.source), set()).add(one.label)
    far = {(task.task, source) for task in TASKS for source in task.without}
    examples = [one for one in examples if len(answers[one.task, one.source]) > 1 and (one.task, one.source) not in far]
    merged: dict[tuple[str, str, str], Text] = {}
    for one in examples:
        place = (one.text, one.source, one.language)
        merged.setdefault(place, Text([], [], {}, one.source, one.group, one.language)).labels[one.task] = one.label
    unique = [Example(text, "", 0, source, "", language) for text, source, language in merged]
    return score_on(list(merged.values()), shares_of(model, unique))


def train(
    examples: Sequence[Example], out: Path, version: str, log: Callable[[str], object], unseen: Sequence[Example] = ()
) -> list[Score]:
    """Fit the heads on the training parts; write heads.npz and its card, heads.json, into `out`; answer how good they
    are on the validation parts and on `unseen`, which nothing was learnt from.
    """
    packed = pack(fit(examples, version, log=log))
    model = unpack(packed)  # what is measured is what is shipped: rounded to eight bits
    scores = score_heads(model, [*(one for one in examples if one.part == VALIDATION), *unseen])
    out.mkdir(parents=True, exist_ok=True)
    (out / "heads.npz").write_bytes(packed)
    card: dict[str, Any] = {
        "model": version,
        "command": "rapport train --data ../shared/data --out DIR",
        "sources": sorted({one.source for one in examples}),
        "words": len(model.words),
        "pairs": len(model.pairs),
        "sha256": hashlib.sha256(packed).hexdigest(),
        "scores": msgspec.to_builtins(scores),
    }
    (out / "heads.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return scores
