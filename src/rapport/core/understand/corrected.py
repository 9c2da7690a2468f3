"""What people say of a reading: which text it holds for, and the reading as they corrected it.

A correction is kept by the words of a post, not by the post: whoever says exactly the same is read the same from then
on. `text_key` says what "the same" is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from rapport.core.errors import InvalidInput
from rapport.core.reading import Emotion, Intent, Reading, Sentiment
from rapport.core.thresholds import SHIPPED, Thresholds, chance_of

MOODS = ("negative", "neutral", "positive")
INTENTS = Intent.__struct_fields__
EMOTIONS = Emotion.__struct_fields__
#: every reading that can be corrected, by the name that it is kept under
READINGS = (
    "sentiment", *(f"emotion.{name}" for name in EMOTIONS), *(f"intent.{name}" for name in INTENTS),
    "urgency", "personal", "irony", "offensive", "hate", "spam", "language",
)  # fmt: skip
#: what a corrected reading gives as its reason, behind its name
BY_A_PERSON = "corrected by a person"
#: reading -> its value as `check_value` gives it, for one text
Corrected = Mapping[str, str]

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_LEFT_OUT = re.compile(r"https?://\S+|(?<![\w@])@[\w.-]*\w(?:@[\w.-]*\w)?")


def text_key(text: str) -> str:
    """32 hexadecimal digits that are the same for texts that say the same; "" for one that holds no words of its own.

    Left out: handles (@ann, @ann@example.social) and links, so that the same words to another account are the same.
    Then case is folded and white space becomes single blanks. Punctuation, emoji and hashtags count: "fine!" and
    "fine?" are two texts. Linear in the length of the text.
    """
    plain = _LEFT_OUT.sub(" ", text) if "@" in text or "://" in text else text
    said = " ".join(plain.casefold().split())
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest() if said else ""


def check_value(name: str, value: str) -> str:
    """The value as it is kept: a mood, a language code of two or three letters, "true" or "false".

    Raises `InvalidInput` for a reading that cannot be corrected and a value that it cannot have.
    """
    if name not in READINGS:
        raise InvalidInput(f"{name!r} is no reading that can be corrected; these can: {', '.join(READINGS)}.")
    wanted = value.strip().lower()
    if name == "sentiment" and wanted not in MOODS:
        raise InvalidInput(f"The mood is one of {', '.join(MOODS)}.")
    if name == "language" and not _LANGUAGE.fullmatch(wanted):
        raise InvalidInput("A language is given by its code of two or three letters, such as en or pt.")
    if name not in {"sentiment", "language"} and wanted not in {"true", "false"}:
        raise InvalidInput(f"{name} is either true or false.")
    return wanted


def value_of(reading: Reading, name: str, thresholds: Thresholds = SHIPPED) -> str:
    """What a reading says under this name, in the words of `check_value`, as far as it counts."""
    if name == "sentiment":
        return thresholds.mood(reading)
    if name == "language":
        return reading.language
    return "true" if thresholds.holds(reading, name) else "false"


def apply(reading: Reading, corrections: Corrected) -> Reading:
    """The reading with the word of a person in place of the machine's: probability 1 for what holds, 0 for what does
    not, and a line in `why`. `model` keeps its name, because the rest is still its work.
    """
    for name, value in corrections.items():
        reading = _with(reading, name, value)
    return reading


def measured(reading: Reading, name: str) -> list[Any]:
    """What the machine read under this name, and its reasons: what `restore` takes."""
    reasons = [line for line in reading.why if _is_about(line, name)]
    if name == "sentiment":
        felt = reading.sentiment
        return [[felt.label, felt.negative, felt.neutral, felt.positive], reasons]
    if name == "language":
        return [[reading.language, reading.language_confidence], reasons]
    return [[chance_of(reading, name)], reasons]


def restore(reading: Reading, name: str, machine: list[Any]) -> Reading:
    """The reading as it was before anybody corrected it under this name; `machine` as `measured` gave it."""
    values, reasons = machine
    rest = tuple(line for line in reading.why if not _is_about(line, name))
    reading = msgspec.structs.replace(reading, why=(*reasons, *rest))
    if name == "sentiment":
        return msgspec.structs.replace(reading, sentiment=Sentiment(*values))
    if name == "language":
        return msgspec.structs.replace(reading, language=values[0], language_confidence=values[1])
    return _with_number(reading, name, values[0])


def is_corrected(reading: Reading, name: str) -> bool:
    """Whether what stands under this name is the word of a person."""
    return any(_is_about(line, name) and line.endswith(BY_A_PERSON) for line in reading.why)


def _with(reading: Reading, name: str, value: str) -> Reading:
    line = f"{name.rpartition('.')[2]}: {'not so, ' if value == 'false' else ''}{BY_A_PERSON}"
    rest = tuple(each for each in reading.why if not _is_about(each, name))
    reading = msgspec.structs.replace(reading, why=(line, *rest))
    if name == "sentiment":
        felt = Sentiment(value, *(float(mood == value) for mood in MOODS))
        return msgspec.structs.replace(reading, sentiment=felt)
    if name == "language":
        return msgspec.structs.replace(reading, language=value, language_confidence=1.0)
    return _with_number(reading, name, float(value == "true"))


def _is_about(line: str, name: str) -> bool:
    """Whether a line of `Reading.why` gives the reason of this reading."""
    return line.partition(": ")[0] == name.rpartition(".")[2]


def _with_number(reading: Reading, name: str, number: float) -> Reading:
    group, _, last = name.rpartition(".")
    if group:
        number_in = msgspec.structs.replace(getattr(reading, group), **{last: number})
        return msgspec.structs.replace(reading, **{group: number_in})
    changed: Reading = msgspec.structs.replace(reading, **{last: number})
    return changed
