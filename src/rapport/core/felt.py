"""Which mood of a post counts for us; mood and intents as two small numbers: what lists are filtered by."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from rapport.core.decision import Outcome
from rapport.core.reading import Intent, Reading, Toward
from rapport.core.thresholds import SHIPPED, Thresholds
from rapport.core.understand.corrected import is_corrected

#: the number of a mood is its place here; 0 says that nothing was read
MOODS = ("", "negative", "neutral", "positive")
#: the bit of an intent is 1 << its place here: kept in the database, so append only
INTENTS = ("complaint", "question", "request", "praise", "purchase", "report")


def mood_number(label: str) -> int:
    """Place of a mood in `MOODS`; 0 for what is none."""
    return MOODS.index(label) if label in MOODS else 0


def intent_bit(name: str) -> int:
    """The bit of one intent. Raises `ValueError` for what is none."""
    return 1 << INTENTS.index(name)


def intent_bits(intent: Intent, thresholds: Thresholds = SHIPPED) -> int:
    """The bits of every intent that counts."""
    return sum(1 << place for place, name in enumerate(INTENTS) if getattr(intent, name) >= getattr(thresholds, name))


def mood_that_counts(reading: Reading, toward: Sequence[Toward]) -> Toward | None:
    """What counts in place of the mood of the whole text: of several the most negative, of those toward ourselves
    where there are any. None where the whole counts: nothing else was read, or a person said what the mood is.
    """
    if not toward or is_corrected(reading, "sentiment"):
        return None
    return max([each for each in toward if each.ours] or toward, key=lambda each: each.sentiment.negative)


def as_felt(reading: Reading, toward: Sequence[Toward]) -> Reading:
    """The reading with the mood that counts."""
    found = mood_that_counts(reading, toward)
    return reading if found is None else replace(reading, sentiment=found.sentiment)


def felt_of(outcome: Outcome) -> Reading:
    """The reading of an outcome with the mood that counts."""
    return as_felt(outcome.reading, outcome.toward)


def felt(reading: Reading, thresholds: Thresholds = SHIPPED) -> tuple[int, int]:
    """(number of the mood, bits of the intents), as far as they count."""
    return mood_number(thresholds.mood(reading)), intent_bits(reading.intent, thresholds)
