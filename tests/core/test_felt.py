"""Mood and intents as numbers."""

import pytest

from rapport.core.felt import INTENTS, felt, intent_bit, mood_number
from rapport.core.reading import Intent, Reading, Sentiment


def test_every_intent_of_a_reading_has_a_bit_of_its_own() -> None:
    assert Intent.__struct_fields__ == INTENTS
    assert sorted(map(intent_bit, INTENTS)) == [1, 2, 4, 8, 16, 32]


def test_a_reading_becomes_the_number_of_its_mood_and_the_bits_of_what_is_there() -> None:
    read = Reading("x", "1", sentiment=Sentiment("positive"), intent=Intent(praise=0.5, question=0.9, report=0.49))
    assert felt(read) == (3, intent_bit("praise") | intent_bit("question"))


def test_what_is_no_mood_counts_as_nothing_read() -> None:
    assert [mood_number(label) for label in ("negative", "neutral", "positive", "", "odd")] == [1, 2, 3, 0, 0]
    with pytest.raises(ValueError, match="tuple"):
        intent_bit("anger")
