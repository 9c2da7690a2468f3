"""Reads of drafts that wait for somebody who may send them."""

from __future__ import annotations

from collections import defaultdict

import msgspec
from django.db.models import F, OuterRef, Subquery

from rapport.core.approvals import Asking, may_approve
from rapport.store.models import Approval, Channel, Conversation, Draft, DraftReturn, Membership, Post
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.approval_rules import asked_for, rules_of
from rapport.store.queries.desk import within_sight

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
    #: who has to approve it, where the member may not: "lead" or "admin"; "" = the member may
    by: str = ""


def waiting_drafts(member: Membership) -> ScopedQuerySet[Draft]:
    """Proposed drafts of others in conversations that the member sees."""
    rows = Draft.objects.of(member.workspace_id).filter(proposed=True).exclude(author=member)
    return rows.filter(within_sight(member))


def count_waiting(member: Membership) -> int:
    """How many drafts wait for somebody like the member."""
    return waiting_drafts(member).count()


def list_waiting(member: Membership, due_first: bool = False) -> list[Waiting]:
    """The drafts that wait, the longest first, or those whose promise ends first; five queries, however many, where no
    rule about approvals has a condition.
    """
    newest = Post.objects.filter(conversation_id=OuterRef("conversation_id"), ours=False, deleted=False)
    rows = list(
        waiting_drafts(member)
        .select_related("author__user", "conversation__person", "conversation__basket", "conversation__channel")
        .annotate(newest=Subquery(newest.exclude(kind="repost").order_by("-sort_at", "-pk").values("pk")[:1]))
        .order_by(*([F("conversation__due_at").asc(nulls_last=True)] if due_first else []), "updated_at", "pk")[:SHOWN]
    )
    posts = Post.objects.select_related("handle__person").in_bulk([row.newest for row in rows if row.newest])
    ours: dict[str, list[Channel]] = defaultdict(list)
    networks = {row.conversation.network for row in rows}
    for channel in Channel.objects.of(member.workspace_id).filter(network__in=networks).exclude(handle=""):
        ours[channel.network].append(channel)
    rules = rules_of(member.workspace_id) if rows else []
    found = [
        Waiting(
            draft=row,
            conversation=row.conversation,
            post=posts.get(row.newest),
            channels=in_turn(ours[row.conversation.network], row.conversation),
            moved_on=row.newest is not None and row.based_on_id is not None and row.newest != row.based_on_id,
        )
        for row in rows
    ]
    return [msgspec.structs.replace(each, by=_whose_word(member, each, rules)) for each in found] if rules else found


def _whose_word(member: Membership, waiting: Waiting, rules: list[Asking]) -> str:
    author = waiting.draft.author
    if author is None or waiting.post is None or not waiting.channels:
        return ""
    rule = asked_for(author, waiting.conversation, waiting.channels[0], waiting.post, rules)
    return "" if rule is None or may_approve(rule, member.role, own_words=False) else rule.approver


class Settled(msgspec.Struct, frozen=True):
    """What became of a proposed draft."""

    #: "sent": an answer went out here; "returned"; "" = nobody can say
    how: str
    #: None: a former colleague
    by: Membership | None = None
    #: why it was returned
    reason: str = ""


def how_settled(conversation: Conversation, draft: int) -> Settled:
    """Who did what with a draft (its row id) that does not wait any more; every answer takes the drafts along."""
    row = Draft.objects.of(conversation.workspace_id).filter(conversation=conversation, pk=draft).first()
    if row is not None:
        returns = DraftReturn.objects.of(conversation.workspace_id).filter(conversation=conversation, author=row.author)
        found = returns.select_related("by__user").order_by("-pk").first()
        return Settled("returned", found.by, found.reason) if found and not row.proposed else Settled("")
    words = Approval.objects.of(conversation.workspace_id).filter(conversation=conversation, kind=None, machine=None)
    sent = words.select_related("person__user").order_by("-pk").first()
    return Settled("sent", sent.person) if sent else Settled("")


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
