"""The weighted words that the readings are made of, and the search for them in a text."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from typing import NamedTuple

from rapport.core.errors import RapportError
from rapport.core.understand.features import Features, extract, squeeze

#: The readings that words speak for, in the order of `Entry.marks`.
READINGS = (
    "complaint", "question", "request", "praise", "purchase", "report", "urgency", "personal", "spam", "offensive",
    "anger", "joy", "optimism", "sadness",
)  # fmt: skip
_PLACE = {name: place for place, name in enumerate(READINGS)}

#: Languages that have a table of their own. Every other language is read by signs common to all (emoji, "!", "?").
LANGUAGES = ("en", "es", "fr", "de", "it", "pt")

#: Terms that are named as the reasons of one reading.
MAX_REASONS = 4

_COMMON = "common.tsv"
_FILES = {"en": ("vader.tsv", "en.tsv")}


#: What is left of a feeling that a negator turns: "not great" is weaker than "terrible", and "no problem" says less
#: good than "not great" says bad. (Hutto and Gilbert 2014 have -0.74 for both.)
NEGATED_GOOD = -0.7
NEGATED_BAD = -0.3


def turned(valence: float) -> float:
    """The valence of a term that a negator stands before."""
    return valence * (NEGATED_GOOD if valence > 0 else NEGATED_BAD)


class Entry(NamedTuple):
    """What one term of the vocabulary says."""

    #: how it feels, about -4 (terrible) to 4 (wonderful); 0 for a term that says nothing of it
    valence: float = 0.0
    #: (place in `READINGS`, weight in log-odds)
    marks: tuple[tuple[int, float], ...] = ()
    #: "negator", "booster", "damper", "turn" (but) or ""
    role: str = ""


class Slot(NamedTuple):
    """What the vocabulary holds for a first word."""

    alone: Entry | None
    #: second word -> (further words, what the whole phrase says), longest first
    phrases: dict[str, list[tuple[list[str], Entry]]]


class Hit(NamedTuple):
    """A term found in a text: tokens `start` to `end` (exclusive)."""

    start: int
    end: int
    entry: Entry


class Vocabulary:
    """The terms of one language, by their first word. Immutable after loading."""

    def __init__(self, terms: dict[tuple[str, ...], Entry]) -> None:
        self._slots = {first: Slot(terms.get((first,)), {}) for first in {term[0] for term in terms}}
        for term in sorted((term for term in terms if len(term) > 1), key=len, reverse=True):
            followers = self._slots[term[0]].phrases.setdefault(term[1], [])
            followers.append((list(term[2:]), terms[term]))

    @property
    def size(self) -> int:
        """How many terms it holds."""
        return sum((slot.alone is not None) + sum(map(len, slot.phrases.values())) for slot in self._slots.values())

    def find(self, features: Features) -> list[Hit]:
        """The terms of the text, in order. The longest phrase wins and its words do not count again, except that a
        phrase may begin inside another and reach beyond it ("still not" and "not working").
        """
        words = features.words
        if features.stretched:
            words = [self._unstretch(word) for word in words]
        hits: list[Hit] = []
        taken = 0
        last = len(words) - 1
        for place, slot in enumerate(map(self._slots.get, words)):
            if slot is None:
                continue
            alone, phrases = slot
            if phrases and place < last and (followers := phrases.get(words[place + 1])) is not None:
                for rest, entry in followers:
                    end = place + 2 + len(rest)
                    if end > taken and words[place + 2 : end] == rest:
                        hits.append(Hit(place, end, entry))
                        taken = end
                        break
            if alone is not None and place >= taken:
                hits.append(Hit(place, place + 1, alone))
        return hits

    def _unstretch(self, word: str) -> str:
        if word in self._slots:
            return word
        return next((short for short in squeeze(word) if short in self._slots), word)


def load_vocabularies() -> dict[str, Vocabulary]:
    """Every table of the package: language -> vocabulary; "" holds the signs common to all languages."""
    loaded = {
        language: Vocabulary(_read((_COMMON, *_FILES.get(language, (f"{language}.tsv",))))) for language in LANGUAGES
    }
    return loaded | {"": Vocabulary(_read((_COMMON,)))}


def _read(names: Iterable[str]) -> dict[tuple[str, ...], Entry]:
    """Tables -> terms. A line is `reading TAB weight TAB term | term`; what a later table says of the same term and
    reading replaces what an earlier one said."""
    said: dict[tuple[str, ...], dict[str, float]] = {}
    folder = resources.files("rapport.core.understand.tables")
    for name in names:
        for number, line in enumerate((folder / name).read_text("utf-8").splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            reading, weight, listed = _columns(name, number, line)
            for written in listed.split(" | "):
                said.setdefault(tuple(extract(written).words), {})[reading] = weight
    terms: dict[tuple[str, ...], Entry] = {}
    for term in sorted(filter(None, said), key=len):
        terms[term] = _entry(_inherit(term, terms) | said[term])
    return terms


def _inherit(term: tuple[str, ...], shorter: dict[tuple[str, ...], Entry]) -> dict[str, float]:
    """What the words inside a phrase say: a phrase takes their place, so it keeps what it does not itself speak of."""
    kept: dict[str, float] = {}
    negated = False
    place = 0
    while place < len(term):
        for end in range(len(term), place, -1):
            entry = shorter.get(term[place:end])
            if entry is not None:
                for mark, weight in entry.marks:
                    kept[READINGS[mark]] = kept.get(READINGS[mark], 0.0) + weight
                valence = turned(entry.valence) if negated else entry.valence
                kept["valence"] = kept.get("valence", 0.0) + valence
                negated = negated or entry.role == "negator"
                if end == len(term) and entry.role:  # "i can't" still turns what follows
                    kept[entry.role] = 1.0
                place = end - 1
                break
        place += 1
    return kept


def _columns(name: str, number: int, line: str) -> tuple[str, float, str]:
    try:
        reading, weight, terms = line.split("\t")
        if reading not in _PLACE and reading not in {"valence", *_ROLES}:
            raise ValueError(reading)
        return reading, float(weight), terms
    except ValueError:
        raise RapportError(f"{name}, line {number}: expected reading TAB weight TAB terms, found {line!r}") from None


_ROLES = ("negator", "booster", "damper", "turn")


def _entry(readings: dict[str, float]) -> Entry:
    marks = tuple((_PLACE[name], weight) for name, weight in readings.items() if name in _PLACE and weight)
    role = next((name for name in _ROLES if name in readings), "")
    return Entry(readings.get("valence", 0.0), marks, role)
