"""Why a conversation is where it is, and why it scores so, in the language of whoever reads the page.

Both are stored in English as phrases with commas or "and" between them ("complaint 0.93 and 4,120 followers"). The
phrases stand here as templates (gettext context "why"); what is not among them stays as it is.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from django.utils.formats import number_format
from django.utils.translation import get_language, npgettext, pgettext

from rapport.web.reading_words import REASONS

#: gettext context of all of them, as tests/messages.py writes it
CONTEXT = "why"
#: Places: n a number, span a length of time, ordinal a place in a row, read what is measured, what a moment or a text,
#: said anything.
PHRASES = (
    "with media", "with a link", "mentions somebody", "with a hashtag", "speaks to us", "a verified account", "a bot",
    "our own post", "an ignored person", "a person who asked us to stop", "a new conversation", "a colleague has it",
    "nobody has it", "acknowledged", "in business hours", "outside business hours", "no clear intent",
    "a review", "a repost", "a reply", "a mail", "a message", "a post", "a quote", "a comment", "a topic",
    "negative mood", "neutral mood", "positive mood", "mixed mood", "on Monday", "on Tuesday", "on Wednesday",
    "on Thursday", "on Friday", "on Saturday", "on Sunday", "customer", "prospect", "journalist", "influencer",
    "partner", "competitor", "colleague", "detractor", "advocate",
    "%(n)s follower", "%(n)s followers", "%(n)s followed account", "%(n)s followed accounts",
    "%(n)s post by the author", "%(n)s posts by the author", "%(n)s earlier conversation",
    "%(n)s earlier conversations", "%(n)s like",
    "%(n)s likes", "%(n)s repost", "%(n)s reposts", "%(n)s reply", "%(n)s replies", "%(n)s star", "%(n)s stars",
    "automated %(n)s", "%(n)s or more earlier negative in %(span)s", "%(n)s or more earlier positive in %(span)s",
    "%(n)s or more negative earlier in %(span)s", "%(n)s negative earlier in %(span)s",
    "%(n)s earlier negative in %(span)s", "%(n)s earlier positive in %(span)s",
    "%(ordinal)s negative in %(span)s", "%(ordinal)s positive in %(span)s", "%(ordinal)s post in %(span)s",
    "%(ordinal)s negative", "%(ordinal)s positive", "%(ordinal)s post", "%(n)s earlier negative",
    "%(n)s earlier positive", "unanswered since %(span)s ago", "unanswered since within the hour",
    "%(what)s %(span)s ago", "%(what)s within the hour", "%(what)s in %(span)s", "%(n)s word", "%(n)s words",
    "%(n)s character", "%(n)s characters", "%(what)s of %(n)s characters", "%(what)s of %(n)s words",
    "%(n)s people in this thread within an hour", "%(n)s people in this thread within %(n2)s minutes",
    "negative %(n)s toward %(said)s", "%(n)s negative posts in %(n2)s hours", "usually %(n)s",
    "%(n)s more from accounts that look automated", "which do not count", "%(read)s %(n)s", "rated %(n)s of 5",
)  # fmt: skip
#: what is measured, and moments: words that stand in a phrase
WORDS = (
    "complaint", "question", "request", "praise", "purchase", "report", "urgency", "irony", "offensive", "hate", "spam",
    "personal", "negative", "neutral", "positive", "anger", "joy", "optimism", "sadness", "score", "hour", "minute",
    "month", "last seen", "first seen", "written", "opened", "last answered", "bio",
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
_SHAPES = {
    "n": r"[\d.,]+",
    "n2": r"[\d.,]+",
    "span": r"[\d.]+ (?:day|hour|minute|second)s?",
    "ordinal": "|".join(WORDS[WORDS.index("first") :]) + r"|\d+(?:st|nd|rd|th)",
    "read": "|".join(WORDS[: WORDS.index("last seen")]),
    "what": "|".join(WORDS[WORDS.index("last seen") : WORDS.index("first")]),
    "said": ".+",
}
#: a reading with how sure it is
_SURE = re.compile(rf"\b(?!score)({_SHAPES['read']}) (?:0(?:\.\d+)?|1(?:\.0+)?)(?![\d.]*\d|\w)")
_BETWEEN = re.compile(r"(, | and |; )")
_PLACE = re.compile(r"%\((\w+)\)s")


def said_why(why: str) -> str:
    """The reason in the language in force; phrases that nobody knows as they are."""
    if not why or (get_language() or "en").startswith("en"):
        return why
    pieces = _BETWEEN.split(why)
    joined = {" and ": f" {pgettext(CONTEXT, 'and')} "}
    return "".join(joined.get(piece, piece) if at % 2 else _phrase(piece) for at, piece in enumerate(pieces))


def short_why(why: str) -> str:
    """As `said_why`, without how sure a reading is: for a glance. "complaint 0.93 and urgency 0.82" is "complaint and
    urgency"."""
    return said_why(_SURE.sub(r"\1", why))


def said_reading(line: str) -> str:
    """A line of `Reading.why` ("complaint: 'again', 'not let'"), the reading by its name of the pages."""
    if (get_language() or "en").startswith("en"):
        return line
    name, colon, found = line.partition(": ")
    if not colon:
        return line
    words = re.sub(r"^rated [\d.]+ of 5", lambda rated: _phrase(rated[0]), found)
    return f"{pgettext(CONTEXT, 'mood') if name == 'sentiment' else REASONS.get(name, name)}: {words}"


def _phrase(said: str) -> str:
    if said in PHRASES or said in WORDS:
        return pgettext(CONTEXT, said)
    for template, pattern in _patterns():
        values = pattern.fullmatch(said)
        if values is not None:
            return pgettext(CONTEXT, template) % {name: _value(name, each) for name, each in values.groupdict().items()}
    return said


def _value(name: str, said: str) -> str:
    if name in {"n", "n2"}:
        return str(number_format(Decimal(said.replace(",", "")), force_grouping=True))
    if name == "span":
        return _span(said)
    if name == "ordinal" and said[0].isdigit():
        return pgettext(CONTEXT, "%(n)sth") % {"n": re.sub(r"\D", "", said)}
    return said if name == "said" or said not in WORDS else pgettext(CONTEXT, said)


def _span(said: str) -> str:
    """ "30 days", as it stands after "in" or "since"."""
    amount, _blank, unit = said.partition(" ")
    n = Decimal(amount)
    many = 1 if n == 1 else 2
    words = {
        "day": npgettext("after a preposition", "%(n)s day", "%(n)s days", many),
        "hour": npgettext("after a preposition", "%(n)s hour", "%(n)s hours", many),
        "minute": npgettext("after a preposition", "%(n)s minute", "%(n)s minutes", many),
        "second": npgettext("after a preposition", "%(n)s second", "%(n)s seconds", many),
    }[unit.removesuffix("s")]
    return words % {"n": number_format(n)}


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each phrase with values and what matches it, the one with the most words of its own first."""
    found = sorted((each for each in PHRASES if _PLACE.search(each)), key=lambda each: -len(_PLACE.sub("", each)))
    return tuple((each, re.compile(_pattern(each))) for each in found)


def _pattern(template: str) -> str:
    pieces = _PLACE.split(template)
    return "".join(f"(?P<{each}>{_SHAPES[each]})" if at % 2 else re.escape(each) for at, each in enumerate(pieces))
