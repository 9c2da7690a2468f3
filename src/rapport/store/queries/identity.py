"""Who is who: joins that stand, people who may be the same, and whose a conversation is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec
from django.db.models import Max, Min, Q

from rapport.core.identity import Held, Known
from rapport.store.models import (
    Consent,
    Conversation,
    Escalation,
    Handle,
    Ignoring,
    Invitation,
    Membership,
    Offer,
    Person,
    PersonField,
    PersonMerge,
    PersonNote,
    PersonValue,
    Post,
    Task,
)
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.conversations import read_words, stand
from rapport.store.queries.desk import visible_conversations
from rapport.store.queries.people import visible_people

#: people offered at once
OFFERED = 20
#: a shorter name or handle is everybody's
SHORTEST = 3


class Candidate(msgspec.Struct, frozen=True):
    """Somebody who may be the same person."""

    person: Person
    handles: list[Handle]
    #: what they have in common: "name", "handle"; empty for one who was searched for
    common: tuple[str, ...] = ()


class Join(msgspec.Struct, frozen=True):
    """A join that stands, as a page shows it."""

    merge: PersonMerge
    #: what the person who was joined was called
    name: str
    #: those of their handles that are still here
    handles: list[Handle]


def known_of(person: Person) -> Known:
    """What the row of a person says."""
    return Known(
        first_seen=person.first_seen, last_seen=person.last_seen, name=person.name, about=person.about,
        relationship=person.relationship, ignored=person.ignored, suppressed_reason=person.suppressed_reason,
        known_to=person.known_to_id,
        ignorings=tuple(Ignoring.objects.filter(person=person).order_by("pk").values_list("pk", flat=True)),
        notes=tuple(PersonNote.objects.filter(person=person).order_by("pk").values_list("pk", flat=True)),
        consents=tuple(Consent.objects.filter(person=person).order_by("pk").values_list("pk", flat=True)),
        values=tuple(
            Held(row.field_id, row.value, row.by_id, row.at)
            for row in PersonValue.objects.filter(person=person).order_by("field")
        ),
    )  # fmt: skip


def write_known(person: Person, known: Known) -> None:
    """Put what is known onto the row (not saved). A colleague who is gone meanwhile is left out."""
    for name in Known.__struct_fields__:
        if name not in {"known_to", "ignorings", "notes", "consents", "values"}:
            setattr(person, name, getattr(known, name))
    still = Membership.objects.of(person.workspace_id).filter(pk=known.known_to or 0).exists()
    person.known_to_id = known.known_to if still else None


def write_values(person: Person, known: Known) -> None:
    """Let the person (saved) have in the fields of the workspace what is known, and nothing else.

    A field that was deleted meanwhile is left out, and so is the name of a colleague who is gone.
    """
    PersonValue.objects.filter(person=person).delete()
    fields = set(PersonField.objects.of(person.workspace_id).values_list("pk", flat=True))
    wanted = {held.by for held in known.values if held.by}
    still = set(Membership.objects.of(person.workspace_id).filter(pk__in=wanted).values_list("pk", flat=True))
    PersonValue.objects.bulk_create(
        PersonValue(
            workspace_id=person.workspace_id, person=person, field_id=held.field, value=held.value,
            by_id=held.by if held.by in still else None, at=held.at,
        )
        for held in known.values
        if held.field in fields
    )  # fmt: skip


def carry_decisions(was: Person, to: Person, by: Membership, now: dt.datetime) -> None:
    """Give the steps of the ladder, tasks and decisions of one who is joined to whom they are joined.

    Where both are ignored, the decision that holds longer goes on.
    """
    Escalation.objects.filter(person=was).update(person=to)
    Task.objects.filter(person=was).update(person=to)
    both = list(Ignoring.objects.filter(person__in=[was, to], ended_at__isnull=True))
    if len(both) > 1:
        shorter = min(both, key=lambda row: (row.until is None, row.until or now, row.person_id == to.pk))
        Ignoring.objects.filter(pk=shorter.pk).update(ended_at=now, ended_by=by)
    Ignoring.objects.filter(person=was).update(person=to)
    for table in (PersonNote, Offer, Invitation):
        table.objects.filter(person=was).update(person=to)
    _carry_consents(was, to, now)


def _carry_consents(was: Person, to: Person, now: dt.datetime) -> None:
    """Of two that stand for one purpose a refusal goes on, else the newer; the other ends with the join."""
    mine = {row.purpose: row for row in Consent.objects.filter(person=to, withdrawn_at__isnull=True)}
    for row in Consent.objects.filter(person=was, withdrawn_at__isnull=True):
        if other := mine.get(row.purpose):
            ends = max(row, other, key=lambda each: (each.given, -each.at.timestamp(), -each.pk))
            Consent.objects.filter(pk=ends.pk).update(withdrawn_at=now)
    Consent.objects.filter(person=was).update(person=to)


def return_known(was: Person, to: Person, merge: PersonMerge) -> None:
    """Of two who are split: notes and consents go back to whom they were about, offers and surveys with the
    conversations; a consent that ended with the join alone stands again.
    """
    known = msgspec.convert(merge.known, Known)
    PersonNote.objects.filter(person=was, pk__in=known.notes).update(person=to)
    Consent.objects.filter(person=was, pk__in=known.consents).update(person=to)
    _reopen_consents(was, to, merge.at)
    return_talks(was, to)


def _reopen_consents(was: Person, to: Person, since: dt.datetime) -> None:
    """Let those stand again that no colleague ended, unless something was decided on that purpose since the join."""
    rows = list(Consent.objects.filter(person__in=[was, to]))
    ended = {row.withdrawn_at for row in rows if row.withdrawn_at}
    joins = set(PersonMerge.objects.of(was.workspace_id).filter(at__in=ended).values_list("at", flat=True))
    by_hand = {
        row.purpose for row in rows if row.withdrawn_at and row.withdrawn_at > since and row.withdrawn_at not in joins
    }
    decided = by_hand | {row.purpose for row in rows if row.at > since}
    taken = {(row.person_id, row.purpose) for row in rows if row.withdrawn_at is None}
    for row in sorted(rows, key=lambda each: (each.given, -each.at.timestamp(), -each.pk)):
        place = (row.person_id, row.purpose)
        if row.withdrawn_at in joins and place not in taken and row.purpose not in decided:
            taken.add(place)
            Consent.objects.filter(pk=row.pk).update(withdrawn_at=None)


def return_talks(was: Person, to: Person) -> None:
    """Offers and surveys of conversations that went from `was` to `to` go along."""
    for table in (Offer, Invitation):
        table.objects.filter(person=was, conversation__person=to).update(person=to)


def return_decisions(was: Person, to: Person, ignorings: Collection[int], by: Membership, now: dt.datetime) -> None:
    """Of two who are split: steps go with the handles that reached them, tasks with the conversations, decisions back
    to whom they were about. What holds for either by the strictness of a split has its row.
    """
    said = Post.objects.of(to.workspace_id).filter(handle__person=to)
    Escalation.objects.filter(person=was, post__in=said.values("pk")).update(person=to)
    Task.objects.filter(person=was, conversation__person=to).update(person=to)
    holds = Ignoring.objects.filter(person__in=[was, to], ended_at__isnull=True).first()
    Ignoring.objects.filter(person=was, pk__in=ignorings).update(person=to)
    for person in Person.objects.filter(pk__in=[was.pk, to.pk]):
        rows = Ignoring.objects.filter(person=person, ended_at__isnull=True)
        if person.ignored and not rows.exists():
            Ignoring.objects.create(
                workspace_id=person.workspace_id, person=person, by=holds.by if holds else by,
                reason=holds.reason if holds else "Decided when they counted as one person with somebody else.",
                at=holds.at if holds else now, until=holds.until if holds else None,
                review_at=holds.review_at if holds else None,
            )  # fmt: skip
        elif not person.ignored:
            rows.update(ended_at=now, ended_by=by)


def standing(workspace: int) -> ScopedQuerySet[PersonMerge]:
    """The joins of a workspace that were not undone."""
    return PersonMerge.objects.of(workspace).filter(undone_at__isnull=True)


def living(workspace: int, person: int) -> int:
    """The row id under which `person` is found now: their own, or that of whoever they were joined to."""
    while above := standing(workspace).filter(absorbed=person).values_list("kept", flat=True).first():
        person = above
    return person


def joins_of(person: Person) -> list[PersonMerge]:
    """Every join that this person is made of, those of the joined ones among them, newest first."""
    found: list[PersonMerge] = []
    level = [person.pk]
    while level:
        joined = list(standing(person.workspace_id).filter(kept__in=level).select_related("by__user"))
        found += joined
        level = [merge.absorbed for merge in joined]
    return sorted(found, key=lambda merge: -merge.pk)


def joins_in_sight(person: Person, member: Membership) -> list[PersonMerge]:
    """The joins that this member may know of: for somebody of another firm those of conversations that they see."""
    merges = joins_of(person)
    if not member.is_outside or not merges:
        return merges
    touched = {pk for merge in merges for pk in merge.conversations}
    seen = set(visible_conversations(member).filter(pk__in=touched).values_list("pk", flat=True))
    return [merge for merge in merges if seen.issuperset(merge.conversations)]


def told_joins(person: Person, member: Membership) -> list[Join]:
    """The joins of a person as their page shows them; one query for each level, and one for the handles."""
    merges = joins_in_sight(person, member)
    wanted = {pk for merge in merges for pk in merge.handles}
    rows = Handle.objects.of(person.workspace_id).filter(pk__in=wanted, person=person).in_bulk() if wanted else {}
    return [
        Join(merge, str(merge.known.get("name", "")), [rows[pk] for pk in merge.handles if pk in rows])
        for merge in merges
    ]


def speakers(conversations: Collection[int]) -> dict[int, int]:
    """Conversation -> row id of the person who spoke there last; those without a word of theirs are left out."""
    told = ((row, stand(words).newest) for row, words in read_words(conversations).items())
    return {row: newest.person for row, newest in told if newest}


def talks_with(person: Person, handles: Collection[int]) -> list[int]:
    """Conversations of this person in which one of the handles spoke."""
    spoken = Post.objects.of(person.workspace_id).filter(handle__in=handles, conversation_id__isnull=False)
    rows = Conversation.objects.of(person.workspace_id).filter(person=person)
    return list(rows.filter(pk__in=spoken.values("conversation_id")).values_list("pk", flat=True))


def heard_span(person: Person) -> tuple[dt.datetime, dt.datetime] | None:
    """From their first to their last post; None when there is none."""
    span = (
        Post.objects.of(person.workspace_id)
        .filter(handle__person=person)
        .aggregate(first=Min("sort_at"), last=Max("sort_at"))
    )
    return (span["first"], span["last"]) if span["first"] else None


def search_people(member: Membership, words: str, besides: Person) -> list[Candidate]:
    """People within sight whose name or handle contains `words`; two queries."""
    wanted = words.strip().lstrip("@")
    if not wanted:
        return []
    accounts = Handle.objects.of(member.workspace_id).filter(Q(handle__icontains=wanted) | Q(name__icontains=wanted))
    return _offer(member, Q(name__icontains=wanted) | Q(pk__in=accounts.values("person")), besides, (), ())


def likely_same(member: Membership, person: Person) -> list[Candidate]:
    """People within sight with the same name, or the same handle on another network. A hint, never a verdict."""
    own = list(Handle.objects.of(member.workspace_id).filter(person=person))
    names = {name.strip().lower() for name in (person.name, *(each.name for each in own))}
    names = {name for name in names if len(name) >= SHORTEST}
    bare = {(each.network, bare_handle(each.handle)) for each in own if len(bare_handle(each.handle)) >= SHORTEST}
    like = Q(pk__in=[])
    for name in names:
        like |= Q(name__iexact=name)
    for network, handle in bare:
        same = Q(handle__iexact=handle) | Q(handle__istartswith=f"{handle}@") | Q(handle__istartswith=f"{handle}.")
        like |= same & ~Q(network=network)
    rows = Handle.objects.of(member.workspace_id).filter(like).exclude(person=person).exclude(ours=True)
    found = Q(pk__in=list(rows.values_list("person", flat=True)[:200]))
    for name in names:
        found |= Q(name__iexact=name)
    return [each for each in _offer(member, found, person, names, bare) if each.common]


def bare_handle(handle: str) -> str:
    """`Ann@example.social` and `ann.bsky.social` are `ann`."""
    name, at, _server = handle.lstrip("@").lower().partition("@")
    return name if at else name.partition(".")[0]


def _offer(
    member: Membership, found: Q, besides: Person, names: Collection[str], bare: Collection[tuple[str, str]]
) -> list[Candidate]:
    rows = visible_people(member).filter(found).exclude(pk=besides.pk).exclude(handles__ours=True)
    people = list(rows.order_by("-last_seen", "-pk")[:OFFERED])
    handles: dict[int, list[Handle]] = {}
    for handle in Handle.objects.of(member.workspace_id).filter(person__in=people).order_by("network", "pk"):
        handles.setdefault(handle.person_id, []).append(handle)
    offered = []
    for person in people:
        own = handles.get(person.pk, [])
        same_name = {person.name.strip().lower(), *(each.name.strip().lower() for each in own)} & set(names)
        same_handle = any(
            bare_handle(each.handle) == handle and each.network != network for each in own for network, handle in bare
        )
        common = tuple(word for word, shared in (("name", same_name), ("handle", same_handle)) if shared)
        offered.append(Candidate(person, own, common))
    return sorted(offered, key=lambda each: -len(each.common))
