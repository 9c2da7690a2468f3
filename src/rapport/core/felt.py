"""Mood and intents of a post as two small numbers: what lists are filtered by."""

from __future__ import annotations

from rapport.core.reading import Intent, Reading
from rapport.core.thresholds import SHIPPED, Thresholds

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


def felt(reading: Reading, thresholds: Thresholds = SHIPPED) -> tuple[int, int]:
    """(number of the mood, bits of the intents), as far as they count."""
    return mood_number(thresholds.mood(reading)), intent_bits(reading.intent, thresholds)
