"""The index of what went out: nothing that is alike is left out, and it is quick."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOON
from rapport.core.guard.sameness import essence, similarity
from rapport.core.voice_index import BUCKETS, SentIndex, Sketched, sketch

SAID = ("we", "look", "into", "your", "parcel", "now", "and", "write", "to", "you", "today", "ok", "sorry")
WORDS = st.lists(st.sampled_from(SAID), max_size=30)


def index_of(texts: list[str], step: dt.timedelta = dt.timedelta(minutes=1)) -> SentIndex:
    index = SentIndex()
    index.add(Sketched(at, NOON + at * step, 1 + at % 2, sketch(text)) for at, text in enumerate(texts))
    return index


@settings(max_examples=60)
@given(st.lists(WORDS.map(" ".join), max_size=20), WORDS.map(" ".join), st.sampled_from([0.3, 0.6, 0.9]))
def test_whatever_is_alike_enough_is_among_those_let_through(texts: list[str], text: str, least: float) -> None:
    found = index_of(texts).alike(text, least)
    bounds = {each.id: each.bound for each in found}
    for at, other in enumerate(texts):
        alike = similarity(essence(text), essence(other))
        assert alike <= bounds.get(at, least) + 1e-9
    assert [each.bound for each in found] == sorted(bounds.values(), reverse=True)


def test_a_word_said_more_often_than_a_byte_counts_leaves_nothing_out() -> None:
    many = "ha " * 400
    index = index_of([many, "something else"])
    assert 0 in {each.id for each in index.alike(many, 0.9)}
    assert 0 in {each.id for each in index.alike("ha " * 380, 0.9)}


def test_texts_without_words_are_the_same_and_only_to_each_other() -> None:
    index = index_of(["👍", "We look into it", "🎉🎉"])
    assert {each.id for each in index.alike("👏", 0.9)} == {0, 2}


def test_time_and_account_narrow_what_is_found() -> None:
    index = index_of(["the same words go out"] * 4)
    found = index.alike("the same words go out", 0.9, since=NOON, channels=[2])
    assert [each.id for each in found] == [3, 1]


def test_the_index_grows_beyond_its_first_room_and_keeps_everything() -> None:
    index = index_of([f"number {at} of many texts that went out" for at in range(2_500)])
    assert len(index) == 2_500
    best = index.alike("number 2077 of many texts that went out", 0.99)
    assert 2077 in {each.id for each in best}


def test_a_sketch_has_one_byte_for_each_bucket() -> None:
    assert len(sketch("We look into it, Ann")) == BUCKETS == len(sketch(""))
    assert sum(sketch("one two two")) == 3
