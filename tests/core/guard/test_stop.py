"""Who tells us to stop, and who merely says the word."""

from __future__ import annotations

import pytest

from rapport.core.guard import stop_words


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
