"""The escalation ladder: which steps somebody reached, and what became of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import msgspec
from django.db.models import Count

from rapport.store.models import Escalation, Ignoring, Membership, Outcome, Person
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import within_sight
from rapport.store.queries.marks import EVERYTHING, Marks
from rapport.store.queries.people import visible_people

#: negative words of this time count
WINDOW = dt.timedelta(days=90)
SHOWN = 50


def open_steps(workspace_id: int, people: Collection[int]) -> set[tuple[int, str]]:
    """(person, step) that were reached and that nobody has looked at yet."""
    rows = Escalation.objects.of(workspace_id).filter(person__in=people, way=Escalation.Way.OPEN)
    return set(rows.values_list("person_id", "step"))


def count_negative(workspace_id: int, people: Collection[int], now: dt.datetime) -> Mapping[int, int]:
    """Person -> their negative posts within `WINDOW`, on all networks; those without any are left out."""
    rows = Outcome.objects.of(workspace_id).filter(
        post__handle__person__in=people, post__sort_at__gt=now - WINDOW, sentiment="negative", post__ours=False
    )
    counted = rows.order_by().values_list("post__handle__person").annotate(found=Count("pk"))
    return dict(counted)


def visible_steps(person: Person, member: Membership) -> ScopedQuerySet[Escalation]:
    """Every step that this person reached; for a member of another firm those in their baskets."""
    rows = Escalation.objects.of(person.workspace_id).filter(person=person)
    if member.is_outside:
        rows = rows.filter(within_sight(member))
    return rows


def ladder_of(person: Person, member: Membership) -> list[Escalation]:
    """The steps that this member may know of, newest first."""
    rows = visible_steps(person, member)
    return list(rows.select_related("handled_by__user", "conversation").order_by("-at", "-pk")[:SHOWN])


def waiting_steps(member: Membership) -> ScopedQuerySet[Escalation]:
    """Steps that nobody has looked at, of people whom this member sees, newest first."""
    rows = Escalation.objects.of(member.workspace_id).filter(way=Escalation.Way.OPEN)
    if member.sees_every_basket is not True:
        rows = rows.filter(person__in=visible_people(member).values("pk"))
    return rows.select_related("person", "conversation").order_by("-at", "-pk")


def ignorings_of(person: Person, member: Membership) -> list[Ignoring]:
    """Every decision not to answer this person, newest first; the one that stands has no end. A member of another firm
    sees those of their own, and of others only that the person is ignored.
    """
    rows = Ignoring.objects.of(person.workspace_id).filter(person=person)
    if member.is_outside:
        rows = rows.filter(by=member)
    return list(rows.select_related("by__user", "ended_by__user", "reviewed_by__user").order_by("-at", "-pk")[:SHOWN])


class Standing(msgspec.Struct, frozen=True):
    """How somebody stands on the ladder, and whether they are answered."""

    steps: list[Escalation]
    ignorings: list[Ignoring]

    @property
    def open(self) -> list[Escalation]:
        """Steps that nobody has looked at yet."""
        return [step for step in self.steps if not step.way]

    @property
    def ignoring(self) -> Ignoring | None:
        """The decision that stands."""
        return next((row for row in self.ignorings if row.ended_at is None), None)


def read_standing(person: Person, member: Membership, marks: Marks = EVERYTHING) -> Standing:
    """Both, as far as the member may know, in two queries; `marks`: what there is, to read nothing else."""
    return Standing(
        ladder_of(person, member) if marks.steps else [], ignorings_of(person, member) if marks.ignorings else []
    )


def lapsed_ignorings(workspace_id: int, now: dt.datetime) -> ScopedQuerySet[Ignoring]:
    """Decisions whose time is over."""
    return Ignoring.objects.of(workspace_id).filter(ended_at__isnull=True, until__lte=now).select_related("person")
