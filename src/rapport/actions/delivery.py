"""The way of an approved reply to its network, step by step.

Each step moves a delivery along `Delivery.MOVES` by a conditional UPDATE on the fence that its claim was given, so that
a sender which lost its claim changes nothing. No step makes a delivery: only `outbound.approve` does, for a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q

from rapport.actions.audit import announce, write_audit
from rapport.actions.hearing import hear, take_down
from rapport.actions.held import FREED
from rapport.actions.limits import give_back, reserve
from rapport.actions.notices import notify_of_delivery
from rapport.actions.parts import end_part
from rapport.actions.promises import keep_promises
from rapport.bus.base import Bus
from rapport.core.errors import InvalidInput
from rapport.core.guard import TAKES_BACK
from rapport.core.post import Post as SaidPost
from rapport.core.roles import ROLES, may
from rapport.store.models import Attempt, Conversation, Delivery, DeliveryPart
from rapport.store.queries.acknowledge import refresh_acknowledged
from rapport.store.queries.outbound import find_among_ours
from rapport.store.queries.parts import has_rest, next_part

#: states in which a reply has a place in the line of its conversation: those approved after it wait
IN_LINE = (Delivery.State.QUEUED, Delivery.State.SENDING, Delivery.State.UNCONFIRMED)
#: states that say of a reply which had left that it certainly took no effect
_NO_EFFECT = (Delivery.State.QUEUED, Delivery.State.FAILED, Delivery.State.HELD, Delivery.State.CANCELLED)
_SENDING_ROLES = [role for role in ROLES if may(role, "send")]
#: likes and the like have no words: they wait for nothing in their conversation, and nothing waits for them
_WORDLESS = ("like", "unlike", "boost", "unboost", "follow", "unfollow")


def _in_peace(person: str) -> dict[str, object]:
    """The filter that this person neither asked us to stop nor is ignored."""
    return {f"{person}__suppressed_reason": "", f"{person}__ignored": False}


#: as the rows are at this very moment: what must hold for a reply to leave. The guard says why where it does not
_MAY_LEAVE = (
    Q(Q(workspace__held_at__isnull=True) | Q(let_through_at__gte=F("workspace__held_at")))
    & Q(channel__state="connected")
    & (
        # what only takes back something of ours
        Q(approval__kind__in=sorted(TAKES_BACK))
        # to nobody in particular
        | Q(approval__kind="post")
        | Q(approval__kind="edit", approval__subject__approval__kind="post")
        | Q(approval__kind="edit", **_in_peace("approval__subject__approval__target__handle__person"))
        | Q(approval__kind="follow", **_in_peace("approval__handle__person"))
        | Q(approval__target__deleted=False, **_in_peace("approval__target__handle__person"))
    )
    & (
        Q(approval__person__isnull=True)
        | Q(
            approval__person__role__in=_SENDING_ROLES,
            approval__person__active=True,
            approval__person__user__is_active=True,
        )
    )
)


def claim(sender: str, lease: dt.timedelta, *, besides: Collection[object] = (), now: dt.datetime) -> Delivery | None:
    """Take the next delivery that is due, with a new fence; None when nothing is due. `besides`: no channel of these.

    A claim whose lease ran out is taken over: before its request left it is simply due again; after that it becomes
    `unconfirmed` and is settled by reading. Within a conversation replies leave in the order of their approval: one
    that is put off, on its way or unconfirmed keeps those after it back, until nobody but a person can say more.
    """
    due = Q(state=Delivery.State.QUEUED, next_try_at__lte=now) | Q(
        state=Delivery.State.UNCONFIRMED, next_try_at__lte=now, claimed_by=""
    )
    lapsed = Q(state__in=[Delivery.State.SENDING, Delivery.State.UNCONFIRMED], lease_until__lt=now)
    with transaction.atomic():
        row = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(due | lapsed, unknown_at__isnull=True)
            .filter(Q(channel__paused_until__isnull=True) | Q(channel__paused_until__lte=now))
            .filter(_its_turn(), ~Q(channel__in=besides))
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


def _its_turn() -> Q:
    """Nothing that was approved before it in its conversation is still to leave."""
    # what was held a moment too late, when its reason was gone already, has its place in the line too
    in_line = Q(state__in=IN_LINE) | Q(FREED, state=Delivery.State.HELD)
    before = Delivery.objects.filter(in_line, conversation=OuterRef("conversation"), pk__lt=OuterRef("pk"))
    before = before.filter(unknown_at__isnull=True).exclude(approval__kind__in=_WORDLESS)
    return Q(approval__kind__in=_WORDLESS) | Q(~Exists(before))


def mark_pushed(delivery: Delivery, part: DeliveryPart | None = None, *, now: dt.datetime) -> bool:
    """Set down that the request leaves now, of a thread that of one `part`.

    False: the claim is lost, its lease ran out, or something has changed since the guard looked (a hold, somebody who
    asked us to stop, a colleague who may not send any more, an earlier reply that is due again): nothing may leave.
    """
    with transaction.atomic():
        may_leave = Delivery.objects.filter(_MAY_LEAVE, _its_turn(), pk=delivery.pk)
        # the fence stands in the UPDATE itself: PostgreSQL looks at it again after it waited for the row
        claimed = _mine(delivery).filter(state=Delivery.State.SENDING, lease_until__gt=now)
        mine = claimed.filter(pk__in=may_leave.values("pk")).update(pushed_at=now)
        if mine and not reserve(delivery, now=now):
            transaction.set_rollback(True)
            return False
        if mine:
            delivery.pushed_at = now
            if part is not None:
                DeliveryPart.objects.filter(pk=part.pk).update(state=DeliveryPart.State.PUSHED, pushed_at=now)
            _log(delivery, "pushed", "", now)
            write_audit(delivery.workspace_id, None, "delivery.push", delivery, now, fence=delivery.fence)
    return mine == 1


def settle_sent(
    delivery: Delivery,
    external_id: str,
    url: str,
    post: SaidPost | None,
    bus: Bus,
    *,
    how: str = "sent",
    gone: Sequence[str] = (),
    now: dt.datetime,
) -> bool:
    """The network has it; `post`: the reply as a post of ours, heard in the same transaction, so that it stands in the
    conversation before the network tells us of it; None where it has. `gone`: ids of ours that the network has taken
    off. Of a thread it is the post that was next: the others are due now. False: somebody else settled it first.
    """
    with transaction.atomic():
        part = next_part(delivery)
        if part is not None:
            # what a thread is known by is its first post
            first = delivery.parts.filter(number=1).exclude(external_id="").first()
            known = (first.external_id, first.url) if first else (external_id, url or "")
        if part is not None and has_rest(part):
            settled = _settle(
                delivery, Delivery.State.QUEUED, "part", "", now,
                external_id=known[0], url=known[1], next_try_at=now, pushed_at=None, unknown_at=None, held_by=None,
                settled_by=None,
            )  # fmt: skip
        else:
            settled = _settle(
                delivery, Delivery.State.SENT, how, "", now,
                external_id=known[0] if part else external_id, url=known[1] if part else url or "", sent_at=now,
                pushed_at=delivery.pushed_at or now, unknown_at=None, held_by=None,
            )  # fmt: skip
        if settled:
            if part is not None:
                end_part(part, external_id, url or "", now)
            if gone:
                take_down(delivery.channel, gone, now=now)
                if post is None and delivery.conversation_id is not None:
                    # what it had answered waits again
                    Conversation.objects.filter(
                        pk=delivery.conversation_id, state=Conversation.State.PENDING, waiting_since__isnull=False
                    ).update(state=Conversation.State.OPEN, touched_at=now)
            if post is not None:
                hear(delivery.channel, [post], bus, now=now)
            if delivery.approval.machine:
                refresh_acknowledged(delivery, now)
            keep_promises(delivery.workspace_id, delivery.talks, now=now)
    return settled


def settle_later(delivery: Delivery, cause: str, after: dt.datetime, *, now: dt.datetime) -> bool:
    """It certainly did not take effect: due again at `after`."""
    return _settle(
        delivery, Delivery.State.QUEUED, "retry", cause, now, next_try_at=after, pushed_at=None, settled_by=None
    )


def settle_failed(delivery: Delivery, cause: str, *, now: dt.datetime) -> bool:
    """The network refused it for good; a person decides."""
    return _settle(delivery, Delivery.State.FAILED, "failed", cause, now, pushed_at=None)


def settle_held(delivery: Delivery, cause: str, rule: str = "", *, now: dt.datetime) -> bool:
    """The guard, or a dead token, holds it; it waits for a person. `rule`: what holds it, in a word."""
    return _settle(delivery, Delivery.State.HELD, "held", cause, now, pushed_at=None, held_by=rule[:24] or None)


def settle_dropped(delivery: Delivery, cause: str, *, now: dt.datetime) -> bool:
    """A machine's word whose moment has passed: it is not said any more, and nobody has to decide about it."""
    return _settle(delivery, Delivery.State.CANCELLED, "dropped", cause, now, pushed_at=None)


