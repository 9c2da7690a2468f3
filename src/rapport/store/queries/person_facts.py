"""What the house knows of a person beside their words: notes, fields, consent, stops, and who of us knows them."""

from __future__ import annotations

import msgspec
from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from rapport.store.models import (
    Approval,
    Consent,
    Membership,
    Person,
    PersonField,
    PersonNote,
    PersonValue,
    Suppression,
)
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.prepared import Prepared
from rapport.store.queries.suppressions import suppressions_of

KNOWERS = 5  # colleagues named


class Knower(msgspec.Struct, frozen=True):
    """A colleague who answered this person."""

    member: Membership
    #: conversations in which they did
    conversations: int


class Filled(msgspec.Struct, frozen=True):
    """A field of the workspace, and what the person has in it ("" = nothing)."""

    field: PersonField
    value: str


class Brief(msgspec.Struct, frozen=True):
    """What the panel beside a conversation shows of it."""

    knowers: list[Knower] = []
    filled: list[Filled] = []
    #: the newest, newest first
    notes: list[PersonNote] = []


def brief(member: Membership, person: Person, notes: int = 3) -> Brief:
    """What is known, for the panel: one query where there is nothing, one or two more for each that there is."""
    told = next(iter(_KNOWN.rows(person.pk, member.workspace_id)), (False, False, False))
    return Brief(
        knowers=knowers_of(member, person) if told[0] else [],
        filled=fields_of(member, person) if told[1] else [],
        notes=notes_on(member, person, notes) if told[2] else [],
    )


def _known(person: int, workspace: int) -> QuerySet[Person, tuple[bool, ...]]:
    noted = PersonNote.objects.filter(person=OuterRef("pk"), removed_at__isnull=True)
    filled = PersonValue.objects.filter(person=OuterRef("pk"))
    rows = Person.objects.of(workspace).filter(pk=person)
    return rows.values_list(Exists(_answers(OuterRef("pk"))), Exists(filled), Exists(noted))


_KNOWN = Prepared(_known, int, int)


def _answers(person: Person | OuterRef) -> ScopedQuerySet[Approval]:
    """Replies to this person that colleagues sent."""
    # the person is this workspace's; naming it again leads SQLite over everything that was ever approved there
    return Approval.objects.filter(target__handle__person=person, person__isnull=False, kind=None)


def visible_notes(member: Membership) -> ScopedQuerySet[PersonNote]:
    """Notes on people that were not taken back; somebody of another firm reads their own alone."""
    rows = PersonNote.objects.of(member.workspace_id).filter(removed_at__isnull=True)
    return rows.filter(author=member) if member.is_outside else rows


def notes_on(member: Membership, person: Person, most: int = 100) -> list[PersonNote]:
    """The newest notes on a person that this member may read, newest first; one query."""
    rows = visible_notes(member).filter(person=person).select_related("author__user")
    return list(rows.order_by("-at", "-pk")[:most])


def fields_of(member: Membership, person: Person, empty: bool = False) -> list[Filled]:
    """What the person has in the fields of the workspace, in their order; `empty`: fields without anything, too."""
    if member.is_outside:
        return []
    values = dict(PersonValue.objects.of(member.workspace_id).filter(person=person).values_list("field", "value"))
    if not values and not empty:
        return []
    rows = PersonField.objects.of(member.workspace_id)
    return [Filled(row, values.get(row.pk, "")) for row in rows if empty or row.pk in values]


def consents_of(member: Membership, person: Person) -> list[Consent]:
    """Everything they allowed or refused us, what stands first, then newest first."""
    if member.is_outside:
        return []
    rows = Consent.objects.of(member.workspace_id).filter(person=person).select_related("by__user")
    return sorted(rows.order_by("-at", "-pk")[:100], key=lambda row: row.withdrawn_at is not None)


def stops_of(member: Membership, person: Person) -> list[Suppression]:
    """When they were not to be written to, who said so and who ended it, newest first; an entry for each time.

    Accounts of one person that were stopped together are one entry.
    """
    if member.is_outside:
        return []
    found = {(row.at, row.lifted_at, row.reason): row for row in suppressions_of(person)[:200]}
    return list(found.values())


def knowers_of(member: Membership, person: Person) -> list[Knower]:
    """Colleagues who answered this person, with how many conversations, the most first; two queries."""
    if member.is_outside:
        return []
    rows = _answers(person)
    counted = rows.order_by().values("person").annotate(talks=Count("conversation", distinct=True), last=Max("pk"))
    best = sorted(counted, key=lambda each: (-each["talks"], -each["last"]))[:KNOWERS]
    if not best:
        return []
    members = (
        Membership.objects.of(member.workspace_id).select_related("user").in_bulk([each["person"] for each in best])
    )
    return [Knower(members[each["person"]], each["talks"]) for each in best if each["person"] in members]
