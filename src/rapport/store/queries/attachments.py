"""Images of a conversation: those that lie in a composer, and those that went out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q

from rapport.store.models import Attachment, Conversation, Draft, Membership
from rapport.store.models.scoped import ScopedQuerySet


def unsent_by(conversation: Conversation, member: Membership) -> ScopedQuerySet[Attachment]:
    """What this person brought for a reply that was not sent yet, oldest first."""
    rows = Attachment.objects.of(conversation.workspace_id).filter(conversation=conversation, by=member)
    return rows.filter(approval__isnull=True).order_by("pk")


def unsent_images(conversation: Conversation, member: Membership) -> ScopedQuerySet[Attachment]:
    """What this person may send: their own images, and, for who may send, those of colleagues who ask them to."""
    mine = Q(by=member)
    if member.may("send") is True:
        asking = Draft.objects.of(conversation.workspace_id).filter(conversation=conversation, proposed=True)
        mine |= Q(by__in=asking.values("author"))
    rows = Attachment.objects.of(conversation.workspace_id).filter(mine, conversation=conversation)
    return rows.filter(approval__isnull=True).order_by("pk")


def unsent_of_drafts(drafts: Sequence[Draft]) -> dict[tuple[int, int], list[Attachment]]:
    """(row ids of conversation and author) of drafts -> what was brought for them. One query."""
    found: dict[tuple[int, int], list[Attachment]] = {}
    rows = Attachment.objects.filter(
        conversation__in=[draft.conversation_id for draft in drafts], by__in=[draft.author_id for draft in drafts],
        approval__isnull=True,
    )  # fmt: skip
    for image in rows.order_by("pk"):
        found.setdefault((image.conversation_id or 0, image.by_id or 0), []).append(image)
    return found


def sent_images(approvals: Iterable[int]) -> dict[int, list[Attachment]]:
    """Row id of an approval -> the images that went out with it, in order."""
    found: dict[int, list[Attachment]] = {}
    for image in Attachment.objects.filter(approval__in=list(approvals)).order_by("pk"):
        found.setdefault(image.approval_id or 0, []).append(image)
    return found
