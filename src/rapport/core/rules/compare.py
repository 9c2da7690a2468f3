"""Two rule sets held against each other on the same mentions: what each would do, and where they differ.

What a decision says, apart from its words for people, follows from which rules fired. So a pair of sets tests each
condition once for both, and a `Decision` is made in full only for a combination of rules that has not been seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from rapport.core.decision import Decision, Effect, Score
from rapport.core.reading import Toward
from rapport.core.rules.circumstances import Circumstances
from rapport.core.rules.cut import asked_beyond
from rapport.core.rules.fields import EVALUATION_ERRORS, Case
from rapport.core.rules.index import Index
from rapport.core.rules.leaves import Test
from rapport.core.rules.ruleset import RuleSet, compile_rules
from rapport.core.rules.syntax import Node
from rapport.core.rules.words import shorten

#: What can differ between two decisions, in the order of a report. What goes beyond sorting is "does:VERB".
KINDS = ("basket", "priority", "person", "quarantine", "draft", "skill", "tag", "notify")
DOES = "does:"
#: combinations that are looked up without another look at their conditions
REMEMBERED = 50_000
#: characters of a value, as the store keeps them
MAX_VALUE = 200
QUARANTINED, SHOWN = "quarantined", "shown"


class Change(msgspec.Struct, frozen=True, gc=False):
    """One thing that two decisions say differently. "" on one side: it says nothing there."""

    #: one of `KINDS`, or "does:" and a verb
    kind: str
    before: str
    after: str


def differences(before: Decision, after: Decision) -> tuple[Change, ...]:
    """What the second decision says otherwise than the first; reasons, trace and versions are no part of it.

    A tag, a skill, somebody who is told, and an effect that only one of them has is one change each.
    """
    found = [
        Change("basket", before.basket, after.basket),
        Change("priority", before.priority, after.priority),
        Change("person", before.person or "", after.person or ""),
        Change("quarantine", *(QUARANTINED if each.quarantined else SHOWN for each in (before, after))),
        Change("draft", before.draft or "", after.draft or ""),
    ]
    changes = [change for change in found if change.before != change.after]
    changes += _exchanged("skill", before.skills, after.skills)
    changes += _exchanged("tag", before.tags, after.tags)
    changes += _exchanged("notify", before.notify, after.notify)
    if before.effects == after.effects:
        return tuple(changes)
    effects = [[effect for effect in each.effects if not _is_told(effect)] for each in (before, after)]
    for verb in dict.fromkeys(effect.verb for side in effects for effect in side):
        sides = ([_say_effect(effect) for effect in side if effect.verb == verb] for side in effects)
        changes += _exchanged((DOES + verb)[:16], *sides)
    return tuple(changes)


def _exchanged(kind: str, before: Sequence[str], after: Sequence[str]) -> list[Change]:
    if before == after:
        return []
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    left = [Change(kind, value[:MAX_VALUE], "") for value in gone]
    return left + [Change(kind, "", value[:MAX_VALUE]) for value in come]


def _is_told(effect: Effect) -> bool:
    """Who is told at once stands in `Decision.notify` too."""
    return effect.verb == "notify" and effect.level == "act"


def _say_effect(effect: Effect) -> str:
    """Without its rule: that another rule does the same is no difference to anybody."""
    return f"{effect.level}: {effect.argument}" if effect.argument else effect.level


class Fired(msgspec.Struct, frozen=True, gc=False):
    """Which rules of a set fired on one case, by number, and which broke."""

    matched: tuple[int, ...]
    broken: tuple[int, ...] = ()


class Verdict(msgspec.Struct, frozen=True, eq=False):
    """What two sets say of one combination of rules that fired."""

    before: Decision
    after: Decision
    changes: tuple[Change, ...]
    fired_before: Fired
    fired_after: Fired


class Pair:
    """Two rule sets, compiled and ready to be held against each other."""

    def __init__(self, before: str, after: str, version: int = 0) -> None:
        """The documents of the set in force, with its version, and of the one that is tried. Raises `InvalidRule`."""
        self.before, self.after = compile_rules(before, version, bounded=False), compile_rules(after)
        #: what the two sets ask for together
        self.asks = self.before.asks | self.after.asks
        #: errors of rules that broke: (of the second set, number of the rule) -> the first words
        self.errors: dict[tuple[bool, int], str] = {}
        #: conditions that hold, and those that break -> what follows
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...]], Verdict] = {}
        #: bits of the index -> the same, where they tell all
        self._certain: dict[int, Verdict] = {}
        # Each condition once, however many rules of both sets have it. A group may narrow it or switch it off, so what
        # is written in `when` tells the condition of free rules alone.
        slots: dict[object, int] = {}
        nodes: list[Node] = []
        tests: list[Test] = []
        self._rules_of: list[tuple[list[int], list[int]]] = []
        for side, rules in enumerate((self.before, self.after)):
            for number, rule in enumerate(rules.rules):
                slot = slots.setdefault((side, number) if rule.group or rule.off else rule.when, len(slots))
                if slot == len(nodes):
                    nodes.append(rule.node)
                    tests.append(rule.condition.test)
                    self._rules_of.append(([], []))
                self._rules_of[slot][side].append(number)
        self._index, self._tests = Index(nodes), tests
        #: what they ask of a person's history beyond what is kept of a long one
        self.beyond = asked_beyond(nodes)

    def judge(self, case: Case) -> Verdict:
        """What both sets say of this case. Never raises for a value in it."""
        return self._judge(self._index.look(case), case)

    def judge_all(self, cases: Sequence[Case]) -> list[Verdict]:
        """As `judge` for each of them, quicker."""
        return list(map(self._judge, self._index.look_all(cases), cases))

    def _judge(self, bits: int | None, case: Case) -> Verdict:
        if bits is None or bits & self._index.uncertain:
            return self._judge_one_by_one(case)
        known = self._certain.get(bits)
        if known is None:
            if len(self._certain) >= REMEMBERED:
                self._certain.clear()
            known = self._certain[bits] = self._rule_on(self._index.numbers(bits), (), case)
        return known

    def _judge_one_by_one(self, case: Case) -> Verdict:
        """As `judge`, where the index does not know whether a condition holds."""
        held: list[int] = []
        broken: list[int] = []
        for slot in self._index.candidates(case):
            try:
                if self._tests[slot](case):
                    held.append(slot)
            except EVALUATION_ERRORS as error:
                broken.append(slot)
                self._note_error(slot, error)
        return self._rule_on(tuple(held), tuple(broken), case)

    def _rule_on(self, held: tuple[int, ...], broken: tuple[int, ...], case: Case) -> Verdict:
        """What follows where these conditions hold and these break, worked out once."""
        known = self._known.get((held, broken))
        if known is None:
            one, two = (self._fired(side, held, broken) for side in (0, 1))
            before, after = _decide(self.before, one, case), _decide(self.after, two, case)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[held, broken] = Verdict(before, after, differences(before, after), one, two)
        return known

    def _fired(self, side: int, held: tuple[int, ...], broken: tuple[int, ...]) -> Fired:
        """The rules of one set behind these conditions, up to the first that stops."""
        rules = (self.before, self.after)[side].rules
        matched = sorted(number for slot in held for number in self._rules_of[slot][side])
        last = next((number for number in matched if rules[number].stop), len(rules))
        failed = sorted(number for slot in broken for number in self._rules_of[slot][side])
        return Fired(tuple(each for each in matched if each <= last), tuple(each for each in failed if each < last))

    def _note_error(self, slot: int, error: Exception) -> None:
        for side in (0, 1):
            for number in self._rules_of[slot][side]:
                self.errors.setdefault((bool(side), number), shorten(str(error)))


def _decide(rules: RuleSet, fired: Fired, case: Case) -> Decision:
    """What follows, without its words: they are the dear part, and nobody reads those of a hundred thousand posts."""
    if not fired.broken:
        return (rules.rulings.known.get(fired.matched) or rules.rule_on(fired.matched)).decision
    at = Circumstances(case.now, case.business_hours, case.zone, case.handles)
    felt = case.toward
    toward = () if felt is None or felt is case.sentiment else (Toward("", "", felt, ours=True),)
    score = Score(case.score)
    return rules.decide(case.post, case.reading, score, case.person, case.topics, at, toward, case.conversation)


def kinds_of(changes: Iterable[Change]) -> tuple[str, ...]:
    """The kinds among these changes, each once."""
    return tuple(dict.fromkeys(change.kind for change in changes))
