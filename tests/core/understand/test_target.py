"""The mood toward one target."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from importlib import resources
from typing import Any

import numpy as np
import pytest

from rapport.core.understand.heads import Heads, load_model
from rapport.core.understand.scope import Scope, look_from
from rapport.core.understand.target import MOODS, TASK, TargetReader, load_target_model, pack, unpack
from rapport.core.understand.vocabulary import load_vocabularies


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads(load_model())


@pytest.fixture(scope="module")
def reader(heads: Heads) -> TargetReader:
    return TargetReader(load_target_model(), heads, load_vocabularies())


def scope_of(text: str, name: str) -> Scope:
    return look_from(text, [found.span() for found in re.finditer(re.escape(name), text)])


def label(reader: TargetReader, text: str, name: str) -> str:
    return reader.read([scope_of(text, name)], ["en"])[0].sentiment.label


def test_one_text_has_two_moods(reader: TargetReader) -> None:
    text = "I love my Acme card but Globex is a complete disaster."
    assert label(reader, text, "Acme") == "positive"
    assert label(reader, text, "Globex") == "negative"


def test_a_comparison_is_read_from_both_sides(reader: TargetReader) -> None:
    for text in ("Globex is so much better than Acme.", "Acme is terrible compared to Globex."):
        assert label(reader, text, "Acme") == "negative"
        assert label(reader, text, "Globex") == "positive"


def test_the_words_that_carried_it_are_those_about_the_target(reader: TargetReader) -> None:
    text = "Acme support was awful and rude, but the Globex people are wonderful."
    said = {name: reader.read([scope_of(text, name)], ["en"])[0].words for name in ("Acme", "Globex")}
    assert any("awful" in word or "rude" in word for word in said["Acme"])
    assert any("wonderful" in word for word in said["Globex"])
    assert not any("wonderful" in word for word in said["Acme"])


def test_what_is_read_does_not_depend_on_the_batch(reader: TargetReader) -> None:
    texts = ["Acme is slow, Globex is a joy.", "So happy with Acme!", "Globex sent me nothing. Acme did."]
    scopes = [scope_of(text, "Acme") for text in texts]
    together = reader.read(scopes, ["en"] * 3)
    assert [reader.read([scope], ["en"])[0] for scope in scopes] == together
    assert reader.read([], []) == []


def test_a_language_that_the_model_has_not_learnt_is_read_by_the_words_about_the_target(reader: TargetReader) -> None:
    text = "@acme ist furchtbar und langsam, aber @globex ist wunderbar, vielen Dank!"
    scopes = [scope_of(text, "@acme"), scope_of(text, "@globex")]
    felt = [one.sentiment.label for one in reader.read(scopes, ["de", "de"])]
    assert felt == ["negative", "positive"]


@pytest.mark.parametrize("text", ["", " ", "Acme", "\x00 Acme \ud83d", "Acme " * 3000, "Acme, Globex, " * 500])
def test_any_text_gives_probabilities(reader: TargetReader, text: str) -> None:
    felt = reader.read([scope_of(text, "Acme")], ["en"])[0].sentiment
    assert felt.negative + felt.neutral + felt.positive == pytest.approx(1)
    assert felt.label in MOODS


def test_a_model_comes_back_from_its_file_as_it_was() -> None:
    model = load_target_model()
    again = unpack(pack(model))
    assert again.places == model.places
    np.testing.assert_allclose(again.weights, model.weights, atol=1e-6)
    assert again.slope == pytest.approx(model.slope)
    assert again.version == model.version


def test_the_card_is_that_of_the_file_beside_it() -> None:
    models = resources.files("rapport.core.understand") / "models"
    card = json.loads((models / "target.json").read_text("utf-8"))
    assert card["sha256"] == sha256((models / "target.npz").read_bytes()).hexdigest()


def test_a_transformer_that_has_learnt_targets_counts_beside_the_model(heads: Heads) -> None:
    class Sure:
        """Stands for a transformer, which takes minutes to train: sure that everything is positive."""

        tasks = {TASK: list(MOODS)}

        def reads(self, language: str) -> bool:
            return language == "en"

        def read(self, texts: list[str]) -> dict[str, Any]:
            return {TASK: np.tile([0.0005, 0.0005, 0.999], (len(texts), 1))}

    text = "Acme opened at nine. Globex opened at ten."
    plain = TargetReader(load_target_model(), heads, load_vocabularies())
    both = TargetReader(load_target_model(), heads, load_vocabularies(), [Sure()])  # type: ignore[list-item]
    assert label(plain, text, "Acme") != "positive"
    assert label(both, text, "Acme") == "positive"
