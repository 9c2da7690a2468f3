"""Who has a conversation open now, who writes in it, and whose turn it is to write."""

from __future__ import annotations

import datetime as dt

from rapport.store.models import BasketMember, ComposerClaim, Conversation, Draft, Membership, Presence
from rapport.store.queries.desk import visible_conversations

#: a page says that it is still there every 10 s, and that is written when 15 s have gone: two beats may be lost
STILL_THERE = dt.timedelta(seconds=40)
#: somebody who typed this long ago still writes
STILL_WRITING = dt.timedelta(seconds=20)
#: rows read at once: a workspace has no more colleagues at their desks than this
MOST = 500


def present_now(member: Membership, now: dt.datetime) -> list[Presence]:
    """Colleagues who have a conversation open that `member` may see, without `member`, in the order of their names.

    Who may no longer read, or no longer sees that basket, is not there, whatever their page said a moment ago.
    """
    rows = (
        Presence.objects.of(member.workspace_id)
        .filter(seen_at__gt=now - STILL_THERE, membership__active=True, membership__user__is_active=True)
        .exclude(membership=member)
        .select_related("membership__user", "membership__workspace", "conversation")
        .order_by("membership__user__name", "pk")[:MOST]
    )
    there = list(rows)
    if not there:
        return []
    seen = set(
        visible_conversations(member).filter(pk__in={row.conversation_id for row in there}).values_list("pk", flat=True)
    )
    places = _places({row.membership_id for row in there}, member.workspace_id)
    return [row for row in there if row.conversation_id in seen and _still_sees(row, places)]


def _places(members: set[int], workspace: int) -> set[tuple[int, int]]:
    rows = BasketMember.objects.of(workspace).filter(membership_id__in=members)
    return set(rows.values_list("membership_id", "basket_id"))


def _still_sees(row: Presence, places: set[tuple[int, int]]) -> bool:
    member, conversation = row.membership, row.conversation
    if member.may("read") is not True:
        return False
    if member.sees_every_basket is True or conversation.assignee_id == member.pk:
        return True
    return (member.pk, conversation.basket_id) in places


def is_writing(row: Presence, now: dt.datetime) -> bool:
    """Whether they typed a moment ago."""
    return row.writing_at is not None and row.writing_at > now - STILL_WRITING


def claim_of(conversation: Conversation, now: dt.datetime) -> ComposerClaim | None:
    """Whose turn it is to write here; None = anybody's. Who may not draft any more holds nothing."""
    claim = (
        ComposerClaim.objects.of(conversation.workspace_id)
        .filter(conversation=conversation, until__gt=now, membership__active=True, membership__user__is_active=True)
        .select_related("membership__user", "membership__workspace")
        .first()
    )
    if claim is None or claim.membership.may("draft") is not True:
        return None
    return claim if visible_conversations(claim.membership).filter(pk=conversation.pk).exists() else None


def words_of(claim: ComposerClaim) -> str:
    """What the one who writes has written so far, as far as it is kept."""
    rows = Draft.objects.of(claim.workspace_id).filter(conversation=claim.conversation_id, author=claim.membership_id)
    return rows.values_list("text", flat=True).first() or ""
