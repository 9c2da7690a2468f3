"""What calls somebody, wherever they are on the desk: asked with every page, so all of it is one query."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db.models import Count, Exists, OuterRef, Q, Subquery

from rapport.store.models import Draft, Membership, Notification, Offer, SavedView, Task


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
    late = Task.objects.of(member.workspace_id).filter(assignee=OuterRef("pk"), done_at__isnull=True, due_at__lte=now)
    asked = Offer.objects.of(member.workspace_id).filter(state=Offer.State.ASKED).exclude(by=member)
    found = (
        Membership.objects.filter(pk=member.pk)
        .values_list(
            Exists(Notification.objects.filter(membership=OuterRef("pk"), read_at__isnull=True)),
            Exists(Draft.objects.of(member.workspace_id).filter(proposed=True)),
            Exists(SavedView.objects.of(member.workspace_id).filter(Q(owner=OuterRef("pk")) | Q(owner__isnull=True))),
            Subquery(late.order_by().values("assignee").annotate(count=Count("pk")).values("count")),
            Subquery(asked.order_by().values("workspace").annotate(count=Count("pk")).values("count")),
        )
        .first()
    )
    return Calls(bool(found[0]), bool(found[1]), found[3] or 0, bool(found[2]), found[4] or 0) if found else Calls()
