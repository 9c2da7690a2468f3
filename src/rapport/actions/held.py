"""Letting go of what the guard held, once its reason is gone."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from rapport.actions.audit import write_audit
from rapport.store.models import Channel, Delivery, Workspace

#: held by what is no longer so: it goes back into the queue as soon as a sender looks
FREED = Q(held_by="channel-off", channel__state="connected") | Q(held_by="crisis-hold", workspace__held_at__isnull=True)


def requeue_held(workspace: Workspace, *, rule: str, channel: Channel | None = None, now: dt.datetime) -> int:
    """Put back into the queue what one rule of the guard held (on one channel, or on all); returns how many.

    The guard looks at each once more before it leaves.
    """
    with transaction.atomic():
        # rows of before `held_by` was kept say it at the beginning of their cause
        by_rule = Q(held_by=rule) | Q(held_by__isnull=True, cause__startswith=f"{rule}:")
        held = Delivery.objects.of(workspace).filter(by_rule, state=Delivery.State.HELD)
        if channel is not None:
            held = held.filter(channel=channel)
        count = held.update(state=Delivery.State.QUEUED, cause="", held_by=None, next_try_at=now)
        write_audit(workspace, None, "delivery.requeue", workspace, now, rule=rule, count=count)
    return count


def let_go(*, now: dt.datetime) -> int:
    """Put back into the queue what is held although its reason is gone; returns how many.

    Somebody connects an account again, or releases the hold, in the very moment in which a sender sets down what stood
    in the way a moment ago: then nobody would look at it any more.
    """
    stuck = Delivery.objects.filter(FREED, state=Delivery.State.HELD)
    with transaction.atomic():
        rows = list(stuck.select_for_update(skip_locked=True, of=("self",)).select_related("workspace")[:200])
        for row in rows:
            row.state, row.cause, row.held_by, row.next_try_at = Delivery.State.QUEUED, "", None, now
            write_audit(row.workspace, None, "delivery.requeue", row, now, count=1)
        Delivery.objects.bulk_update(rows, ["state", "cause", "held_by", "next_try_at"])
    return len(rows)
