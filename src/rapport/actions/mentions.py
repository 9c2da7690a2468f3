"""Notes that name colleagues, and notes that their author changes or takes back."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import announce, require_conversation, write_audit
from rapport.actions.notices import about_one, notify
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.mentions import find_named
from rapport.core.notice_text import write_notice
from rapport.store.models import Conversation, Membership, Note, NoteMention
from rapport.store.queries.mentions import may_be_named

MAX_NOTE = 10_000  # characters


def keep_mentions(by: Membership, note: Note, conversation: Conversation, *, now: dt.datetime) -> list[Membership]:
    """Put down whom the note names, and tell those whom it did not name before. Within the transaction of the note.

    Who does not see the conversation is not named in it, whatever the text says: nobody learns of it by a notice.
    """
    people = {each.pk: each for each in may_be_named(by, conversation)} if "@" in note.text else {}
    named = find_named(note.text, {pk: str(each) for pk, each in people.items()})
    rows = NoteMention.objects.of(by.workspace_id).filter(note=note)
    before = set(rows.values_list("membership_id", flat=True))
    rows.exclude(membership__in=named).delete()
    fresh = [people[pk] for pk in named if pk not in before]
    NoteMention.objects.bulk_create(
        [NoteMention(workspace_id=by.workspace_id, note=note, membership=each) for each in fresh]
    )
    if fresh:
        who = str(conversation.person) if conversation.person else ""
        notify(
            by.workspace_id, fresh, "mention", bundle=about_one(conversation.pk), now=now, conversation=conversation,
            by=by, text=write_notice("named", by=str(by), who=who, note=note.text),
        )  # fmt: skip
    return fresh


def edit_note(by: Membership, conversation: Conversation, note: Note, text: str, *, now: dt.datetime) -> Note:
    """Change a note of one's own. Colleagues whom it names now and did not before are told."""
    text = text.replace("\x00", "").strip()
    if not text:
        raise InvalidInput("The note is empty. Take it back instead.")
    if len(text) > MAX_NOTE:
        raise InvalidInput(f"The note has {len(text):,} characters; at most {MAX_NOTE:,} fit.")
    with transaction.atomic():
        row = _own(by, conversation, note)
        if row.text != text:
            row.text, row.edited_at = text, now
            row.save(update_fields=["text", "edited_at"])
            keep_mentions(by, row, conversation, now=now)
            write_audit(by.workspace, by, "note.edit", conversation, now, note=row.pk)
            announce(by.workspace, now, [conversation.pk], [conversation.basket_id])
    return row


def remove_note(by: Membership, conversation: Conversation, note: Note, *, now: dt.datetime) -> None:
    """Take a note of one's own back; nobody is shown it any more."""
    with transaction.atomic():
        row = _own(by, conversation, note)
        row.removed_at = now
        row.save(update_fields=["removed_at"])
        write_audit(by.workspace, by, "note.remove", conversation, now, note=row.pk)
        announce(by.workspace, now, [conversation.pk], [conversation.basket_id])


def _own(by: Membership, conversation: Conversation, note: Note) -> Note:
    require_conversation(by, conversation, "note")
    row = Note.objects.of(by.workspace).select_for_update().filter(pk=note.pk, conversation=conversation).first()
    if row is None or row.author_id != by.pk:
        raise NotAllowed("This note is not yours. Only its author changes it or takes it back.")
    if row.removed_at is not None:
        raise InvalidInput("This note was taken back already.")
    return row
