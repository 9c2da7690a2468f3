"""Reads of drafts and trials of rule sets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db.models import QuerySet
from django.db.models.functions import Substr

from rapport.store.models import BackTest, Post, RuleDraft, RuleSet, Workspace

#: characters of a post that an example shows
SHOWN = 200


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
