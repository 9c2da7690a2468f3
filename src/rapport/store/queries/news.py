"""What happened in a conversation since somebody last read it: told beside a reply that came too late."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from rapport.store.models import AuditEntry, Conversation, Membership
from rapport.store.queries.talk import Entry, Talk

#: acts of colleagues that may make a reply unneeded
TOLD = (
    "conversation.resolve",
    "conversation.reopen",
    "conversation.assign",
    "conversation.snooze",
    "conversation.move",
)
MOST = 6

NewKind = Literal["theirs", "ours", "note", "act"]


class New(msgspec.Struct, frozen=True):
    """One thing that was not there when they looked."""

    kind: NewKind
    at: dt.datetime
    #: name of the colleague or of the author of the post; empty = somebody who left, or the machine
    who: str
    #: the words, for "act" the verb of the audit
    text: str


def news_since(talk: Talk, member: Membership, since: dt.datetime) -> list[New]:
    """The newest things after `since` that `member` did not do themselves, oldest first, at most `MOST`."""
    found = [new for entry in talk.entries if (new := _of_entry(entry, member)) is not None and new.at > since]
    found += [
        New("act", row.at, str(row.actor) if row.actor else "", row.verb)
        for row in _acts(talk.conversation, member, since)
    ]
    return sorted(found, key=lambda new: new.at)[-MOST:]


def resolved_meanwhile(conversation: Conversation, member: Membership, since: dt.datetime) -> bool:
    """Whether a colleague closed it after `since` and it still is closed."""
    if conversation.state != Conversation.State.RESOLVED:
        return False
    return any(row.verb == "conversation.resolve" for row in _acts(conversation, member, since))


def _of_entry(entry: Entry, member: Membership) -> New | None:
    if entry.kind == "note" and entry.note is not None:
        if entry.note.author_id == member.pk:
            return None
        return New("note", entry.note.at, str(entry.note.author or entry.note.rule or ""), entry.note.text)
    if entry.delivery is not None:
        approval = entry.delivery.approval
        if approval.person_id == member.pk:
            return None
        return New("ours", entry.delivery.queued_at, str(approval.person or ""), approval.text)
    if entry.post is not None and not entry.post.deleted:
        who = entry.post.handle.name or entry.post.handle.handle
        return New("ours" if entry.kind == "ours" else "theirs", entry.post.seen_at, who, entry.post.text)
    return None


def _acts(conversation: Conversation, member: Membership, since: dt.datetime) -> list[AuditEntry]:
    rows = AuditEntry.objects.of(conversation.workspace_id).filter(
        subject="conversation", subject_id=str(conversation.pk), verb__in=TOLD, at__gt=since
    )
    return list(rows.exclude(actor=member).select_related("actor__user").order_by("-pk")[:MOST])
