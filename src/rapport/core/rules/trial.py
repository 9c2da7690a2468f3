"""What a trial of a rule set on history comes to: counts by kind, examples, load, rules that fired, in one report."""

from __future__ import annotations

import datetime as dt
import operator
from collections import Counter, deque
from collections.abc import Mapping, Sequence

import msgspec

from rapport.core.decision import PRIORITIES, Decision
from rapport.core.hours import Hours
from rapport.core.promises import Kind, Terms
from rapport.core.rules.compare import Fired, Pair, Verdict, kinds_of
from rapport.core.rules.fields import Case

#: examples of one difference: the newest
EXAMPLES = 20
#: differences that are told one by one, those that occur most
MAX_TALLIES = 400
#: hours of a week, from Monday midnight on
WEEK = 168


class Decided(msgspec.Struct, frozen=True, gc=False):
    """What was decided at the time, as far as it can be held against what would be decided today."""

    basket: str = ""
    priority: str = "medium"
    draft: str | None = None
    quarantined: bool = False
    rule_set: int = 0


class Wait(msgspec.Struct, frozen=True, gc=False):
    """Somebody waited from this mention on, until we answered."""

    #: the first answer in a conversation, or a next one
    kind: Kind
    since: dt.datetime
    answered: dt.datetime


class Promised(msgspec.Struct, frozen=True):
    """What a basket promises today, and when it is staffed."""

    terms: Terms
    hours: Hours


class Mention(msgspec.Struct, gc=False):
    """One stored mention, ready to be decided again."""

    #: row id of its post
    row: int
    #: of the week in the workspace's time zone, 0 from Monday midnight on
    hour: int
    #: None where it cannot be decided again; `why_not` says why: "deleted", "edited", "history" or "old"
    case: Case | None
    decided: Decided
    why_not: str = ""
    #: of what the rules ask for, what was not kept with it: "conversation", or "person" for our answers and steps
    unknown: str = ""
    #: None where nobody waited from it on, or nobody has answered
    wait: Wait | None = None


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """One difference, and how often it occurred."""

    #: core.rules.compare.Change
    kind: str
    before: str
    after: str
    count: int
    #: row ids of posts, the newest first
    examples: tuple[int, ...] = ()


