"""The sparse heads: what is stored is what is read, and what is read is the sum that was learnt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.understand.features import extract
from rapport.core.understand.grams import buckets, reached, read_tokens
from rapport.core.understand.heads import MOST_MET, Floats, Heads, Model, load_model, pack, unpack
from rapport.core.understand.listed import list_words
from rapport.core.understand.vocabulary import load_vocabularies

MODEL = load_model()
SHARED = Heads(MODEL)
WORDS = load_vocabularies()["en"]
texts = st.lists(st.sampled_from(["still waiting", "not good", "thanks", "!", "😡", "@a", "http://x.co", "zzqx", "no"]))
any_text = texts.map(" ".join) | st.text(max_size=200)


@pytest.fixture(scope="module")
def heads() -> Heads:
    """One that has met nothing yet."""
    return Heads(MODEL)


def score(heads: Heads, *said: str) -> Floats:
    features = [extract(text) for text in said]
    listed = [list_words(WORDS, one).sums for one in features]
    return heads.score(said, features, listed, ["en"] * len(said)).logits


@given(st.lists(any_text, min_size=1, max_size=8))
def test_a_text_is_read_alone_as_in_a_batch(said: list[str]) -> None:
    together = score(SHARED, *said)
    assert np.isfinite(together).all()
    for row, text in zip(together, said, strict=True):
        assert np.allclose(row, score(SHARED, text)[0], atol=1e-5)


def test_what_was_met_before_changes_nothing_even_when_it_is_forgotten(heads: Heads) -> None:
    before = score(heads, "the zzqx was terrible")
    for start in range(0, MOST_MET + 20_000, 20_000):
        score(heads, " ".join(f"w{number}q" for number in range(start, start + 20_000))[:100_000])
        score(heads, *(" ".join(f"v{start + number}x{place}" for place in range(60)) for number in range(200)))
    assert np.allclose(score(heads, "the zzqx was terrible"), before, atol=1e-5)


def test_threads_do_not_disturb_each_other(heads: Heads) -> None:
    said = [[f"text{number} of {place} terrible" for number in range(40)] for place in range(16)]
    alone = [score(heads, *batch) for batch in said]
    with ThreadPoolExecutor(8) as pool:
        again = list(pool.map(lambda batch: score(heads, *batch), said * 3))
    assert all(np.allclose(one, alone[place % 16], atol=1e-5) for place, one in enumerate(again))


def test_the_parts_of_the_tokens_are_parts_of_the_logit(heads: Heads) -> None:
    """Without the word lists and the facts of the whole text, the parts add up to the rest of the sum."""
    text = "my parcel never came"
    features = extract(text)
    scored = heads.score([text], [features], [[0.0] * 16], ["xx"])
    facts = np.array([0.0] * 16 + [0, 0, 4 / 60, 0, 0, 0, 0] + [0.0] * len(MODEL.languages))
    rest = (facts @ MODEL.dense_weights + MODEL.bias) * MODEL.slope + MODEL.shift
    tokens, heads_of = np.indices((len(scored.gives), len(heads.names))).reshape(2, -1)
    parts = scored.part(np.zeros_like(tokens), tokens, heads_of).reshape(-1, len(heads.names)) * MODEL.slope
    assert np.allclose(parts.sum(0), scored.logits[0] - rest, atol=1e-4)


def test_a_model_is_stored_and_read_again() -> None:
    packed = pack(MODEL)
    again = unpack(packed)
    assert pack(again) == packed
    assert again.names == MODEL.names
    assert np.allclose(
        score(Heads(again), "never again, worst day"), score(SHARED, "never again, worst day"), atol=0.05
    )


def test_a_negator_reaches_three_tokens_and_no_further_than_the_sentence() -> None:
    tokens = read_tokens(extract("not a very good one . fine no ! good"))
    negators = np.array([token in {"not", "no"} for token in tokens])
    stops = np.array([token in {".", "!"} for token in tokens])
    turned = reached(negators, stops, np.zeros(1, np.int64))
    assert [token for token, flag in zip(tokens, turned, strict=True) if flag] == ["a", "very", "good"]


def test_a_negator_does_not_reach_into_the_next_text(heads: Heads) -> None:
    assert np.allclose(score(heads, "they never", "good")[1], score(heads, "good")[0], atol=1e-5)


def test_handles_addresses_and_numbers_have_no_letters_to_learn() -> None:
    tokens = read_tokens(extract("@nadia https://fernway.test/a 42"))
    assert tokens == ["@", "http", "0"]
    assert not any(buckets(token) for token in tokens)


def test_an_empty_batch_and_an_empty_text_are_no_trouble(heads: Heads) -> None:
    assert score(heads).shape == (0, len(MODEL.names))
    assert np.isfinite(score(heads, "", "\u0301", " ")).all()


def test_the_model_is_one_of_tables_that_fit_each_other() -> None:
    heads = len(MODEL.names)
    assert isinstance(MODEL, Model)
    assert MODEL.word_weights.shape == (len(MODEL.words), 2, heads)
    assert (np.diff(MODEL.pairs) > 0).all()
    assert len(set(MODEL.words)) == len(MODEL.words)
