"""What the deep reader promises of every text, and what it makes of a few."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnxruntime", reason="the deep reader needs the extra rapport[deep]")
pytest.importorskip("tokenizers", reason="the deep reader needs the extra rapport[deep]")

from rapport.core.understand.deep import CHARACTERS, DeepReader, load_deep, load_many, prepare

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
NEGATIVE, POSITIVE = 0, 2


@pytest.fixture(scope="module", params=["deep", "deep_many"])
def reader(request: pytest.FixtureRequest) -> DeepReader:
    loaded = load_deep() if request.param == "deep" else load_many()
    assert loaded is not None
    return loaded


TEXTS = st.text(max_size=400) | st.text(alphabet="@#:/.! \ud83d\u200d\ufe0f😂👩🏽‍💻aA1\x00\n", max_size=200)


def joined(found: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate(list(found.values()), axis=1)


@given(st.lists(TEXTS, max_size=6))
@settings(max_examples=40)
def test_any_text_gets_probabilities_that_are_some(reader: DeepReader, texts: list[str]) -> None:
    found = reader.read(texts)
    assert {name: shares.shape[1] for name, shares in found.items()} == {
        name: len(classes) for name, classes in reader.tasks.items()
    }
    for name, shares in found.items():
        assert shares.shape[0] == len(texts)
        assert np.isfinite(shares).all()
        assert ((shares >= 0) & (shares <= 1)).all()
        if len(reader.tasks[name]) > 1:
            assert np.allclose(shares.sum(axis=1), 1)


@given(st.lists(TEXTS, min_size=2, max_size=12))
@settings(max_examples=25)
def test_a_text_is_read_the_same_alone_and_in_a_batch(reader: DeepReader, texts: list[str]) -> None:
    together = joined(reader.read(texts))
    alone = np.concatenate([joined(reader.read([text])) for text in texts])
    assert np.abs(together - alone).max() < 1e-3


def test_order_in_is_order_out(reader: DeepReader) -> None:
    texts = ["I love this so much!", "the worst airline ever, I hate you " * 6, "ok", "Meeting at noon on Tuesday."]
    straight = joined(reader.read(texts))
    turned = joined(reader.read(texts[::-1]))[::-1]
    assert np.abs(straight - turned).max() < 1e-3


def test_a_megabyte_is_read_by_its_beginning_and_at_once(reader: DeepReader) -> None:
    text = "terrible service, still waiting! " * 32_000
    began = time.process_time()
    found = joined(reader.read([text, "a" * 1_000_000, "\ud800" * 1_000_000, "😂" * 1_000_000]))
    assert time.process_time() - began < 5
    assert np.allclose(found[0], joined(reader.read([text[:CHARACTERS]]))[0], atol=1e-3)


def test_nothing_to_read_is_no_error(reader: DeepReader) -> None:
    assert all(shares.shape[0] == 0 for shares in reader.read([]).values())
    assert joined(reader.read([""])).shape[0] == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("@brand third time my parcel is lost, this is terrible service and nobody answers", NEGATIVE),
        ("@brand thank you so much, best crew ever! ❤️", POSITIVE),
        ("what a wonderful day, so happy with my new phone 😍", POSITIVE),
        ("I am so angry, you ruined our holiday 😡", NEGATIVE),
    ],
)
def test_the_mood_of_a_plain_text_is_found(reader: DeepReader, text: str, place: int) -> None:
    assert reader.read([text])["sentiment"][0].argmax() == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("So ein schlechter Service, ich bin total enttäuscht und wütend", NEGATIVE),
        ("Ich liebe dieses Café, alles war wunderbar 😍", POSITIVE),
        ("Quelle honte, mon colis est perdu et personne ne répond", NEGATIVE),
        ("Merci beaucoup, j'adore, c'est magnifique !", POSITIVE),
        ("¡Me encanta, muchas gracias, son los mejores!", POSITIVE),
        ("Che schifo, servizio pessimo, mai più", NEGATIVE),
        ("Adorei, foi maravilhoso, muito obrigado!", POSITIVE),
        ("خدمة سيئة جدا وأنا غاضب", NEGATIVE),
    ],
)
def test_the_mood_is_found_in_the_languages_of_the_many(text: str, place: int) -> None:
    many = load_many()
    assert many is not None
    assert many.read([text])["sentiment"][0].argmax() == place


def test_each_model_says_which_languages_it_was_made_for() -> None:
    english, many = load_deep(), load_many()
    assert english is not None
    assert many is not None
    assert english.reads("en")
    assert not english.reads("de")
    assert many.reads("de")
    assert not many.reads("ja")


def test_handles_and_addresses_do_not_tell_who_it_is(reader: DeepReader) -> None:
    texts = ["@ann look: https://a.example/1", "@bob_7 look: http://b.example/other?x=1"]
    first, second = reader.read(texts)["sentiment"]
    assert (first == second).all()


def test_emoji_outside_the_vocabulary_are_read_by_their_names() -> None:
    assert prepare("so 🦥!", frozenset()) == "so  sloth !"
    assert prepare("so 🦥!", frozenset("🦥")) == "so  🦥 !"


def test_hashtags_are_cut_at_their_humps() -> None:
    assert prepare("#NotMyProblem", frozenset()) == "# Not My Problem"


@pytest.mark.parametrize("model", ["deep", "deep_many"])
def test_the_card_names_the_files_that_are_there(model: str) -> None:
    folder = files("rapport.core.understand") / "models" / model
    card = json.loads((folder / "card.json").read_text("utf-8"))
    for name, digest in card["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_without_its_extra_there_is_no_deep_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert load_deep() is None
    assert load_many() is None
