"""Surveys: the questions, what can be answered to them, and links to them in a text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec

from rapport.core.errors import InvalidInput
from rapport.core.survey_words import WORDS, Words

Kind = Literal["score", "choice", "text"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: how satisfied: 1 to 5
SCORES = (1, 2, 3, 4, 5)
#: a score up to here is unhappy, from here on happy
UNHAPPY, HAPPY = 2, 4
MOST_QUESTIONS, MOST_CHOICES = 5, 8
MAX_QUESTION, MAX_CHOICE, MAX_ANSWER = 200, 80, 2_000  # characters
#: characters of a token: 256 bits
TOKEN = 43

_LINK = re.compile(rf"[^\s<>\"']*/s/([A-Za-z0-9_-]{{{TOKEN}}})(?![A-Za-z0-9_-])/?")
#: written from right to left
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question of a survey."""

    kind: Kind
    text: str
    #: of a choice
    choices: tuple[str, ...] = ()


class Answered(msgspec.Struct, frozen=True):
    """What somebody answered."""

    #: of the question that asks how satisfied they are; None = left out, or none asks
    score: int | None
    #: one for each question, in their order; None = left out
    answers: tuple[int | str | None, ...]


def read_questions(stored: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Questions from their JSON; what cannot be read is left out."""
    found = []
    for each in stored:
        try:
            found.append(msgspec.convert(each, Question))
        except msgspec.ValidationError:
            continue
    return tuple(found)


def check_questions(questions: Sequence[Question]) -> tuple[Question, ...]:
    """The questions without needless blanks. Raises `InvalidInput` for what nobody could answer."""
    if not questions:
        raise InvalidInput("A survey asks at least one question.")
    if len(questions) > MOST_QUESTIONS:
        raise InvalidInput(f"A survey asks at most {MOST_QUESTIONS} questions: people answer short ones.")
    if sum(each.kind == "score" for each in questions) > 1:
        raise InvalidInput("Only one question can ask how satisfied they are: it gives the score.")
    return tuple(_checked(number, each) for number, each in enumerate(questions, 1))


def _checked(number: int, question: Question) -> Question:
    text = _one_line(question.text)
    choices = tuple(dict.fromkeys(filter(None, map(_one_line, question.choices))))
    if not text:
        raise InvalidInput(f"Question {number} has no words.")
    if len(text) > MAX_QUESTION or any(len(each) > MAX_CHOICE for each in choices):
        raise InvalidInput(f"Question {number}: at most {MAX_QUESTION} characters, {MAX_CHOICE} for a choice.")
    if question.kind == "choice" and not 2 <= len(choices) <= MOST_CHOICES:
        raise InvalidInput(f"Question {number}: give 2 to {MOST_CHOICES} things to choose from, one a line.")
    return Question(question.kind, text, choices if question.kind == "choice" else ())


def read_answers(questions: Sequence[Question], typed: Mapping[str, str]) -> Answered:
    """What a form says: `q0`, `q1` and so on.

    Raises `InvalidInput("nothing")` where nothing is answered, `InvalidInput("wrong")` for what was not asked.
    """
    answers = tuple(_answer(each, typed.get(f"q{number}", "")) for number, each in enumerate(questions))
    if all(each is None for each in answers):
        raise InvalidInput("nothing")
    scores = (each for question, each in zip(questions, answers, strict=True) if question.kind == "score")
    score = next(scores, None)
    return Answered(score if isinstance(score, int) else None, answers)


def _answer(question: Question, typed: str) -> int | str | None:
    text = typed.replace("\x00", "").replace("\r\n", "\n").strip()
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidInput("wrong")
    if not text:
        return None
    if question.kind == "text":
        return text[:MAX_ANSWER]
    if question.kind == "score" and text in map(str, SCORES):
        return int(text)
    if question.kind == "choice" and text in question.choices:
        return text
    raise InvalidInput("wrong")


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def tokens_in(text: str) -> tuple[str, ...]:
    """The tokens of links to surveys in a text, in their order."""
    return tuple(found[1] for found in _LINK.finditer(text))


def line_of(text: str) -> str:
    """The last line of a text that holds a link to a survey; "" where there is none."""
    return next((line.strip() for line in reversed(text.splitlines()) if _LINK.search(line)), "")


def without_links(text: str) -> str:
    """A text without its lines with links to surveys."""
    return "\n".join(line for line in text.splitlines() if not _LINK.search(line)).rstrip()


def words_of(language: str) -> Words:
    """What the page of a survey says beside the questions, in its language; in English where we do not know it."""
    return WORDS.get(language, WORDS["en"])


def direction_of(language: str) -> Literal["ltr", "rtl"]:
    """Which way a language is written."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def _one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
