"""What colleagues write down about a person, whatever the conversation."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.undo import note_deed
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Conversation, Membership, Person, PersonNote
from rapport.store.queries.people import visible_people

MAX_TEXT = 5_000  # characters
#: the same words by the same colleague within this time are one form sent twice
TWICE = dt.timedelta(minutes=1)


def add_person_note(by: Membership, person: Person, text: str, *, now: dt.datetime) -> PersonNote:
    """Write a note on a person; never sent anywhere. The same words twice within `TWICE` are one note."""
    require(by, "note")
    if not visible_people(by).filter(pk=person.pk).exists():
        raise NotAllowed("This person has no conversation in your baskets. A lead can write about them.")
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise InvalidInput("Write what your colleagues should know about them.")
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"The note has {len(text):,} characters; at most {MAX_TEXT:,} fit.")
    with transaction.atomic():
        rows = PersonNote.objects.of(by.workspace).filter(person=person, author=by, text=text, removed_at__isnull=True)
        if again := rows.filter(at__gt=now - TWICE).first():
            return again
        note = PersonNote.objects.create(workspace=by.workspace, person=person, author=by, text=text, at=now)
        write_audit(by.workspace, by, "person.note", person, now, note=note.pk)
        note_deed(by, "person.note", [(person.pk, {"note": None}, {"note": note.pk})], now=now)
        _tell(by, person, now)
    return note


def remove_person_note(by: Membership, note: PersonNote, *, now: dt.datetime) -> None:
    """Take a note back: one's own, or, for a lead, anybody's. Nobody is shown it from then on."""
    require(by, "note")
    if not visible_people(by).filter(pk=note.person_id).exists():
        raise NotAllowed("This person has no conversation in your baskets.")
    if note.author_id != by.pk and by.may("configure") is not True:
        raise NotAllowed("Only whoever wrote a note takes it back, or a lead.")
    with transaction.atomic():
        rows = PersonNote.objects.of(by.workspace).filter(pk=note.pk, removed_at__isnull=True)
        if not rows.update(removed_at=now):
            raise InvalidInput("This note was taken back already.")
        write_audit(by.workspace, by, "person.remove_note", note.person, now, note=note.pk)
        note_deed(by, "person.remove_note", [(note.person_id, {"note": note.pk}, {"note": None})], now=now)
        _tell(by, note.person, now)


def _tell(by: Membership, person: Person, now: dt.datetime) -> None:
    rows = Conversation.objects.of(by.workspace).filter(person=person)
    announce(by.workspace, now, rows.values_list("pk", flat=True)[:200])
