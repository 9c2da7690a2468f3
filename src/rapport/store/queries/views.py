"""Reads of saved views."""

from __future__ import annotations

from django.db.models import F, Q

from rapport.store.models import Membership, SavedView
from rapport.store.models.scoped import ScopedQuerySet


def visible_views(member: Membership) -> ScopedQuerySet[SavedView]:
    """A member's own views, then the shared ones, each in their order. What a view leads to is checked where it is
    opened: a shared one may be of a basket that this member does not see.
    """
    rows = SavedView.objects.of(member.workspace_id).filter(Q(owner=member.pk) | Q(owner__isnull=True))
    return rows.order_by(F("owner").asc(nulls_last=True), "position", "name")