class RuleTally(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one rule did before and after; None: the set has no such rule."""

    rule: str
    before: int | None = None
    after: int | None = None
    #: how often it broke
    broken_before: int = 0
    broken_after: int = 0
    #: the first error, of the set that is tried where it broke there
    error: str = ""


class Load(msgspec.Struct, frozen=True):
    """Mentions of one basket by hour of the week, `WEEK` numbers each. Basket "" is the quarantine."""

    basket: str
    before: tuple[int, ...]
    after: tuple[int, ...]


class PromiseTally(msgspec.Struct, frozen=True):
    """Answers that a basket had promised within a time, and how many of these came too late."""

    basket: str
    before: int
    late_before: int
    after: int
    late_after: int


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would have been different."""

    #: mentions that both sets decided, and how many of them differently
    seen: int = 0
    different: int = 0
    #: mentions that the set in force decides otherwise today than was decided then
    drifted: int = 0
    #: kind -> mentions that differ in it
    kinds: Mapping[str, int] = {}
    tallies: tuple[Tally, ...] = ()
    #: differences that are not among the tallies, because too many kinds of them occurred
    untold: int = 0
    rules: tuple[RuleTally, ...] = ()
    load: tuple[Load, ...] = ()
    #: what the answers that were given would have been worth, had the mention been in that basket with that priority
    promises: tuple[PromiseTally, ...] = ()
    #: why mentions were left out -> how many: "deleted", "edited", "history", "old"
    left_out: Mapping[str, int] = {}
    #: fields that were asked for and of which nothing was kept with a mention -> how many mentions
    unknown: Mapping[str, int] = {}


class _Count:
    """How often one verdict was given."""

    __slots__ = ("examples", "hours", "times")

    def __init__(self, hours: list[int], examples: deque[int] | None) -> None:
        self.times = 0
        #: by hour of the week, together with all verdicts that put a mention into the same two baskets
        self.hours = hours
        #: row ids of posts, the newest; None where both sets say the same
        self.examples = examples


class Trial:
    """Adds up what a pair of sets says, mention by mention."""

    def __init__(self, pair: Pair, promised: Mapping[str, Promised] | None = None) -> None:
        """`promised`: what baskets promise, by slug; none of the others do."""
        self.pair = pair
        self.promised = promised or {}
        #: basket -> promised and late, before and after
        self._promises: dict[str, list[int]] = {}
        self.drifted = 0
        self.left_out: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self._counts: dict[Verdict, _Count] = {}
        #: baskets before and after -> mentions by hour of the week
        self._hours: dict[tuple[str, str], list[int]] = {}
        self._version = pair.before.version

    def look(self, mentions: Sequence[Mention]) -> None:
        """Hold mentions against both sets."""
        told = [(mention, mention.case) for mention in mentions if mention.case is not None]
        if len(told) < len(mentions):
            self.left_out.update(mention.why_not for mention in mentions if mention.case is None)
        for (mention, _), verdict in zip(told, self.pair.judge_all([case for _, case in told]), strict=True):
            self._note(mention, verdict)

    def _note(self, mention: Mention, verdict: Verdict) -> None:
        count = self._counts.get(verdict)
        if count is None:
            count = self._counts[verdict] = self._count(verdict)
        count.times += 1
        count.hours[mention.hour] += 1
        if count.examples is not None:
            count.examples.append(mention.row)
        if mention.decided.rule_set != self._version and _is_other(mention.decided, verdict.before):
            self.drifted += 1
        if mention.wait is not None:
            self._hold(mention.wait, verdict.before, 0)
            self._hold(mention.wait, verdict.after, 2)
        if mention.unknown:
            self.unknown[mention.unknown] += 1

    def _count(self, verdict: Verdict) -> _Count:
        places = _place(verdict.before), _place(verdict.after)
        hours = self._hours.setdefault(places, [0] * WEEK)
        return _Count(hours, deque(maxlen=EXAMPLES) if verdict.changes else None)

    def _hold(self, wait: Wait, decision: Decision, side: int) -> None:
        """Hold an answer against what the basket of a decision promises."""
        promised = None if decision.quarantined else self.promised.get(decision.basket)
        minutes = promised.terms.minutes(wait.kind, PRIORITIES.index(decision.priority)) if promised else 0
        if promised is None or not minutes:
            return
        counts = self._promises.setdefault(decision.basket, [0, 0, 0, 0])
        counts[side] += 1
        counts[side + 1] += promised.hours.minutes_between(wait.since, wait.answered) > minutes

    def report(self) -> Report:
        """What came of it so far."""
        times = {verdict: count.times for verdict, count in self._counts.items()}
        kinds: Counter[str] = Counter()
        for verdict, count in times.items():
            for kind in kinds_of(verdict.changes):
                kinds[kind] += count
        tallies = self._tallies(times)
        return Report(
            seen=sum(times.values()),
            different=sum(count for verdict, count in times.items() if verdict.changes),
            drifted=self.drifted,
            kinds=dict(kinds),
            tallies=tuple(tallies[:MAX_TALLIES]),
            untold=sum(each.count for each in tallies[MAX_TALLIES:]),
            rules=self._rules(times),
            load=self._load(),
            promises=tuple(PromiseTally(basket, *counts) for basket, counts in sorted(self._promises.items())),
            left_out=dict(self.left_out),
            unknown=dict(self.unknown),
        )

    def _tallies(self, times: Mapping[Verdict, int]) -> list[Tally]:
        counts: Counter[tuple[str, str, str]] = Counter()
        rows: dict[tuple[str, str, str], list[int]] = {}
        for verdict, count in times.items():
            for change in verdict.changes:
                key = (change.kind, change.before, change.after)
                counts[key] += count
                rows.setdefault(key, []).extend(self._counts[verdict].examples or ())
        return [
            Tally(*key, count, tuple(sorted(rows[key], reverse=True)[:EXAMPLES]))
            for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]

    def _rules(self, times: Mapping[Verdict, int]) -> tuple[RuleTally, ...]:
        sides: list[tuple[Counter[int], Counter[int]]] = [(Counter(), Counter()), (Counter(), Counter())]
        for verdict, count in times.items():
            for (fired, broken), found in zip(sides, (verdict.fired_before, verdict.fired_after), strict=True):
                _add(fired, broken, found, count)
        told: dict[str, RuleTally] = {}
        pairs = zip((False, True), (self.pair.after, self.pair.before), reversed(sides), strict=True)
        for old, rules, (fired, broken) in pairs:
            for number, rule in enumerate(rules.rules):
                so_far = told.get(rule.name) or RuleTally(rule.name)
                error = so_far.error or self.pair.errors.get((not old, number), "")
                side = "before" if old else "after"
                changes = {side: fired[number], f"broken_{side}": broken[number], "error": error}
                told[rule.name] = msgspec.structs.replace(so_far, **changes)
        return tuple(told.values())

    def _load(self) -> tuple[Load, ...]:
        hours: dict[str, tuple[list[int], list[int]]] = {}
        for places, counts in self._hours.items():
            for side, basket in enumerate(places):
                load = hours.setdefault(basket, ([0] * WEEK, [0] * WEEK))[side]
                load[:] = map(operator.add, load, counts)
        return tuple(Load(basket, tuple(before), tuple(after)) for basket, (before, after) in sorted(hours.items()))


def _add(fired: Counter[int], broken: Counter[int], found: Fired, count: int) -> None:
    for number in found.matched:
        fired[number] += count
    for number in found.broken:
        broken[number] += count


def _is_other(then: Decided, now: Decision) -> bool:
    return (then.basket, then.priority, then.draft, then.quarantined) != (
        now.basket,
        now.priority,
        now.draft,
        now.quarantined,
    )


def _place(decision: Decision) -> str:
    return "" if decision.quarantined else decision.basket
