"""The one switch: everything going out is held, let out one by one or all together; who pressed it, when and why."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import announce, require, require_delivery, write_audit
from rapport.actions.held import requeue_held
from rapport.actions.ledger import append_decision
from rapport.core.errors import InvalidInput
from rapport.store.models import Delivery, Hold, Membership, Workspace

MAX_KNOWN = 2_000  # characters
#: replies that leave in each minute after a hold
A_MINUTE = 20


def hold_everything(
    by: Membership, reason: str, *, known: str | None = None, via: str = Hold.Way.DESK, now: dt.datetime
) -> Workspace:
    """Stop every queue of the workspace at once; nothing goes out until `release_hold`.

    `known`: what we know by now, shown in every conversation; None leaves it as it is. Pressed again while it stands,
    it changes reason and words and goes on.
    """
    require(by, "hold")
    reason = reason.strip()[:300] or "Held by hand"
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
        began = workspace.held_at or now
        workspace.held_at, workspace.hold_reason = began, reason
        workspace.save(update_fields=["held_at", "hold_reason"])
        hold, new = Hold.objects.get_or_create(
            workspace=workspace, ended_at=None, defaults={"began_at": began, "by": by, "via": via, "reason": reason}
        )
        if new:
            # who was let through an earlier hold is held by this one, also where a clock was set back in between
            let = Delivery.objects.of(workspace).filter(let_through_at__isnull=False, pushed_at__isnull=True)
            let.exclude(state__in=[Delivery.State.SENT, Delivery.State.CANCELLED]).update(let_through_at=None)
        hold.reason = reason
        hold.known = hold.known if known is None else known.strip()[:MAX_KNOWN]
        hold.save(update_fields=["reason", "known"])
        write_audit(
            workspace, by, "workspace.hold", workspace, now, reason=reason, via=via, known=hold.known, began=new
        )
        announce(workspace, now, kind="config")
    _show(by, workspace)
    return workspace


def release_hold(
    by: Membership, *, via: str = Hold.Way.DESK, a_minute: int | None = A_MINUTE, now: dt.datetime
) -> Workspace:
    """Let the queues run again; what the hold stopped goes back into them.

    `a_minute`: so many leave in each minute, those that wait longest first, so that nobody's answer to a crisis comes
    as a flood; None: as many as the networks take.
    """
    require(by, "hold")
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
        workspace.held_at, workspace.hold_reason = None, ""
        workspace.save(update_fields=["held_at", "hold_reason"])
        Hold.objects.of(workspace).filter(ended_at__isnull=True).update(ended_at=now, ended_by=by)
        requeue_held(workspace, rule="crisis-hold", now=now)
        if a_minute is not None:
            _spread(workspace, max(1, a_minute), now)
        write_audit(workspace, by, "workspace.release", workspace, now, via=via, a_minute=a_minute)
        announce(workspace, now, kind="config")
    _show(by, workspace)
    return workspace


def _spread(workspace: Workspace, a_minute: int, now: dt.datetime) -> None:
    """Put off what waits, a minute further for each `a_minute` of them."""
    due = Delivery.objects.of(workspace).filter(state=Delivery.State.QUEUED, next_try_at__lte=now)
    waiting = list(due.order_by("queued_at", "pk").values_list("pk", flat=True))
    for start in range(a_minute, len(waiting), a_minute):
        later = now + dt.timedelta(minutes=start // a_minute)
        due.filter(pk__in=waiting[start : start + a_minute]).update(next_try_at=later)


def let_through(by: Membership, delivery: Delivery, *, now: dt.datetime) -> Delivery:
    """Let this one reply out although everything is held; the guard looks at it once more. On record in the ledger."""
    require(by, "hold")
    require_delivery(by, delivery, "send")
    waiting = (Delivery.State.HELD, Delivery.State.QUEUED)
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
        if workspace.held_at is None:
            raise InvalidInput("Nothing is held at the moment; it goes out by itself.")
        row = Delivery.objects.of(workspace).select_for_update().get(pk=delivery.pk)
        if row.state not in waiting or row.held_by not in (None, "crisis-hold"):
            raise InvalidInput("The hold is not what keeps this reply back; look at its state again.")
        append_decision(by, row, "release", "let through while everything is held", now=now)
        # the clock that held may have been ahead of this one
        row.state, row.let_through_at = Delivery.State.QUEUED, max(now, workspace.held_at)
        row.held_by, row.cause, row.next_try_at = None, "", now
        row.save(update_fields=["state", "let_through_at", "held_by", "cause", "next_try_at"])
        announce(workspace, now, row.talks)
    delivery.refresh_from_db()
    return delivery


def _show(by: Membership, workspace: Workspace) -> None:
    """What the caller holds of the workspace says the same from now on."""
    by.workspace.held_at, by.workspace.hold_reason = workspace.held_at, workspace.hold_reason
