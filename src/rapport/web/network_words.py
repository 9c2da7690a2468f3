"""What networks and connections say, in the language of whoever reads it: why something waits, failed or broke.

The connectors say it in English (`error_words.NETWORKS`, found by tests/messages.py), and it is stored so. A sentence
is looked up by its template, its values stay; a value may be such a sentence itself. What a network says in its own
words stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.translation import get_language, pgettext

from rapport.web.error_words import NETWORKS

#: gettext context of all of them, as tests/messages.py writes it
CONTEXT = "network"
#: how deep values are looked up
_DEEPEST = 3
#: letters
_FEW = 12
_PLACE = re.compile(r"%\((\w+)\)s")


def said_network(said: str) -> str | None:
    """The sentence in the language in force; None where it is none of these, or the language is English."""
    return None if (get_language() or "en").startswith("en") else _say(said, 0)


def _say(said: str, deep: int) -> str | None:
    if deep > _DEEPEST:
        return None
    if said in _plain():
        return pgettext(CONTEXT, said)
    for template, longest, pattern in _patterns():
        # most are told apart by a piece of them alone
        if longest in said and (values := pattern.fullmatch(said)) is not None:
            inside = {name: _say(value, deep + 1) or value for name, value in values.groupdict().items()}
            return pgettext(CONTEXT, template) % inside
    return None


@lru_cache(maxsize=1)
def _plain() -> frozenset[str]:
    return frozenset(each for each in NETWORKS if not _PLACE.search(each))


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Each sentence with values, its longest piece, and what matches it; the one with most words of its own first."""
    found = sorted((each for each in NETWORKS if _PLACE.search(each)), key=lambda each: -len(_PLACE.sub("", each)))
    return tuple((each, _longest(each), re.compile(_pattern(each), re.DOTALL)) for each in found)


def _longest(template: str) -> str:
    return max(_PLACE.split(template)[::2], key=len).replace("%%", "%")


def _pattern(template: str) -> str:
    """The template as an expression. A sentence of few words would match nearly anything: its values have no blanks."""
    pieces = _PLACE.split(template)
    value = ".+?" if sum(map(str.isalpha, "".join(pieces[::2]))) >= _FEW else r"\S+?"
    return "".join(
        f"(?P<{piece}>{value})" if at % 2 else re.escape(piece.replace("%%", "%")) for at, piece in enumerate(pieces)
    )
