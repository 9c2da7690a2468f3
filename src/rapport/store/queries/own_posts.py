"""Posts of our own that were approved: what was said, what was done with it since, and who answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from django.db.models import Count, Min

from rapport.store.models import Approval, Delivery, Membership, Post, PostDraft, Workspace
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.acts import Acts, Changed, sort_acts

#: entries of one page
PAGE = 50


class Said(msgspec.Struct, frozen=True):
    """One post of our own on one account."""

    delivery: Delivery
    approval: Approval
    changed: Changed
    #: answers that were heard, and the conversation of the first of them
    answers: int
    conversation: int | None
    #: the posts of a thread that are on the network
    parts_sent: int

    @property
    def words(self) -> list[str]:
        """What it says now, post by post."""
        return [self.changed.text] if self.changed.text else list(self.approval.parts or [self.approval.text])


def said_posts(workspace: Workspace, before: int | None = None) -> list[Delivery]:
    """The newest `PAGE` and one more, newest first; `before`: those older than this delivery."""
    rows = Delivery.objects.of(workspace).filter(approval__kind=Approval.Kind.POST)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    related = ("approval__person__user", "approval__asked_by__user", "channel", "approval__channel", "workspace")
    return list(rows.select_related(*related).prefetch_related("parts").order_by("-pk")[: PAGE + 1])


def waiting_posts(member: Membership) -> ScopedQuerySet[PostDraft]:
    """Posts of colleagues that wait for the word of somebody like the member, the longest first."""
    rows = PostDraft.objects.of(member.workspace_id).filter(proposed=True).exclude(author=member)
    return rows.select_related("author__user").order_by("updated_at", "pk")


def told_of(deliveries: Sequence[Delivery]) -> Iterator[Said]:
    """Each with what was done with it since, and the answers to it. Three queries, however many there are."""
    acts = _acts_on(deliveries)
    ids = {each: row.pk for row in deliveries for each in _ids(row, acts)}
    heard: Counter[int] = Counter()
    where: dict[int, int] = {}
    if ids:
        answers = Post.objects.of(deliveries[0].workspace_id).filter(in_reply_to__in=list(ids), ours=False)
        told = answers.values("in_reply_to").annotate(n=Count("pk"), talk=Min("conversation_id"))
        for each in told.values_list("in_reply_to", "n", "talk"):
            heard[ids[each[0]]] += each[1]
            if each[2] is not None:
                where[ids[each[0]]] = min(each[2], where.get(ids[each[0]], each[2]))
    for row in deliveries:
        sent = sum(part.state == "sent" for part in row.parts.all())
        changed = acts.on_sent.get(row.pk, Changed())
        yield Said(row, row.approval, changed, heard[row.pk], where.get(row.pk), sent)


def _acts_on(deliveries: Sequence[Delivery]) -> Acts:
    rows = Delivery.objects.filter(approval__subject__in=[row.pk for row in deliveries])
    return sort_acts(list(rows.select_related("approval__person__user")))


def _ids(row: Delivery, acts: Acts) -> set[str]:
    edits = acts.on_sent[row.pk].sent_edits if row.pk in acts.on_sent else []
    found = {row.external_id, *(part.external_id for part in row.parts.all()), *(each.external_id for each in edits)}
    return found - {""}
