"""Why a conversation is where it is, in German: every phrase that the core says is known to the pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import translation

from rapport.core.rules import words
from rapport.web.why_words import PHRASES, said_reading, said_why, short_why

SAID = {
    "complaint 0.95 and urgency 0.65": "Beschwerde 0,95 und Dringlichkeit 0,65",
    "speaks to us and anger 0.69": "spricht uns an und Ärger 0,69",
    "complaint 0.91 and third negative in 30 days": "Beschwerde 0,91 und zum dritten Mal negativ in 30 Tagen",
    "complaint 0.94 and 7,600 followers": "Beschwerde 0,94 und 7.600 Follower",
    "23rd negative in 1 day": "zum 23. Mal negativ in 1 Tag",
    "a repost and a bot": "ein geteilter Beitrag und ein Bot",
    "complaint 0.9, 2 earlier negative in 30 days": "Beschwerde 0,9, früher 2 Mal negativ in 30 Tagen",
    "last seen 3 hours ago": "zuletzt gesehen vor 3 Stunden",
    "unanswered since 1 hour ago": "unbeantwortet seit 1 Stunde",
    "bio of 300 characters": "Selbstbeschreibung mit 300 Zeichen",
    "negative 0.93 toward Acme, anger 0.70": "negativ 0,93 gegenüber Acme, Ärger 0,70",
    "12 negative posts in 3 hours, usually 2": "12 negative Beiträge in 3 Stunden, sonst 2",
    "no clear intent": "keine klare Absicht",
    "something else": "something else",
    "": "",
}


@pytest.mark.parametrize("why", SAID)
def test_a_reason_is_said_in_german(why: str) -> None:
    with translation.override("de"):
        assert said_why(why) == SAID[why]
    with translation.override("en"):
        assert said_why(why) == why


def test_what_was_read_is_named_as_on_the_pages() -> None:
    with translation.override("de"):
        assert said_reading("complaint: 'again', 'not let'") == "Beschwerde: 'again', 'not let'"
        assert said_reading("sentiment: rated 1 of 5, 'waited'") == "Stimmung: bewertet mit 1 von 5, 'waited'"
    assert said_reading("sentiment: 'waited'") == "sentiment: 'waited'"


def test_every_phrase_of_the_rules_is_known() -> None:
    said: list[Any] = [each for pair in words._YES_NO.values() for each in pair if each]
    said += [words.say_number(name, amount) for name in words._AMOUNTS for amount in (1, 4120)]
    said += [words.say_number("rating", stars) for stars in (1, 4.5)]
    said += [words.say_text("kind", kind) for kind in ("post", "reply", "quote", "review", "topic", "mail")]
    said += [words.say_since(name, 3.0, "hours_since") for name in words._SINCE]
    said += [words.say_since(name, 0.2, "hours_since") for name in words._SINCE]
    said += [words.say_size(name, "text", number) for name in ("words", "length") for number in (1, 1200)]
    with translation.override("de"):
        assert [each for each in said if said_why(each) == each and "Follower" not in each] == []


def test_spans_and_numbers_of_a_reason_fit_its_templates() -> None:
    with translation.override("de"):
        assert said_why(f"{words.ordinal(2)} post in {words.show_span(dt.timedelta(hours=1.5))}") == (
            "zum zweiten Mal geschrieben in 1,5 Stunden"
        )
    assert len(set(PHRASES)) == len(PHRASES)


@pytest.mark.parametrize(
    ("why", "english", "german"),
    [
        ("complaint 0.95 and urgency 0.65", "complaint and urgency", "Beschwerde und Dringlichkeit"),
        ("complaint 1 and third negative in 30 days", "complaint and third negative in 30 days",
         "Beschwerde und zum dritten Mal negativ in 30 Tagen"),
        ("praise 0.9, 2 earlier negative in 30 days", "praise, 2 earlier negative in 30 days",
         "Lob, früher 2 Mal negativ in 30 Tagen"),
        ("score 48 and 1 follower", "score 48 and 1 follower", None),
        ("complaint 12 hours ago", "complaint 12 hours ago", None),
    ],
)  # fmt: skip
def test_a_glance_leaves_out_how_sure_a_reading_is(why: str, english: str, german: str | None) -> None:
    assert short_why(why) == english
    with translation.override("de"):
        assert german in (None, short_why(why))
