"""The same words to different complaints: what colleagues said to several people nearly alike, for leads."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from rapport.core.voice import Sent, families
from rapport.store.queries.voice import said_since
from rapport.web.access import DeskRequest, desk
from rapport.web.forms import number

#: days that can be looked at
SPANS = (7, 30, 90)
#: replies that are looked at, and families and members of a family that are shown
MOST, FAMILIES, SHOWN = 3_000, 30, 6


class Family(msgspec.Struct, frozen=True):
    """One text that went to several people."""

    text: str
    times: int
    people: int
    #: colleague -> how often
    by: tuple[tuple[str, int], ...]
    #: the newest, each beside what it answered
    examples: tuple[Sent, ...]


@require_safe
@desk("configure")
def same_words(request: DeskRequest) -> HttpResponse:
    """Families of nearly the same text within `days`."""
    days = number(request.GET.get("days", ""))
    days, now = days if days in SPANS else 30, timezone.now()
    said = said_since(request.workspace.pk, now - dt.timedelta(days=days), MOST)
    found = families(said)
    context = {
        "families": [_family(group) for group in found[:FAMILIES]],
        "more": max(0, len(found) - FAMILIES),
        "days": days,
        "spans": SPANS,
        "looked_at": len(said),
        "capped": len(said) == MOST,
        "now": now,
    }
    return render(request, "voice/same_words.html", context)


def _family(group: tuple[Sent, ...]) -> Family:
    by: dict[str, int] = {}
    for one in group:
        by[one.by] = by.get(one.by, 0) + 1
    return Family(
        text=group[-1].text,
        times=len(group),
        people=len({one.person for one in group}),
        by=tuple(sorted(by.items(), key=lambda each: (-each[1], each[0]))),
        examples=group[: -SHOWN - 1 : -1],
    )
