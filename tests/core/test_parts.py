"""Threads: a long reply is cut where it reads well, nothing is lost, and every post fits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.guard import length
from rapport.core.parts import CUT, MOST, cut_apart, is_cut, make_thread, put_together, whole


def up_to(most: int, network: str = "bluesky"):  # type: ignore[no-untyped-def]
    return lambda text: length(text, network) <= most


def test_it_is_cut_between_sentences() -> None:
    text = "Sorry about the wait. Your parcel left Lyon today. It is with you on Friday."
    assert make_thread(text, up_to(50)) == (
        "Sorry about the wait. Your parcel left Lyon today.", "It is with you on Friday.",
    )  # fmt: skip


def test_a_paragraph_stays_one_where_there_is_room() -> None:
    assert make_thread("One.\n\nTwo.\nThree.", up_to(100)) == ("One.\n\nTwo.\nThree.",)


def test_a_sentence_that_is_too_long_is_cut_between_words_and_a_word_anywhere() -> None:
    assert make_thread("one two three four", up_to(9)) == ("one two", "three", "four")
    assert make_thread("abcdefghij", up_to(4)) == ("abcd", "efgh", "ij")


def test_each_post_but_the_first_begins_with_the_opening() -> None:
    parts = make_thread("@nadia First sentence here. Second sentence here. Third one.", up_to(30), "@nadia ")
    assert parts == ("@nadia First sentence here.", "@nadia Second sentence here.", "@nadia Third one.")


def test_a_text_that_would_take_more_posts_than_anybody_reads_is_refused() -> None:
    with pytest.raises(InvalidInput, match=f"thread of {MOST} posts"):
        make_thread("word " * 1000, up_to(20))


def test_lines_of_scissors_cut_and_come_back() -> None:
    text = put_together(["one", "two\n\nstill two", "three"])
    assert CUT in text
    assert cut_apart(text) == ("one", "two\n\nstill two", "three")
    assert cut_apart("one\r\n ✂ \r\ntwo".replace("\r\n", "\n")) == ("one", "two")
    assert is_cut(text)
    assert not is_cut("cut --- here, with ✂ scissors")
    assert cut_apart(f"{CUT}\n{CUT}") == ("",)


def test_what_a_thread_says_is_all_of_its_posts() -> None:
    assert whole(("a", "b"), "a") == "a\n\nb"
    assert whole((), "a") == "a"


def letters(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=60)
@given(st.text(alphabet="ab é👍🏽.!?\n", max_size=300), st.integers(8, 60))
def test_nothing_is_lost_and_every_post_fits(text: str, most: int) -> None:
    try:
        parts = make_thread(text, up_to(most))
    except InvalidInput:
        assert length(text, "bluesky") > most
        return
    assert letters("".join(parts)) == letters(text)
    assert all(length(part, "bluesky") <= most for part in parts)
    assert all(part == part.strip() for part in parts)
