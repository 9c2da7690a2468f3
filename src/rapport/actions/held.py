"""Letting go of what the guard held, once its reason is gone."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import write_audit
from rapport.store.models import Channel, Delivery, Workspace


def requeue_held(workspace: Workspace, *, rule: str, channel: Channel | None = None, now: dt.datetime) -> int:
    """Put back into the queue what one rule of the guard held (on one channel, or on all); returns how many.

    The guard looks at each once more before it leaves.
    """
    with transaction.atomic():
        held = Delivery.objects.of(workspace).filter(state=Delivery.State.HELD, cause__startswith=f"{rule}:")
        if channel is not None:
            held = held.filter(channel=channel)
        count = held.update(state=Delivery.State.QUEUED, cause="", next_try_at=now)
        write_audit(workspace, None, "delivery.requeue", workspace, now, rule=rule, count=count)
    return count
