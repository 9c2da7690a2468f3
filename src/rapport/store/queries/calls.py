"""What calls somebody, wherever they are on the desk: asked with every page, so all of it is one query."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from rapport.store.models import Draft, Membership, Notification, Offer, SavedView, Task
from rapport.store.queries.prepared import Prepared


class Calls(msgspec.Struct, frozen=True):
    """Whether there may be something, so that it is counted only where there is; it nearly always is not."""

    #: things told that were not looked at
    notices: bool = False
    #: drafts of others that wait for somebody who may send
    approvals: bool = False
    #: one's own tasks whose time is over
    late_tasks: int = 0
    #: lists that the member, or somebody for all, keeps under a name
    views: bool = False
    #: offers above a limit that colleagues asked somebody's word for
    offers: int = 0


def read_calls(member: Membership, now: dt.datetime) -> Calls:
    """What calls the member at this moment."""
    found = _CALLS.rows(member.pk, member.workspace_id, now)
    if not found:
        return Calls()
    notices, approvals, views, late, offers = found[0]
    return Calls(bool(notices), bool(approvals), late or 0, bool(views), offers or 0)


def _calls(member: int, workspace: int, now: dt.datetime) -> QuerySet[Membership, tuple[bool | int | None, ...]]:
    late = Task.objects.of(workspace).filter(assignee=OuterRef("pk"), done_at__isnull=True, due_at__lte=now)
    asked = Offer.objects.of(workspace).filter(state=Offer.State.ASKED).exclude(by=member)
    return Membership.objects.filter(pk=member).values_list(
        Exists(Notification.objects.filter(membership=OuterRef("pk"), read_at__isnull=True)),
        Exists(Draft.objects.of(workspace).filter(proposed=True)),
        Exists(SavedView.objects.of(workspace).filter(Q(owner=OuterRef("pk")) | Q(owner__isnull=True))),
        Subquery(late.order_by().values("assignee").annotate(count=Count("pk")).values("count")),
        Subquery(asked.order_by().values("workspace").annotate(count=Count("pk")).values("count")),
    )


_CALLS = Prepared(_calls, int, int, dt.datetime)
