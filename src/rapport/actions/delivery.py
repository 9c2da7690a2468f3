"""The way of an approved reply to its network, step by step.

Each step moves a delivery along `Delivery.MOVES` by a conditional UPDATE on the fence that its claim was given, so that
a sender which lost its claim changes nothing. No step makes a delivery: only `outbound.approve` does, for a person.
"""

from __future__ import annotations

import datetime as dt

from django.db import models, transaction
from django.db.models import Q

from rapport.actions.audit import announce, write_audit
from rapport.actions.hearing import hear
from rapport.actions.notices import notify_of_delivery
from rapport.actions.promises import keep_promises
from rapport.bus.base import Bus
from rapport.core.errors import InvalidInput
from rapport.core.post import Post as SaidPost
from rapport.store.models import Attempt, Delivery
from rapport.store.queries.acknowledge import refresh_acknowledged


def claim(sender: str, lease: dt.timedelta, *, now: dt.datetime) -> Delivery | None:
    """Take the next delivery that is due, with a new fence; None when nothing is due.

    A claim whose lease ran out is taken over: before its request left it is simply due again; after that it becomes
    `unconfirmed` and is settled by reading.
    """
    due = Q(state=Delivery.State.QUEUED, next_try_at__lte=now) | Q(
        state=Delivery.State.UNCONFIRMED, next_try_at__lte=now, claimed_by=""
    )
    lapsed = Q(state__in=[Delivery.State.SENDING, Delivery.State.UNCONFIRMED], lease_until__lt=now)
    with transaction.atomic():
        row = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(due | lapsed)
            .filter(Q(channel__paused_until__isnull=True) | Q(channel__paused_until__lte=now))
            .order_by("next_try_at", "pk")
            .first()
        )
        if row is None:
            return None
        unknown = row.pushed_at is not None
        row.state = Delivery.State.UNCONFIRMED if unknown else Delivery.State.SENDING
        row.fence, row.attempts = row.fence + 1, row.attempts + 1
        row.claimed_by, row.lease_until = sender, now + lease
        row.save(update_fields=["state", "fence", "attempts", "claimed_by", "lease_until"])
        _log(row, "claimed", sender, now)
        write_audit(row.workspace_id, None, "delivery.claim", row, now, fence=row.fence)
    return row


def mark_pushed(delivery: Delivery, *, now: dt.datetime) -> bool:
    """Set down that the request leaves now. False: the claim is lost or its lease ran out, nothing may leave."""
    with transaction.atomic():
        mine = _mine(delivery).filter(state=Delivery.State.SENDING, lease_until__gt=now).update(pushed_at=now)
        if mine:
            delivery.pushed_at = now
            _log(delivery, "pushed", "", now)
            write_audit(delivery.workspace_id, None, "delivery.push", delivery, now, fence=delivery.fence)
    return mine == 1


def settle_sent(
    delivery: Delivery, external_id: str, url: str, post: SaidPost, bus: Bus, *, how: str = "sent", now: dt.datetime
) -> bool:
    """The network has it; `post`: the reply as a post of ours, heard in the same transaction, so that it stands in the
    conversation before the network tells us of it. False: somebody else settled it first.
    """
    with transaction.atomic():
        settled = _settle(
            delivery, Delivery.State.SENT, how, "", now,
            external_id=external_id, url=url or "", sent_at=now, pushed_at=delivery.pushed_at or now,
        )  # fmt: skip
        if settled:
            hear(delivery.channel, [post], bus, now=now)
            if delivery.approval.machine:
                refresh_acknowledged(delivery, now)
            keep_promises(delivery.workspace_id, [delivery.conversation_id], now=now)
    return settled


def settle_later(delivery: Delivery, cause: str, after: dt.datetime, *, now: dt.datetime) -> bool:
    """It certainly did not take effect: due again at `after`."""
    return _settle(delivery, Delivery.State.QUEUED, "retry", cause, now, next_try_at=after, pushed_at=None)


def settle_failed(delivery: Delivery, cause: str, *, now: dt.datetime) -> bool:
    """The network refused it for good; a person decides."""
    return _settle(delivery, Delivery.State.FAILED, "failed", cause, now, pushed_at=None)


def settle_held(delivery: Delivery, cause: str, *, now: dt.datetime) -> bool:
    """The guard, or a dead token, holds it; it waits for a person."""
    return _settle(delivery, Delivery.State.HELD, "held", cause, now, pushed_at=None)


def settle_dropped(delivery: Delivery, cause: str, *, now: dt.datetime) -> bool:
    """A machine's word whose moment has passed: it is not said any more, and nobody has to decide about it."""
    return _settle(delivery, Delivery.State.CANCELLED, "dropped", cause, now, pushed_at=None)


def settle_unconfirmed(delivery: Delivery, cause: str, look_at: dt.datetime, *, now: dt.datetime) -> bool:
    """It may have taken effect: look on the network at `look_at`; never send again blindly."""
    return _settle(delivery, Delivery.State.UNCONFIRMED, "unconfirmed", cause, now, next_try_at=look_at)


def _settle(delivery: Delivery, state: str, step: str, cause: str, now: dt.datetime, **fields: object) -> bool:
    if state not in Delivery.MOVES[delivery.state]:
        raise InvalidInput(f"A delivery that is {delivery.state} cannot become {state}.")
    before = delivery.state
    with transaction.atomic():
        changed = (
            _mine(delivery)
            .filter(state=delivery.state)
            .update(state=state, cause=cause[:500], claimed_by="", lease_until=None, **fields)
        )
        if changed:
            delivery.refresh_from_db()
            _log(delivery, step, cause, now)
            write_audit(delivery.workspace_id, None, f"delivery.{step}", delivery, now, cause=cause[:500])
            notify_of_delivery(delivery, step, before, now=now)
            announce(delivery.workspace_id, now, [delivery.conversation_id])
    return changed == 1


def _mine(delivery: Delivery) -> models.QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, claimed_by=delivery.claimed_by)


def _log(delivery: Delivery, step: str, detail: str, now: dt.datetime) -> None:
    Attempt.objects.create(
        workspace_id=delivery.workspace_id,
        delivery=delivery,
        fence=delivery.fence,
        step=step,
        detail=detail[:500],
        at=now,
    )
