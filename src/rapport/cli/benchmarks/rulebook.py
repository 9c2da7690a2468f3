"""Rules for the benchmarks: the set that ships, and what a larger desk adds in front of its last lines.

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
from rapport.core.rules.fields import FIELDS, Case

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
_WORDS = (
    "refund|money back",
    "cancel(led|ed)?",
    "lost (bag|luggage)",
    "rude|unhelpful",
    "worst|terrible",
    "thank(s| you)",
    "never again",
    "on hold|waiting",
    "broken|faulty",
    "gift ?card|voucher",
)
#: The shapes of what a very large desk adds: rules about one topic, one customer, one product, one market. Nearly all
#: posts have nothing to do with nearly all of them.
_SPECIFIC = (
    ('topics has "topic-{topic}" and complaint >= {share}', "tag:care-{n}"),
    ('author.handle == "{author}"', "notify:account-{n}"),
    ('topics has "topic-{topic}" and language == "{language}" and question >= {share}', "tag:ask-{n}"),
    ('text matches "{phrase}" and negative >= {share}', "tag:product-{n}"),
    ('mentions has "{mention}" and urgency >= {share}', "tag:desk-{n}"),
    ('hashtags has "{hashtag}" and author.followers >= {reach}', "tag:campaign-{n}"),
    (
        'network == "{network}" and language == "{language}" and purchase >= {share} and score >= {score}',
        "tag:sell-{n}",
    ),
    ('topics has "topic-{topic}" and count(person.negative, {days} days) >= {few}', "tag:again-{n}"),
)
_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja")
_NETWORKS = ("x", "mastodon", "bluesky", "mail", "discourse")
_THINGS = (
    "app",
    "bill",
    "card",
    "delivery",
    "driver",
    "flight",
    "gate",
    "invoice",
    "luggage",
    "order",
    "parcel",
    "password",
    "phone",
    "plan",
    "refund",
    "router",
    "seat",
    "signal",
    "store",
    "ticket",
    "train",
    "update",
    "voucher",
    "website",
)
_FAULTS = ("late|delayed", "lost|missing", "broken|faulty", "wrong", "expired", "crash(es|ed)?", "double|twice")
#: topics that exist; those of the rules go round
TOPICS = 300
#: the rules that ship and stop the list for what is ours, ignored, spam or a repost stay in front
_FRONT = 7


class Written(NamedTuple):
    """One rule as data."""

    name: str
    when: str
    then: tuple[str, ...]
    stop: bool


_CUSTOMERS, _BRANDS, _CAMPAIGNS = (
    tuple(f"{word}{number}" for number in range(100)) for word in ("customer", "brand", "campaign")
)


class Names(NamedTuple):
    """Who and what rules about one customer, one desk, one campaign ask for. None of these is empty."""

    authors: Sequence[str] = _CUSTOMERS
    mentions: Sequence[str] = _BRANDS
    hashtags: Sequence[str] = _CAMPAIGNS


def make_rules(count: int = COUNT, names: Names | None = None) -> list[Written]:
    """The rules that ship, and as many more as are missing to `count`, always the same: up to a hundred those that
    concern every post, then those about one thing each.
    """
    shipped = [
        Written(rule["name"], rule["when"], tuple(rule["then"]), rule.get("stop", False))
        for rule in tomllib.loads(default_document())["rule"]
        if rule.get("enabled", True)
    ]
    common = max(0, min(count, COUNT) - len(shipped))
    added = [_make(number) for number in range(common)]
    added += [_make_specific(number, names or Names()) for number in range(max(0, count - COUNT))]
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


def _make_specific(number: int, names: Names) -> Written:
    when, then = _SPECIFIC[number % len(_SPECIFIC)]
    turn = number // len(_SPECIFIC)
    thing, fault = _THINGS[turn % len(_THINGS)], _FAULTS[turn // len(_THINGS) % len(_FAULTS)]
    values = {
        "n": number,
        "topic": number % TOPICS,
        "share": f"{0.5 + turn % 5 / 10:.1f}",
        "language": _LANGUAGES[turn % len(_LANGUAGES)],
        "network": _NETWORKS[turn // len(_LANGUAGES) % len(_NETWORKS)],
        "author": names.authors[turn % len(names.authors)],
        "mention": names.mentions[turn % len(names.mentions)],
        "hashtag": names.hashtags[turn % len(names.hashtags)],
        "phrase": f"{thing} (is |was |got )?({fault})",
        "reach": 500 * 2 ** (turn % 8),
        "score": 30 + 5 * (turn % 8),
        "days": 7 * (1 + turn % 4),
        "few": 1 + turn % 3,
    }
    return Written(f"Specific {number}", when.format(**values), (then.format(**values),), stop=False)


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


#: What differs from Python in a condition: each of these is rewritten, what stands between is the same in both.
_DIFFERENT = re.compile(
    r'text matches (?P<pattern>"[^"]*")|(?P<held>topics|mentions|hashtags) has (?P<item>"[^"]*")'
    r'|count\((?P<times>[a-z.]+), (?P<days>\d+) days\)|known\((?P<known>[a-z.]+)\)|(?P<text>"[^"]*")'
    r"|(?P<name>[a-z_]+(?:\.[a-z_]+)?)"
)


def as_predicates(rules: Sequence[Written]) -> list[Predicate]:
    """Plain Python functions for the rules: what somebody would write by hand in their place."""
    return [Predicate(rule.name, _compile(rule.when), tuple(map(_split, rule.then)), rule.stop) for rule in rules]


def _split(action: str) -> tuple[str, str]:
    verb, _, argument = action.partition(":")
    return verb, argument


def _compile(when: str) -> Callable[[Fields], bool]:
    searches: list[Callable[[str], object]] = []

    def as_python(found: re.Match[str]) -> str:
        match found.lastgroup:
            case "pattern":
                searches.append(re.compile(found["pattern"][1:-1], re.IGNORECASE).search)
                return f'bool(searches[{len(searches) - 1}](p["text"]))'
            case "item":
                return f'{found["item"]} in p["{found["held"]}"]'
            case "days":
                return f'count_since(p["{found["times"]}"], p["now"], {found["days"]})'
            case "known":
                return f'not isnan(p["{found["known"]}"])'
            case "name":
                return _NAMES.get(found["name"], f'p["{found["name"]}"]')
            case _:
                return found[0]

    scope = {"searches": searches, "count_since": count_since, "isnan": math.isnan}
    return eval(f"lambda p: {_DIFFERENT.sub(as_python, when)}", scope)  # type: ignore[no-any-return]  # noqa: S307  (our own text)


_NAMES = {"true": "True", "false": "False"} | {word: word for word in ("and", "or", "not", "in")}


def count_since(moments: Sequence[datetime], now: datetime, days: int) -> int:
    """How many of the moments lie within so many days before now."""
    since = now - timedelta(days=days)
    return sum(moment > since for moment in moments)


def decide(predicates: Sequence[Predicate], fields: Fields) -> Decided:
    """Try the rules in order; the first that names a basket, a priority or a draft wins, tags add up."""
    chosen: dict[str, str] = {}
    tags: list[str] = []
    because: list[str] = []
    for rule in predicates:
        if not rule.holds(fields):
            continue
        because.append(rule.name)
        for verb, argument in rule.then:
            if verb in {"tag", "notify"}:
                tags.append(argument)
            else:
                chosen.setdefault(verb, argument)
        if rule.stop:
            break
    return Decided(
        chosen.get("basket", "questions"),
        chosen.get("priority", "medium"),
        chosen.get("draft", ""),
        tuple(tags),
        "quarantine" in chosen,
        tuple(because),
    )


def collect_fields(case: Case) -> Fields:
    """The values of every field of the rule language for one post, as the predicates want them."""
    fields: Fields = {}
    for field in FIELDS.values():
        value: Any = case
        if isinstance(field.source, str):
            for step in field.source.split("."):
                value = getattr(value, step)
        else:
            value = field.source(case)
        fields[field.name] = value if value is not None else math.nan if field.type == "number" else ""
    return fields
