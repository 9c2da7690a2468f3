"""Readings for people: what pages call them, in which order they are asked for, and by which key."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from rapport.core.decision import Outcome
from rapport.core.felt import mood_that_counts
from rapport.core.reading import Reading, Toward
from rapport.core.thresholds import NAMES as COUNTED
from rapport.core.thresholds import SHIPPED, Thresholds, chance_of
from rapport.core.understand import why_spans
from rapport.core.understand.corrected import MOODS, is_corrected, value_of
from rapport.core.understand.spans import find_words
from rapport.web.words import Span, tone

#: name of a reading -> what pages call it
NAMES = {
    "sentiment": gettext_lazy("Mood"),
    "emotion.anger": gettext_lazy("Anger"),
    "emotion.joy": gettext_lazy("Joy"),
    "emotion.optimism": gettext_lazy("Optimism"),
    "emotion.sadness": gettext_lazy("Sadness"),
    "intent.complaint": gettext_lazy("Complaint"),
    "intent.question": gettext_lazy("Question"),
    "intent.request": gettext_lazy("Request"),
    "intent.praise": gettext_lazy("Praise"),
    "intent.purchase": gettext_lazy("Wants to buy"),
    "intent.report": gettext_lazy("Reports something"),
    "urgency": gettext_lazy("Urgent"),
    "personal": gettext_lazy("Asks for a personal answer"),
    "irony": gettext_lazy("Irony"),
    "offensive": gettext_lazy("Offensive"),
    "hate": gettext_lazy("Hate"),
    "spam": gettext_lazy("Spam"),
    "language": gettext_lazy("Language"),
}
#: what stands in front of a line of `Reading.why` -> what pages call it
REASONS = {
    "negative": pgettext_lazy("mood", "Negative"),
    "neutral": pgettext_lazy("mood", "Neutral"),
    "positive": pgettext_lazy("mood", "Positive"),
    **{name.rpartition(".")[2]: label for name, label in NAMES.items() if name not in {"sentiment", "language"}},
}
#: the key of each choice while the sheet is open: no two are the same, and none is z (undo), w (marks) or k (language)
LETTERS = {
    "sentiment=negative": "n", "sentiment=neutral": "u", "sentiment=positive": "p",
    "emotion.anger": "f", "emotion.joy": "j", "emotion.optimism": "m", "emotion.sadness": "d",
    "intent.complaint": "c", "intent.question": "q", "intent.request": "r", "intent.praise": "a",
    "intent.purchase": "b", "intent.report": "t", "urgency": "g", "personal": "l", "irony": "i", "offensive": "o",
    "hate": "h", "spam": "s",
}  # fmt: skip
#: readings whose words are everywhere ("I", "my"): marking them would hide the others
_UNMARKED = frozenset({"personal", "irony"})


class Toggle(msgspec.Struct, frozen=True):
    """One choice of the sheet."""

    label: str
    #: what pressing it says: "intent.complaint=false"
    says: str
    letter: str
    #: it holds now
    on: bool
    #: how sure the machine is; None where a person said it
    sure: float | None


class Carried(msgspec.Struct, frozen=True):
    """A reading of one post with the words that carried it."""

    #: as marks name it
    name: str
    label: str
    tone: str
    #: the words, in the order of the text, each once
    words: tuple[str, ...]


def mood_toggles(reading: Reading, counting: Thresholds = SHIPPED) -> list[Toggle]:
    """The three moods; the one that counts is on."""
    said, on = is_corrected(reading, "sentiment"), counting.mood(reading)
    return [
        Toggle(
            str(REASONS[mood]), f"sentiment={mood}", LETTERS[f"sentiment={mood}"], mood == on,
            None if said and mood == on else getattr(reading.sentiment, mood),
        )
        for mood in MOODS
    ]  # fmt: skip


def toggles(reading: Reading, names: tuple[str, ...], counting: Thresholds = SHIPPED) -> list[Toggle]:
    """Readings that count or do not; pressing one says the opposite."""
    found = []
    for name in names:
        on = value_of(reading, name, counting) == "true"
        says = f"{name}={'false' if on else 'true'}"
        shown = None if is_corrected(reading, name) else chance_of(reading, name)
        found.append(Toggle(str(NAMES[name]), says, LETTERS[name], on, shown))
    return found


def language_name(code: str) -> str:
    """A language by its name, in the words of the reader; its code where Django knows none."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def value_word(reading: str, value: str) -> str:
    """The value of a correction as pages say it."""
    if reading == "sentiment":
        return str(REASONS.get(value, value)).lower()
    if reading == "language":
        return language_name(value)
    return _("yes") if value == "true" else _("no")


