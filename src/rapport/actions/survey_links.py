"""A link to a survey leaves with a reply: only that of its own conversation, and only while it can be answered."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from rapport.actions.audit import write_audit
from rapport.core.errors import InvalidInput
from rapport.core.surveys import digest_of, tokens_in
from rapport.store.models import Approval, Conversation, Invitation, Membership


def bind_survey_links(by: Membership, conversation: Conversation, approval: Approval, *, now: dt.datetime) -> None:
    """Note the reply with which an invitation left. Runs in the transaction of the approval.

    Raises `InvalidInput` for a link that was made for another conversation, is answered, expired or taken back: nothing
    of the reply leaves then.
    """
    text = "\n".join([approval.text, *(approval.parts or ())])
    if "/s/" not in text:
        return
    for token in dict.fromkeys(tokens_in(text)):
        row = Invitation.objects.filter(digest=digest_of(token)).first()
        ours = f"{settings.RAPPORT.base_url.rstrip('/')}/s/{token}" in text
        if row is None and not ours:
            continue  # somebody else's page
        if row is None or row.conversation_id != conversation.pk or row.void_at or row.answered_at:
            raise InvalidInput(
                "The link to a survey in this text belongs to another conversation or was taken back. "
                "Take it out, and ask for their opinion anew."
            )
        if row.expires_at <= now:
            raise InvalidInput("The link to a survey in this text has expired. Take it out, and ask anew.")
        if row.approval_id is None:
            row.approval = approval
            row.save(update_fields=["approval"])
            write_audit(by.workspace, by, "survey.send", row, now, conversation=conversation.pk)
