"""From which certainty a reading counts: a workspace may ask for more than "more likely than not", or for less."""

from __future__ import annotations

from typing import Any

import msgspec

from rapport.core.errors import InvalidInput
from rapport.core.reading import Reading

#: from here on a reading holds where a workspace asks for nothing else: it is likelier than not
HOLDS = 0.5
#: readings that hold or do not, by the name that corrections and pages know them by, in the order of `Thresholds`
NAMES = (
    "intent.complaint", "intent.question", "intent.request", "intent.praise", "intent.purchase", "intent.report",
    "emotion.anger", "emotion.joy", "emotion.optimism", "emotion.sadness",
    "urgency", "personal", "irony", "offensive", "hate", "spam",
)  # fmt: skip
#: the moods that can be asked to be surer
MOODS = ("negative", "positive")


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each between 0.01 and 0.99. A mood below its own counts as neutral; 0 asks nothing of it."""

    complaint: float = HOLDS
    question: float = HOLDS
    request: float = HOLDS
    praise: float = HOLDS
    purchase: float = HOLDS
    report: float = HOLDS
    anger: float = HOLDS
    joy: float = HOLDS
    optimism: float = HOLDS
    sadness: float = HOLDS
    urgency: float = HOLDS
    personal: float = HOLDS
    irony: float = HOLDS
    offensive: float = HOLDS
    hate: float = HOLDS
    spam: float = HOLDS
    negative: float = 0.0
    positive: float = 0.0

    def __post_init__(self) -> None:
        """Raises `InvalidInput` for a number that would let everything count, or nothing."""
        for name, value in msgspec.structs.asdict(self).items():
            least = 0.0 if name in MOODS else 0.01
            if not least <= value <= 0.99:  # also where it is no number
                raise InvalidInput(f"From which certainty {name} counts must lie between {least:g} and 0.99.")

    def least(self, name: str) -> float:
        """The certainty from which a reading counts; `name` as in `NAMES`."""
        value: float = getattr(self, name.rpartition(".")[2])
        return value

    def holds(self, reading: Reading, name: str) -> bool:
        """Whether a reading counts; `name` as in `NAMES`."""
        return chance_of(reading, name) >= self.least(name)

    def mood(self, reading: Reading) -> str:
        """The mood that counts: the most probable one, neutral where it is not sure enough."""
        label = reading.sentiment.label
        if label == "negative" and reading.sentiment.negative < self.negative:
            return "neutral"
        if label == "positive" and reading.sentiment.positive < self.positive:
            return "neutral"
        return label


#: what counts where nobody set anything
SHIPPED = Thresholds()


def chance_of(reading: Reading, name: str) -> float:
    """The probability of a reading of `NAMES`, or of a mood."""
    if name in MOODS:
        found: float = getattr(reading.sentiment, name)
    else:
        group, _, last = name.rpartition(".")
        found = getattr(getattr(reading, group) if group else reading, last)
    return found


def read_thresholds(stored: dict[str, Any]) -> Thresholds:
    """Thresholds as they are stored; what is missing, or of another release, has its shipped value."""
    known = {name: stored[name] for name in Thresholds.__struct_fields__ if name in stored}
    try:
        return msgspec.convert(known, Thresholds)
    except (msgspec.ValidationError, InvalidInput):
        return SHIPPED
