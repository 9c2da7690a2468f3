"""Who else answers: accounts of other firms in a thread, and when we last wrote to somebody, wherever it was."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db.models import Exists, OuterRef, Q, QuerySet

from rapport.store.models import Approval, BrandHandle, Conversation, Delivery, Membership, Post
from rapport.store.queries.desk import within_sight
from rapport.store.queries.voice import ALIVE

#: the newest replies to somebody among which the last one that a colleague sees is looked for
LOOKED_AT = 200
#: relationships of people who speak for a firm
FIRMS = ("competitor", "partner")


class Brand(msgspec.Struct, frozen=True):
    """A firm that has answered in a thread."""

    name: str
    at: dt.datetime


def is_brand() -> tuple[Q, Exists]:
    """Of posts, joined by OR: who we said they are to us, and the workspace's list."""
    listed = BrandHandle.objects.filter(
        Q(key=OuterRef("handle__external_id")) | Q(key=OuterRef("handle__handle")),
        workspace=OuterRef("workspace"), network=OuterRef("network"),
    )  # fmt: skip
    return Q(handle__person__relationship__in=FIRMS), Exists(listed)


def _said_by_firms(conversation: Conversation) -> QuerySet[Post]:
    firm, listed = is_brand()
    rows = Post.objects.of(conversation.workspace_id).filter(
        firm | listed, conversation_id=conversation.pk, ours=False, deleted=False
    )
    return rows.exclude(kind="repost")


def brand_posts_since(conversation: Conversation, last: dt.datetime | None, person: int) -> int:
    """What other firms said in a conversation since then; 0 where nobody knows since when. `person`: who is answered,
    who is none of them whatever they are to us.
    """
    if last is None:
        return 0
    return _said_by_firms(conversation).filter(sort_at__gt=last).exclude(handle__person=person).count()


def brands_in(conversation: Conversation) -> dict[int, Brand]:
    """person -> the firm that they speak for and when they last did in a conversation, the last one first."""
    said = list(_said_by_firms(conversation).select_related("handle").order_by("-sort_at")[:50])
    found: dict[int, Brand] = {}
    names = _names(conversation.workspace_id) if said else {}
    for post in said:
        handle = post.handle
        listed = names.get((handle.network, handle.external_id)) or names.get((handle.network, handle.handle))
        found.setdefault(handle.person_id, Brand(listed or handle.name or str(handle), post.sort_at))
    return found


def _names(workspace: int) -> dict[tuple[str, str], str]:
    rows = BrandHandle.objects.of(workspace).values_list("network", "key", "name")
    return {(network, key): name for network, key, name in rows}


def last_contact(conversation: Conversation, member: Membership) -> Delivery | None:
    """What a colleague last wrote to the person of a conversation in another one that `member` sees; None = nothing."""
    if conversation.person_id is None:
        return None
    # in two steps, and the person is this workspace's: else SQLite walks everything that was ever sent
    told = Approval.objects.filter(
        target__handle__person=conversation.person_id, machine__isnull=True, kind__isnull=True
    )
    newest = list(told.order_by("-pk").values_list("pk", flat=True)[:LOOKED_AT])
    if not newest:
        return None
    rows = Delivery.objects.filter(within_sight(member), approval__in=newest, state__in=ALIVE)
    rows = rows.exclude(conversation=conversation.pk).select_related("approval__person__user", "channel")
    return rows.order_by("-queued_at").first()
