"""What an account may and what it has spent: its own numbers of the guard, and its budget."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import msgspec
from django.db.models import Sum

from rapport.core.errors import InvalidInput
from rapport.core.guard import NETWORKS, Policy
from rapport.core.guard.length import has_link
from rapport.core.guard.pace import midnight
from rapport.core.guard.policy import CAUTIOUS, Override
from rapport.store.models import Channel, ChannelPolicy, Spend

#: thousandths of a US dollar in a cent
_MILLS = 10


class Spent(NamedTuple):
    """Thousandths of a US dollar."""

    today: int = 0
    this_month: int = 0


def policy_of(channel: Channel) -> Policy:
    """The guard's numbers for this account: the table, and what an admin set otherwise."""
    known = channel._state.fields_cache  # read along with the channel (queries.talk.speaking_channels), or not
    row = known["policy"] if "policy" in known else ChannelPolicy.objects.filter(channel=channel).first()
    return Policy().with_numbers(channel.network, override_of(row)) if row else Policy()


def override_of(row: ChannelPolicy) -> Override:
    """What was set, with the budget. Numbers that cannot be read (by hand, in the database) count as not set."""
    try:
        chosen = msgspec.convert(row.numbers, Override)
        Policy().with_numbers("", chosen)
    except (msgspec.ValidationError, InvalidInput):
        chosen = Override()
    return msgspec.structs.replace(
        chosen,
        day_budget=None if row.day_cents is None else row.day_cents * _MILLS,
        month_budget=None if row.month_cents is None else row.month_cents * _MILLS,
        answers_anyone=row.replies == ChannelPolicy.Replies.ANYONE if row.replies else None,
    )


def spent_by(channel: Channel, now: dt.datetime) -> Spent:
    """Since 00:00 UTC and since the first of the month; nothing where the network has no price."""
    prices = NETWORKS.get(channel.network, CAUTIOUS).prices
    if prices is None:
        return Spent()
    today = midnight(now).date()
    asking = msgspec.structs.asdict(prices)
    rows = Spend.objects.filter(channel=channel, day__gte=today.replace(day=1), day__lte=today)
    by_day = rows.values_list("day", "kind").annotate(times=Sum("count"))
    costs = [(day, times * asking.get(kind, 0)) for day, kind, times in by_day]
    return Spent(sum(cost for day, cost in costs if day == today), sum(cost for _, cost in costs))


def kind_of_post(text: str, addressed_us: bool) -> str:
    """Under which price a reply is counted: the names of `Prices`."""
    return "link" if has_link(text) else "summoned" if addressed_us else "post"
