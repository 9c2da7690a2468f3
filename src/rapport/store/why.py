"""Why a conversation is where it is: every rule that was tried on its post, made again from what was kept."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from rapport.core.decision import NEW, Decision, Outcome, PersonFacts, Step
from rapport.core.errors import InvalidRule
from rapport.core.rules import Circumstances, Rule, compile_rules
from rapport.core.rules import RuleSet as CompiledRules
from rapport.core.rules.cut import asked_beyond, falls_short
from rapport.core.understand.accounts import knowing
from rapport.store.mapping import post_of
from rapport.store.models import Membership, Post, RuleSet
from rapport.store.queries.talk import Talk

#: rule sets that one process keeps compiled; most decisions on a desk were made by the newest of its workspace
KEPT = 16


class Explanation(msgspec.Struct, frozen=True):
    """The steps of one decision, in order."""

    steps: tuple[Step, ...]
    #: rules that were tried and are not among the steps: nobody can say any more what they found
    untold: int = 0

    @property
    def decided(self) -> tuple[Step, ...]:
        """The steps that matched or broke: what a reader asks for first."""
        return tuple(filter(_is_kept, self.steps))

    @property
    def passed(self) -> tuple[Step, ...]:
        """The steps that did not match, with what they found."""
        return tuple(step for step in self.steps if not _is_kept(step))


def explain_to(member: Membership, talk: Talk) -> Explanation | None:
    """`explain`; a member of another firm is told which rules matched, not what else the house looks for nor whom
    it tells.
    """
    whole = explain(talk)
    if whole is None or not member.is_outside:
        return whole
    told = (msgspec.structs.replace(step, actions=tuple(filter(_is_sorting, step.actions))) for step in whole.decided)
    return Explanation(tuple(told))


def _is_sorting(action: str) -> bool:
    return action.partition(":")[0] in {"priority", "tag", "quarantine"}


def explain(talk: Talk) -> Explanation | None:
    """The whole trace of the decision that put the conversation where it is; None where no rule has read it.

    The steps that were kept stand alone when the rest cannot be told truly: the post was edited or deleted since, the
    version of the rules is gone, or going through them again does not come to the same steps.
    """
    outcome = talk.judgement
    if outcome is None:
        return None
    decision = outcome.decision
    kept = Explanation(decision.trace, max(0, decision.tried - len(decision.trace)))
    if decision.tried == len(decision.trace):
        return kept
    row = talk.decided
    again = _again(row, outcome) if row else None
    return again or kept


def _again(row: Post, outcome: Outcome) -> Explanation | None:
    """Every step, from what was kept; None where that does not tell, or does not come to the steps that were kept."""
    if outcome.facts is None or outcome.decided_at is None or row.deleted or row.edited_at != outcome.edited_at:
        return None
    version = outcome.decision.rule_set
    versions = RuleSet.objects.of(row.workspace_id).filter(version=version)
    document = versions.values_list("document", flat=True).first()
    if document is None:
        return None
    try:
        rules = _compiled(document, version)
    except InvalidRule:  # the language has moved on since
        return None
    facts = knowing(outcome.facts, outcome.account)
    zone = ZoneInfo(row.workspace.timezone) if rules.asks_about("clock.") else dt.UTC
    at = Circumstances(outcome.decided_at, outcome.business_hours, zone, frozenset(outcome.handles))
    decision = outcome.decision
    tried = rules.rules[: decision.tried]
    sure = _sure(rules, tried, facts, outcome.decided_at) if facts.cut else rules
    steps = sure.explain(
        post_of(row, outcome.author), outcome.reading, outcome.score, facts, outcome.topics, at, outcome.toward,
        outcome.conversation or NEW,
    )  # fmt: skip
    if facts.cut:
        return _joined(tried, sure, decision, steps)
    same = len(steps) == decision.tried and tuple(filter(_is_kept, steps)) == decision.trace
    return Explanation(steps) if same else None


def _sure(rules: CompiledRules, tried: Sequence[Rule], facts: PersonFacts, at: dt.datetime) -> CompiledRules:
    """The set with those of the tried rules that come out of a cut history as they did of the whole one."""
    sure = tuple(rule for rule in tried if not falls_short(facts, asked_beyond([rule.node]), at))
    return msgspec.structs.replace(rules, rules=sure)


def _joined(
    tried: Sequence[Rule], sure: CompiledRules, decision: Decision, again: tuple[Step, ...]
) -> Explanation | None:
    """The kept steps, and between them those made again; None where these say otherwise. Who decided knew how many
    posts there were, so a kept step is the better one, and the others tell "100 or more".
    """
    kept = {step.rule: step for step in decision.trace}
    told = {step.rule: step for step in again}
    if len(told) < len(sure.rules) or any(
        not _alike(kept[name], step) if name in kept else _is_kept(step) for name, step in told.items()
    ):
        return None
    steps = [kept.get(rule.name) or told.get(rule.name) for rule in tried]
    found = tuple(step for step in steps if step is not None)
    return Explanation(found, len(tried) - len(found))


def _alike(kept: Step, told: Step) -> bool:
    """Whether two steps say the same, but for how many posts there were."""
    lines = zip(kept.because, told.because, strict=False)
    return msgspec.structs.replace(kept, because=()) == msgspec.structs.replace(told, because=()) and all(
        one == two or (" or more " in two and one.partition(" ")[0] == two.partition(" ")[0]) for one, two in lines
    )


@functools.lru_cache(maxsize=KEPT)
def _compiled(document: str, version: int) -> CompiledRules:
    return compile_rules(document, version, bounded=False)


def _is_kept(step: Step) -> bool:
    return step.matched or any(line.startswith("error: ") for line in step.because)
