from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from rapport.core.acknowledge import (
    EXAMPLE,
    Wish,
    check_texts,
    choose_text,
    is_honest,
    speaks_to_us,
    why_not,
    write,
)
from rapport.core.errors import InvalidInput
from rapport.core.guard.autonomy import ActFacts
from rapport.core.post import Author, Post

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
POST = Post("mastodon", "1", "Help", NOON, Author(id="n"), kind="message")
WISH = Wish(POST, "care", "open", ActFacts(), frozenset({"fernway"}), said=False, answered=False)


def changed(**fields: Any) -> Wish:
    return msgspec.structs.replace(WISH, **fields)


def test_a_fresh_word_to_us_in_a_chosen_basket_is_acknowledged() -> None:
    assert why_not(WISH, {"care"}, NOON) == ""


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (changed(said=True), "already"),
        (changed(answered=True), "A person has answered"),
        (changed(state="quarantined"), "not open"),
        (changed(basket="praise"), "not said in this basket"),
        (changed(post=msgspec.structs.replace(POST, created_at=NOON - dt.timedelta(minutes=61))), "older"),
        (changed(post=msgspec.structs.replace(POST, kind="post")), "does not speak to us"),
        (changed(post=msgspec.structs.replace(POST, kind="review")), "does not speak to us"),
        (changed(facts=ActFacts(ours=True)), "our own"),
        (changed(facts=ActFacts(automated=True)), "automated"),
        (changed(facts=ActFacts(ignored=True)), "not to answer"),
        (changed(facts=ActFacts(suppressed=True)), "stop"),
        (changed(facts=ActFacts(crisis=True)), "crisis"),
        (changed(facts=ActFacts(held=True)), "held"),
    ],
)
def test_it_is_not_said_where_it_must_not_be(wish: Wish, words: str) -> None:
    assert words in why_not(wish, {"care"}, NOON)


def test_a_public_post_speaks_to_us_where_it_names_us() -> None:
    public = msgspec.structs.replace(POST, kind="post", mentions=("Fernway", "other"))
    assert speaks_to_us(public, {"fernway"})
    assert not speaks_to_us(public, {"brand"})
    assert speaks_to_us(msgspec.structs.replace(public, mentions=("@Fernway",)), {"fernway"})  # as an import has it
    assert not speaks_to_us(msgspec.structs.replace(public, kind="repost"), {"fernway"})


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE, "Automatische Antwort: ein Mensch liest das.", "Ceci est une réponse AUTOMATIQUE.",
        "Mensaje automático", "To jest wiadomość automatyczna", "Bu otomatik bir mesajdır", "これは自動返信です",
        "这是自动回复",
        "Это автоматическое сообщение", "Αυτό είναι ένα αυτόματο μήνυμα", "นี่คือข้อความอัตโนมัติ",
        "यह एक स्वचालित संदेश है",
    ],
)  # fmt: skip
def test_the_honest_word_is_known_in_many_languages(text: str) -> None:
    assert is_honest(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello, I am Ann and I will help you.", "This is not an automatic message", "This isn’t an automatic message",
        "Das ist keine automatische Antwort",
    ],
)  # fmt: skip
def test_a_text_that_hides_or_denies_the_machine_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(InvalidInput, match="automatic message"):
        check_texts({"": text})


def test_placeholders_languages_and_lengths_are_checked() -> None:
    assert check_texts({" EN ": f" {EXAMPLE} ", "de": " "}) == {"en": EXAMPLE}
    with pytest.raises(InvalidInput, match="first_name"):
        check_texts({"": "An automatic message for {first_name}"})
    with pytest.raises(InvalidInput, match="no code"):
        check_texts({"english": "automatic"})
    with pytest.raises(InvalidInput, match="characters"):
        check_texts({"": "automatic " * 300})


def test_the_text_is_in_the_language_of_the_post_where_there_is_one() -> None:
    texts = {"": "all", "de": "deutsch"}
    german = ("deutsch", "de")
    assert [choose_text(texts, language) for language in ("de", "de-AT")] == [german, german]
    assert [choose_text(texts, language) for language in ("fr", "und", "")] == [("all", "")] * 3
    assert choose_text({"de": "deutsch"}, "fr") == ("", "")


def test_names_that_are_more_than_a_name_are_left_out_with_their_blank() -> None:
    said = write(
        EXAMPLE, name="@all https://evil.example", hours="round the clock", help_links=["https://help.example"]
    )
    assert said.startswith("Hello, this is an automatic message")
    assert said.endswith("until then: https://help.example")
    assert write("Hi {name}! {hours}", name="Ann Lee", hours="{name}", help_links=[]) == "Hi Ann! {name}"
