"""Everything that is known of a person, read for an export."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from django.db.models import Q, QuerySet

from rapport.core.person_file import Account, Answer, Entry, Note, PersonFile, Said, Talk
from rapport.store.extra import read_extra
from rapport.store.models import (
    Approval,
    Consent,
    Conversation,
    Correction,
    Escalation,
    Handle,
    Ignoring,
    Invitation,
    Offer,
    Outcome,
    Person,
    PersonMerge,
    PersonNote,
    PersonValue,
    Post,
    Task,
    TopicMatch,
)
from rapport.store.models import Note as NoteRow
from rapport.store.queries.erasure import accounts_of, joined_to, reach
from rapport.store.queries.sql import chunks
from rapport.store.queries.suppressions import suppressions_of

T = TypeVar("T")
#: entries after which whoever reads them is told how far it is
TOLD = 100


def read_person_file(person: Person, now: dt.datetime, tell: Callable[[int], object] = int) -> PersonFile:
    """As it stands at this moment; a few queries for every 200 conversations and every 500 posts.

    `tell` is called with how many entries were read by then, after every `TOLD`.
    """
    handles = accounts_of(person)
    posts = Post.objects.of(person.workspace_id).filter(handle__in=handles)
    talks = sorted({*_talks_of(person), *(each for each in _spoken_in(posts) if each)})
    values = PersonValue.objects.of(person.workspace_id).filter(person=person).select_related("field")
    read = 0

    def take(rows: Iterable[T]) -> tuple[T, ...]:
        nonlocal read
        taken = []
        for row in rows:
            taken.append(row)
            read += 1
            if read % TOLD == 0:
                tell(read)
        return tuple(taken)

    return PersonFile(
        made_at=now, workspace=person.workspace.name, name=person.name, about=person.about,
        relationship=person.relationship, first_seen=person.first_seen, last_seen=person.last_seen,
        accounts=take(_account(row) for row in handles),
        fields={row.field.name: row.value for row in values.order_by("field__position", "field__name")},
        conversations=take(_talks(person, talks)), posts=take(_said(person, handles)),
        answers=take(_answers(person, handles, talks)), notes=take(_notes(person, handles, talks)),
        consents=take(_consents(person)), left_alone=take(_left_alone(person)), tasks=take(_tasks(person, talks)),
        offers=take(_offers(person)), surveys=take(_surveys(person)), escalations=take(_escalations(person)),
        joins=take(_joins(person)),
    )  # fmt: skip


def count_kept(person: Person) -> dict[str, int]:
    """How many there are of what an export has; what is empty is left out. A dozen counts."""
    handles = Handle.objects.of(person.workspace_id).filter(person=person)
    mine = {"person": person, "workspace": person.workspace_id}
    counted = {
        "accounts": handles.count(),
        "conversations": Conversation.objects.filter(**mine).exclude(state=Conversation.State.MERGED).count(),
        "posts": Post.objects.of(person.workspace_id).filter(handle__in=handles).count(),
        "answers": Approval.objects.of(person.workspace_id).filter(target__handle__in=handles).count(),
        "notes": PersonNote.objects.filter(**mine, removed_at__isnull=True).count(),
        "fields": PersonValue.objects.filter(**mine).count(),
        "consents": Consent.objects.filter(**mine).count(),
        "left_alone": suppressions_of(person).count() + Ignoring.objects.filter(**mine).count(),
        "tasks": Task.objects.filter(**mine).count(),
        "offers": Offer.objects.filter(**mine).count(),
        "surveys": Invitation.objects.filter(**mine).count(),
        "escalations": Escalation.objects.filter(**mine).count(),
        "joins": PersonMerge.objects.of(person.workspace_id).filter(kept=person.pk).count(),
    }
    return {name: count for name, count in counted.items() if count}


def _talks_of(person: Person) -> list[int]:
    rows = Conversation.objects.of(person.workspace_id).filter(person=person)
    return list(rows.exclude(state=Conversation.State.MERGED).values_list("pk", flat=True))


def _spoken_in(posts: QuerySet[Post]) -> list[int | None]:
    return list(posts.order_by().values_list("conversation_id", flat=True).distinct())


def _account(row: Handle) -> Account:
    return Account(
        network=row.network, id=row.external_id, handle=row.handle, name=row.name, url=row.url, bio=row.bio,
        followers=row.followers, following=row.following, verified=row.verified, automated=row.automated,
        reasons=tuple(row.reasons),
    )  # fmt: skip


def _talks(person: Person, talks: Collection[int]) -> Iterator[Talk]:
    for part in chunks(list(talks), 200):
        rows = Conversation.objects.of(person.workspace_id).filter(pk__in=part).select_related("basket")
        for row in rows.prefetch_related("tags").order_by("pk"):
            yield Talk(
                id=row.pk, network=row.network, state=row.state, basket=row.basket.name if row.basket else "",
                opened_at=row.opened_at, last_post_at=row.last_post_at,
                tags=tuple(tag.name for tag in row.tags.all() if tag.removed_at is None),
            )  # fmt: skip


def _said(person: Person, handles: Collection[Handle]) -> Iterator[Said]:
    """Their posts, in the order in which they were said."""
    order = Post.objects.of(person.workspace_id).filter(handle__in=handles).order_by("sort_at", "pk")
    for part in chunks(list(order.values_list("pk", flat=True)), 500):
        rows = Post.objects.filter(pk__in=part).order_by("sort_at", "pk")
        read = Outcome.objects.filter(post__in=part).defer("body").in_bulk()
        topics, corrected = defaultdict(list), defaultdict(list)
        for match in TopicMatch.objects.filter(post__in=part).select_related("topic").order_by("topic__name"):
            topics[match.post_id].append(match.topic.name)
        for word in Correction.objects.filter(post__in=part, withdrawn_at__isnull=True).order_by("pk"):
            corrected[word.post_id].append(f"{word.reading}: {word.value}")
        for row in rows:
            yield _one_said(row, read.get(row.pk), topics[row.pk], corrected[row.pk])


def _one_said(row: Post, read: Outcome | None, topics: list[str], corrected: list[str]) -> Said:
    return Said(
        network=row.network, id=row.external_id, url=row.url, at=row.created_at, edited_at=row.edited_at, kind=row.kind,
        visibility=row.visibility, text=row.text, language=(read.language if read else "") or row.lang,
        rating=row.rating, in_reply_to=row.in_reply_to,
        media=tuple(each.url for each in read_extra(row.extra).media if each.url), conversation=row.conversation_id,
        hidden=row.deleted, mood=read.sentiment if read else "", score=read.score if read else None,
        priority=read.priority if read else "", basket=read.basket if read else "", why=read.why if read else "",
        topics=tuple(topics), corrected=tuple(corrected),
    )  # fmt: skip


def _answers(person: Person, handles: Collection[Handle], talks: Collection[int]) -> Iterator[Answer]:
    """What was approved to them, in the order of the ledger."""
    rows = Approval.objects.of(person.workspace_id).filter(Q(target__handle__in=handles) | Q(handle__in=handles))
    for row in rows.select_related("channel", "target", "delivery").order_by("sequence"):
        way = getattr(row, "delivery", None)
        yield Answer(
            kind=row.act, at=row.approved_at, network=row.channel.network, account=row.channel.handle, text=row.text,
            answers=row.target.external_id if row.target else "", conversation=row.conversation_id,
            state=way.state if way else "", sent_at=way.sent_at if way else None, url=way.url if way else "",
            machine=row.machine is not None,
        )  # fmt: skip


def _notes(person: Person, handles: Collection[Handle], talks: Collection[int]) -> Iterator[Note]:
    """Notes on the person, then those of conversations; where others speak too, those that are about this person."""
    for row in PersonNote.objects.of(person.workspace_id).filter(person=person, removed_at__isnull=True).order_by("pk"):
        yield Note(at=row.at, about="person", text=row.text)
    for part in chunks(list(talks), 200):
        found = reach(person, handles, part)
        shared = set(found.shared)
        rows = NoteRow.objects.of(person.workspace_id).filter(conversation__in=part, removed_at__isnull=True)
        for note in rows.order_by("pk"):
            if note.conversation_id not in shared or found.traces.are_in(note.text):
                yield Note(at=note.at, about=f"conversation {note.conversation_id}", text=note.text)


def _consents(person: Person) -> Iterator[Entry]:
    for row in Consent.objects.of(person.workspace_id).filter(person=person).order_by("pk"):
        what = f"{row.get_purpose_display()}: {'allowed' if row.given else 'refused'}"
        yield Entry(at=row.at, what=what, text=row.source, ended_at=row.withdrawn_at)


def _left_alone(person: Person) -> Iterator[Entry]:
    for stop in suppressions_of(person):
        text = f"{stop.reason}. Ended: {stop.lift_reason}" if stop.lift_reason else stop.reason
        yield Entry(at=stop.at, what="nothing is sent to them", text=text, ended_at=stop.lifted_at)
    for row in Ignoring.objects.of(person.workspace_id).filter(person=person).order_by("pk"):
        yield Entry(at=row.at, what="not answered", text=row.reason, ended_at=row.ended_at)


def _tasks(person: Person, talks: Collection[int]) -> Iterator[Entry]:
    for row in Task.objects.of(person.workspace_id).filter(person=person).order_by("pk"):
        yield Entry(at=row.made_at, what=row.kind, text=row.title, ended_at=row.done_at)


def _offers(person: Person) -> Iterator[Entry]:
    for row in Offer.objects.of(person.workspace_id).filter(person=person).order_by("pk"):
        amount = f" {row.amount} {row.currency}" if row.amount is not None else ""
        text = ". ".join(filter(None, [row.reason, row.decision, row.outcome]))
        yield Entry(at=row.at, what=f"{row.what}{amount}: {row.state}", text=text, ended_at=row.outcome_at)


def _surveys(person: Person) -> Iterator[Entry]:
    rows = Invitation.objects.of(person.workspace_id).filter(person=person)
    for row in rows.select_related("survey", "answer").order_by("pk"):
        answer = getattr(row, "answer", None)
        text = "" if answer is None else "\n".join(f"{each}" for each in answer.answers if each is not None)
        yield Entry(at=row.made_at, what=row.survey.name, text=text, ended_at=row.answered_at)


def _escalations(person: Person) -> Iterator[Entry]:
    for row in Escalation.objects.of(person.workspace_id).filter(person=person).order_by("pk"):
        yield Entry(at=row.at, what=f"{row.step} ({row.way or 'open'})", text=row.note, ended_at=row.handled_at)


def _joins(person: Person) -> Iterator[Entry]:
    people = joined_to(person)
    rows = PersonMerge.objects.of(person.workspace_id).filter(kept__in=people)
    for row in rows.order_by("pk"):
        name = row.known.get("name", "") if isinstance(row.known, dict) else ""
        yield Entry(at=row.at, what=f"joined with {name}".strip(), text=row.evidence, ended_at=row.undone_at)
