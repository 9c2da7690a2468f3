"""Reads of tags: those of some conversations, and the conversations of a tag."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rapport.store.models import Conversation, ConversationTag
from rapport.store.models.scoped import ScopedQuerySet


def tags_of(conversations: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Row id of a conversation -> its tags, by name; one query."""
    if not conversations:
        return {}
    # the conversations are this workspace's
    rows = ConversationTag.objects.filter(conversation__in=conversations, removed_at__isnull=True)
    found: dict[int, tuple[str, ...]] = {}
    for conversation, name in rows.order_by("name").values_list("conversation_id", "name"):
        found[conversation] = (*found.get(conversation, ()), name)
    return found


def with_tags(
    rows: ScopedQuerySet[Conversation], workspace: int, tags: Collection[str]
) -> ScopedQuerySet[Conversation]:
    """Those of the rows that have every one of the tags."""
    for tag in tags:
        standing = ConversationTag.objects.of(workspace).filter(name=tag, removed_at__isnull=True)
        rows = rows.filter(pk__in=standing.values("conversation"))
    return rows


def common_tags(workspace: int, most: int) -> list[str]:
    """The tags that stand on conversations, by name; those of the newest ones."""
    rows = ConversationTag.objects.of(workspace).filter(removed_at__isnull=True)
    newest = rows.order_by("-pk").values_list("name", flat=True)[:2_000]
    return sorted(dict.fromkeys(newest))[:most]
