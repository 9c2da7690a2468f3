"""The weights of the score, and scores that people set themselves."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import transaction
from django.db.models import F

from rapport.actions.audit import announce, require, require_conversation, write_audit
from rapport.actions.undo import CORRECTION, note_deed
from rapport.core.errors import InvalidInput
from rapport.core.score import SHIPPED, Weights
from rapport.store.models import Conversation, Membership, ScoreCorrection, ScoreWeights, Workspace
from rapport.store.queries.score import machine_score, newest_version, rescore


def save_weights(by: Membership, weights: Weights, note: str = "", *, now: dt.datetime) -> ScoreWeights:
    """A new version of the weights, in force for the next post and at once for what is open. `Weights` has checked it.

    The newest open conversations are scored anew in the same transaction (`store.queries.score.rescore`).
    """
    require(by, "configure")
    shipped = msgspec.structs.asdict(SHIPPED)
    values = msgspec.structs.asdict(weights)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
        version = ScoreWeights.objects.create(
            workspace=by.workspace,
            version=newest_version(by.workspace) + 1,
            weights=values,
            note=note.strip()[:300],
            author=by,
            created_at=now,
        )
        # the shipped weights are followed when a release changes them
        by.workspace.score_weights = {} if values == shipped else values
        Workspace.objects.filter(pk=by.workspace_id).update(
            config_version=F("config_version") + 1, score_weights=by.workspace.score_weights
        )
        scored = rescore(by.workspace_id, weights, version.version, now)
        write_audit(
            by.workspace, by, "score.weights", version, now, version=version.version, note=version.note, scored=scored
        )
        announce(by.workspace, now, kind="config")
        announce(by.workspace, now)
    return version


def set_score(
    by: Membership, conversation: Conversation, value: float, *, than: Conversation | None = None, now: dt.datetime
) -> Conversation:
    """Say how pressing a conversation is, 0 to 100. It counts until somebody takes it back or resolves it.

    `than`: the one that it was put right above or below, where somebody compared two.
    """
    require_conversation(by, conversation, "triage")
    if not 0 <= value <= 100:  # also where it is no number
        raise InvalidInput(f"The score is {value:g}; write a number from 0 to 100.")
    value = round(value, 2)
    with transaction.atomic():
        # the lock under which the line refreshes conversations: it must not write over what is said here
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        row = Conversation.objects.of(by.workspace).select_for_update().get(pk=conversation.pk)
        if row.state == Conversation.State.RESOLVED:
            raise InvalidInput("This conversation is resolved. Open it again first: a score sorts what is open.")
        was = machine_score(row)
        stood = {"score": row.score, "score_by_hand": row.score_by_hand, CORRECTION: _withdraw(row, now)}
        made = ScoreCorrection.objects.create(
            workspace=by.workspace, conversation=row, post=row.decided_by, value=value, was=was, by=by, at=now,
            than=than.pk if than else None,
        )  # fmt: skip
        before, row.score, row.score_by_hand = row.score, value, value
        row.save(update_fields=["score", "score_by_hand"])
        write_audit(by.workspace, by, "score.set", row, now, value=value, was=was, before=before)
        stands = {"score": value, "score_by_hand": value, CORRECTION: made.pk}
        note_deed(by, "score.set", [(row.pk, stood, stands)], now=now)
        announce(by.workspace, now, [row.pk], [row.basket_id])
    return row


def clear_score(by: Membership, conversation: Conversation, *, now: dt.datetime) -> Conversation:
    """Let the machine's score count again."""
    require_conversation(by, conversation, "triage")
    with transaction.atomic():
        # the lock under which the line refreshes conversations: it must not write over what is said here
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        row = Conversation.objects.of(by.workspace).select_for_update().get(pk=conversation.pk)
        stood = {"score": row.score, "score_by_hand": row.score_by_hand, CORRECTION: _withdraw(row, now)}
        before, row.score, row.score_by_hand = row.score_by_hand, machine_score(row), None
        row.save(update_fields=["score", "score_by_hand"])
        write_audit(by.workspace, by, "score.clear", row, now, value=row.score, before=before)
        stands = {"score": row.score, "score_by_hand": None, CORRECTION: None}
        note_deed(by, "score.clear", [(row.pk, stood, stands)], now=now)
        announce(by.workspace, now, [row.pk], [row.basket_id])
    return row


def _withdraw(conversation: Conversation, now: dt.datetime) -> int | None:
    """End the word that stood; its row id, None where there was none."""
    rows = ScoreCorrection.objects.of(conversation.workspace_id)
    standing = rows.filter(conversation=conversation, removed_at__isnull=True)
    known = standing.order_by("-pk").values_list("pk", flat=True).first()
    standing.update(removed_at=now)
    return known
