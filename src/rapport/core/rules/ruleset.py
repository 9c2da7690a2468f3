"""A compiled rule set and its one verb: `decide`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec
import re2

from rapport.core.decision import Decision, PersonFacts, Priority, Score, Step
from rapport.core.post import Post
from rapport.core.reading import Reading
from rapport.core.rules import words
from rapport.core.rules.actions import ERROR_TAG, Action
from rapport.core.rules.baskets import FALLBACK
from rapport.core.rules.document import RuleText, read_document
from rapport.core.rules.evaluate import Condition, compile_condition
from rapport.core.rules.fields import Case
from rapport.core.rules.leaves import Leaf, Say, Test
from rapport.core.rules.syntax import AllOf

#: What an evaluation can raise although names and types were checked: values that break the contract of their
#: struct (a naive time, a text where a number belongs, None where nothing may be unknown).
EVALUATION_ERRORS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, re2.error)

#: Statements of one step; a rule with a list of fifty alternatives would fill the trace.
MAX_BECAUSE = 8
#: Reasons in `Decision.why`.
MAX_REASONS = 3


class Rule(msgspec.Struct, frozen=True):
    """One rule, compiled."""

    name: str
    when: str
    #: the conditions that must all hold, in order
    conditions: tuple[Condition, ...]
    #: the tests of `conditions`, side by side because the loop over all rules reads them most
    tests: tuple[Test, ...]
    #: how each test is put into words where it is a single comparison
    says: tuple[Say | None, ...]
    actions: tuple[Action, ...]
    #: the actions as they were written, for the trace
    written: tuple[str, ...]
    stop: bool
    #: line of its section in the document, from 1
    line: int


class RuleSet(msgspec.Struct, frozen=True):
    """An ordered set of rules."""

    rules: tuple[Rule, ...]
    version: int = 0
    #: basket of a post for which no rule named one
    fallback: str = FALLBACK

    def decide(
        self,
        post: Post,
        reading: Reading,
        score: Score,
        facts: PersonFacts,
        topics: Collection[str],
        now: dt.datetime,
        business_hours: bool = True,
        handles: frozenset[str] = frozenset(),
    ) -> Decision:
        """Try every rule in order on one post and say what follows, with the whole trace.

        `topics` are slugs; `now` is aware; `handles` are our own in lower case without @ (empty: not known, and
        `addressed` then takes any mention for one of ours). The first matching rule that names a basket, a
        priority or a draft wins; notifications and tags add up; a matching rule with `stop` ends the list.
        A rule whose evaluation breaks counts as not matched, says "error: ..." in the trace and leaves the tag
        `rule-error` on the post. Never raises for a value in the post.
        """
        case = Case(
            post=post,
            author=post.author,
            reading=reading,
            intent=reading.intent,
            sentiment=reading.sentiment,
            emotion=reading.emotion,
            person=facts,
            score=score.value,
            topics=topics if isinstance(topics, frozenset) else frozenset(topics),
            now=now,
            business_hours=business_hours,
            handles=handles,
        )
        steps: list[Step] = []
        outcome = _Sum()
        for rule in self.rules:
            try:
                step, leaves = _try_rule(rule, case)
                if leaves is not None:
                    outcome.add(rule, leaves, case)
            except EVALUATION_ERRORS as error:
                step, leaves = Step(rule.name, False, (f"error: {words.shorten(str(error))}",)), None
                outcome.tags[ERROR_TAG] = None
            steps.append(step)
            if leaves is not None and rule.stop:
                break
        return outcome.decision(self, tuple(steps))


def compile_rules(document: str, version: int = 0, baskets: Collection[str] | None = None) -> RuleSet:
    """A rule document (TOML) -> the rule set that `decide`s.

    `version` is carried by every decision; 0 takes the one in the document. `baskets` are the slugs that exist
    (None: not known, any may be named). Raises `InvalidRule` with line, column and the nearest name that exists.
    """
    read = read_document(document, baskets)
    fallback = read.fallback or FALLBACK
    if baskets and fallback not in baskets:
        fallback = next(iter(baskets))
    return RuleSet(tuple(_compile(rule) for rule in read.rules), version or read.version, fallback)


def _compile(rule: RuleText) -> Rule:
    node = rule.condition
    conditions = tuple(compile_condition(part) for part in (node.parts if isinstance(node, AllOf) else (node,)))
    return Rule(
        name=rule.name,
        when=rule.when,
        conditions=conditions,
        tests=tuple(condition.test for condition in conditions),
        says=tuple(condition.leaf.say if condition.leaf else None for condition in conditions),
        actions=rule.actions,
        written=tuple(action.written for action in rule.actions),
        stop=rule.stop,
        line=rule.line,
    )


def _try_rule(rule: Rule, case: Case) -> tuple[Step, tuple[Leaf, ...] | None]:
    """The step of the trace, and the comparisons that carried the rule (None when it did not match)."""
    for number, test in enumerate(rule.tests):
        if not test(case):
            say = rule.says[number]
            if say is not None:
                return Step(rule.name, False, (say(case),)), None
            failed = rule.conditions[number].decisive(case)
            return Step(rule.name, False, tuple(leaf.say(case) for leaf in failed[:MAX_BECAUSE])), None
    leaves = tuple(leaf for condition in rule.conditions for leaf in condition.decisive(case))
    because = tuple(leaf.say(case) for leaf in leaves[:MAX_BECAUSE])
    return Step(rule.name, True, because, rule.written), leaves


class _Sum:
    """What the matching rules have said so far."""

    def __init__(self) -> None:
        self.basket: str | None = None
        self.priority: Priority | None = None
        self.draft: str | None = None
        self.notify: dict[str, None] = {}  # a dict keeps the order and drops doubles
        self.tags: dict[str, None] = {}
        self.quarantined = False
        self.why = ""

    def add(self, rule: Rule, leaves: tuple[Leaf, ...], case: Case) -> None:
        # First, because it alone can break on the post: a rule takes effect as a whole or not at all.
        why = "" if self.basket is not None else _why(rule, leaves, case)
        for action in rule.actions:
            match action.verb:
                case "basket":
                    if self.basket is None:
                        self.basket = action.argument
                        self.why = why
                case "priority":
                    self.priority = self.priority or action.argument  # type: ignore[assignment]  # read_action checked
                case "draft":
                    self.draft = self.draft or action.argument
                case "notify":
                    self.notify[action.argument] = None
                case "tag":
                    self.tags[action.argument] = None
                case "quarantine":
                    self.quarantined = True

    def decision(self, rules: RuleSet, trace: tuple[Step, ...]) -> Decision:
        return Decision(
            basket=self.basket or rules.fallback,
            priority=self.priority or "medium",
            draft=self.draft,
            notify=tuple(self.notify),
            tags=tuple(self.tags),
            quarantined=self.quarantined,
            why=self.why or "no rule named a basket",
            rule_set=rules.version,
            trace=trace,
        )


def _why(rule: Rule, leaves: tuple[Leaf, ...], case: Case) -> str:
    """One short phrase from what held; the rule's name where nothing that held can be said in words."""
    phrases = dict.fromkeys(phrase for leaf in leaves if (phrase := leaf.phrase(case)))
    return words.listed(list(phrases)[:MAX_REASONS]) or rule.name
