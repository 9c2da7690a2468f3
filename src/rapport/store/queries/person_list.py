"""The list of people: a page of them with their handles, in four queries whatever its length."""

from __future__ import annotations

import msgspec
from django.db.models import Exists, OuterRef

from rapport.store.models import Handle, Membership, Person, PersonValue
from rapport.store.queries.people import visible_people
from rapport.store.queries.search import find_people

SHOWN = 50  # people on a page


class Wanted(msgspec.Struct, frozen=True):
    """What the list is narrowed to; empty = not at all."""

    words: str = ""
    relationship: str = ""
    #: suppressed, ignored, known (to a colleague) or ""
    state: str = ""
    #: row id of a field of the workspace; 0 = none
    field: int = 0
    #: what the field holds, whole; "" = anything
    value: str = ""
    #: row id of the last person of the page before; 0 = the first page
    before: int = 0


class Listed(msgspec.Struct, frozen=True):
    """One row."""

    person: Person
    handles: list[Handle]


def list_people(member: Membership, wanted: Wanted) -> list[Listed]:
    """People in sight, those whom we met last first; one more than `SHOWN` where there is another page.

    In the order of their rows, which needs no index of its own that every post would have to keep. What the house
    knows of somebody narrows nothing for a member of another firm.
    """
    rows = visible_people(member)
    if wanted.words:
        rows = rows.filter(pk__in=find_people(member.workspace_id, wanted.words))
    if wanted.relationship:
        rows = rows.filter(relationship=wanted.relationship)
    if wanted.state == "suppressed":
        rows = rows.exclude(suppressed_reason="")
    elif wanted.state == "ignored":
        rows = rows.filter(ignored=True)
    elif wanted.state == "known" and not member.is_outside:
        rows = rows.filter(known_to__isnull=False)
    if wanted.field and not member.is_outside:
        values = PersonValue.objects.of(member.workspace_id).filter(field=wanted.field)
        values = values.filter(value=wanted.value) if wanted.value else values
        rows = rows.filter(pk__in=values.values("person"))
    if wanted.before:
        rows = rows.filter(pk__lt=wanted.before)
    ours = Handle.objects.of(member.workspace_id).filter(person=OuterRef("pk"), ours=True)
    found = list(rows.filter(~Exists(ours)).select_related("known_to__user").order_by("-pk")[: SHOWN + 1])
    handles: dict[int, list[Handle]] = {}
    for handle in Handle.objects.of(member.workspace_id).filter(person__in=found).order_by("network", "pk"):
        handles.setdefault(handle.person_id, []).append(handle)
    return [Listed(person, handles.get(person.pk, [])) for person in found]
