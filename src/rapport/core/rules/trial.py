"""What a trial of a rule set on history comes to: counts by kind, examples, load, rules that fired, in one report."""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from collections.abc import Mapping

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
    #: of what the rules ask for, what was not kept with it: "conversation"
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


class Trial:
    """Adds up what a pair of sets says, mention by mention."""

    def __init__(self, pair: Pair, promised: Mapping[str, Promised] | None = None) -> None:
        """`promised`: what baskets promise, by slug; none of the others do."""
        self.pair = pair
        self.promised = promised or {}
        #: basket -> promised and late, before and after
        self._promises: dict[str, list[int]] = {}
        self.seen = 0
        self.drifted = 0
        self.left_out: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        #: (identity of the verdict, hour of the week) -> mentions; the verdicts are kept alive by `_kept`
        self._hours: Counter[tuple[int, int]] = Counter()
        self._kept: dict[int, Verdict] = {}
        self._examples: dict[int, deque[int]] = {}

    def look(self, mention: Mention) -> None:
        """Hold one mention against both sets."""
        if mention.case is None:
            self.left_out[mention.why_not] += 1
            return
        verdict = self.pair.judge(mention.case)
        self.seen += 1
        number = id(verdict)
        if number not in self._kept:
            self._kept[number] = verdict
            self._examples[number] = deque(maxlen=EXAMPLES)
        self._hours[number, mention.hour] += 1
        if verdict.changes:
            self._examples[number].append(mention.row)
        if mention.decided.rule_set != self.pair.before.version and _is_other(mention.decided, verdict.before):
            self.drifted += 1
        if mention.wait is not None:
            self._hold(mention.wait, verdict.before, 0)
            self._hold(mention.wait, verdict.after, 2)
        if mention.unknown:
            self.unknown[mention.unknown] += 1

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
        times: Counter[int] = Counter()
        for (number, _), count in self._hours.items():
            times[number] += count
        kinds: Counter[str] = Counter()
        for number, count in times.items():
            for kind in kinds_of(self._kept[number].changes):
                kinds[kind] += count
        tallies = self._tallies(times)
        return Report(
            seen=self.seen,
            different=sum(count for number, count in times.items() if self._kept[number].changes),
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

    def _tallies(self, times: Mapping[int, int]) -> list[Tally]:
        counts: Counter[tuple[str, str, str]] = Counter()
        rows: dict[tuple[str, str, str], list[int]] = {}
        for number, count in times.items():
            for change in self._kept[number].changes:
                key = (change.kind, change.before, change.after)
                counts[key] += count
                rows.setdefault(key, []).extend(self._examples[number])
        return [
            Tally(*key, count, tuple(sorted(rows[key], reverse=True)[:EXAMPLES]))
            for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]

    def _rules(self, times: Mapping[int, int]) -> tuple[RuleTally, ...]:
        sides: list[tuple[Counter[int], Counter[int]]] = [(Counter(), Counter()), (Counter(), Counter())]
        for number, count in times.items():
            verdict = self._kept[number]
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
        for (number, hour), count in self._hours.items():
            verdict = self._kept[number]
            for side, decision in enumerate((verdict.before, verdict.after)):
                basket = _place(decision)
                if basket not in hours:
                    hours[basket] = ([0] * WEEK, [0] * WEEK)
                hours[basket][side][hour] += count
        return tuple(Load(basket, *map(tuple, both)) for basket, both in sorted(hours.items()))


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