def reason_word(name: str) -> str:
    """What carried words are shown for."""
    return str(REASONS.get(name, name))


def spans_of(judgement: Outcome | None, text: str, counting: Thresholds = SHIPPED) -> list[Span]:
    """The places of the words that carried a reading that counts, as far as marking them tells a reader something."""
    if judgement is None:
        return []
    mood = judgement.reading.sentiment.label
    names = {name.rpartition(".")[2] for name in COUNTED if not counting.holds(judgement.reading, name)}
    left_out = _UNMARKED | names | ({mood} - {counting.mood(judgement.reading)})
    read = [
        (start, end, mood if name == "sentiment" else name) for start, end, name in why_spans(judgement.reading, text)
    ]
    if apart := towards(judgement):
        # each brand's words in its own mood: those of the whole text would mix them
        read = [span for span in read if span[2] != mood]
        read += [
            (start, end, each.sentiment.label)
            for each in apart
            for start, end in find_words(each.words, text)
            if each.sentiment.label != "neutral"
        ]
        left_out -= set(MOODS)
    return [span for span in sorted(set(read)) if span[2] not in left_out and _tells(text[span[0] : span[1]])]


def towards(judgement: Outcome | None) -> tuple[Toward, ...]:
    """The moods toward brands that say something else than the whole text, or than each other; ours first."""
    if judgement is None or mood_that_counts(judgement.reading, judgement.toward) is None:
        return ()
    labels = {judgement.reading.sentiment.label, *(each.sentiment.label for each in judgement.toward)}
    return tuple(sorted(judgement.toward, key=lambda each: not each.ours)) if len(labels) > 1 else ()


def toward_word(toward: Toward) -> str:
    """ "negative toward Acme"."""
    if toward.sentiment.label == "negative":
        return _("negative toward %(name)s") % {"name": toward.name}
    if toward.sentiment.label == "positive":
        return _("positive toward %(name)s") % {"name": toward.name}
    return _("neutral toward %(name)s") % {"name": toward.name}


def _tells(words: str) -> bool:
    """A lone "my" or "?" carried something, yet marked it would say nothing to a reader; an emoji does."""
    return len(words) > 2 or not (words.isascii() and words)


def carried_by(judgement: Outcome | None, text: str, counting: Thresholds = SHIPPED) -> list[Carried]:
    """Every reading whose words are marked, in the order in which the machine gives its reasons."""
    words: dict[str, list[str]] = {}
    for start, end, name in spans_of(judgement, text, counting):
        said = words.setdefault(name, [])
        if text[start:end] not in said:
            said.append(text[start:end])
    if judgement is None:
        return []
    mood = judgement.reading.sentiment.label
    order = [each.sentiment.label for each in towards(judgement)]
    order += [mood if line.startswith("sentiment: ") else line.partition(": ")[0] for line in judgement.reading.why]
    named = [name for name in dict.fromkeys(order) if name in words]
    return [Carried(name, reason_word(name), tone(name), tuple(words[name])) for name in named]


def describe(row: Any) -> str:
    """A correction in one line: "Mood: negative"."""
    return f"{NAMES.get(row.reading, row.reading)}: {value_word(row.reading, row.value)}"
