"""Reads of the settings pages. Each list costs the same few queries however long it is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.db.models import Prefetch, QuerySet

from rapport.store.models import (
    AuditEntry,
    BasketMember,
    BusMessage,
    Conversation,
    Membership,
    PreparedReply,
    RuleSet,
    Workspace,
)

PAGE = 50


def list_rule_sets(workspace: Workspace) -> QuerySet[RuleSet]:
    """Every version of the rules, newest first, without the documents."""
    return RuleSet.objects.of(workspace).select_related("author__user").defer("document").order_by("-version")


def newest_rule_set(workspace: Workspace) -> RuleSet | None:
    """The rules in force."""
    return RuleSet.objects.of(workspace).select_related("author__user").order_by("-version").first()


def list_replies(workspace: Workspace) -> QuerySet[PreparedReply]:
    """Prepared replies by name."""
    return PreparedReply.objects.of(workspace)


def list_members(workspace: Workspace) -> QuerySet[Membership]:
    """Everybody who is or was in the workspace, active ones first, with user and baskets. Two queries."""
    baskets = Prefetch(
        "baskets", BasketMember.objects.of(workspace).select_related("basket").order_by("basket__position")
    )
    return (
        Membership.objects.of(workspace)
        .select_related("user")
        .prefetch_related(baskets)
        .order_by("-active", "user__name", "user__email")
    )


class AuditPage(msgspec.Struct, frozen=True):
    """A piece of the audit, newest first."""

    entries: Sequence[AuditEntry]
    #: id to ask for the next page with, None on the last one
    older: int | None


def read_audit(
    workspace: Workspace,
    actor: int | None = None,
    verb: str = "",
    subject: str = "",
    before: int | None = None,
    people: bool = False,
    limit: int = PAGE,
) -> AuditPage:
    """Who did what: at most `limit` entries older than `before` (an id), narrowed by what is given. One query.

    `verb` is a beginning: "channel" finds "channel.connect". `subject` is "conversation" or "conversation 42".
    `people`: without what the machine did.
    """
    rows = AuditEntry.objects.of(workspace).select_related("actor__user").order_by("-id")
    if people:
        rows = rows.filter(actor__isnull=False)
    if actor is not None:
        rows = rows.filter(actor=actor)
    if verb:
        rows = rows.filter(verb__startswith=verb)
    if subject:
        kind, _space, number = subject.partition(" ")
        rows = rows.filter(subject=kind)
        if number:
            rows = rows.filter(subject_id=number)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    return AuditPage(found[:limit], found[limit - 1].pk if len(found) > limit else None)


class QuarantinePage(msgspec.Struct, frozen=True):
    """A piece of the quarantine, newest first."""

    conversations: Sequence[Conversation]
    older: int | None


def read_quarantine(visible: QuerySet[Conversation], before: int | None = None) -> QuarantinePage:
    """Quarantined ones among the conversations that a person sees, at most `PAGE`. One query."""
    rows = visible.filter(state=Conversation.State.QUARANTINED).select_related("person", "basket", "channel")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-id")[: PAGE + 1])
    return QuarantinePage(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None)


def failed_messages(workspace: Workspace) -> QuerySet[BusMessage]:
    """Posts that the line could not get through in as many tries as it has, newest first, without their payload."""
    return BusMessage.objects.of(workspace).filter(state=BusMessage.State.QUARANTINED).defer("payload").order_by("-id")
