"""How promises of time were kept, and the list of those that broke: what, by how much, who had it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from rapport.core.promises import KINDS, Kind, overdue
from rapport.store.models import Basket, Promise
from rapport.store.queries import desk as desk_reads
from rapport.store.queries import promises as reads
from rapport.store.queries.load import Setup, read_setups
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.inbox.events import stream_address

#: days back -> how the choice is called
SPANS = {1: gettext_lazy("24 hours"), 7: gettext_lazy("7 days"), 30: gettext_lazy("30 days")}
#: promises of one page
PAGE = 50


class Kept(msgspec.Struct, frozen=True):
    """How one basket kept its promises of one kind."""

    basket: Basket
    kind: Kind
    kept: int
    late: int
    open_late: int

    @property
    def share(self) -> int | None:
        """Percent of what ended or broke that was kept; None where nothing did."""
        return round(100 * self.kept / (self.kept + self.late)) if self.kept + self.late else None


class Break(msgspec.Struct, frozen=True):
    """One promise that broke."""

    promise: Promise
    #: staffed minutes by which it was, or is by now, late
    minutes: float


@require_safe
@desk("read")
def promises(request: DeskRequest) -> HttpResponse:
    """The page; `?days=` back, `?basket=` alone, `?after=` a promise: those that broke before it."""
    now, member = timezone.now(), request.membership
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(each) for each in SPANS} else 7
    since = now - dt.timedelta(days=days)
    baskets = {basket.pk: basket for basket in desk_reads.visible_baskets(member)}
    slug = request.GET.get("basket", "")
    chosen = find(desk_reads.visible_baskets(member), slug=slug) if slug else None
    setups = read_setups(request.workspace.pk, now)
    after = request.GET.get("after", "")
    try:
        found = reads.broken(member, since, chosen.pk if chosen else None, number(after) if after else None)
    except Promise.DoesNotExist as error:
        raise Http404 from error
    rows = list(found[: PAGE + 1])
    broken = [Break(row, _late_by(row, setups, now)) for row in rows[:PAGE]]
    context: dict[str, Any] = {
        "kept": _kept(reads.tally(member, since), baskets),
        "broken": broken,
        "more": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "spans": [(each, label, each == days) for each, label in SPANS.items()],
        "days": days,
        "chosen": chosen,
        "promised": any(not setup.terms.empty for setup in setups.values()),
        "now": now,
        "live": stream_address(member),
    }
    return render(request, "desk/promises.html", context)


def _kept(tallies: list[reads.Tally], baskets: dict[int, Basket]) -> list[Kept]:
    found = [
        Kept(baskets[each.basket], each.kind, each.kept, each.late, each.open_late)  # type: ignore[arg-type]
        for each in tallies
        if each.basket in baskets and (each.kept or each.late or each.open_late)
    ]
    return sorted(found, key=lambda each: (each.basket.position, each.basket.name, KINDS.index(each.kind)))


def _late_by(row: Promise, setups: dict[int, Setup], now: dt.datetime) -> float:
    setup = setups.get(row.basket_id or 0)
    promise = reads.running_of(row)
    if promise.running_since is None or setup is None:
        return max(0.0, promise.used - promise.minutes)
    return overdue(promise, now, setup.hours)
