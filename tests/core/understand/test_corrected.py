"""A person's word in place of the machine's, and which texts it holds for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.reading import Intent, Reading, Sentiment
from rapport.core.understand import why_spans
from rapport.core.understand.corrected import (
    READINGS,
    apply,
    check_value,
    is_corrected,
    measured,
    restore,
    text_key,
    value_of,
)

READ = Reading(
    "mastodon", "1", "en", 0.9, Sentiment("neutral", 0.3, 0.6, 0.1), intent=Intent(complaint=0.7, praise=0.2),
    urgency=0.4, spam=0.9, model="m", why=("sentiment: 'fine'", "complaint: 'late again'", "spam: 'win'"),
)  # fmt: skip
values = st.sampled_from(READINGS).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.sampled_from(
            ("negative", "neutral", "positive") if name == "sentiment"
            else ("de", "pt", "hin") if name == "language" else ("true", "false")
        ),
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is my  parcel?", "where is\nMY parcel?"),
        ("@brand where is my parcel?", "where is my parcel? @brand@example.social"),
        ("Look https://a.example/x?y=1 broken", "look broken https://b.example"),
        ("STRASSE", "straße"),
        (" Fine. ", "fine."),
    ],
)
def test_texts_that_say_the_same_share_a_key(one: str, other: str) -> None:
    assert text_key(one) == text_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("fine!", "fine?"), ("great 👍", "great 👎"), ("ask #brand", "ask brand"), ("ann@a.de", "ann")]
)
def test_texts_that_say_something_else_do_not(one: str, other: str) -> None:
    assert text_key(one) != text_key(other)


@pytest.mark.parametrize("text", ["", "  \n", "@brand", "@brand @other@a.example https://a.example/1"])
def test_a_text_without_words_of_its_own_has_no_key(text: str) -> None:
    assert text_key(text) == ""


@given(st.text())
def test_any_text_has_a_key_that_case_and_blanks_do_not_change(text: str) -> None:
    key = text_key(text)
    assert len(key) in {0, 32}
    assert text_key(f" {text}\n") == key


def test_a_hostile_text_is_keyed_at_once() -> None:
    for text in ("@" * 100_000, "@a" + "." * 100_000, "@a@" * 40_000, "https://" * 12_000, "@" + "-@" * 50_000):
        assert len(text_key(text)) in {0, 32}


@given(values)
def test_what_is_corrected_reads_as_the_person_said(correction: tuple[str, str]) -> None:
    name, value = correction
    said = apply(READ, {name: value})
    assert value_of(said, name) == value
    assert is_corrected(said, name)
    assert said.model == READ.model
    assert [value_of(said, other) for other in READINGS if other != name] == [
        value_of(READ, other) for other in READINGS if other != name
    ]


@given(values, values)
def test_taking_a_correction_back_leaves_the_machine_s_reading(first: tuple[str, str], second: tuple[str, str]) -> None:
    name, value = first
    machine = measured(READ, name)
    said = apply(apply(READ, {name: value}), dict([second]))
    if second[0] == name:
        said = apply(READ, {name: second[1]})
    back = restore(said, name, machine)
    other = second[0]
    if other != name:
        back = restore(back, other, measured(READ, other))
    assert set(back.why) == set(READ.why)
    assert [measured(back, each)[0] for each in READINGS] == [measured(READ, each)[0] for each in READINGS]


def test_probabilities_are_certain_and_the_reason_is_a_person() -> None:
    said = apply(READ, {"sentiment": "positive", "intent.complaint": "false", "urgency": "true", "language": "de"})
    assert said.sentiment == Sentiment("positive", 0.0, 0.0, 1.0)
    assert (said.intent.complaint, said.urgency, said.language, said.language_confidence) == (0.0, 1.0, "de", 1.0)
    assert set(said.why) == {
        "sentiment: corrected by a person", "complaint: not so, corrected by a person",
        "urgency: corrected by a person", "language: corrected by a person", "spam: 'win'",
    }  # fmt: skip
    assert why_spans(said, "late again, fine, win") == [(18, 21, "spam")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("mood", "negative"), ("sentiment", "angry"), ("language", "english"), ("spam", "maybe"), ("intent", "true")],
)
def test_what_cannot_be_said_is_refused_with_what_can(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_value(name, value)
    assert len(str(refusal.value)) > 20


def test_values_are_kept_in_one_spelling() -> None:
    assert [check_value("spam", " True "), check_value("language", "EN"), check_value("sentiment", "Neutral")] == [
        "true", "en", "neutral",
    ]  # fmt: skip
