"""What follows from rules apart from sorting: each effect is judged by the guard, then done, proposed or refused.

Runs inside the transaction that records a batch, so an effect happens exactly once: a batch that is done again finds
nothing of the first time, and a post that is read again finds that its effects were there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec

from rapport.actions.acknowledge import acknowledge, asked_by_rules
from rapport.actions.audit import write_audit
from rapport.actions.ladder import reach_steps
from rapport.actions.tasks import open_for_rules
from rapport.actions.webhooks import queue_for_rules
from rapport.core.decision import Effect
from rapport.core.guard.autonomy import EVERY_TIME, MOST_EFFECTS_A_DAY, ActFacts, allow
from rapport.store.models import Conversation, Note, RuleEffect, Webhook
from rapport.store.queries.acknowledge import plan_of
from rapport.store.queries.effects import Fired, Known, read_act_facts, read_known
from rapport.store.queries.ladder import open_steps

State = RuleEffect.State
MAX_ARGUMENT = 500  # characters of an argument that are kept
_OVER_BUDGET = (
    f"Rules have done {MOST_EFFECTS_A_DAY} things to this conversation within a day, which is all that they may: "
    "look whether one of them repeats itself."
)


class Due(msgspec.Struct, frozen=True):
    """An effect that is done now, and what it was made from."""

    effect: RuleEffect
    fired: Fired
    conversation: Conversation


class _Bounds(msgspec.Struct):
    """What effects of a batch are held against."""

    known: Known
    #: slug -> whether calls go out to it
    webhooks: dict[str, bool]
    #: (person, step) that are open
    steps: set[tuple[int, str]]
    #: row id of a post -> why it was not acknowledged, "" = it was
    acknowledged: dict[int, str]
    #: an admin has turned the acknowledgement on
    acknowledging: bool


def carry_out(workspace_id: int, fired: Sequence[Fired], *, now: dt.datetime) -> list[RuleEffect]:
    """Judge every effect of these posts and do what may be done; the rows that tell of it.

    The caller holds the lock of the workspace, and has stored the outcomes and conversations of these posts.
    """
    facts = read_act_facts(workspace_id, fired)
    verbs = {effect.verb for each in fired for effect in each.outcome.decision.effects}
    hooks = Webhook.objects.of(workspace_id).values_list("slug", "active") if "webhook" in verbs else ()
    steps = open_steps(workspace_id, {each.person for each in fired}) if "escalate" in verbs else set()
    asked = asked_by_rules(fired) if "acknowledge" in verbs else []
    said = acknowledge(workspace_id, asked, now=now) if asked else {}
    is_on = "acknowledge" in verbs and plan_of(workspace_id) is not None
    bounds = _Bounds(read_known(fired, now), dict(hooks), steps, said, is_on)
    judged = [
        (row, each)
        for each in fired
        for effect in each.outcome.decision.effects
        # who is told at once was told while the batch was recorded (notify_of_rules), bundled
        if not (effect.verb == "notify" and effect.level == "act")
        and (row := _judge(workspace_id, effect, each, facts[each.post], bounds, now)) is not None
    ]
    rows = RuleEffect.objects.bulk_create([row for row, _ in judged])
    done = [(row, each) for row, each in judged if row.state == State.DONE]
    talks = Conversation.objects.of(workspace_id).in_bulk({each.conversation for _, each in done})
    for verbs_done, act in _ACTS:
        due = [Due(row, each, talks[each.conversation]) for row, each in done if row.verb in verbs_done]
        if due:
            act(workspace_id, due, now)
    if rows:
        write_audit(workspace_id, None, "effects.carry_out", None, now, effects=len(rows), done=len(done))
    return rows


def _judge(
    workspace_id: int, effect: Effect, fired: Fired, facts: ActFacts, bounds: _Bounds, now: dt.datetime
) -> RuleEffect | None:
    """The row of one effect with the state that it gets; None where there is nothing new to say."""
    known, argument = bounds.known, effect.argument[:MAX_ARGUMENT]
    thing = (fired.conversation, effect.verb, argument)
    if (*thing, fired.post) in known.placed or (effect.verb not in EVERY_TIME and thing in known.things):
        return None
    if effect.verb == "escalate" and (fired.person, argument) in bounds.steps:
        return None  # the step is reached and nobody has looked yet: it stands there once
    facts = msgspec.structs.replace(facts, acknowledging=bounds.acknowledging)
    allowed = allow(effect.verb, effect.level, facts)
    cause = allowed.cause or _missing(effect, fired, bounds)
    if allowed.level == "observe":
        state = State.NOTED
    elif not cause and known.today.get(fired.conversation, 0) >= MOST_EFFECTS_A_DAY:
        state, cause = State.REFUSED, _OVER_BUDGET
    else:
        state = State.REFUSED if cause else State.DONE if allowed.level == "act" else State.PROPOSED
    if state == State.REFUSED and thing in known.refused:
        return None
    _note(thing, fired, state, bounds)
    return RuleEffect(
        workspace_id=workspace_id, conversation_id=fired.conversation, post=fired.post, rule=effect.rule[:200],
        verb=effect.verb[:16], argument=argument, level=allowed.level or effect.level, state=state, cause=cause[:300],
        at=now,
    )  # fmt: skip


def _missing(effect: Effect, fired: Fired, bounds: _Bounds) -> str:
    if effect.verb == "acknowledge":
        return bounds.acknowledged.get(fired.post, "")
    if effect.verb != "webhook" or bounds.webhooks.get(effect.argument):
        return ""
    if effect.argument in bounds.webhooks:
        return f"The webhook {effect.argument} is paused."
    return f"There is no webhook {effect.argument[:63]}: an admin can add it under Webhooks."


def _note(thing: tuple[int, str, str], fired: Fired, state: str, bounds: _Bounds) -> None:
    """What comes later in the same batch must know of it."""
    known = bounds.known
    known.placed.add((*thing, fired.post))
    if state == State.REFUSED:
        known.refused.add(thing)
    elif state != State.NOTED:
        known.things.add(thing)
        known.today[fired.conversation] = known.today.get(fired.conversation, 0) + 1
        if thing[1] == "escalate":
            bounds.steps.add((fired.person, thing[2]))


# ---------------------------------------------------------------- what is done at once


def _leave_notes(workspace_id: int, due: Sequence[Due], now: dt.datetime) -> None:
    Note.objects.bulk_create(
        Note(
            workspace_id=workspace_id, conversation=each.conversation, rule=each.effect.rule,
            text=each.effect.argument.replace("\x00", ""), at=now,
        )
        for each in due
    )  # fmt: skip


def _open_tasks(workspace_id: int, due: Sequence[Due], now: dt.datetime) -> None:
    open_for_rules(workspace_id, [(each.effect, each.conversation) for each in due], now=now)


def _queue_calls(workspace_id: int, due: Sequence[Due], now: dt.datetime) -> None:
    queue_for_rules(workspace_id, [(each.effect, each.conversation, each.fired.said) for each in due], now=now)


def _reach_steps(workspace_id: int, due: Sequence[Due], now: dt.datetime) -> None:
    reach_steps(workspace_id, [(each.effect, each.fired.person) for each in due], now=now)


_ACTS: tuple[tuple[frozenset[str], Callable[[int, Sequence[Due], dt.datetime], None]], ...] = (
    (frozenset({"note"}), _leave_notes),
    (frozenset({"task", "ticket", "idea"}), _open_tasks),
    (frozenset({"webhook"}), _queue_calls),
    (frozenset({"escalate"}), _reach_steps),
)
