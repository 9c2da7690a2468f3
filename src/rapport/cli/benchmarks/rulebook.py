"""A hundred rules for the benchmarks: the set that ships, and what a larger desk adds in front of its last lines.

For the peers the same conditions are turned into plain Python predicates over a dict of fields.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rapport.core.rules import default_document
from rapport.core.rules.fields import FIELDS

COUNT = 100
#: Fields of one post by the names of the rule language; `now` is among them. A number that is not known is NaN.
Fields = dict[str, Any]

#: The shapes of the rules that are added, filled with numbers and words in turn. None of them stops the list, so
#: every post is tried against nearly all: the dear case.
_SHAPES = (
    ("complaint >= {share} and author.followers >= {reach}", "tag:reach-{n}"),
    ('text matches "{words}"', "tag:words-{n}"),
    ('negative >= {share} and urgency >= {share} and not author.bot', "notify:group-{n}"),
    ('topics has "topic-{n}" and negative >= {share}', "tag:topic-{n}"),
    ("count(person.negative, {days} days) >= {few}", "tag:again-{n}"),
    ('kind == "reply" and question >= {share} and score > {score}', "tag:reply-{n}"),
    ('language in ["en", "de", "fr"] and personal >= {share} or anger >= {share}', "tag:personal-{n}"),
    ("has_link and spam >= {share} and author.followers < {reach}", "tag:link-{n}"),
)  # fmt: skip
_WORDS = ("refund|money back", "cancel(led|ed)?", "lost (bag|luggage)", "rude|unhelpful", "worst|terrible", "thank(s| you)",
          "never again", "on hold|waiting", "broken|faulty", "gift ?card|voucher")  # fmt: skip
#: the rules that ship and stop the list for what is ours, ignored, spam or a repost stay in front
_FRONT = 7


class Written(NamedTuple):
    """One rule as data."""

    name: str
    when: str
    then: tuple[str, ...]
    stop: bool


def make_rules(count: int = COUNT) -> list[Written]:
    """The rules that ship, and as many more as are missing to `count`, always the same."""
    shipped = [
        Written(rule["name"], rule["when"], tuple(rule["then"]), rule.get("stop", False))
        for rule in tomllib.loads(default_document())["rule"]
    ]
    added = [_make(number) for number in range(count - len(shipped))]
    return [*shipped[:_FRONT], *added, *shipped[_FRONT:]]


def _make(number: int) -> Written:
    when, then = _SHAPES[number % len(_SHAPES)]
    turn = number // len(_SHAPES)
    values = {
        "n": number,
        "share": f"{0.5 + turn % 5 / 10:.1f}",
        "reach": 500 * 2 ** (turn % 8),
        "words": _WORDS[turn % len(_WORDS)],
        "days": 7 * (1 + turn % 4),
        "few": 1 + turn % 3,
        "score": 30 + 5 * (turn % 8),
    }
    return Written(f"Added {number}", when.format(**values), (then.format(**values),), stop=False)


def as_document(rules: Sequence[Written]) -> str:
    """The rules in the format of a workspace (TOML)."""
    parts = ['version = 1\nfallback = "questions"\n']
    for rule in rules:
        actions = ", ".join(f'"{action}"' for action in rule.then)
        stop = "stop = true\n" if rule.stop else ""
        parts.append(f"[[rule]]\nname = \"{rule.name}\"\nwhen = '{rule.when}'\nthen = [{actions}]\n{stop}")
    return "\n".join(parts)


# ---------------------------------------------------------------- the same in plain Python


class Predicate(NamedTuple):
    """One rule as a function of the fields."""

    name: str
    holds: Callable[[Fields], bool]
    then: tuple[tuple[str, str], ...]
    stop: bool


class Decided(NamedTuple):
    """What the predicates say of one post."""

    basket: str
    priority: str
    draft: str
    tags: tuple[str, ...]
    quarantined: bool
    #: names of the rules that held
    because: tuple[str, ...]


_TOKEN = re.compile(r"""("[^"]*")|([A-Za-z_]+(?:\.[A-Za-z_]+)?)""")
_MATCHES = re.compile(r"text matches (\"[^\"]*\")")
_HAS = re.compile(r"topics has (\"[^\"]*\")")
_DAYS = re.compile(r"(\d+) days")


def as_predicates(rules: Sequence[Written]) -> list[Predicate]:
    """Plain Python functions for the rules: what somebody would write by hand in their place."""
    return [Predicate(rule.name, _compile(rule.when), tuple(map(_split, rule.then)), rule.stop) for rule in rules]


def _split(action: str) -> tuple[str, str]:
    verb, _, argument = action.partition(":")
    return verb, argument


def _compile(when: str) -> Callable[[Fields], bool]:
    patterns = [re.compile(found[1:-1], re.IGNORECASE).search for found in _MATCHES.findall(when)]
    searches = iter(range(len(patterns)))
    source = _MATCHES.sub(lambda _: f"searches[{next(searches)}](text)", when)
    source = _HAS.sub(r"\1 in topics", source)
    source = _DAYS.sub(r"span(\1)", source)
    source = _TOKEN.sub(lambda found: found[1] or _name(found[2]), source)
    scope = {"searches": patterns, "span": lambda days: timedelta(days=days), "count": _count, "known": _is_known}
    holds: Callable[[Fields], bool] = eval(f"lambda p: {source}", scope)  # noqa: S307  (our own text, from above)
    return holds


def _name(word: str) -> str:
    if word == "count":
        return "count"
    if word in {"true", "false"}:
        return word.title()
    return f'p["{word}"]' if word in FIELDS else word


def _count(moments: Sequence[float], within: timedelta) -> int:
    raise NotImplementedError
