"""Prepared replies become drafts, and strangers' names stay names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.draft import check_template, distance, first_name, is_stale, prepare, retell
from rapport.core.errors import InvalidInput
from rapport.core.reply import Draft


def test_a_template_is_filled_with_the_names() -> None:
    text = prepare(
        "Hello {first_name} ({handle}), I am {agent} of { brand }.",
        name="Ann Lee 🌈",
        handle="ann@example.social",
        agent="Bob",
        brand="Acme & Co",
    )
    assert text == "Hello Ann (@ann@example.social), I am Bob of Acme & Co."


def test_a_handle_gets_one_sign_even_where_the_template_wrote_it() -> None:
    assert prepare("@{handle} and {handle}", handle="@ann") == "@ann and @ann"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {first_name}, good question.", "Hello, good question."),
        ("I am sorry, {first_name}, that is wrong.", "I am sorry, that is wrong."),
        ("Thank you, {first_name}!", "Thank you!"),
        ("{first_name}, hello", "hello"),
        ("{handle} hello\n{first_name} there", "hello\nthere"),
    ],
)
def test_a_missing_name_leaves_no_gap(template: str, text: str) -> None:
    assert prepare(template) == text


@pytest.mark.parametrize(
    ("template", "place", "hint"),
    [
        ("Hi {frist_name}", "line 1, column 4", "{first_name}?"),
        ("Hi\nyou {}", "line 2, column 5", "there are"),
        ("{first_name} {agent.password}", "line 1, column 14", "there"),
    ],
)
def test_an_unknown_placeholder_is_refused_with_its_place_and_the_nearest_name(
    template: str, place: str, hint: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(place)) as caught:
        check_template(template)
    assert hint in str(caught.value)
    with pytest.raises(InvalidInput):
        prepare(template)


def test_a_brace_that_is_no_placeholder_stays_as_it_is() -> None:
    assert prepare(":-{ and {{first_name}}", name="Ann") == ":-{ and {Ann}"


def test_a_name_is_never_read_as_a_template() -> None:
    assert prepare("Hi {agent} {first_name}", agent="{brand}", brand="secret", name="{brand}") == "Hi {brand} brand"


@pytest.mark.parametrize(
    ("display", "name"),
    [
        ("Ann", "Ann"),
        ("  ann   lee ", "ann"),
        ("Dr. Ann Lee", "Ann"),
        ("Zoë", "Zoë"),
        ("O'Brien", "O'Brien"),
        ("Jean-Luc Picard", "Jean-Luc"),
        ("山田 太郎", "山田"),
        ("مريم", "مريم"),
        ("@boss", ""),
        ("@boss Ann", "Ann"),
        ("https://evil.example/x", ""),
        ("evil.example Ann", "Ann"),
        ("javascript:alert(1)", ""),
        ("www.evil.example", ""),
        ("#sale now", "now"),
        ("<b>Ann</b>", ""),
        ("Ann\u202egro.live", ""),
        ("Ann\u202e", "Ann"),
        ("A\u200bnn", "Ann"),
        ("Ann\nBcc: all", "Ann"),
        ("\uff20boss", ""),
        ("evil\u3002example", ""),
        ("🌈🌈", ""),
        ("4ever", ""),
        ("", ""),
    ],
)
def test_the_first_name_is_the_first_word_that_is_nothing_but_a_name(display: str, name: str) -> None:
    assert first_name(display) == name


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_display_name_or_handle_smuggles_a_link_a_mention_or_a_line_into_a_reply(name: str, handle: str) -> None:
    text = prepare("Hi {first_name}!", name=name, handle=handle)
    assert not re.search(r"[@#<>/:.\n\r\x00\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text)
    assert len(text) <= 50
    addressed = prepare("{handle}", handle=handle)
    assert re.fullmatch(r"(?:@[\w.=+-]+(?:@[\w.-]+|:[\w-]+\.[\w.-]+(?::\d+)?)?)?", addressed)


@pytest.mark.parametrize("handle", ["ann:matrix.org", "ann.b=c+d:matrix.example.org", "@ann:matrix.example:8448"])
def test_an_id_of_matrix_is_a_handle(handle: str) -> None:
    assert prepare("{handle}: hello", handle=handle) == f"@{handle.removeprefix('@')}: hello"
    assert retell(f"@{handle.removeprefix('@')}: hello", was_handle=handle, handle="ben:matrix.org") == "hello"
    said = f"I asked @{handle.removeprefix('@')} already"
    assert retell(said, was_handle=handle, handle="ben:matrix.org") == "I asked @ben:matrix.org already"


@pytest.mark.parametrize(
    "handle",
    [
        *("a b", "ann https://evil.example", "ann\n@boss", "@", "a" * 300, "<b>", "ann@b@c"),
        *("https://evil.example", "ann:evil.example/path", "ann:8080", "ann:b.example:8448:1", "javascript:alert"),
    ],
)
def test_a_handle_that_is_none_is_left_out(handle: str) -> None:
    assert prepare("{handle} hello", handle=handle) == "hello"


def test_a_draft_is_stale_when_they_have_spoken_since() -> None:
    draft = Draft("Hello", based_on="7")
    assert not is_stale(draft, "7")
    assert is_stale(draft, "8")
    assert not is_stale(draft, None)
    assert is_stale(Draft("Hello"), "1")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("@ann Hi Ann, we look into it. ^BW", "Hi Ben, we look into it."),
        ("@ann@example.social, sorry Ann! /Lea", "sorry Ben!"),
        ("Ask @ann about Annabel", "Ask @ben about Annabel"),
        ("Write to us - we answer", "Write to us - we answer"),
    ],
)
def test_an_answer_to_one_is_told_to_another_with_their_name(said: str, told: str) -> None:
    assert retell(said, was_name="Ann Lee", was_handle="ann", name="Ben Ito", handle="ben") == told


def test_an_answer_is_told_to_somebody_without_a_name() -> None:
    assert retell("Hello Ann, good question.", was_name="Ann", name="") == "Hello, good question."


@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_retelling_reads_anything(text: str, was: str, name: str, handle: str) -> None:
    assert "\x00" not in retell(text, was_name=was, was_handle=was, name=name, handle=handle)


def test_the_distance_is_the_share_of_words_that_changed() -> None:
    assert distance("We look into it", "we look  into it") == 0.0
    assert distance("we look into it", "we looked into it") == 0.25
    assert distance("we look into it", "we look into it right now") == pytest.approx(2 / 6)
    assert distance("", "anything") == distance("one", "other") == 1.0
    assert distance("", " ") == 0.0


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_the_distance_is_the_same_from_both_ends(one: list[str], other: list[str]) -> None:
    there, back = distance(" ".join(one), " ".join(other)), distance(" ".join(other), " ".join(one))
    assert there == back
    assert 0.0 <= there <= 1.0
    assert (there == 0.0) is (one == other)
