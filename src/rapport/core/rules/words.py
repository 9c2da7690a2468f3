"""How values and comparisons are put into words: for the trace (exact) and for `Decision.why` (short)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rapport.core.decision import MOST_KEPT
from rapport.core.rules.fields import Case
from rapport.core.rules.syntax import Operator

#: Characters of a text shown in a trace.
MAX_SHOWN = 60

OPPOSITE: dict[Operator, Operator] = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}

_ORDINALS = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def show(value: Any) -> str:  # noqa: PLR0911 - one line for each kind of value
    """A value for the trace: texts in quotes, moments to the second, fractions with two digits."""
    if isinstance(value, float):  # first, because most values are
        shown = f"{value:.2f}"
        return shown.rstrip("0").rstrip(".") if shown[-1] == "0" else shown
    if value is None:
        return "unknown"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= MAX_SHOWN and value.isprintable() else f'"{shorten(value)}"'
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.timedelta):
        return show_span(value)
    return str(value)


def show_span(span: dt.timedelta) -> str:
    """ "2 days", "1.5 hours", "-3 minutes"."""
    seconds = span.total_seconds()
    unit, size = next(((unit, size) for unit, size in _UNITS if abs(seconds) >= size), _UNITS[-1])
    amount = show(seconds / size)
    return f"{amount} {unit}{'' if amount in ('1', '-1') else 's'}"


_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def show_beside(value: Any, other: Any) -> str:
    """A fraction with as many digits as it takes to tell it from the value that it was compared with."""
    if not isinstance(value, float) or not isinstance(other, float | int):
        return show(value)
    if abs(value - other) > 0.01:  # two digits tell them apart
        return show(value)
    if value == other:
        shown = show(value)
        return shown if float(shown) == value else repr(value)
    for digits in (2, 4, 6):
        rounded = f"{value:.{digits}f}"
        near = float(rounded)
        if near != other and (near > other) == (value > other):
            return rounded.rstrip("0").rstrip(".")
    return repr(value)


def shorten(text: str) -> str:
    """One line of at most `MAX_SHOWN` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + "…"


def ordinal(number: int) -> str:
    """2 -> "second", 23 -> "23rd"."""
    if 0 <= number < len(_ORDINALS):
        return _ORDINALS[number]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def listed(phrases: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"


#: What to say of a yes-or-no field that is true, and of one that is false ("" = nothing worth saying).
_YES_NO = {
    "has_media": ("with media", ""),
    "has_link": ("with a link", ""),
    "has_mention": ("mentions somebody", ""),
    "has_hashtag": ("with a hashtag", ""),
    "addressed": ("speaks to us", ""),
    "author.verified": ("a verified account", ""),
    "author.bot": ("a bot", ""),
    "author.ours": ("our own post", ""),
    "person.ignored": ("an ignored person", ""),
    "person.suppressed": ("a person who asked us to stop", ""),
    "conversation.new": ("a new conversation", ""),
    "conversation.assigned": ("a colleague has it", "nobody has it"),
    "conversation.acknowledged": ("acknowledged", ""),
    "business_hours": ("in business hours", "outside business hours"),
}
_AMOUNTS = {
    "author.followers": "followers",
    "author.following": "followed accounts",
    "author.posts": "posts by the author",
    "person.conversations": "earlier conversations",
    "likes": "likes",
    "reposts": "reposts",
    "replies": "replies",
}
#: singular of an amount that is not one letter shorter
_ONE = {"replies": "reply", "posts by the author": "post by the author"}
_ARTICLES = {"review": "a review", "repost": "a repost", "reply": "a reply", "mail": "a mail", "message": "a message"}
_SINCE = {
    "person.last_seen": "last seen",
    "person.first_seen": "first seen",
    "created_at": "written",
    "conversation.waiting_since": "unanswered since",
    "conversation.opened_at": "opened",
    "last(person.answers)": "last answered",
    "last(conversation.answers)": "last answered",
}


def say_truth(name: str, value: bool) -> str:
    """A yes-or-no field in a few words, or "" when it says nothing that explains a decision."""
    yes, no = _YES_NO.get(name, (name.replace("_", " "), ""))
    return yes if value else no


def say_number(name: str, value: Any) -> str:
    """ "complaint 0.93", "4,120 followers", "1 star"."""
    if name in _AMOUNTS:
        amount = _AMOUNTS[name]
        return f"{value:,} {_ONE.get(amount, amount.removesuffix('s')) if value == 1 else amount}"
    if name == "author.bot_score":
        return f"automated {show(value)}"
    if name == "rating":
        return f"{show(value)} star{'' if value == 1 else 's'}"
    return f"{name.removeprefix('clock.')} {show(value)}"


def say_text(name: str, value: str) -> str:
    """ "a review", "sentiment negative"."""
    if name == "kind":
        return _ARTICLES.get(value, f"a {value}")
    if name == "sentiment":
        return f"{value} mood"
    if name in ("clock.weekday", "clock.date"):
        return f"on {value.capitalize()}"
    return f"{name.rpartition('.')[2]} {shorten(value)}"


def say_count(name: str, number: int, span: str, case: Case) -> str:
    """ "third negative in 30 days" when this post continues the row, else "2 earlier negative in 30 days"."""
    word = name.rpartition(".")[2]
    within = f" in {span}" if span else ""
    if case.person.cut and number >= MOST_KEPT and name.startswith("person."):
        return f"{number} or more earlier {word}{within}"
    if word in ("negative", "positive") and case.sentiment.label == word:
        return f"{ordinal(number + 1)} {word}{within}"
    if word == "posts":
        return f"{ordinal(number + 1)} post{within}"
    if word in ("negative", "positive"):
        return f"{number} earlier {word}{within}"
    return f"{number} {word}"


def say_since(name: str, value: float, function: str) -> str:
    """ "last seen 3 hours ago", for the functions that tell how long it has been or will be."""
    what = _SINCE.get(name, name)
    hours = value * _HOURS[function]
    if function == "hours_until":
        return f"{what} in {_hours(hours)}" if hours >= 1 else f"{what} within the hour"
    return f"{what} {_hours(hours)} ago" if hours >= 1 else f"{what} within the hour"


_HOURS = {"minutes_since": 1 / 60, "hours_since": 1, "hours_until": 1, "days_since": 24}


def _hours(hours: float) -> str:
    amount, unit = (round(hours), "hour") if hours < 48 else (round(hours / 24), "day")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


def say_size(function: str, name: str, value: int) -> str:
    """ "12 words", "bio of 300 characters"."""
    what = {"words": "word", "length": "character"}[function]
    amount = f"{value:,} {what}{'' if value == 1 else 's'}"
    return amount if name == "text" else f"{name.rpartition('.')[2]} of {amount}"
