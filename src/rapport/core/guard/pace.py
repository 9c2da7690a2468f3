"""Windows and budgets: when an account has room again, and what a post costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from rapport.core.guard.length import has_link
from rapport.core.guard.policy import DAY, Prices, Window

Spent = tuple[dt.datetime, int]  # when, and how many points


def free_at(spent: Sequence[Spent], window: Window, costs: int, now: dt.datetime) -> dt.datetime | None:
    """When the window has room for `costs` points; None when it has room now. `spent`: in any order."""
    span = dt.timedelta(seconds=window.seconds)
    since = midnight(now) if window.by_day else now - span
    inside = sorted(each for each in spent if (each[0] >= since if window.by_day else each[0] > since))
    over = sum(points for _, points in inside) + costs - window.most
    if over <= 0:
        return None
    if window.by_day:
        return midnight(now) + dt.timedelta(seconds=DAY)
    for moment, points in inside:
        over -= points
        if over <= 0:
            return moment + span
    return now + span  # one act alone costs more than the window holds


def midnight(now: dt.datetime) -> dt.datetime:
    """The beginning of the day in UTC."""
    return now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def next_month(now: dt.datetime) -> dt.datetime:
    """The beginning of the next month in UTC."""
    return (midnight(now).replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def price_of(text: str, addressed_us: bool, prices: Prices | None) -> int:
    """What this reply costs, in thousandths of a US dollar; the dearest of what applies."""
    if prices is None:
        return 0
    if has_link(text):
        return prices.link
    return prices.summoned if addressed_us else prices.post


def spell_money(mills: int) -> str:
    """ "$1.015"."""
    dollars, rest = divmod(mills, 1000)
    return f"${dollars:,}.{rest:03}".removesuffix("0")


def spell_span(seconds: int) -> str:
    """ "3 hours"."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0:
            amount = seconds // size
            return f"{amount} {unit}{'' if amount == 1 else 's'}"
    return f"{seconds} seconds"
