"""What is wrong with a rule set although it compiles: rules that can do nothing, or not what they say.

Everything that is said here is certain (`logic`); what cannot be shown is not said. That a rule has not fired for a
long time is another matter, and is counted on the desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from rapport.core.rules.actions import ACTIONS, Action, Known
from rapport.core.rules.firing import Rule
from rapport.core.rules.logic import Logic, conflict_of, covered, logic_of
from rapport.core.rules.ruleset import RuleSet

#: dead: its condition can never hold
#: shadowed: whenever it could match, an earlier rule has matched that ends the list
#: idle: whenever it matches, earlier rules have said everything that it says
#: contradicting: whenever it matches, an earlier rule has said otherwise, and wins
#: unknown: it names something that does not exist
Kind = Literal["dead", "shadowed", "idle", "contradicting", "unknown"]
#: Rules beyond this many are not held against each other: the pairs grow with their square.
MOST_RULES = 300
#: The same for rules beyond this many alternatives (`logic`) in all.
MOST_ALTERNATIVES = 1_000


class Flaw(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    kind: Kind
    rule: str
    #: of the rule, in the document
    line: int
    #: names of the earlier rules that make it so
    others: tuple[str, ...] = ()
    #: dead: what it asks the impossible of; contradicting: what it says; unknown: the action
    detail: str = ""
    #: contradicting: what the earlier rule says
    instead: str = ""


def find_flaws(rules: RuleSet, known: Known | None = None) -> list[Flaw]:
    """Everything that is wrong with these rules, in their order. `known`: what exists in the workspace."""
    known = known or Known()
    found: list[Flaw] = []
    earlier: list[tuple[Rule, Logic]] = []
    room = MOST_ALTERNATIVES
    for rule in rules.rules[:MOST_RULES]:
        found += [
            Flaw("unknown", rule.name, rule.line, detail=action.written)
            for action in rule.actions
            if not _exists(action, known)
        ]
        logic = None if rule.off else logic_of(rule.node)
        if logic is None:
            continue
        if not logic.alternatives:
            found.append(Flaw("dead", rule.name, rule.line, detail=conflict_of(rule.node)))
            continue
        room -= len(logic.alternatives)
        if room >= 0:
            found += _against(rule, logic, earlier)
            earlier.append((rule, logic))
    return found


def _exists(action: Action, known: Known) -> bool:
    _, there = known.of(action.verb)
    if there is None or (action.verb == "person" and action.argument == "known"):
        return True
    if action.verb == "notify" and "@" not in action.argument:
        return True  # a group
    if action.verb in ("person", "notify"):
        return action.argument.casefold() in {address.casefold() for address in there}
    return action.argument in there


def _against(rule: Rule, logic: Logic, earlier: Sequence[tuple[Rule, Logic]]) -> list[Flaw]:
    """What earlier rules leave of one."""
    whole = frozenset(range(len(logic.alternatives)))
    parts = [(other, covered(logic, theirs)) for other, theirs in earlier]
    ending = [(other, part) for other, part in parts if other.stop and part]
    if whole == frozenset().union(*(part for _, part in ending)):
        return [Flaw("shadowed", rule.name, rule.line, tuple(other.name for other in _needed(whole, ending)))]
    covering = [other for other, part in parts if part == whole]
    said = {action.verb: (action, other) for other in reversed(covering) for action in other.sorts}
    found = [
        Flaw("contradicting", rule.name, rule.line, (other.name,), action.written, earlier_one.written)
        for action in rule.sorts
        if ACTIONS[action.verb].single and action.verb in said
        for earlier_one, other in [said[action.verb]]
        if earlier_one.argument != action.argument
    ]
    if not found and _says_nothing_new(rule, covering):
        found = [Flaw("idle", rule.name, rule.line, tuple(other.name for other in covering))]
    return found


def _needed(whole: frozenset[int], ending: Sequence[tuple[Rule, frozenset[int]]]) -> list[Rule]:
    """As few of these as still cover it, the later ones left out first."""
    kept = list(ending)
    for pair in reversed(ending):
        fewer = [each for each in kept if each is not pair]
        if whole == frozenset().union(*(part for _, part in fewer)):
            kept = fewer
    return [other for other, _ in kept]


def _says_nothing_new(rule: Rule, covering: Sequence[Rule]) -> bool:
    """Everything that it would decide is decided, and it neither ends the list nor has effects."""
    if rule.stop or rule.effects or not rule.sorts:
        return False
    singles = {action.verb for other in covering for action in other.sorts if ACTIONS[action.verb].single}
    adding = {action.written for other in covering for action in other.sorts}
    return all(
        action.verb in singles if ACTIONS[action.verb].single else action.written in adding for action in rule.sorts
    )