def settle_unconfirmed(delivery: Delivery, cause: str, look_at: dt.datetime, *, now: dt.datetime) -> bool:
    """It may have taken effect: look on the network at `look_at`; never send again blindly."""
    return _settle(delivery, Delivery.State.UNCONFIRMED, "unconfirmed", cause, now, next_try_at=look_at)


def settle_unknown(delivery: Delivery, cause: str, *, now: dt.datetime) -> bool:
    """Nobody can tell whether the network took it: a person is asked, and nothing is sent until they have said."""
    return _settle(delivery, Delivery.State.UNCONFIRMED, "unknown", cause, now, unknown_at=now, settled_by=None)


def settle_heard(bus: Bus, *, now: dt.datetime) -> int:
    """Settle what a person is asked about, where the network has told us of it in the meantime; returns how many.

    It is a post of ours, answers the same post, says the same and is known as no other reply.
    """
    asked = Delivery.objects.filter(state=Delivery.State.UNCONFIRMED, unknown_at__isnull=False)
    settled = 0
    for delivery in asked.select_related("approval__target", "channel", "conversation__person")[:200]:
        post = find_among_ours(delivery)
        if post is not None:
            settled += settle_sent(delivery, post.external_id, post.url, None, bus, how="reconciled", now=now)
    return settled


def _settle(delivery: Delivery, state: str, step: str, cause: str, now: dt.datetime, **fields: object) -> bool:
    if state not in Delivery.MOVES[delivery.state]:
        raise InvalidInput(f"A delivery that is {delivery.state} cannot become {state}.")
    before, pushed = delivery.state, delivery.pushed_at
    with transaction.atomic():
        changed = (
            _mine(delivery)
            .filter(state=delivery.state)
            .update(state=state, cause=cause[:500], claimed_by="", lease_until=None, **fields)
        )
        if changed:
            delivery.refresh_from_db()
            if pushed is not None and state in _NO_EFFECT and step != "part":
                give_back(delivery, pushed)
                pushed_part = delivery.parts.filter(state=DeliveryPart.State.PUSHED)
                pushed_part.update(state=DeliveryPart.State.WAITING, pushed_at=None)
            _log(delivery, step, cause, now)
            write_audit(delivery.workspace_id, None, f"delivery.{step}", delivery, now, cause=cause[:500])
            notify_of_delivery(delivery, "sent" if step == "part" else step, before, now=now)
            announce(delivery.workspace_id, now, delivery.talks)
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
