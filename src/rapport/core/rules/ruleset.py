"""A compiled rule set and its two verbs: `decide` says what follows, `explain` tells how it came about.

Deciding is cheap and keeps only what matched; `explain` puts every comparison into words, for the posts that somebody
asks about. Both are pure, so an explanation made later from the same arguments is the one that was true then.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence

import msgspec

from rapport.core.decision import (
    NEW,
    ConversationFacts,
    Decision,
    Effect,
    PersonFacts,
    Score,
    Step,
)
from rapport.core.felt import as_felt
from rapport.core.post import Post
from rapport.core.reading import Reading, Toward
from rapport.core.rules.actions import ACTIONS, Known, level_of, takes_effect
from rapport.core.rules.baskets import FALLBACK
from rapport.core.rules.circumstances import Circumstances
from rapport.core.rules.document import GroupText, RuleText, read_document
from rapport.core.rules.evaluate import compile_condition
from rapport.core.rules.fields import EVALUATION_ERRORS, Case
from rapport.core.rules.firing import Rule, Ruling, Sum, break_off, fail, take, tell
from rapport.core.rules.index import REMEMBERED, Index
from rapport.core.rules.plain import plain
from rapport.core.rules.syntax import AllOf, AnyOf, Node, fields_in


class _Rulings:
    """The rulings that a rule set has given: few combinations of rules make up most of a stream."""

    def __init__(self) -> None:
        self.known: dict[Hashable, Ruling] = {}

    def keep(self, key: Hashable, ruling: Ruling) -> None:
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[key] = ruling


class RuleSet(msgspec.Struct, frozen=True):
    """An ordered set of rules."""

    rules: tuple[Rule, ...]
    #: which of them can match a post
    index: Index
    version: int = 0
    #: basket of a post for which no rule named one
    fallback: str = FALLBACK
    #: names of the fields that its rules read: what nobody asks for need not be looked up in the store
    asks: frozenset[str] = frozenset()
    rulings: _Rulings = msgspec.field(default_factory=_Rulings)

    @property
    def cost(self) -> int:
        """Steps that trying all its rules on one post takes at most (core.rules.cost)."""
        return sum(rule.cost for rule in self.rules)

    def asks_about(self, prefix: str) -> bool:
        """Whether a rule reads a field whose name begins like this: "conversation."."""
        return any(name.startswith(prefix) for name in self.asks)

    def decide(
        self,
        post: Post,
        reading: Reading,
        score: Score,
        facts: PersonFacts,
        topics: Collection[str],
        at: Circumstances,
        toward: Sequence[Toward] = (),
        conversation: ConversationFacts = NEW,
    ) -> Decision:
        """Try the rules in order on one post and say what follows, with the steps that matched or broke.

        `topics` are slugs; `toward` is the mood toward topics; `conversation` may be left out where no rule `asks` for
        it.
        The first matching rule that names a basket, a person, a priority or a draft wins; tags, skills, notifications
        and effects add up; a matching rule with `stop` ends the list. A rule that observes leaves its step alone, one
        that suggests leaves effects of that level. A rule whose evaluation breaks counts as not matched, says
        "error: ..." in the trace and leaves the tag `rule-error` on the post. Never raises for a value in the post.
        """
        case = _case(post, reading, score, facts, topics, at, toward, conversation)
        ruling = self.settle(case)
        if ruling is not None:
            try:
                return tell(ruling, case)
            except EVALUATION_ERRORS:  # a value that cannot be put into words
                pass
        return self._decide_one_by_one(case)

    def settle(self, case: Case) -> Ruling | None:
        """Which rules fire, and what follows, as `decide` has it but without reasons: at a fraction of its price.

        None where a value of the case breaks its contract, so that a rule may break on it.
        """
        bits = self.index.look(case)
        if bits is None:
            return None
        if not bits & self.index.uncertain:
            known = self.rulings.known.get(bits)
            if known is None:
                known = self.rule_on(self._until_stop(self.index.numbers(bits)))
                self.rulings.keep(bits, known)
            return known
        rules = self.rules
        try:
            fired = tuple([number for number in self.index.numbers(bits) if rules[number].condition.test(case)])
        except EVALUATION_ERRORS:
            return None
        return self.rulings.known.get(fired) or self.rule_on(self._until_stop(fired), fired)

    def _until_stop(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        for place, number in enumerate(numbers, 1):
            if self.rules[number].stop:
                return numbers[:place]
        return numbers

    def rule_on(self, numbers: tuple[int, ...], key: Hashable = None) -> Ruling:
        """What follows where just these rules fire, up to the first that stops; kept under `key` where it is given."""
        outcome = Sum()
        rules = tuple(self.rules[number] for number in numbers)
        left_out = tuple(outcome.add(rule) for rule in rules)
        chooser = next((place for place, rule in enumerate(rules) if rule.names_basket), None)
        tried = numbers[-1] + 1 if rules and rules[-1].stop else len(self.rules)
        decision = outcome.decision(self.version, self.fallback, (), tried)
        names, actions = tuple(rule.name for rule in rules), tuple(rule.written for rule in rules)
        ruling = Ruling(numbers, rules, names, actions, left_out, chooser, decision)
        self.rulings.keep(numbers if key is None else key, ruling)
        return ruling

    def _decide_one_by_one(self, case: Case) -> Decision:
        """As `decide`, where a rule may break."""
        steps: list[Step] = []
        outcome = Sum()
        tried = len(self.rules)
        for number in self.index.candidates(case):
            rule = self.rules[number]
            try:
                if not rule.condition.test(case):
                    continue
                steps.append(take(rule, case, outcome))
            except EVALUATION_ERRORS as error:
                steps.append(break_off(rule, error, outcome))
                continue
            if rule.stop:
                tried = number + 1
                break
        return outcome.decision(self.version, self.fallback, tuple(steps), tried)

    def explain(
        self,
        post: Post,
        reading: Reading,
        score: Score,
        facts: PersonFacts,
        topics: Collection[str],
        at: Circumstances,
        toward: Sequence[Toward] = (),
        conversation: ConversationFacts = NEW,
    ) -> tuple[Step, ...]:
        """Every rule that `decide` tries for the same arguments, matched or not, with the values that it found.

        The steps of `Decision.trace` are among them, the same and in the same order, and there are `Decision.tried`.
        """
        case = _case(post, reading, score, facts, topics, at, toward, conversation)
        steps: list[Step] = []
        outcome = Sum()
        for rule in self.rules:
            try:
                matched = rule.condition.test(case)
                steps.append(take(rule, case, outcome) if matched else fail(rule, case))
            except EVALUATION_ERRORS as error:
                steps.append(break_off(rule, error, outcome))
                continue
            if matched and rule.stop:
                break
        return tuple(steps)


def compile_rules(
    document: str,
    version: int = 0,
    baskets: Collection[str] | None = None,
    people: Collection[str] | None = None,
    webhooks: Collection[str] | None = None,
    replies: Collection[str] | None = None,
    surveys: Collection[str] | None = None,
    bounded: bool = True,
) -> RuleSet:
    """A rule document (TOML) -> the rule set that `decide`s.

    `version` is carried by every decision; 0 takes the one in the document. The slugs of `baskets`, `webhooks`,
    prepared `replies` and `surveys`, and the addresses of `people`, are those that exist (None: not known, any may be
    named).
    `bounded` False takes a document whatever it costs: one that was saved once stays in force when bounds become lower.
    Raises `InvalidRule` with line, column and the nearest name that exists.
    """
    read = read_document(document, Known(baskets, people, webhooks, replies, surveys), bounded)
    fallback = read.fallback or FALLBACK
    if baskets and fallback not in baskets:
        fallback = next(iter(baskets))
    conditions = [_condition(rule, read.groups) for rule in read.rules]
    rules = tuple(map(_compile, read.rules, conditions, [_off(rule, read.groups) for rule in read.rules]))
    asks = frozenset().union(*map(fields_in, conditions))
    return RuleSet(rules, Index(conditions), version or read.version, fallback, asks)


def _off(rule: RuleText, groups: Mapping[str, GroupText]) -> str:
    if not rule.enabled:
        return "the rule is switched off"
    if rule.group and not groups[rule.group].on:
        return f'the group "{rule.group}" is switched off'
    return ""


def _condition(rule: RuleText, groups: Mapping[str, GroupText]) -> Node:
    """What must hold for the rule, that of its group first; an `or` of nothing, which never holds, when it is off."""
    if _off(rule, groups):
        return AnyOf(at=0, parts=())
    guard = groups[rule.group].condition if rule.group else None
    return plain(rule.condition if guard is None else AllOf(at=0, parts=(guard, rule.condition)))


def _compile(rule: RuleText, condition: Node, off: str) -> Rule:
    sorting = takes_effect(rule.autonomy)
    sorts = tuple(action for action in rule.actions if sorting and ACTIONS[action.verb].sorts)
    effects = () if rule.autonomy == "observe" else tuple(
        Effect(rule.name, action.verb, action.argument, level_of(action.verb, rule.autonomy))
        for action in rule.actions if action not in sorts
    )  # fmt: skip
    return Rule(
        name=rule.name,
        when=rule.when,
        condition=compile_condition(condition),
        actions=rule.actions,
        written=tuple(action.written for action in rule.actions),
        sorts=sorts,
        effects=effects,
        names_basket=any(action.verb == "basket" for action in sorts),
        stop=rule.stop and sorting,
        line=rule.line,
        node=condition,
        autonomy=rule.autonomy,
        group=rule.group,
        off=off,
        cost=rule.cost,
    )


def _case(
    post: Post,
    reading: Reading,
    score: Score,
    facts: PersonFacts,
    topics: Collection[str],
    at: Circumstances,
    toward: Sequence[Toward],
    conversation: ConversationFacts,
) -> Case:
    return Case(
        post=post,
        author=post.author,
        reading=reading,
        intent=reading.intent,
        sentiment=reading.sentiment,
        emotion=reading.emotion,
        person=facts,
        score=score.value,
        topics=topics if isinstance(topics, frozenset) else frozenset(topics),
        now=at.now,
        business_hours=at.business_hours,
        handles=at.handles,
        toward=as_felt(reading, toward).sentiment,
        conversation=conversation,
        zone=at.zone,
    )
