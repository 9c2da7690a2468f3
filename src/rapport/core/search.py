"""The search box of the desk: words, "phrases", -what to leave out, and operators such as tag:late in:care before:2026.

Pure: what is found is the matter of `store.queries.searching`.
"""

from __future__ import annotations

import calendar
import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from rapport.core.errors import InvalidInput
from rapport.core.felt import INTENTS, MOODS

#: operator -> an example of its use, as a mistake names it
OPERATORS: dict[str, str] = {
    "tag": "tag:late-delivery",
    "from": "from:nadia",
    "in": "in:care",
    "network": "network:mastodon",
    "before": "before:2026-11-30",
    "after": "after:2026-11-01",
    "is": "is:open",
    "has": "has:complaint",
    "assignee": "assignee:me",
}
STATES = ("open", "pending", "snoozed", "resolved", "folded")
#: what `is:` takes besides states
MACHINE = "automated"
#: what `is:` and `has:` take
IS = (*STATES, MACHINE)
HAS = (*(mood for mood in MOODS if mood), *INTENTS)
MOST_TERMS = 24
_PIECE = re.compile(
    r'(?P<minus>-?)(?:(?P<name>[A-Za-z]{2,12}):)?(?:"(?P<quoted>[^"]*)(?P<end>"?)|(?P<plain>[^\s"]\S*))?'
)
_AGO = re.compile(r"(\d{1,4})([dw])")


class SearchProblem(InvalidInput):
    """A search that says something that nobody can look for; `position` counts characters from 0."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(f"At character {position + 1}: {message}")
        self.position = position
        #: every mistake of the search, itself among them, in their order
        self.all: tuple[SearchProblem, ...] = (self,)


T = TypeVar("T")


class Problems:
    """Mistakes of one search, gathered so that all of them are said at once."""

    def __init__(self, found: Iterable[SearchProblem] = ()) -> None:
        self._found = list(found)

    def read(self, read: Callable[[], T], otherwise: T) -> T:
        """What `read` answers; where it finds a mistake, this is kept and `otherwise` stands in."""
        try:
            return read()
        except SearchProblem as problem:
            self._found.append(problem)
            return otherwise

    def raise_them(self) -> None:
        """Raises the first of them, which knows `all`; nothing where there is none."""
        if self._found:
            found = tuple(sorted(self._found, key=lambda problem: problem.position))
            found[0].all = found
            raise found[0]


class Term(msgspec.Struct, frozen=True):
    """One piece of a search."""

    #: an operator; empty for words
    name: str
    value: str
    #: what has it is left out
    without: bool = False
    #: the words stand side by side
    phrase: bool = False
    #: where it begins in what was typed
    position: int = 0


class Search(msgspec.Struct, frozen=True):
    """A search as it was read."""

    terms: tuple[Term, ...]
    #: what could not be read, and is not among the terms
    problems: tuple[SearchProblem, ...] = ()

    @property
    def words(self) -> str:
        """The words to look for, one after the other, without phrases."""
        return " ".join(term.value for term in self.terms if not (term.name or term.without or term.phrase))

    @property
    def phrases(self) -> tuple[str, ...]:
        """Words that have to stand side by side."""
        return tuple(term.value for term in self.terms if term.phrase and not (term.name or term.without))

    @property
    def unwanted(self) -> tuple[str, ...]:
        """Words and phrases that no post that is found may hold."""
        return tuple(term.value for term in self.terms if term.without and not term.name)

    def of(self, name: str, *, without: bool = False) -> tuple[Term, ...]:
        """The terms of one operator."""
        return tuple(term for term in self.terms if term.name == name and term.without == without)


def parse_search(text: str) -> Search:
    """Read what was typed. Raises `SearchProblem` that names the place and the remedy, and knows all the mistakes.

    A name before a colon that is no operator ("re:invent", "http://") is a word, unless it looks like one misspelt.
    """
    search = read_search(text)
    Problems(search.problems).raise_them()
    return search


def read_search(text: str) -> Search:
    """As `parse_search`, but raises nothing: its mistakes are `problems` of what is read."""
    terms: list[Term] = []
    problems: list[SearchProblem] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _PIECE.match(text, at)
        if found is None or found.end() == at:  # a quotation mark in the middle of a word
            found = re.compile(r"\S+").match(text, at)
            assert found is not None
            terms.append(Term("", found.group(), position=at))
        else:
            try:
                terms += _read(found, text, at)
            except SearchProblem as problem:
                problems.append(problem)
        at = found.end()
    if len(terms) > MOST_TERMS:
        beyond = terms[MOST_TERMS].position
        problems.append(SearchProblem(beyond, f"a search has at most {MOST_TERMS} words and operators."))
    return Search(tuple(terms[:MOST_TERMS]), tuple(problems))


def _read(found: re.Match[str], text: str, at: int) -> list[Term]:
    minus, name, quoted, plain = bool(found["minus"]), (found["name"] or "").lower(), found["quoted"], found["plain"]
    value = plain if quoted is None else quoted.strip()
    if name and name not in OPERATORS:
        meant = difflib.get_close_matches(name, OPERATORS, 1, 0.75)
        if meant and value and not value.startswith("//"):
            raise SearchProblem(at, f"there is no {name}: to search by. Did you mean {OPERATORS[meant[0]]}?")
        whole = text[at + minus : found.end()].replace('"', " ").strip()
        return [Term("", whole, minus, False, at)]
    if quoted is not None and not found["end"]:
        raise SearchProblem(found.start("quoted") - 1, "this quotation mark is not closed. Write another one after it.")
    if not value:
        if name:
            raise SearchProblem(at, f"{name}: needs something after the colon, without a space: {OPERATORS[name]}.")
        return [] if quoted is not None else [Term("", text[at : found.end()], position=at)]
    if name in {"is", "has"}:
        _check_word(name, value.lower(), at)
        value = value.lower()
    return [Term(name, value, minus, quoted is not None and not name, at)]


def _check_word(name: str, value: str, at: int) -> None:
    known = IS if name == "is" else HAS
    if value not in known:
        near = difflib.get_close_matches(value, known, 1, 0.6)
        if near:
            raise SearchProblem(at, f"{name}: takes one of {', '.join(known)}. Did you mean {name}:{near[0]}?")
        raise SearchProblem(at, f"{name}: takes one of {', '.join(known)}.")


def read_day(term: Term, today: dt.date) -> dt.date:
    """The day that `before:` and `after:` name: a date, a month, a year, today, yesterday, 7d or 2w ago.

    A month or a year stands for its first day. Raises `SearchProblem`.
    """
    value = term.value.lower()
    if value in {"today", "yesterday"}:
        return today - dt.timedelta(days=value == "yesterday")
    if ago := _AGO.fullmatch(value):
        return today - dt.timedelta(days=int(ago[1]) * (7 if ago[2] == "w" else 1))
    parts = value.split("-")
    if 1 <= len(parts) <= 3 and len(parts[0]) == 4 and all(part.isascii() and part.isdigit() for part in parts):
        year, month, day = (*(int(part) for part in parts), 1, 1)[:3]
        if 1970 <= year <= 9000 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]:
            return dt.date(year, month, day)
    raise SearchProblem(
        term.position,
        f"{term.name}: takes a day (2026-11-30), a month (2026-11), a year, today, yesterday, or 7d for a week ago.",
    )
