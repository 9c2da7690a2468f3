"""Marking the words that carried a reading."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.core.understand import load_reader, why_spans

READER = load_reader(["en", "es"])


def marked(why: tuple[str, ...], text: str) -> list[tuple[str, str]]:
    spans = why_spans(Reading("x", "1", why=why), text)
    return [(text[start:end], name) for start, end, name in spans]


def test_the_words_are_found_whatever_their_case_and_accents() -> None:
    why = ("complaint: 'still waiting', 'pésimo'",)
    text = "STILL  waiting... un PESIMO servicio"
    assert marked(why, text) == [("STILL  waiting", "complaint"), ("PESIMO", "complaint")]


def test_only_whole_words_are_marked() -> None:
    assert marked(("complaint: 'late'",), "translate it later, late") == [("late", "complaint")]


def test_every_place_is_marked_and_a_hashtag_without_its_sign() -> None:
    assert [text for text, _ in marked(("complaint: 'fail'",), "#Fail fail")] == ["Fail", "fail"]


def test_words_with_apostrophes_are_found() -> None:
    assert marked(("complaint: 'can't get', 'won't'",), "I can’t get in, won't work") == [
        ("can’t get", "complaint"),
        ("won't", "complaint"),
    ]


def test_reasons_that_are_no_words_mark_nothing() -> None:
    assert marked(("complaint: rated 1 of 5, 'slow'",), "rated 1 of 5 for slow food") == [("slow", "complaint")]


def test_a_reason_that_is_not_in_the_text_marks_nothing() -> None:
    assert marked(("complaint: 'refund'",), "all good") == []
    assert marked(("complaint: ''", "odd", ""), "all good") == []


words = st.sampled_from(
    ["still waiting", "THANKS", "!!!", "?", "can't get", "love", "#worst", "don’t", "3 hours", "😡"]
)


@given(st.one_of(st.lists(words, max_size=20).map(" ".join), st.text(max_size=200)))
@settings(deadline=None)
def test_every_word_given_as_a_reason_can_be_marked(text: str) -> None:
    moment = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    reading = READER.read([Post("x", "1", text, moment, Author(handle="a"))])[0]
    spans = why_spans(reading, text)
    assert {name for _, _, name in spans} == {line.partition(":")[0] for line in reading.why}
    assert all(0 <= start < end <= len(text) for start, end, _ in spans)
