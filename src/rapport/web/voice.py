"""The same words to different complaints: what colleagues said to several people nearly alike, for leads."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from rapport.core.voice import FAMILY, SAME, Sent, families, people_told
from rapport.store.models import Approval
from rapport.store.queries.voice import like_for_people, read_sent, said_since
from rapport.web.access import DeskRequest, desk
from rapport.web.forms import number
from rapport.web.inbox.conversation import LATELY, find_conversation

#: days that can be looked at
SPANS = (7, 30, 90)
#: messages of one conversation that are held against the others at once
AT_ONCE = 30
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
    """Families of nearly the same text within `days`; `said`: the one of this entry of the ledger comes first."""
    days = number(request.GET.get("days", ""))
    days, now = days if days in SPANS else 30, timezone.now()
    said = said_since(request.workspace.pk, now - dt.timedelta(days=days), MOST)
    entry = number(request.GET.get("said", ""))
    found = sorted(families(said), key=lambda group: all(one.entry != entry for one in group))
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


@require_safe
@desk("configure")
def same_words_here(request: DeskRequest, pk: int) -> HttpResponse:
    """Which of our messages of a conversation (`of`: their entries) went to others nearly alike: a chip for each."""
    row, now = find_conversation(request, pk), timezone.now()
    wanted = [number(each) for each in request.GET.get("of", "").split(",")[:AT_ONCE]]
    ours = Approval.objects.of(request.workspace).filter(pk__in=wanted, delivery__conversation=row, erased_at=None)
    told = []
    for one in read_sent(ours.filter(kind__isnull=True, machine__isnull=True)):
        like = like_for_people(one.text, request.membership, SAME, now=now)
        people = people_told(one.text, one.answered, one.person, [each for each in like if each.sent_at > now - LATELY])
        if people >= FAMILY:
            told.append((one.entry, people))
    return render(request, "desk/same_words.html", {"told": told, "days": LATELY.days})


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
