"""From which certainty a reading counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.felt import felt, intent_bit, mood_number
from rapport.core.reading import Emotion, Intent, Reading, Sentiment
from rapport.core.thresholds import NAMES, SHIPPED, Thresholds, chance_of, read_thresholds
from rapport.core.understand.corrected import READINGS, value_of

READING = Reading(
    "x", "1", sentiment=Sentiment("negative", 0.55, 0.3, 0.15), intent=Intent(complaint=0.6, question=0.4),
    emotion=Emotion(anger=0.5), urgency=0.5, spam=0.49,
)  # fmt: skip


def test_every_reading_that_can_be_corrected_to_yes_or_no_has_a_threshold() -> None:
    assert set(NAMES) == set(READINGS) - {"sentiment", "language"}
    for name in NAMES:
        assert 0 <= chance_of(READING, name) <= 1
        assert SHIPPED.least(name) == 0.5


def test_what_ships_counts_from_a_half_on_and_the_most_probable_mood() -> None:
    assert SHIPPED.holds(READING, "urgency")
    assert SHIPPED.holds(READING, "emotion.anger")
    assert not SHIPPED.holds(READING, "spam")
    assert felt(READING) == (mood_number("negative"), intent_bit("complaint"))


def test_a_workspace_that_asks_for_more_or_less_gets_it() -> None:
    strict = Thresholds(complaint=0.7, question=0.3, negative=0.6)
    assert felt(READING, strict) == (mood_number("neutral"), intent_bit("question"))
    assert value_of(READING, "intent.complaint", strict) == "false"
    assert value_of(READING, "sentiment", strict) == "neutral"
    assert value_of(READING, "language", strict) == READING.language
    assert strict.mood(Reading("x", "1", sentiment=Sentiment("positive", 0.1, 0.2, 0.7))) == "positive"
    unsure = Reading("x", "1", sentiment=Sentiment("positive", 0.1, 0.3, 0.6))
    assert Thresholds(positive=0.65).mood(unsure) == "neutral"


@given(st.sampled_from(NAMES), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_higher_threshold_never_lets_more_count(name: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    short = name.rpartition(".")[2]
    if Thresholds(**{short: high}).holds(READING, name):
        assert Thresholds(**{short: low}).holds(READING, name)


@pytest.mark.parametrize(("name", "value"), [("spam", 0.0), ("spam", 1.0), ("complaint", -1), ("negative", 1.0),
                                             ("urgency", float("nan")), ("hate", float("inf"))])  # fmt: skip
def test_a_threshold_that_would_let_all_or_nothing_count_is_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=name):
        Thresholds(**{name: value})


def test_what_another_release_stored_is_read_as_far_as_it_can_be() -> None:
    assert read_thresholds({"complaint": 0.7, "gone": 3}) == Thresholds(complaint=0.7)
    assert read_thresholds({"complaint": "much"}) == SHIPPED
    assert read_thresholds({"complaint": 7}) == SHIPPED
    assert read_thresholds({}) == SHIPPED
