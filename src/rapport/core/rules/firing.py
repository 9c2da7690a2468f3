"""What follows from rules that fire: their steps, their reasons, and what they add up to."""

from __future__ import annotations

import msgspec

from rapport.core.decision import AUTONOMIES, Autonomy, Decision, Effect, Priority, Step
from rapport.core.rules import words
from rapport.core.rules.actions import ERROR_TAG, Action
from rapport.core.rules.evaluate import Condition
from rapport.core.rules.fields import Case
from rapport.core.rules.leaves import Leaf
from rapport.core.rules.syntax import Node

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


def tell(ruling: Ruling, case: Case) -> Decision:
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


def take(rule: Rule, case: Case, outcome: Sum) -> Step:
    """Let a rule that matched take effect; its step."""
    step = _step(rule, case, 0)
    why = ""
    if outcome.basket is None and rule.names_basket:
        # Before it takes effect, because it can break on the post: a rule takes effect as a whole or not at all.
        why = _why(rule, rule.condition.decisive(case), case)
    left_out = outcome.add(rule, why)
    return _step(rule, case, left_out) if left_out else step


def fail(rule: Rule, case: Case) -> Step:
    """The step of a rule that did not match."""
    because = (rule.off,) if rule.off else tuple(leaf.say(case) for leaf in rule.condition.decisive(case)[:MAX_BECAUSE])
    return Step(rule.name, False, because, level=rule.autonomy)


def break_off(rule: Rule, error: Exception, outcome: Sum) -> Step:
    """The step of a rule whose evaluation broke; the post is marked, so that it can be found."""
    outcome.tags[ERROR_TAG] = None
    return Step(rule.name, False, (f"error: {words.shorten(str(error))}",), level=rule.autonomy)


class Sum:
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

    def decision(self, version: int, fallback: str, trace: tuple[Step, ...], tried: int) -> Decision:
        """What they add up to; `fallback` is the basket where none named one."""
        return Decision(
            basket=self.basket or fallback,
            priority=self.priority or "medium",
            draft=self.draft,
            notify=tuple(self.notify),
            tags=tuple(self.tags),
            quarantined=self.quarantined,
            why=self.why or "no rule named a basket",
            rule_set=version,
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
