"""How much work a condition can be: an upper bound that is known when a rule is saved, whatever the post.

A step is what reading one value or comparing two takes, about a tenth of a microsecond on a machine of today. Lists
count with the most that is looked at of them. Patterns count by what RE2 does at worst: one that stands for words that
could be listed goes through the text once, whatever its length; any other can have each of its places alive at each
character (measured: up to 43 ns a place and character, for texts of four bytes a character).
"""

from __future__ import annotations

import re

from rapport.core.rules.check import compile_pattern
from rapport.core.rules.fields import FIELDS, MOST_MOMENTS, MOST_SEARCHED
from rapport.core.rules.plain_words import stands_for_words
from rapport.core.rules.syntax import Call, Fault, Has, Inside, Items, Matches, Name, Node, Text, parts_of
from rapport.core.rules.values import is_constant

#: What one rule, its group with it, and a whole set may take for one post.
RULE_STEPS = 4_000_000
SET_STEPS = 20_000_000
#: Nanoseconds of one step, to tell a time.
STEP = 100

#: Going once through the part of a text that is looked at.
_ONCE = MOST_SEARCHED // 8
#: The same for one place of a pattern that can be alive at every character.
PLACE = MOST_SEARCHED * 2 // 5
#: Cutting the part of a text that is looked at into words: up to 1.9 microseconds a character.
_WORDS = MOST_SEARCHED * 20

#: One part of a pattern, as far as what stands for characters has to be told from the rest.
_PART = re.compile(
    r"(?P<one>\\[pP](?:\{[^}]*\}|.)|\\[dDwWsS]|\\x\{[0-9A-Fa-f]+\}|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|[^\x00-\x7f]|\.)"
    r"|\\.|.",
    re.DOTALL,
)


def cost_of(node: Node) -> int:  # noqa: PLR0911 - one line for each kind of part
    """Steps that a checked condition takes at most for one post."""
    match node:
        case Name():
            return 1 + FIELDS[node.name].most
        case Matches():
            assert isinstance(node.right, Text)  # by check
            return 1 + cost_of(node.left) + _ONCE + pattern_cost(node.right.value)
        case Call() if is_constant(node):
            return 1
        case Call():
            return 1 + sum(map(cost_of, node.arguments)) + _EXTRA.get(node.function, 0)
        case Items():
            return len(node.values)
        case Has() | Inside():
            return 1 + cost_of(node.left) + cost_of(node.right)
    return 1 + sum(map(cost_of, parts_of(node)))


#: What functions do beyond reading their arguments; `contains` and its like search once.
_EXTRA = {
    "count": MOST_MOMENTS,
    "last": MOST_MOMENTS,
    "words": _WORDS,
    "contains": 2 * _ONCE,
    "starts_with": 2 * _ONCE,
    "ends_with": 2 * _ONCE,
}


def pattern_cost(pattern: str) -> int:
    """Steps that an accepted pattern takes at most on one text."""
    return _ONCE if stands_for_words(pattern) else _ONCE + PLACE * _places(pattern)


def _places(pattern: str) -> int:
    """How many places of a pattern can be alive at once: its program, with every set of characters as one of them."""
    simple = _PART.sub(lambda part: "a" if part["one"] else part[0], pattern)
    whole = compile_pattern(pattern, 0).programsize
    try:
        return int(min(whole, compile_pattern(simple, 0).programsize))
    except Fault:  # something that was no set of characters: then every instruction counts
        return int(whole)
