"""Are two replies nearly the same? A quick measure over their words, in pure Python.

Dice's coefficient over the bags of folded words: twice the number of words they share, over the number of words in
both. 1 is the same words, 0 none in common; one word changed in twenty leaves 0.95. Order does not count: a text that
was merely turned round is still the same text. What a template changes by itself (handles, links, a name behind a
greeting) is left out.
"""

from __future__ import annotations

import re
from collections import Counter

from rapport.core.text import words

#: links, and handles with or without their server
_ADDRESS = re.compile(r"https?://\S+|(?<![\w@])@\w[\w.-]*(?:@[\w.-]+)?", re.IGNORECASE)
_GREETINGS = frozenset(
    "hi hey hello dear hallo liebe lieber guten moin bonjour salut cher chere hola buenas querido querida ciao "  # noqa: SIM905 - words read best as words
    "gentile caro cara ola bom boa hej hei".split()
)


def essence(text: str) -> Counter[str]:
    """The words of a text that make it what it is, with how often each stands."""
    found = words(without_addresses(text)).words
    if found and found[0] in _GREETINGS:
        found = found[2:] or found
    return Counter(found)


def without_addresses(text: str) -> str:
    """The text without links and handles."""
    return _ADDRESS.sub(" ", text)


def similarity(one: Counter[str], other: Counter[str]) -> float:
    """0..1 for two essences; 1 for two that have no words at all (only emoji, say)."""
    total = one.total() + other.total()
    if total == 0:
        return 1.0
    return 2 * (one & other).total() / total
