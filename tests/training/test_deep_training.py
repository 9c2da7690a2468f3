"""The fine-tuning on a model small enough to train here: what is written answers as what was trained."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra rapport[train]")
pytest.importorskip("onnx", reason="training needs the extra rapport[train]")
pytest.importorskip("onnxruntime", reason="training needs the extra rapport[train]")

import onnx
import onnxruntime
import torch

from rapport.training.calibrate import fit_scale
from rapport.training.encoder import Encoder, Heads
from rapport.training.export import to_onnx
from rapport.training.fine_tune import Recipe, answer, fit, pad
from rapport.training.tokens import Text

WORDS, GOOD, BAD = 50, 7, 8
RECIPE = Recipe(epochs=8, rate=3e-3, decay=1.0, head_rate=1e-2, dropout=0.0, hidden=0.0, step_tokens=128)


def small_model() -> Heads:
    torch.manual_seed(1)
    encoder = Encoder(words=WORDS, width=96, inner=192, layers=2, positions=128, dropout=0.0)
    encoder.words.sparse = True
    return Heads(encoder, {"sentiment": 3, "complaint": 1}, dropout=0.0)


def made_up(count: int, seed: int) -> list[Text]:
    """Texts that are positive where they hold GOOD, and negative complaints where they hold BAD."""
    dice = random.Random(seed)
    texts = []
    for _ in range(count):
        ids = [1, *(dice.randrange(10, WORDS) for _ in range(dice.randrange(2, 9))), 2]
        label = dice.randrange(3)
        if label != 1:
            ids.insert(dice.randrange(1, len(ids)), GOOD if label == 2 else BAD)
        texts.append(Text(ids, ids, {"sentiment": label, "complaint": int(label == 0)}, "made up", ""))
    return texts


@pytest.fixture(scope="module")
def trained() -> Heads:
    model = small_model()
    fit(model, made_up(300, 1), RECIPE, seed=1, hide=3, log=lambda _: None)
    return model


def test_a_small_model_learns_two_readings_at_once(trained: Heads) -> None:
    texts = made_up(200, 2)
    found = answer(trained, [text.ids for text in texts])
    moods = np.array([text.labels["sentiment"] for text in texts])
    assert (found["sentiment"].argmax(axis=1) == moods).mean() > 0.9
    assert ((found["complaint"][:, 0] > 0) == (moods == 0)).mean() > 0.9


def test_what_is_written_answers_as_what_was_trained_whatever_else_is_in_the_batch(
    trained: Heads, tmp_path: Path
) -> None:
    onnx.save(to_onnx(trained), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    rows = [text.ids for text in made_up(40, 3)]
    wanted = np.concatenate(list(answer(trained, rows).values()), axis=1)
    ids, mask = (part.numpy() for part in pad(rows))
    together = session.run(None, {"ids": ids, "mask": mask})[0]
    alone = np.concatenate(
        [session.run(None, {"ids": np.array([row]), "mask": np.ones((1, len(row)), np.int64)})[0] for row in rows]
    )
    assert np.abs(together - alone).max() < 1e-3
    assert np.abs(together - wanted).max() < 0.15 * np.abs(wanted).max()
    assert (together[:, :3].argmax(axis=1) == wanted[:, :3].argmax(axis=1)).mean() > 0.97


def test_calibration_finds_the_scale_that_logits_were_stretched_by() -> None:
    dice = np.random.default_rng(1)
    true = dice.normal(size=(4000, 1)).astype(np.float32)
    labels = (dice.random(4000) < 1 / (1 + np.exp(-true[:, 0]))).astype(np.int64)
    scale, shift = fit_scale(true * 4, labels)
    assert scale == pytest.approx(0.25, abs=0.03)
    assert shift[0] == pytest.approx(0, abs=0.1)
