"""A compiled rule set and its two verbs: `decide` says what follows, `explain` tells how it came about.

Deciding is cheap and keeps only what matched; `explain` puts every comparison into words, for the posts that somebody
asks about. Both are pure, so an explanation made later from the same arguments is the one that was true then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from rapport.core.decision import NEW, Autonomy, ConversationFacts, Decision, PersonFacts, Priority, Score, Step
from rapport.core.felt import as_felt
from rapport.core.post import Post
from rapport.core.reading import Reading, Toward
from rapport.core.rules import words
from rapport.core.rules.actions import ERROR_TAG, Action
from rapport.core.rules.baskets import FALLBACK
from rapport.core.rules.circumstances import Circumstances
from rapport.core.rules.document import RuleText, read_document
from rapport.core.rules.evaluate import Condition, compile_condition
from rapport.core.rules.fields import EVALUATION_ERRORS, Case
from rapport.core.rules.index import Index
from rapport.core.rules.leaves import Leaf
from rapport.core.rules.syntax import fields_in

#: Statements of one step; a rule with a list of fifty alternatives would fill the trace.
MAX_BECAUSE = 8
#: Reasons in `Decision.why`.
MAX_REASONS = 3


class Rule(msgspec.Struct, frozen=True):
    """One rule, compiled."""

    name: str
    when: str
    condition: Condition
    actions: tuple[Action, ...]
    #: the actions as they were written, for the trace
    written: tuple[str, ...]
    names_basket: bool
    stop: bool
    #: line of its section in the document, from 1
    line: int
    #: how far it goes by itself
    autonomy: Autonomy = "act"
    #: name of the group that it belongs to, "" for none
    group: str = ""


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
        The first matching rule that names a basket, a priority or a draft wins; notifications and tags add up; a
        matching rule with `stop` ends the list. A rule whose evaluation breaks counts as not matched, says
        "error: ..." in the trace and leaves the tag `rule-error` on the post. Never raises for a value in the post.
        """
        case = _case(post, reading, score, facts, topics, at, toward, conversation)
        steps: list[Step] = []
        outcome = _Sum()
        tried = len(self.rules)
        for number in self.index.candidates(case):
            rule = self.rules[number]
            try:
                if not rule.condition.test(case):
                    continue
                steps.append(_take(rule, case, outcome))
            except EVALUATION_ERRORS as error:
                steps.append(_broken(rule, error, outcome))
                continue
            if rule.stop:
                tried = number + 1
                break
        return outcome.decision(self, tuple(steps), tried)

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
        outcome = _Sum()
        for rule in self.rules:
            try:
                matched = rule.condition.test(case)
                steps.append(_take(rule, case, outcome) if matched else _failed(rule, case))
            except EVALUATION_ERRORS as error:
                steps.append(_broken(rule, error, outcome))
                continue
            if matched and rule.stop:
                break
        return tuple(steps)


def compile_rules(document: str, version: int = 0, baskets: Collection[str] | None = None) -> RuleSet:
    """A rule document (TOML) -> the rule set that `decide`s.

    `version` is carried by every decision; 0 takes the one in the document. `baskets` are the slugs that exist
    (None: not known, any may be named). Raises `InvalidRule` with line, column and the nearest name that exists.
    """
    read = read_document(document, baskets)
    fallback = read.fallback or FALLBACK
    if baskets and fallback not in baskets:
        fallback = next(iter(baskets))
    rules = tuple(_compile(rule) for rule in read.rules)
    conditions = [rule.condition for rule in read.rules]
    asks = frozenset().union(*map(fields_in, conditions))
    return RuleSet(rules, Index(conditions), version or read.version, fallback, asks)


def _compile(rule: RuleText) -> Rule:
    return Rule(
        name=rule.name,
        when=rule.when,
        condition=compile_condition(rule.condition),
        actions=rule.actions,
        written=tuple(action.written for action in rule.actions),
        names_basket=any(action.verb == "basket" for action in rule.actions),
        stop=rule.stop,
        line=rule.line,
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


def _take(rule: Rule, case: Case, outcome: _Sum) -> Step:
    """Let a rule that matched take effect; its step."""
    leaves = rule.condition.decisive(case)
    step = Step(rule.name, True, tuple(leaf.say(case) for leaf in leaves[:MAX_BECAUSE]), rule.written)
    outcome.add(rule, leaves, case)
    return step


def _failed(rule: Rule, case: Case) -> Step:
    return Step(rule.name, False, tuple(leaf.say(case) for leaf in rule.condition.decisive(case)[:MAX_BECAUSE]))


def _broken(rule: Rule, error: Exception, outcome: _Sum) -> Step:
    outcome.tags[ERROR_TAG] = None
    return Step(rule.name, False, (f"error: {words.shorten(str(error))}",))


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
        why = _why(rule, leaves, case) if self.basket is None and rule.names_basket else ""
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

    def decision(self, rules: RuleSet, trace: tuple[Step, ...], tried: int) -> Decision:
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
            tried=tried,
        )


def _why(rule: Rule, leaves: tuple[Leaf, ...], case: Case) -> str:
    """One short phrase from what held; the rule's name where nothing that held can be said in words."""
    phrases = dict.fromkeys(phrase for leaf in leaves if (phrase := leaf.phrase(case)))
    return words.listed(list(phrases)[:MAX_REASONS]) or rule.name
