"""Giving a proposed draft back to its author, with the reason."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import announce, require_conversation, write_audit
from rapport.actions.notices import notify_of_answer
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.notice_text import write_notice
from rapport.store.models import Draft, DraftReturn, Membership

MAX_REASON = 300  # characters


def return_draft(by: Membership, draft: Draft, reason: str, *, now: dt.datetime) -> DraftReturn:
    """Back to its author, who reads why and may propose it again. Their words stay as they are, and on record."""
    if draft.workspace_id != by.workspace_id:
        raise NotAllowed("This draft belongs to another workspace.")
    require_conversation(by, draft.conversation, "send")
    reason = " ".join(reason.replace("\x00", "").split())
    if not reason:
        raise InvalidInput("Say in a few words what should be different.")
    if len(reason) > MAX_REASON:
        raise InvalidInput(f"The reason has {len(reason)} characters; at most {MAX_REASON} fit.")
    with transaction.atomic():
        row = Draft.objects.of(by.workspace).select_for_update().filter(pk=draft.pk, proposed=True).first()
        if row is None or row.author is None:
            raise InvalidInput("This draft does not wait any more: it was sent, taken back or returned meanwhile.")
        row.proposed = False
        row.save(update_fields=["proposed"])
        returned = DraftReturn.objects.create(
            workspace=by.workspace, conversation=row.conversation, author=row.author, by=by, text=row.text,
            reason=reason, at=now,
        )  # fmt: skip
        write_audit(by.workspace, by, "draft.return", row.conversation, now, author=row.author_id, reason=reason)
        notify_of_answer(
            row.author, row.conversation, write_notice("returned", by=str(by), reason=reason), by=by, now=now
        )
        announce(by.workspace, now, [row.conversation_id], [row.conversation.basket_id])
    return returned
