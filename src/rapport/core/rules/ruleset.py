"""A compiled rule set and its two verbs: `decide` says what follows, `explain` tells how it came about.

Deciding is cheap and keeps only what matched; `explain` puts every comparison into words, for the posts that somebody
asks about. Both are pure, so an explanation made later from the same arguments is the one that was true then.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence

import msgspec

from rapport.core.decision import (
    AUTONOMIES,
    NEW,
    Autonomy,
    ConversationFacts,
    Decision,
    Effect,
    PersonFacts,
    Priority,
    Score,
    Step,
)
from rapport.core.felt import as_felt
from rapport.core.post import Post
from rapport.core.reading import Reading, Toward
from rapport.core.rules import words
from rapport.core.rules.actions import ACTIONS, ERROR_TAG, Action, Known, level_of, takes_effect
from rapport.core.rules.baskets import FALLBACK
from rapport.core.rules.circumstances import Circumstances
from rapport.core.rules.document import GroupText, RuleText, read_document
from rapport.core.rules.evaluate import Condition, compile_condition
from rapport.core.rules.fields import EVALUATION_ERRORS, Case
from rapport.core.rules.index import REMEMBERED, Index
from rapport.core.rules.leaves import Leaf
from rapport.core.rules.plain import plain
from rapport.core.rules.syntax import AllOf, AnyOf, Node, fields_in

#: Statements of one step; a rule with a list of fifty alternatives would fill the trace.
MAX_BECAUSE = 8
#: Reasons in `Decision.why`.
MAX_REASONS = 3
#: Effects of one decision: what a person can still look through; the store keeps a row for each.
MAX_EFFECTS = 50


class Rule(msgspec.Struct, frozen=True):
    """One rule, compiled."""

    name: str
    when: str
    condition: Condition
    actions: tuple[Action, ...]
    #: the actions as they were written, for the trace
    written: tuple[str, ...]
    #: the actions that make up the decision itself; none where the rule only observes or proposes
    sorts: tuple[Action, ...]
    #: what follows apart from that, each as far as the rule and the action go
    effects: tuple[Effect, ...]
    names_basket: bool
    #: a match ends the list; never where the rule only observes or proposes, because that would sort
    stop: bool
    #: line of its section in the document, from 1
    line: int
    #: the condition as it was parsed, that of its group first
    node: Node
    #: how far it goes by itself
    autonomy: Autonomy = "act"
    #: name of the group that it belongs to, "" for none
    group: str = ""
    #: why it is never tried: "the rule is switched off"; "" where it is
    off: str = ""
    #: steps that it takes at most for one post (core.rules.cost)
    cost: int = 0


class Ruling(msgspec.Struct, frozen=True):
    """What follows from one combination of rules that fire: the same for every post on which just these do."""

    #: the rules, by their number, in order
    numbers: tuple[int, ...]
    rules: tuple[Rule, ...]
    #: their names, and what each asks for as it was written
    names: tuple[str, ...]
    actions: tuple[tuple[str, ...], ...]
    #: of each rule, how many effects found no room
    left_out: tuple[int, ...]
    #: place in `rules` of the one that named the basket; None: none did
    chooser: int | None
    #: without the reasons and the trace, which are about one post
    decision: Decision


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
                return _told(ruling, case)
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
                known = self._rule_on(self._until_stop(self.index.numbers(bits)))
                self.rulings.keep(bits, known)
            return known
        rules = self.rules
        try:
            fired = tuple([number for number in self.index.numbers(bits) if rules[number].condition.test(case)])
        except EVALUATION_ERRORS:
            return None
        return self.rulings.known.get(fired) or self._rule_on(self._until_stop(fired), fired)

    def _until_stop(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        for place, number in enumerate(numbers, 1):
            if self.rules[number].stop:
                return numbers[:place]
        return numbers

    def _rule_on(self, numbers: tuple[int, ...], key: Hashable = None) -> Ruling:
        outcome = _Sum()
        rules = tuple(self.rules[number] for number in numbers)
        left_out = tuple(outcome.add(rule) for rule in rules)
        chooser = next((place for place, rule in enumerate(rules) if rule.names_basket), None)
        tried = numbers[-1] + 1 if rules and rules[-1].stop else len(self.rules)
        decision = outcome.decision(self, (), tried)
        names, actions = tuple(rule.name for rule in rules), tuple(rule.written for rule in rules)
        ruling = Ruling(numbers, rules, names, actions, left_out, chooser, decision)
        self.rulings.keep(numbers if key is None else key, ruling)
        return ruling

    def _decide_one_by_one(self, case: Case) -> Decision:
        """As `decide`, where a rule may break."""
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


def compile_rules(
    document: str,
    version: int = 0,
    baskets: Collection[str] | None = None,
    people: Collection[str] | None = None,
    webhooks: Collection[str] | None = None,
    replies: Collection[str] | None = None,
    bounded: bool = True,
) -> RuleSet:
    """A rule document (TOML) -> the rule set that `decide`s.

    `version` is carried by every decision; 0 takes the one in the document. The slugs of `baskets`, `webhooks` and
    prepared `replies`, and the addresses of `people`, are those that exist (None: not known, any may be named).
    `bounded` False takes a document whatever it costs: one that was saved once stays in force when bounds become lower.
    Raises `InvalidRule` with line, column and the nearest name that exists.
    """
    read = read_document(document, Known(baskets, people, webhooks, replies), bounded)
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


def _told(ruling: Ruling, case: Case) -> Decision:
    """The ruling with what was found in this case. Raises one of `EVALUATION_ERRORS` where it cannot be told."""
    why = ""
    if ruling.chooser is not None:
        rule = ruling.rules[ruling.chooser]
        why = _why(rule, rule.condition.holding or rule.condition.decisive(case), case)
    trace = tuple([_step(rule, case, left) for rule, left in zip(ruling.rules, ruling.left_out, strict=True)])
    return msgspec.structs.replace(ruling.decision, trace=trace, why=why or ruling.decision.why)


def _step(rule: Rule, case: Case, left_out: int) -> Step:
    leaves = rule.condition.holding or rule.condition.decisive(case)
    because = tuple([leaf.say(case) for leaf in leaves[:MAX_BECAUSE]])
    if left_out:
        because = (*because, f"{left_out} of its actions left out: at most {MAX_EFFECTS} follow from one post")
    return Step(rule.name, True, because, rule.written, rule.autonomy)


def _take(rule: Rule, case: Case, outcome: _Sum) -> Step:
    """Let a rule that matched take effect; its step."""
    step = _step(rule, case, 0)
    why = ""
    if outcome.basket is None and rule.names_basket:
        # Before it takes effect, because it can break on the post: a rule takes effect as a whole or not at all.
        why = _why(rule, rule.condition.decisive(case), case)
    left_out = outcome.add(rule, why)
    return _step(rule, case, left_out) if left_out else step


def _failed(rule: Rule, case: Case) -> Step:
    because = (rule.off,) if rule.off else tuple(leaf.say(case) for leaf in rule.condition.decisive(case)[:MAX_BECAUSE])
    return Step(rule.name, False, because, level=rule.autonomy)


def _broken(rule: Rule, error: Exception, outcome: _Sum) -> Step:
    outcome.tags[ERROR_TAG] = None
    return Step(rule.name, False, (f"error: {words.shorten(str(error))}",), level=rule.autonomy)


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
        self.person: str | None = None
        self.skills: dict[str, None] = {}
        #: what is done to what -> the effect, as far as the boldest rule goes
        self.effects: dict[tuple[str, str], Effect] = {}

    def add(self, rule: Rule, why: str = "") -> int:
        """Let the rule take effect; `why` is kept where it names the basket. Returns how many effects were left out."""
        for action in rule.sorts:
            match action.verb:
                case "basket":
                    if self.basket is None:
                        self.basket = action.argument
                        self.why = why
                case "priority":
                    self.priority = self.priority or action.argument  # type: ignore[assignment]  # read_action checked
                case "draft":
                    self.draft = self.draft or action.argument
                case "person":
                    self.person = self.person or action.argument
                case "skill":
                    self.skills[action.argument] = None
                case "tag":
                    self.tags[action.argument] = None
                case "quarantine":
                    self.quarantined = True
        return sum([not self._follow(effect) for effect in rule.effects])

    def _follow(self, effect: Effect) -> bool:
        """What two rules do alike is done once, as far as the boldest of them goes. False: no room is left."""
        key = (effect.verb, effect.argument)
        known = self.effects.get(key)
        if known is None and len(self.effects) >= MAX_EFFECTS:
            return False
        if known is None or AUTONOMIES.index(known.level) < AUTONOMIES.index(effect.level):
            self.effects[key] = effect
            if effect.verb == "notify" and effect.level == "act":
                self.notify[effect.argument] = None
        return True

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
            person=self.person,
            skills=tuple(self.skills),
            effects=tuple(self.effects.values()),
        )


def _why(rule: Rule, leaves: tuple[Leaf, ...], case: Case) -> str:
    """One short phrase from what held; the rule's name where nothing that held can be said in words."""
    phrases = dict.fromkeys(phrase for leaf in leaves if (phrase := leaf.phrase(case)))
    return words.listed(list(phrases)[:MAX_REASONS]) or rule.name
