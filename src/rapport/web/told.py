"""The sentences of errors in the language of whoever reads the page.

Actions raise plain English: programs, logs and the command line read the same words. The desk looks a sentence up
among those that are raised (`error_words.TEMPLATES`, found by tests/messages.py), takes the values out of it, and says
it anew from the catalog. What is not found there, such as the words of a network, stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.translation import get_language, pgettext

from rapport.web.error_words import TEMPLATES
from rapport.web.fault_words import said_fault, said_place
from rapport.web.network_words import said_network

_PLACE = re.compile(r"%\((\w+)\)s")
#: gettext context of all of them, as tests/messages.py writes it
_CONTEXT = "error"


def told(error: Exception | str) -> str:
    """What the page says of `error`: its sentence in the language in force, else as it was raised."""
    said = str(error)
    if (get_language() or "en").startswith("en"):
        return said
    fault = said_place(said)
    if fault is not None:
        return fault
    if said in _plain():
        return pgettext(_CONTEXT, said)
    for template, pattern in _patterns():
        values = pattern.fullmatch(said)
        if values is not None:
            return pgettext(_CONTEXT, template) % values.groupdict()
    return said_network(said) or said_fault(said)


@lru_cache(maxsize=1)
def _plain() -> frozenset[str]:
    return frozenset(each for each in TEMPLATES if not _PLACE.search(each))


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each template with values and what matches it, the one with the most words of its own first."""
    found = [each for each in TEMPLATES if _PLACE.search(each)]
    found.sort(key=lambda each: -len(_PLACE.sub("", each)))
    return tuple((each, re.compile(_pattern(each), re.DOTALL)) for each in found)


def _pattern(template: str) -> str:
    """The template as an expression: a group for each value, the words as they are."""
    parts = _PLACE.split(template)
    return "".join(
        f"(?P<{part}>.+?)" if at % 2 else re.escape(part.replace("%%", "%")) for at, part in enumerate(parts)
    )
