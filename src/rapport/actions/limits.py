"""What an account may: numbers of the guard that an admin sets otherwise, and its budget, to the tenth of a cent."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import transaction
from django.db.models import F

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.guard import NETWORKS, Policy
from rapport.core.guard.pace import midnight
from rapport.core.guard.policy import CAUTIOUS, Override
from rapport.store.models import Approval, Channel, ChannelPolicy, Delivery, Membership, Spend
from rapport.store.queries.outbound import addresses_us
from rapport.store.queries.parts import next_part
from rapport.store.queries.spend import kind_of_post, override_of, spent_by


def save_limits(
    by: Membership,
    channel: Channel,
    chosen: Override,
    *,
    day_cents: int | None = None,
    month_cents: int | None = None,
    replies: str = "",
    now: dt.datetime,
) -> ChannelPolicy:
    """Set numbers of the guard for one account; what is None is as the table has it. In force with the next reply.

    Raises `InvalidInput` for numbers that make no sense. The budget is in US cents; `replies`: `ChannelPolicy.Replies`.
    """
    require(by, "channels")
    if channel.workspace_id != by.workspace_id:
        raise NotAllowed("This account belongs to another workspace.")
    if replies not in ChannelPolicy.Replies.values:
        raise InvalidInput("Choose whom the network lets this account answer.")
    if any(cents is not None and not 0 <= cents <= 100_000_000 for cents in (day_cents, month_cents)):
        raise InvalidInput("A budget lies between 0 and 1,000,000 dollars.")
    chosen = msgspec.structs.replace(chosen, day_budget=None, month_budget=None, answers_anyone=None)
    Policy().with_numbers(channel.network, chosen)
    with transaction.atomic():
        before = ChannelPolicy.objects.of(by.workspace).filter(channel=channel).first()
        row, _ = ChannelPolicy.objects.update_or_create(
            channel=channel,
            defaults={
                "workspace_id": by.workspace_id, "numbers": msgspec.to_builtins(chosen), "day_cents": day_cents,
                "month_cents": month_cents, "replies": replies, "changed_by": by, "changed_at": now,
            },
        )  # fmt: skip
        write_audit(
            by.workspace, by, "channel.limits", channel, now,
            before=_told(before) if before else None, after=_told(row),
        )  # fmt: skip
        announce(by.workspace, now, kind="config")
    return row


def reserve(delivery: Delivery, *, now: dt.datetime) -> bool:
    """Count what it costs before it leaves; False where the budget has no room for it. Within a transaction."""
    price = _price(delivery)
    if price is None:
        return True
    kind, mills = price
    # the lock orders senders of one account, so that two of them cannot spend the same cent
    row = ChannelPolicy.objects.select_for_update().filter(channel=delivery.channel_id).first()
    if row is not None:
        limits, spent = override_of(row), spent_by(delivery.channel, now)
        for most, gone in ((limits.day_budget, spent.today), (limits.month_budget, spent.this_month)):
            if most is not None and gone + mills > most:
                return False
    _count(delivery, kind, 1, now)
    return True


def give_back(delivery: Delivery, pushed_at: dt.datetime) -> None:
    """It certainly took no effect: what was counted when it left costs nothing."""
    price = _price(delivery)
    if price is not None:
        _count(delivery, price[0], -1, pushed_at)


def _price(delivery: Delivery) -> tuple[str, int] | None:
    prices = NETWORKS.get(delivery.channel.network, CAUTIOUS).prices
    target = delivery.approval.target
    is_post = delivery.approval.kind == Approval.Kind.POST
    if prices is None or not (is_post or (target is not None and delivery.approval.kind is None)):
        return None
    part = next_part(delivery)
    text = (delivery.approval.parts or [])[part.number - 1] if part else delivery.approval.text
    kind = kind_of_post(text, target is not None and addresses_us(target, delivery.channel))
    return kind, getattr(prices, kind)


def _count(delivery: Delivery, kind: str, times: int, moment: dt.datetime) -> None:
    day = midnight(moment).date()
    row, _ = Spend.objects.get_or_create(
        channel_id=delivery.channel_id, day=day, kind=kind, defaults={"workspace_id": delivery.workspace_id}
    )
    Spend.objects.filter(pk=row.pk, count__gte=max(0, -times)).update(count=F("count") + times)


def _told(row: ChannelPolicy) -> dict[str, object]:
    return {
        "numbers": row.numbers, "day_cents": row.day_cents, "month_cents": row.month_cents, "replies": row.replies,
    }  # fmt: skip
