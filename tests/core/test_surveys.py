"""Questions, answers and links of surveys."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.survey_words import WORDS
from rapport.core.surveys import (
    Question,
    check_questions,
    digest_of,
    direction_of,
    line_of,
    read_answers,
    read_questions,
    tokens_in,
    without_links,
    words_of,
)

ASKED = (Question("score", "How was it?"), Question("choice", "Where?", ("Shop", "Web")), Question("text", "Why?"))


def test_a_form_is_read_by_what_was_asked_and_what_is_left_out_is_none() -> None:
    found = read_answers(ASKED, {"q0": "4", "q2": " Good \r\n people ", "q9": "x", "workspace": "1"})
    assert (found.score, found.answers) == (4, (4, None, "Good \n people"))
    assert read_answers(ASKED, {"q1": "Web"}).score is None


@pytest.mark.parametrize(
    "form", [{}, {"q0": ""}, {"q2": " \x00 "}, {"q0": "6"}, {"q0": "٤٤"}, {"q1": "Moon"}, {"q2": "\ud800"}]
)
def test_what_was_not_asked_or_says_nothing_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        read_answers(ASKED, form)


@pytest.mark.parametrize(
    ("questions", "told"),
    [
        ([], "at least one"),
        ([Question("text", "A?")] * 6, "at most 5"),
        ([Question("score", "A?"), Question("score", "B?")], "Only one"),
        ([Question("text", "  ")], "no words"),
        ([Question("choice", "A?", ("one", " one "))], "2 to 8"),
        ([Question("text", "A" * 201)], "200"),
    ],
)
def test_a_survey_that_nobody_could_answer_is_refused(questions: list[Question], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        check_questions(questions)


def test_questions_that_cannot_be_read_are_left_out() -> None:
    assert read_questions([{"kind": "score", "text": "A?"}, {"kind": "sql", "text": "B?"}]) == (
        Question("score", "A?"),
    )


def test_a_link_is_found_in_a_text_and_taken_out_with_its_line() -> None:
    token = secrets.token_urlsafe(32)
    text = f"Thank you!\n\nHow was it? https://desk.example/s/{token}/"
    assert tokens_in(text) == (token,)
    assert line_of(text) == f"How was it? https://desk.example/s/{token}/"
    assert without_links(text) == "Thank you!"
    assert len(digest_of(token)) == 64


@given(st.text(max_size=300))
def test_no_text_breaks_the_search_for_links(text: str) -> None:
    assert (line_of(text) == "") == (tokens_in(text) == ())


def test_every_language_has_all_words_and_names_who_reads() -> None:
    for language, words in WORDS.items():
        assert words_of(language) == words
        assert "{name}" in words.read_by
        assert all(getattr(words, name).strip() for name in words.__struct_fields__)
    assert words_of("xx") == WORDS["en"]
    assert (direction_of("ar"), direction_of("de")) == ("rtl", "ltr")
