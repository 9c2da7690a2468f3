"""Faults of rules and queries in the language of whoever reads the page, with their places and the nearest names.

The core says them in English, where it finds them (`error_words.FAULTS`, found by tests/messages.py): one sentence,
perhaps with values, perhaps with a hint behind it. The values of a sentence may be sentences of the same table.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation import gettext_noop as _

from rapport.web.error_words import FAULTS

#: gettext context of all of them, as tests/messages.py writes it
CONTEXT = "fault"
#: how deep values are looked up: "text: the pattern is refused: missing )"
_DEEPEST = 4
#: of the reader of TOML and of the maker of patterns: said after our own words
FOREIGN = (
    _("invalid statement"), _("expected newline or end of document after a statement"), _("expected %(sign)s"),
    _("found invalid character %(sign)s"), _("cannot declare %(sign)s twice"), _("cannot overwrite a value"),
    _("cannot mutate immutable namespace %(sign)s"), _("cannot redefine namespace %(sign)s"),
    _("invalid initial character for a key part"), _("unclosed array"), _("unclosed inline table"),
    _("duplicate inline table key %(sign)s"), _("invalid hex value"), _("unterminated string"),
    _("escaped character is not a Unicode scalar value"), _("illegal character %(sign)s"),
    _("invalid date or datetime"), _("invalid value"), _("missing ): %(sign)s"), _("unexpected ): %(sign)s"),
    _("missing ]: %(sign)s"), _("no argument for repetition operator: %(sign)s"), _("trailing \\"),
    _("bad repetition operator: %(sign)s"), _("invalid escape sequence: %(sign)s"),
    _("invalid perl operator: %(sign)s"), _("invalid character class range: %(sign)s"),
    _("invalid repetition size: %(sign)s"), _("pattern too large - compile failed"),
    _("expected '=' after a key in a key/value pair"), _("expected ']' at the end of a table declaration"),
    _("expected ']]' at the end of an array declaration"), _("unescaped '\\' in a string"),
)  # fmt: skip
#: what a hint may say in words rather than in signs of the language
_HINTS = (
    _("two comparisons, joined with and"), _("a share from 0 to 1, as 0.7"), _("a digit before the point, as 0.5"),
    _("a point, as 0.5"), _("[ ] around a list"), _("[[rule]] above it"),
)  # fmt: skip
#: what a rule names; looked up with the context of the faults
NOUNS = ("rule", "group", "basket", "colleague", "webhook", "prepared reply", "survey", "autonomy")
#: places of a sentence that hold such a noun
_NAMED = frozenset(("what", "kind", "kind2", "key"))
#: places that hold less than any words -> what they hold
_SHAPES = {"noun": r"\w+", "operator": r"[-+*/]", "what": "|".join(NOUNS)}
_PLACED = re.compile(r"line (\d+), column (\d+): (.+)", re.DOTALL)
_AT = re.compile(r"[Aa]t character (\d+): (.+)", re.DOTALL)
_HINTED = re.compile(r"(.+?); did you mean (.+)\?", re.DOTALL)
_EXPECTING = re.compile(r"(.+?); expected (.+)", re.DOTALL)
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+")
_PLACE = re.compile(r"%\((\w+)\)s")


def said_place(said: str) -> str | None:
    """A fault with its place in front, as rules, queries and searches write it; None for any other words."""
    placed = _PLACED.fullmatch(said)
    if placed is not None and (inner := _say(placed[3], 0)) is not None:
        values = {"line": placed[1], "column": placed[2], "said": inner}
        return gettext("line %(line)s, column %(column)s: %(said)s") % values
    at = _AT.fullmatch(said)
    if at is not None and (inner := _say(at[2], 0)) is not None:
        placed_at = gettext("at character %(place)s: %(said)s") % {"place": at[1], "said": inner}
        return placed_at[0].upper() + placed_at[1:] if said[0] == "A" else placed_at
    return None


def said_fault(message: str) -> str:
    """A fault without its place, in the language in force; as it was found where nothing is known of it."""
    if (get_language() or "en").startswith("en"):
        return message
    return _say(message, 0) or message


def said_with(message: str, near: str) -> str:
    """A fault and what may have been meant, as one sentence."""
    if not near:
        return said_fault(message)
    return gettext("%(said)s; did you mean %(near)s?") % {"said": said_fault(message), "near": said_fault(near)}


def _say(said: str, deep: int) -> str | None:
    """A sentence, a list of words or a value of the table; None where it is none."""
    if deep > _DEEPEST:
        return None
    if said in _plain():
        return gettext(said) if said in FOREIGN or said in _HINTS else pgettext(CONTEXT, said)
    hinted = _HINTED.fullmatch(said)
    if hinted is not None and (inner := _say(hinted[1], deep + 1)) is not None:
        return gettext("%(said)s; did you mean %(near)s?") % {"said": inner, "near": _value(hinted[2], deep)}
    expecting = _EXPECTING.fullmatch(said)
    if expecting is not None and (inner := _say(expecting[1], deep + 1)) is not None:
        return gettext("%(said)s; expected: %(what)s") % {"said": inner, "what": _listed(expecting[2], deep)}
    for template, pattern in _patterns():
        values = pattern.fullmatch(said)
        if values is not None:
            spoken = gettext(template) if template in FOREIGN else pgettext(CONTEXT, template)
            return spoken % {name: _value(value, deep, name) for name, value in values.groupdict().items()}
    return None


def _value(said: str, deep: int, place: str = "") -> str:
    if said in NOUNS:
        return pgettext(CONTEXT, said) if place in _NAMED else said
    if _NUMBER.fullmatch(said):
        return str(number_format(int(said.replace(",", "")), force_grouping=True))
    return _say(said, deep + 1) or said


def _listed(said: str, deep: int) -> str:
    """What was expected: one sentence, or several words with commas between them."""
    whole = _say(said, deep + 1)
    return whole if whole is not None else ", ".join(_value(each, deep) for each in said.split(", "))


@lru_cache(maxsize=1)
def _plain() -> frozenset[str]:
    return frozenset(each for each in (*FAULTS, *FOREIGN, *_HINTS) if each not in NOUNS and not _PLACE.search(each))


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each template with values and what matches it, the one with the most words of its own first."""
    found = [each for each in (*FAULTS, *FOREIGN) if _PLACE.search(each)]
    found.sort(key=lambda each: (-len(_PLACE.sub("", each)), "%(what)s" not in each))
    return tuple((each, re.compile(_pattern(each), re.DOTALL)) for each in found)


def _pattern(template: str) -> str:
    """The template as an expression. A hint that hangs on to its last word may be missing."""
    parts = _PLACE.split(template)
    hangs = len(parts) > 2 and not parts[-1] and parts[-3][-1:].strip()
    last = len(parts) - 2 if hangs else 0
    return "".join(
        f"(?P<{part}>{'.*?' if at == last else _SHAPES.get(part, '.+?')})"
        if at % 2
        else re.escape(part.replace("%%", "%"))
        for at, part in enumerate(parts)
    )
