"""Mood and intents as numbers."""

import pytest

from rapport.core.felt import INTENTS, as_felt, felt, intent_bit, mood_number, mood_that_counts
from rapport.core.reading import Intent, Reading, Sentiment, Toward
from rapport.core.understand.corrected import apply


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


NEGATIVE, POSITIVE = Sentiment("negative", 0.9, 0.05, 0.05), Sentiment("positive", 0.05, 0.05, 0.9)


def test_the_mood_toward_ourselves_counts_in_place_of_that_of_the_whole_text() -> None:
    read = Reading("x", "1", sentiment=NEGATIVE)
    ours, theirs = Toward("acme", "Acme", POSITIVE, ours=True), Toward("globex", "Globex", NEGATIVE)
    assert mood_that_counts(read, ()) is None
    assert mood_that_counts(read, (theirs, ours)) is ours
    assert as_felt(read, (theirs, ours)).sentiment is POSITIVE
    assert as_felt(read, ()) is read


def test_where_none_is_ours_the_most_negative_counts() -> None:
    read = Reading("x", "1", sentiment=Sentiment())
    good, bad = Toward("acme", "Acme", POSITIVE), Toward("globex", "Globex", NEGATIVE)
    assert mood_that_counts(read, (good, bad)) is bad


def test_the_word_of_a_person_on_the_mood_counts_for_both() -> None:
    read = apply(Reading("x", "1", sentiment=NEGATIVE), {"sentiment": "positive"})
    toward = (Toward("acme", "Acme", NEGATIVE, ours=True),)
    assert mood_that_counts(read, toward) is None
    assert as_felt(read, toward).sentiment.label == "positive"
