"""Reads of drafts that wait for somebody who may send them."""

from __future__ import annotations

from collections import defaultdict

import msgspec
from django.db.models import OuterRef, Subquery

from rapport.store.models import Channel, Conversation, Draft, DraftReturn, Membership, Post
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import visible_conversations

#: proposals on the page; each is read by a person before it goes out, so there are never many
SHOWN = 30


class Waiting(msgspec.Struct, frozen=True):
    """A proposed draft with what it answers."""

    draft: Draft
    conversation: Conversation
    #: the post that it answers; None: none of theirs is left
    post: Post | None
    channels: list[Channel]
    #: they wrote again since the draft was written
    moved_on: bool


def waiting_drafts(member: Membership) -> ScopedQuerySet[Draft]:
    """Proposed drafts of others in conversations that the member sees."""
    rows = Draft.objects.of(member.workspace_id).filter(proposed=True).exclude(author=member)
    return rows.filter(conversation__in=visible_conversations(member).values("pk"))


def count_waiting(member: Membership) -> int:
    """How many drafts wait for somebody like the member."""
    return waiting_drafts(member).count()


def list_waiting(member: Membership) -> list[Waiting]:
    """The drafts that wait, the longest first; four queries, however many."""
    newest = Post.objects.filter(conversation_id=OuterRef("conversation_id"), ours=False, deleted=False)
    rows = list(
        waiting_drafts(member)
        .select_related("author__user", "conversation__person", "conversation__basket", "conversation__channel")
        .annotate(newest=Subquery(newest.exclude(kind="repost").order_by("-sort_at", "-pk").values("pk")[:1]))
        .order_by("updated_at", "pk")[:SHOWN]
    )
    posts = Post.objects.select_related("handle__person").in_bulk([row.newest for row in rows if row.newest])
    ours: dict[str, list[Channel]] = defaultdict(list)
    networks = {row.conversation.network for row in rows}
    for channel in Channel.objects.of(member.workspace_id).filter(network__in=networks).exclude(handle=""):
        ours[channel.network].append(channel)
    return [
        Waiting(
            draft=row,
            conversation=row.conversation,
            post=posts.get(row.newest),
            channels=in_turn(ours[row.conversation.network], row.conversation),
            moved_on=row.newest is not None and row.based_on_id is not None and row.newest != row.based_on_id,
        )
        for row in rows
    ]


def in_turn(channels: list[Channel], conversation: Conversation) -> list[Channel]:
    """Accounts as the composer offers them (`talk.speaking_channels`)."""
    own = conversation.channel_id
    return sorted(channels, key=lambda channel: (channel.state != "connected", channel.pk != own, channel.name))


def newest_return(member: Membership, conversation: Conversation) -> DraftReturn | None:
    """Why the member's own draft came back, while it has not been proposed again."""
    own = Draft.objects.of(member.workspace_id).filter(conversation=conversation, author=member, proposed=False)
    if not own.exists():
        return None
    returns = DraftReturn.objects.of(member.workspace_id).filter(conversation=conversation, author=member)
    return returns.select_related("by__user").order_by("-pk").first()
