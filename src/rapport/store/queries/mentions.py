"""Who may be named in a note, and where somebody was named."""

from __future__ import annotations

from rapport.store.models import BasketMember, Conversation, Membership, NoteMention
from rapport.store.queries.desk import visible_colleagues, visible_conversations

MOST = 100


def may_be_named(by: Membership, conversation: Conversation) -> list[Membership]:
    """Colleagues whom `by` may know of and who see the conversation, by name; without `by`."""
    inside = set(
        BasketMember.objects.of(by.workspace_id)
        .filter(basket=conversation.basket_id)
        .values_list("membership_id", flat=True)
    )
    rows = visible_colleagues(by).exclude(pk=by.pk).select_related("user")
    seen = [
        each
        for each in rows
        if each.may("read")
        and (each.sees_every_basket is True or each.pk in inside or each.pk == conversation.assignee_id)
    ]
    return sorted(seen, key=lambda each: str(each).casefold())


def mentions_of(member: Membership) -> list[NoteMention]:
    """Notes that name `member` in conversations that they see, the newest first."""
    rows = NoteMention.objects.of(member.workspace_id).filter(
        membership=member, note__removed_at=None, note__conversation__in=visible_conversations(member)
    )
    return list(
        rows.select_related("note__author__user", "note__conversation__person", "note__conversation__basket").order_by(
            "-note_id"
        )[:MOST]
    )
