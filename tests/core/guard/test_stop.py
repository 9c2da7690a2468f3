"""Who tells us to stop, and who merely says the word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.guard import stop_words
from rapport.core.guard.sameness import without_addresses
from rapport.core.guard.stop import STOP_PHRASES
from rapport.core.text import words

PIECES = st.sampled_from(
    [
        *(word for phrase in sorted(STOP_PHRASES) for word in phrase),
        *(
            "please",
            "Danke",
            "@brand",
            "https://x.example/stop",
            "\u0301",
            "\uff33top",
            "\u2019t",
            "#stop",
            "train",
            "...",
            "!",
        ),
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop.",
        "@brand stop!!",
        "@brand@example.social please leave me alone",
        "Unsubscribe me, thanks",
        "Don’t contact me again.",
        "Hör auf!",
        "Lasst mich in Ruhe",
        "Arrêtez svp",
        "déjenme en paz, por favor",
        "Avsluta",
    ],
)
def test_a_message_that_is_nothing_but_a_request_to_stop_is_one(text: str) -> None:
    assert stop_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please",
        "@brand",
        "Does the bus stop at Lee?",
        "stop charging my card, I cancelled in May",
        "How do I unsubscribe?",
        "I can't stop laughing",
        "stop " * 100,
    ],
)
def test_a_sentence_that_merely_contains_the_words_is_none(text: str) -> None:
    assert not stop_words(text)


@given(st.lists(st.tuples(PIECES, st.sampled_from([" ", "", ".", "\n"])), max_size=8))
def test_the_quick_look_never_overrules_the_whole_one(pieces: list[tuple[str, str]]) -> None:
    text = "".join(piece + gap for piece, gap in pieces)
    whole = tuple(words(without_addresses(text)).words)
    if whole in {tuple(words(" ".join(phrase)).words) for phrase in STOP_PHRASES} and len(text) <= 200:
        assert stop_words(text)
