"""How a text is cut into the tokens that the readings start from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.understand.features import MAX_READ, extract, fold, locate, squeeze


def test_case_accents_numbers_and_typographic_apostrophes_are_folded() -> None:
    assert extract("Don’t pay 300 for the ÉTÉ menu").words == ["don't", "pay", "0", "for", "the", "ete", "menu"]


def test_a_hashtag_is_read_as_its_word_and_a_handle_is_not() -> None:
    assert extract("#Fail by @brand").words == ["fail", "by", "@brand"]


def test_emoji_emoticons_and_runs_of_signs_are_tokens() -> None:
    assert extract("no ❤️ :( !!! 😡😡").words == ["no", "❤", ":(", "!!!", "😡", "😡"]


def test_an_address_is_one_token_that_hides_its_words() -> None:
    assert extract("see https://x.example/worst/fail?a=b now").words[1].startswith("https://")


def test_the_words_as_written_run_in_parallel_with_the_folded_ones() -> None:
    features = extract("SOOOO Angry")
    assert features.written == ["SOOOO", "Angry"]
    assert features.words == ["soooo", "angry"]
    assert features.stretched


def test_a_stretched_word_has_two_spellings() -> None:
    assert squeeze("cooool") == ("cool", "col")
    assert squeeze("soooo") == ("soo", "so")


def test_places_leave_out_the_sign_of_a_hashtag() -> None:
    text = "Été #Fail"
    assert [(word, text[start:end]) for word, start, end in locate(text)] == [("ete", "Été"), ("fail", "Fail")]


def test_only_the_beginning_of_a_very_long_text_is_read() -> None:
    assert len(extract("word " * 100_000).words) == MAX_READ // 5


@pytest.mark.parametrize("text", ["", "\x00", "\ud800 oh", "\u202e\u2066", "a" * 50_000, "'" * 999, "ﷺ" * 50, "\n\n"])
def test_odd_text_is_cut_without_complaint(text: str) -> None:
    features = extract(text)
    assert len(features.words) == len(features.written)


@given(st.text(max_size=300))
def test_every_way_of_cutting_a_text_finds_the_same_words(text: str) -> None:
    features = extract(text)
    assert len(features.words) == len(features.written)
    assert [word for word, _, _ in locate(text)] == features.words
    assert all(text[start:end] == token for token, (_, start, end) in zip(features.written, locate(text), strict=True))


@given(st.text(max_size=100))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
