"""The escalation ladder: steps that somebody's negative words reached, and what a person made of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Escalation, Membership, RuleEffect
from rapport.store.queries.ladder import count_negative
from rapport.store.queries.people import visible_people

MAX_NOTE = 300  # characters


def reach_steps(workspace_id: int, due: Sequence[tuple[RuleEffect, int]], *, now: dt.datetime) -> None:
    """Set down who reached which step, and how many negative posts of theirs it took, in the caller's transaction."""
    counts = count_negative(workspace_id, {person for _, person in due}, now)
    Escalation.objects.bulk_create(
        [
            Escalation(
                workspace_id=workspace_id, person_id=person, conversation_id=effect.conversation_id, post=effect.post,
                step=effect.argument[:63], rule=effect.rule, count=counts.get(person, 0), at=now,
            )
            for effect, person in due
        ],
        ignore_conflicts=True,  # a post that is read again reaches nothing anew
    )  # fmt: skip


def handle_step(by: Membership, escalation: Escalation, way: str, note: str, *, now: dt.datetime) -> Escalation:
    """Say what became of a step: acknowledged, reported to somebody, handed to a person, or deliberately ignored."""
    require(by, "triage")
    if escalation.workspace_id != by.workspace_id:
        raise NotAllowed("This person belongs to another workspace.")
    if not visible_people(by).filter(pk=escalation.person_id).exists():
        raise NotAllowed("This person has no conversation in your baskets. A lead can decide about them.")
    if way not in Escalation.Way.values or not way:
        raise InvalidInput("Say what became of it: acknowledged, reported, handed to a person, or ignored.")
    note = note.replace("\x00", "").strip()
    if way != Escalation.Way.ACKNOWLEDGED and not note:
        raise InvalidInput("Add a few words: to whom, or why. Whoever meets this person next will read them.")
    if len(note) > MAX_NOTE:
        raise InvalidInput(f"The note has {len(note):,} characters; at most {MAX_NOTE} fit.")
    with transaction.atomic():
        changed = Escalation.objects.of(by.workspace).filter(pk=escalation.pk, way=Escalation.Way.OPEN)
        if not changed.update(way=way, note=note, handled_by=by, handled_at=now):
            raise InvalidInput("A colleague has dealt with this step already; load the page again.")
        write_audit(by.workspace, by, "ladder.handle", escalation, now, step=escalation.step, way=way, note=note)
        if escalation.conversation_id is not None:
            announce(by.workspace, now, [escalation.conversation_id])
    escalation.refresh_from_db()
    return escalation
