"""Why a conversation is where it is: every rule that was tried on its post, made again from what was kept."""

from __future__ import annotations

import datetime as dt
import functools
from zoneinfo import ZoneInfo

import msgspec

from rapport.core.decision import NEW, Outcome, Step
from rapport.core.errors import InvalidRule
from rapport.core.rules import Circumstances, compile_rules
from rapport.core.rules import RuleSet as CompiledRules
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
    row = _decided_post(talk)
    steps = _again(row, outcome) if row else ()
    same = len(steps) == decision.tried and tuple(filter(_is_kept, steps)) == decision.trace
    return Explanation(steps) if same else kept


def _decided_post(talk: Talk) -> Post | None:
    shown = [*(entry.post for entry in talk.entries if entry.post), *talk.reposts]
    return next((post for post in shown if post.pk == talk.conversation.decided_by), None)


def _again(row: Post, outcome: Outcome) -> tuple[Step, ...]:
    if outcome.facts is None or outcome.decided_at is None or row.deleted or row.edited_at != outcome.edited_at:
        return ()
    version = outcome.decision.rule_set
    versions = RuleSet.objects.of(row.workspace_id).filter(version=version)
    document = versions.values_list("document", flat=True).first()
    if document is None:
        return ()
    try:
        rules = _compiled(document, version)
    except InvalidRule:  # the language has moved on since
        return ()
    facts = knowing(outcome.facts, outcome.account)
    zone = ZoneInfo(row.workspace.timezone) if rules.asks_about("clock.") else dt.UTC
    at = Circumstances(outcome.decided_at, outcome.business_hours, zone, frozenset(outcome.handles))
    return rules.explain(
        post_of(row, outcome.author), outcome.reading, outcome.score, facts, outcome.topics, at, outcome.toward,
        outcome.conversation or NEW,
    )  # fmt: skip


@functools.lru_cache(maxsize=KEPT)
def _compiled(document: str, version: int) -> CompiledRules:
    return compile_rules(document, version, bounded=False)


def _is_kept(step: Step) -> bool:
    return step.matched or any(line.startswith("error: ") for line in step.because)
