"""A team's own model: added to the shipped heads for one workspace, and told with its reasons."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.core.understand import load_reader
from rapport.core.understand.features import extract
from rapport.core.understand.grams import read_tokens
from rapport.core.understand.team import MOST_MET, Difference, Team, pack, say, shipped_version, turn, unpack

READER = load_reader(["en"])
LEARNT = Difference(
    names=("complaint", "irony"),
    beside=READER.version,
    features=("w gurkel", "n gurkel", "p gurkel\tagain", "s <gurk", "w ﷺ"),
    weights=np.array([[6, 0], [-6, 0], [0, 9], [2, 1], [1, 1]], np.float32),
    shift=np.array([0.1, -0.2], np.float32),
)
TAUGHT = READER.taught(LEARNT, 3)
words = st.sampled_from(["gurkel", "gurkels", "again", "not", "thanks", "!", "@a", "http://x.co", "ﷺ", ".", "no"])
texts = st.lists(words).map(" ".join) | st.text(max_size=100)


def read(text: str, taught: bool = True) -> Reading:
    return read_all([text], taught)[0]


def read_all(said: list[str], taught: bool = True) -> list[Reading]:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    posts = [Post("x", str(place), text, at, Author(id="1")) for place, text in enumerate(said)]
    return (TAUGHT if taught else READER).read(posts)


def log_odds(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


def test_a_reading_is_the_shipped_one_and_the_difference() -> None:
    text = "the gurkel came on tuesday again"
    tokens = read_tokens(extract(text))
    known = dict(zip(LEARNT.features, LEARNT.weights[:, 0], strict=True))
    added = sum(known.get(name, 0) for name in say(tokens, turn(tokens))) / len(tokens) ** 0.5 + LEARNT.shift[0]
    before, after = read(text, taught=False), read(text)
    assert log_odds(after.intent.complaint) - log_odds(before.intent.complaint) == pytest.approx(added, abs=0.02)
    assert after.sentiment == before.sentiment
    assert after.emotion == before.emotion


def test_the_model_names_both_and_the_reasons_hold_what_the_team_taught() -> None:
    before, after = read("this gurkel", taught=False), read("this gurkel")
    assert before.intent.complaint < 0.5 < after.intent.complaint
    assert after.model == f"{before.model}+team-3"
    assert "complaint: 'gurkel'" in after.why
    assert "complaint" not in " ".join(before.why)
    assert "irony: 'gurkel again'" in read("gurkel again").why


def test_a_negated_word_is_another_one_and_a_stem_helps_words_never_seen() -> None:
    assert read("not a gurkel").intent.complaint < read("a gurkel").intent.complaint - 0.3
    assert (
        read("gurkelsome parcels").intent.complaint > read("gurkelsome parcels", taught=False).intent.complaint + 0.05
    )


def test_a_text_without_words_reads_as_before() -> None:
    assert read("").intent == read("", taught=False).intent


@given(st.lists(texts, min_size=1, max_size=6))
def test_a_text_is_read_alone_as_in_a_batch(said: list[str]) -> None:
    for together, text in zip(read_all(said), said, strict=True):
        alone = read(text)
        assert together.intent.complaint == pytest.approx(alone.intent.complaint, abs=2e-4)
        assert together.irony == pytest.approx(alone.irony, abs=2e-4)
        assert together.why == alone.why


def test_what_was_met_before_changes_nothing_even_when_it_is_forgotten() -> None:
    before = read("gurkel again")
    for start in range(0, MOST_MET + 4_000, 4_000):
        read_all([" ".join(f"w{start + row * 100 + place}q" for place in range(100)) for row in range(40)])
    assert read("gurkel again") == before


def test_one_text_may_hold_more_tokens_than_are_kept() -> None:
    team = Team(LEARNT, 1, READER._heads.model)
    features = [
        extract(" ".join(f"{number:x}" for number in range(start, start + 1_500))) for start in range(0, 40_000, 1_500)
    ]
    scored = READER._heads.score([""] * len(features), features, [[0.0] * 16] * len(features), ["en"] * len(features))
    team.add(features, scored)
    assert np.isfinite(scored.logits).all()
    assert np.isfinite(scored.gives).all()


def test_threads_do_not_disturb_each_other() -> None:
    said = [[f"gurkel number{number} of{place} again" for number in range(40)] for place in range(8)]
    alone = [read_all(batch) for batch in said]
    with ThreadPoolExecutor(4) as pool:
        for place, again in enumerate(pool.map(read_all, said * 3)):
            assert [one.intent.complaint for one in again] == pytest.approx(
                [one.intent.complaint for one in alone[place % 8]], abs=2e-4
            )


def test_what_is_kept_is_what_was_learnt() -> None:
    kept = unpack(pack(LEARNT))
    assert (kept.names, kept.features, kept.beside) == (LEARNT.names, LEARNT.features, LEARNT.beside)
    assert np.allclose(kept.weights, LEARNT.weights, atol=9 / 127)
    assert np.allclose(kept.shift, LEARNT.shift)
    nothing = Difference(("complaint",), "x", (), np.zeros((0, 1), np.float32), np.ones(1, np.float32))
    assert unpack(pack(nothing)).features == ()


def test_the_card_names_the_model_that_ships() -> None:
    assert shipped_version() == READER.version


def test_heads_that_a_release_no_longer_has_are_left_out() -> None:
    gone = Difference(("joviality",), "older", ("w gurkel",), np.ones((1, 1), np.float32), np.ones(1, np.float32))
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    post = Post("x", "1", "this gurkel", at, Author(id="1"))
    assert READER.taught(gone, 1).read([post])[0].intent == READER.read([post])[0].intent
