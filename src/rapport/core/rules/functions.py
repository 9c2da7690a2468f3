"""What a rule can call: the table of functions, and the check of one call.

As with the fields, the table is the single source: the compiler checks arguments against it, and the reference page is
printed from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

import msgspec

from rapport.core.rules.fields import HISTORY, MOST_MOMENTS, MOST_SEARCHED, Type
from rapport.core.rules.syntax import Call, Fault, Items, Name, Node, Span, Text, nearest

#: What an argument has to be: of a type, any field, a field with a list, or written out: a duration, a text, a moment,
#: a list of texts.
Takes = Literal[
    "number", "text", "time", "times", "texts", "field", "list", "a duration", "a text", "a moment", "a list"
]

#: Characters of a text that another one is searched for.
MAX_SOUGHT = 80

WORDS: dict[Type, str] = {
    "number": "a number",
    "text": "a text",
    "bool": "true or false",
    "time": "a moment",
    "duration": "a duration",
    "texts": "a list of texts",
    "numbers": "a list of numbers",
    "times": "a list of moments",
}


class Function(msgspec.Struct, frozen=True):
    """One function that a rule can call."""

    name: str
    #: how it is written
    form: str
    #: type of the answer
    type: Type
    meaning: str
    takes: tuple[Takes, ...]
    #: how many of these must be there
    least: int
    #: the last of them may be given again and again
    many: bool = False


def _function(
    name: str, form: str, answers: Type, meaning: str, *takes: Takes, least: int = 0, many: bool = False
) -> Function:
    return Function(name, form, answers, meaning, takes, least or len(takes), many)


_UNKNOWN = "unknown where the moment is unknown"
_ALIKE = "in upper or lower case alike"
_TABLE = (
    _function("contains", 'contains(text, "refund")', "bool", f"the text holds this, {_ALIKE}", "text", "a text"),
    _function("starts_with", 'starts_with(text, "RT ")', "bool", f"it begins with this, {_ALIKE}", "text", "a text"),
    _function("ends_with", 'ends_with(text, "?")', "bool", f"it ends with this, {_ALIKE}", "text", "a text"),
    _function("length", "length(text)", "number", "how many characters a text has", "text"),
    _function(
        "words",
        "words(text)",
        "number",
        f"how many words its first {MOST_SEARCHED:,} characters hold; in scripts without spaces, how many characters",
        "text",
    ),
    _function(
        "minutes_since",
        "minutes_since(conversation.waiting_since)",
        "number",
        f"minutes between that moment and now; 0 for a moment in the future; {_UNKNOWN}",
        "time",
    ),
    _function(
        "hours_since",
        "hours_since(person.last_seen)",
        "number",
        f"hours between that moment and now; 0 for a moment in the future; {_UNKNOWN}",
        "time",
    ),
    _function(
        "days_since",
        "days_since(person.first_seen)",
        "number",
        f"the same in days of 24 hours; {_UNKNOWN}",
        "time",
    ),
    _function(
        "hours_until",
        'hours_until(time("2026-12-24T12:00:00Z"))',
        "number",
        f"hours between now and that moment; 0 for a moment in the past; {_UNKNOWN}",
        "time",
    ),
    _function(
        "count",
        "count(person.negative, 30 days)",
        "number",
        f"how many of these moments, of the newest {MOST_MOMENTS:,}, lie within that time before now (at most 90 days, "
        "as far as history is kept); with one argument the length of the list: count(mentions)",
        "list",
        "a duration",
        least=1,
    ),
    _function(
        "last", "last(person.answers)", "time", "the latest of these moments; unknown where there is none", "times"
    ),
    _function("any_of", 'any_of(topics, ["recall", "fault"])', "bool", "the list has one of these", "texts", "a list"),
    _function("all_of", 'all_of(topics, ["recall", "shop"])', "bool", "it has each of these", "texts", "a list"),
    _function("none_of", 'none_of(hashtags, ["ad", "win"])', "bool", "it has none of these", "texts", "a list"),
    _function(
        "max",
        "max(complaint, anger, negative)",
        "number",
        "the largest of them; unknown where one is unknown",
        "number",
        least=2,
        many=True,
    ),
    _function(
        "min",
        "min(praise, irony)",
        "number",
        "the smallest of them; unknown where one is unknown",
        "number",
        least=2,
        many=True,
    ),
    _function("known", "known(author.followers)", "bool", "true when the network told us this value", "field"),
    _function("time", 'time("2026-11-21T10:00:00Z")', "time", "a fixed moment, with its time zone", "a moment"),
)
#: what other languages call it
_HABITS = {
    "lower": "contains",
    "upper": "contains",
    "regex": "matches",
    "len": "length",
    "size": "count",
    "any": "any_of",
}
_HABITS |= {"all": "all_of", "none": "none_of", "now": "now", "latest": "last", "exists": "known", "if": "and"}
FUNCTIONS: dict[str, Function] = {function.name: function for function in _TABLE}


def check_call(node: Call, type_of: Callable[[Node], Type]) -> Type:
    """The type of what a call answers. Raises `Fault` for an unknown function and for arguments that do not fit."""
    function = FUNCTIONS.get(node.function)
    if function is None:
        guess = _HABITS.get(node.function.lower(), "") or nearest(node.function, FUNCTIONS)
        raise Fault(f"there is no function {node.function}", node.at, guess)
    given = len(node.arguments)
    if given < function.least or (given > len(function.takes) and not function.many):
        wanted = f"{function.least} or more" if function.many else " or ".join(
            str(number) for number in range(function.least, len(function.takes) + 1)
        )  # fmt: skip
        noun = "argument" if wanted == "1" else "arguments"
        raise Fault(f"{node.function} takes {wanted} {noun}, and this is {given}", node.at, function.form)
    for place, argument in enumerate(node.arguments):
        _check_argument(node, function, function.takes[min(place, len(function.takes) - 1)], argument, type_of)
    return function.type


def moment_of(node: Call) -> dt.datetime:
    """The moment in `time("...")`. Raises `Fault` when it is none or has no time zone."""
    argument = node.arguments[0]
    if not isinstance(argument, Text):
        raise Fault("time takes a text in quotes", argument.at, FUNCTIONS["time"].form)
    try:
        moment = dt.datetime.fromisoformat(argument.value)
    except ValueError:
        raise Fault("this is not a moment", argument.at, '"2026-11-21T10:00:00Z"') from None
    if moment.tzinfo is None:
        raise Fault("this moment has no time zone", argument.at, f'"{moment.isoformat()}Z"')
    return moment


def _check_argument(
    node: Call, function: Function, takes: Takes, argument: Node, type_of: Callable[[Node], Type]
) -> None:
    match takes:
        case "a moment":
            moment_of(node)
        case "a duration":
            _check_span(node, argument, type_of)
        case "a text":
            _check_sought(function, argument)
        case "a list":
            if not isinstance(argument, Items) or type_of(argument) != "texts":
                raise Fault(f"{function.name} takes a list of texts in quotes", argument.at, function.form)
        case "field":
            type_of(argument)
            if not isinstance(argument, Name):
                raise Fault(f"{function.name} takes a field", argument.at, function.form)
        case _:
            found = type_of(argument)
            fits = found in ("times", "texts") if takes == "list" else found == takes
            # a list is read from where it stands; one that is written out has nothing to be looked up
            if not fits or (takes in ("list", "times", "texts") and not isinstance(argument, Name)):
                wanted = "a list field" if takes == "list" else WORDS[takes]
                raise Fault(f"{function.name} takes {wanted}, and this is {WORDS[found]}", argument.at, function.form)


def _check_span(node: Call, argument: Node, type_of: Callable[[Node], Type]) -> None:
    counted = node.arguments[0]
    if type_of(counted) != "times":
        name = counted.name if isinstance(counted, Name) else "this"
        raise Fault("only moments can be counted within a duration", argument.at, f"count({name})")
    if not isinstance(argument, Span):
        raise Fault(f"the second argument of {node.function} is a duration", argument.at, "30 days")
    if argument.seconds > HISTORY.total_seconds():
        raise Fault(f"history is kept for {HISTORY.days} days", argument.at, f"{HISTORY.days} days")


def _check_sought(function: Function, argument: Node) -> None:
    if not isinstance(argument, Text):
        raise Fault(f"{function.name} takes a text in quotes", argument.at, function.form)
    if not argument.value:
        raise Fault("the text is empty, and every text holds it", argument.at)
    if len(argument.value) > MAX_SOUGHT:
        raise Fault(f"the text has {len(argument.value):,} characters; at most {MAX_SOUGHT} are sought", argument.at)
