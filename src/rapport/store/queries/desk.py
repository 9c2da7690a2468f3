"""Reads of the desk: baskets with counts, lists of conversations, one conversation with all that belongs to it."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db.models import Count, Q

from rapport.store.models import Basket, BasketMember, Conversation, Membership
from rapport.store.models.scoped import ScopedQuerySet

#: an open conversation that waits longer is shown in red
LATE_AFTER = dt.timedelta(hours=1)


class BasketCount(msgspec.Struct, frozen=True):
    """One basket in the navigation."""

    id: int
    slug: str
    name: str
    tone: str
    open: int
    #: of the open ones, how many wait longer than `LATE_AFTER`
    late: int


def visible_baskets(member: Membership) -> ScopedQuerySet[Basket]:
    """The baskets that this person may know of: all from lead upwards, else those opened to them."""
    rows = Basket.objects.of(member.workspace_id)
    if member.sees_every_basket is True:
        return rows
    own = BasketMember.objects.of(member.workspace_id).filter(membership=member)
    return rows.filter(pk__in=own.values("basket"))


def visible_conversations(member: Membership) -> ScopedQuerySet[Conversation]:
    """The conversations that this person may know of; what was merged or never opened is nobody's work."""
    rows = Conversation.objects.of(member.workspace_id)
    if member.sees_every_basket is not True:
        own = BasketMember.objects.of(member.workspace_id).filter(membership=member)
        rows = rows.filter(basket__in=own.values("basket"))
    return rows


def count_by_basket(member: Membership, now: dt.datetime) -> dict[tuple[int, str], tuple[int, int]]:
    """(basket id, state) -> (conversations, of these waiting too long), for open and quarantined ones."""
    counted = (
        visible_conversations(member)
        .filter(state__in=[Conversation.State.OPEN, Conversation.State.QUARANTINED], basket__isnull=False)
        .order_by()
        .values_list("basket", "state")
        .annotate(found=Count("pk"), late=Count("pk", filter=Q(waiting_since__lt=now - LATE_AFTER)))
    )
    return {(basket or 0, state): (found, late) for basket, state, found, late in counted}


def counted_baskets(member: Membership, counts: dict[tuple[int, str], tuple[int, int]]) -> list[BasketCount]:
    """The visible baskets in their order, with the open conversations of each."""
    return [
        BasketCount(basket.pk, basket.slug, basket.name, basket.tone, *counts.get((basket.pk, "open"), (0, 0)))
        for basket in visible_baskets(member)
    ]
