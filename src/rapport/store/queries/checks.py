"""The daily sample of what was put aside: what can be drawn, what is to be looked at, and how often we were wrong."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db.models import Count, Q, QuerySet

from rapport.core.proportion import Share, share
from rapport.store.models import Check, Conversation, Workspace

#: over which time the share of wrong ones is measured
SPAN = dt.timedelta(days=30)


class Missed(msgspec.Struct, frozen=True):
    """How often something was put aside that somebody should have seen."""

    judged: int
    missed: int
    #: None before the first was looked at
    share: Share | None
    days: int = SPAN.days


def drawable(workspace: Workspace, since: dt.datetime) -> QuerySet[Conversation]:
    """What was put aside and last spoken in since then."""
    return Conversation.objects.of(workspace).filter(state=Conversation.State.QUARANTINED, last_post_at__gte=since)


def open_checks(visible: QuerySet[Conversation], limit: int) -> list[Check]:
    """Of the conversations that a person sees those that wait to be looked at, oldest day first. One query."""
    rows = Check.objects.filter(verdict=Check.Verdict.OPEN, conversation__in=visible.values("pk"))
    return list(rows.select_related("conversation__person", "conversation__basket").order_by("day", "pk")[:limit])


def count_open_checks(visible: QuerySet[Conversation]) -> int:
    """How many wait to be looked at."""
    return Check.objects.filter(verdict=Check.Verdict.OPEN, conversation__in=visible.values("pk")).count()


def read_missed(workspace: Workspace, now: dt.datetime) -> Missed:
    """What the samples of the last days say. One query."""
    rows = Check.objects.of(workspace).filter(judged_at__gte=now - SPAN)
    found = rows.aggregate(judged=Count("pk"), missed=Count("pk", filter=Q(verdict=Check.Verdict.MISSED)))
    return Missed(found["judged"], found["missed"], share(found["missed"], found["judged"]))
