"""Reads of notices: who is meant, who may know, what stands on somebody's list, what is due."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import msgspec
from django.db.models import Count, Q

from rapport.core.notices import EVENTS, LONGEST_REST, Quiet, read_quiet, read_ways
from rapport.store.models import (
    Basket,
    BasketMember,
    Conversation,
    Membership,
    Notification,
    NotificationSettings,
    PushSubscription,
)
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import within_sight

#: roles that answer for the desk: they are told what is meant for nobody else
LEADS = ("lead", "admin", "owner")
#: the name that stands for them in rules
DUTY = "duty"
#: rows on the page of notices
SHOWN = 100


# ------------------------------------------------------------------ who is meant


def active_members(workspace: int) -> ScopedQuerySet[Membership]:
    """Everybody who works in the workspace now."""
    return Membership.objects.of(workspace).filter(active=True, user__is_active=True)


def members_with(workspace: int, roles: Collection[str]) -> list[Membership]:
    """Everybody who works there now in one of these roles."""
    return list(active_members(workspace).filter(role__in=roles).select_related("user"))


def leads_of(workspace: int, basket: int | None = None) -> list[Membership]:
    """The leads who work in the basket; where there are none, all leads, and without any, admins and owners."""
    leads = members_with(workspace, LEADS)
    if basket is not None:
        inside = set(BasketMember.objects.of(workspace).filter(basket=basket).values_list("membership_id", flat=True))
        near = [member for member in leads if member.pk in inside and member.role == "lead"]
        if near:
            return near
    return [member for member in leads if member.role == "lead"] or leads


def resolve_names(workspace: int, names: Iterable[str]) -> dict[str, list[Membership] | None]:
    """Whom `notify:NAME` means: a basket's members, the colleague with that address or that part of it before the @, or
    the leads for "duty". None for a name that means nobody here.
    """
    wanted = set(names)
    found: dict[str, list[Membership] | None] = dict.fromkeys(wanted)
    if DUTY in wanted:
        found[DUTY] = leads_of(workspace)
    inside = BasketMember.objects.of(workspace).filter(
        basket__slug__in=wanted - {DUTY}, membership__active=True, membership__user__is_active=True
    )
    by_basket: dict[str, list[Membership]] = defaultdict(list)
    for row in inside.select_related("membership__user", "basket"):
        by_basket[row.basket.slug].append(row.membership)
    found.update(by_basket)
    baskets = set(Basket.objects.of(workspace).filter(slug__in=wanted - {DUTY}).values_list("slug", flat=True))
    missing = {name.lower(): name for name in wanted - baskets if found[name] is None}
    if missing:
        for member in active_members(workspace).select_related("user"):
            address = member.user.email.lower()
            for name in filter(None, (missing.get(address), missing.get(address.partition("@")[0]))):
                found[name] = [*(found[name] or ()), member]
    return found


# ------------------------------------------------------------------ who may know


class Sight(msgspec.Struct, frozen=True):
    """Which conversations some members may know of."""

    #: conversation -> (basket, assignee)
    places: Mapping[int, tuple[int | None, int | None]]
    #: member -> baskets; None: all
    baskets: Mapping[int, frozenset[int] | None]

    def sees(self, member: int, conversation: int) -> bool:
        """Whether the member may know of the conversation (`actions.audit.sees`, for many at once)."""
        if conversation not in self.places:
            return False
        basket, assignee = self.places[conversation]
        own = self.baskets.get(member, frozenset())
        return own is None or assignee == member or basket in own


def read_sight(workspace: int, members: Collection[Membership], conversations: Collection[int]) -> Sight:
    """What these active members see of these conversations; what people do not see at all (`unopened`) nobody does."""
    rows = Conversation.objects.of(workspace).filter(pk__in=conversations).exclude(state="unopened")
    places = {pk: (basket, assignee) for pk, basket, assignee in rows.values_list("pk", "basket_id", "assignee_id")}
    baskets: dict[int, frozenset[int] | None] = {
        member.pk: None for member in members if member.sees_every_basket is True
    }
    narrow = [member.pk for member in members if member.pk not in baskets]
    own: dict[int, set[int]] = {pk: set() for pk in narrow}
    if narrow:
        inside = BasketMember.objects.of(workspace).filter(membership__in=narrow)
        for member, basket in inside.values_list("membership_id", "basket_id"):
            own[member].add(basket)
    return Sight(places, baskets | {pk: frozenset(found) for pk, found in own.items()})


# ------------------------------------------------------------------ what is on record


def read_wishes(members: Collection[int]) -> dict[int, NotificationSettings]:
    """Member -> what they chose; those who chose nothing are missing."""
    return {row.membership_id: row for row in NotificationSettings.objects.filter(membership__in=members)}


def quiet_of(wish: NotificationSettings | None) -> Quiet:
    """When somebody wants to be left in peace."""
    return read_quiet(wish.quiet) if wish else Quiet()


def zone_of(member: Membership) -> dt.tzinfo:
    """The clock that a member's quiet hours are on."""
    try:
        return zoneinfo.ZoneInfo(member.user.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC


def recent_notices(
    members: Collection[int], bundles: Collection[tuple[str, str]], now: dt.datetime
) -> dict[tuple[int, str, str], tuple[dt.datetime | None, dt.datetime | None]]:
    """(member, event, bundle) -> when they were last told of it by mail and by push, as far as that still counts."""
    rows = Notification.objects.filter(
        Q(mailed_at__gt=now - LONGEST_REST) | Q(pushed_at__gt=now - LONGEST_REST),
        membership__in=members,
        event__in={event for event, _ in bundles},
        bundle__in={bundle for _, bundle in bundles},
    )
    found: dict[tuple[int, str, str], tuple[dt.datetime | None, dt.datetime | None]] = {}
    for member, event, bundle, mailed, pushed in rows.values_list(
        "membership_id", "event", "bundle", "mailed_at", "pushed_at"
    ):
        before = found.get((member, event, bundle), (None, None))
        found[member, event, bundle] = (_later(before[0], mailed), _later(before[1], pushed))
    return found


def _later(one: dt.datetime | None, other: dt.datetime | None) -> dt.datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)


def visible_notices(member: Membership) -> ScopedQuerySet[Notification]:
    """What stands on the member's list: not what lies in a basket by now that they do not see, nor what they want no
    word of at the desk.
    """
    rows = Notification.objects.of(member.workspace_id).filter(membership=member)
    wishes = NotificationSettings.objects.filter(membership=member).values_list("ways", flat=True).first() or {}
    unwanted = [event for event in EVENTS if "desk" not in read_ways(event, wishes)]
    if unwanted:
        rows = rows.exclude(event__in=unwanted)
    if member.sees_every_basket is not True:
        rows = rows.filter(Q(conversation=None) | within_sight(member))
    return rows


def count_unread(member: Membership) -> int:
    """How many things the member has not looked at: the number on the bell."""
    return visible_notices(member).filter(read_at__isnull=True).aggregate(rows=Count("pk"))["rows"] or 0


def list_notices(member: Membership) -> list[Notification]:
    """The newest, those that were not looked at first."""
    rows = visible_notices(member).select_related("conversation__basket", "conversation__person")
    unread = list(rows.filter(read_at__isnull=True).order_by("-last_at", "-pk")[:SHOWN])
    read = rows.filter(read_at__isnull=False).order_by("-last_at", "-pk")[: SHOWN - len(unread)]
    return [*unread, *read]


def list_devices(member: Membership) -> list[PushSubscription]:
    """The browsers that the member lets us wake, oldest first."""
    return list(PushSubscription.objects.of(member.workspace_id).filter(membership=member).order_by("pk"))
