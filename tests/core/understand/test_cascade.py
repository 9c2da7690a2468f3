"""Doubtful texts are read by the transformer too, and only those that matter."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.core.understand import Reader, load_reader
from rapport.core.understand.cascade import Cascade
from rapport.core.understand.deep import load_deep
from rapport.core.understand.heads import load_model

pytest.importorskip("onnxruntime", reason="the extra rapport[deep] is not installed")

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
CLEAR = "This is the worst service I have ever had, terrible, I hate it!!"
DOUBTFUL = "It works, but not as it did"
GERMAN = "Endlich da, nur zwei Wochen später als ihr gesagt habt"


def post(text: str, rating: float | None = None) -> Post:
    author = Author(id="1", handle="nadia", name="Nadia")
    return Post(network="x", id="1", url="", author=author, text=text, created_at=NOON, rating=rating)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader(["en", "de"], 0.5)


def twice(reading: Reading) -> bool:
    """Whether both models read it."""
    return "+" in reading.model


def test_a_doubtful_text_is_looked_at_again_and_a_clear_one_is_not(reader: Reader) -> None:
    clear, doubtful = reader.read([post(CLEAR), post(DOUBTFUL)])
    assert not twice(clear)
    assert twice(doubtful)
    assert clear == load_reader(["en", "de"]).read([post(CLEAR)])[0]


def test_what_matters_to_nobody_is_read_once(reader: Reader) -> None:
    assert [twice(one) for one in reader.read([post(DOUBTFUL)] * 3, [False, True, False])] == [False, True, False]


def test_a_language_that_no_transformer_knows_is_read_once() -> None:
    assert not twice(load_reader([], 1.0).read([post("電車がまた遅れて、誰も理由を教えてくれませんでした")])[0])


def test_hindi_is_looked_at_again_in_its_own_letters_only() -> None:
    own, latin = load_reader(["hi"], 1.0).read([post("मेरा पार्सल अब तक नहीं आया"), post("mera parcel ab tak nahi aaya")])
    assert (own.language, latin.language) == ("hi", "hi")
    assert own.model.endswith("+deep-many-1")
    assert own.sentiment.label == "negative"
    assert not twice(latin)


def test_each_language_has_its_model() -> None:
    english, german = load_reader(["en", "de"], 1.0).read([post(DOUBTFUL), post(GERMAN)])
    assert english.model.endswith("+deep-en-2")
    assert german.model.endswith("+deep-many-1")


def test_all_are_read_twice_when_the_share_is_one_and_none_when_it_is_nought() -> None:
    texts = [post(CLEAR), post(DOUBTFUL), post("thanks")]
    assert all(map(twice, load_reader(["en"], 1.0).read(texts)))
    assert not any(map(twice, load_reader(["en"], 0.0).read(texts)))


def test_whether_it_is_looked_at_again_does_not_depend_on_the_batch(reader: Reader) -> None:
    posts = [post(text) for text in (DOUBTFUL, CLEAR, "hm", "", "It is fine, I guess", GERMAN)]
    together = reader.read(posts)
    for alone, among in zip((reader.read([one])[0] for one in posts), together, strict=True):
        assert twice(alone) == twice(among)
        assert alone.sentiment.label == among.sentiment.label
        assert alone.sentiment.negative == pytest.approx(among.sentiment.negative, abs=2e-3)


def test_the_stars_count_after_the_second_look_too(reader: Reader) -> None:
    one, five = reader.read([post(DOUBTFUL, 1), post(DOUBTFUL, 5)])
    assert (one.sentiment.label, five.sentiment.label) == ("negative", "positive")


def test_probabilities_stay_probabilities(reader: Reader) -> None:
    for reading in load_reader(["en"], 1.0).read([post(text) for text in (DOUBTFUL, CLEAR, "x" * 20_000, "😡", "?")]):
        assert reading.sentiment.negative + reading.sentiment.neutral + reading.sentiment.positive == pytest.approx(1)
        values = [getattr(reading.emotion, name) for name in ("anger", "joy", "optimism", "sadness")]
        assert all(0 <= value <= 1 for value in [*values, reading.irony, reading.hate, reading.spam])


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_nought_to_one_is_refused(share: float) -> None:
    deep = load_deep()
    assert deep is not None
    with pytest.raises(ValueError, match="between 0 and 1"):
        Cascade([deep], load_model().names, share)


def test_the_strongest_emotion_keeps_its_strength() -> None:
    deep = load_deep()
    assert deep is not None
    names = load_model().names
    logits = np.zeros((1, len(names)))
    emotions = [names.index(f"emotion.{name}") for name in ("anger", "joy", "optimism", "sadness")]
    logits[0, emotions] = (-3.0, -1.0, -2.0, -2.5)
    Cascade([deep], names, 1.0).look(["I am so angry, this is a disgrace"], ["en"], [True], logits)
    assert logits[0, emotions].max() == pytest.approx(-1.0, abs=1e-6)
