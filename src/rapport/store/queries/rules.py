"""Reads of drafts and trials of rule sets, and of what rules can name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db.models import QuerySet
from django.db.models.functions import Substr

from rapport.core.rules.actions import Known
from rapport.store.models import (
    BackTest,
    Basket,
    Membership,
    Post,
    PreparedReply,
    RuleDraft,
    RuleSet,
    Survey,
    Webhook,
    Workspace,
)

#: characters of a post that an example shows
SHOWN = 200


def known_in(workspace: Workspace) -> Known:
    """The names that rules of this workspace can use. Five queries."""
    people = Membership.objects.of(workspace).filter(active=True, user__is_active=True)
    return Known(
        baskets=frozenset(Basket.objects.of(workspace).values_list("slug", flat=True)),
        people=frozenset(people.values_list("user__email", flat=True)),
        webhooks=frozenset(Webhook.objects.of(workspace).values_list("slug", flat=True)),
        replies=frozenset(PreparedReply.objects.of(workspace).values_list("slug", flat=True)),
        surveys=frozenset(Survey.objects.of(workspace).values_list("slug", flat=True)),
    )


def list_drafts(workspace: Workspace) -> QuerySet[RuleDraft]:
    """Drafts, the last changed first, without their documents."""
    return RuleDraft.objects.of(workspace).select_related("author__user", "updated_by__user").defer("document")


def list_back_tests(workspace: Workspace, draft: RuleDraft) -> QuerySet[BackTest]:
    """Trials of a draft, newest first, without documents and reports."""
    rows = BackTest.objects.of(workspace).filter(draft=draft).select_related("asked_by__user")
    return rows.defer("document", "report").order_by("-asked_at")


def rule_set_of(workspace: Workspace, version: int) -> RuleSet | None:
    """One version of the rules."""
    return RuleSet.objects.of(workspace).filter(version=version).first()


class Example(msgspec.Struct, frozen=True):
    """A post that a trial names."""

    row: int
    conversation: int | None
    #: its beginning; empty where it was deleted meanwhile
    text: str
    author: str
    at: dt.datetime


def read_examples(workspace: Workspace, rows: Iterable[int]) -> dict[int, Example]:
    """Row id -> post, as far as it is still there. One query."""
    found = (
        Post.objects.of(workspace)
        .filter(pk__in=set(rows), deleted=False)
        .annotate(beginning=Substr("text", 1, SHOWN))
        .values_list("pk", "conversation_id", "beginning", "handle__name", "handle__handle", "sort_at")
    )
    return {pk: Example(pk, talk, text, name or handle, at) for pk, talk, text, name, handle, at in found}


class Shadow(msgspec.Struct, frozen=True):
    """A draft that decides beside the rules in force."""

    draft: int
    document: str
    since: dt.datetime
    until: dt.datetime


def read_shadows(workspace_id: int, now: dt.datetime) -> list[Shadow]:
    """The drafts that run beside the rules in force and have not come to their end."""
    rows = RuleDraft.objects.of(workspace_id).filter(shadow_until__gt=now, shadow_from__isnull=False).order_by("pk")
    return [
        Shadow(row.pk, row.document, row.shadow_from, row.shadow_until)
        for row in rows
        if row.shadow_from is not None and row.shadow_until is not None  # as the query says
    ]
