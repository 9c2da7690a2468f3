"""What of the house still named an account of a person when they were erased, for the report: with a link to each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rapport.core.rules.edit import Kind, Piece, pieces
from rapport.store.models import (
    ApprovalRule,
    Campaign,
    Membership,
    PersonJob,
    RuleDraft,
    RuleSet,
    SavedView,
    Topic,
)
from rapport.store.queries.settings import newest_rule_set


class Named(msgspec.Struct, frozen=True):
    """One thing that named them."""

    #: what it is, in words
    kind: str
    name: str
    #: "" where this person may not open it
    link: str
    #: somebody saved it since; whether it names them still is not known any more
    changed: bool = False


def still_named(member: Membership, job: PersonJob) -> list[Named]:
    """What an erasure found (`store.queries.named_in`) and what is still there, for a member who may configure."""
    told, since = job.report["named_in"], job.done_at or job.asked_at
    return [*_rules(member, told), *_rows(member, told, since)]


def _rules(member: Membership, told: dict[str, Any]) -> Iterator[Named]:
    """Rules and groups of the version that was in force then, as they are now."""
    then = RuleSet.objects.of(member.workspace_id).filter(version=told["version"]).first()
    newest = newest_rule_set(member.workspace)
    if then is None or newest is None:
        return
    kinds: list[tuple[Kind, str, str]] = [("rule", "rules", _("Rule")), ("group", "groups", _("Group of rules"))]
    for kind, key, said in kinds:
        before, now = _pieces(then.document, kind), {piece.name: piece for piece in _pieces(newest.document, kind)}
        for place in told[key]:
            piece = before[place] if place < len(before) else None
            if piece is None or piece.name not in now:
                continue
            page, query = ("rule_page", {"name": piece.name}) if kind == "rule" else ("rule_text", {})
            changed = _text(then.document, piece) != _text(newest.document, now[piece.name])
            yield Named(said, piece.name, _address(member, page, query), changed)


def _pieces(document: str, kind: Kind) -> list[Piece]:
    try:
        return pieces(document, kind)
    except ValueError:
        return []


def _text(document: str, piece: Piece) -> str:
    return document[piece.start : piece.end].strip()


def _rows(member: Membership, told: dict[str, Any], since: dt.datetime) -> Iterator[Named]:
    """What stands in tables of its own."""
    workspace = member.workspace_id
    for draft in RuleDraft.objects.of(workspace).filter(pk__in=told["drafts"]):
        yield Named(_("Draft of rules"), draft.name, _of(member, "rule_draft", draft), draft.updated_at > since)
    for rule in ApprovalRule.objects.of(workspace).filter(pk__in=told["approvals"]):
        name = _("No. %(number)d") % {"number": rule.position}
        yield Named(_("Rule of approvals"), name, _of(member, "approval_rule", rule), rule.changed_at > since)
    for topic in Topic.objects.of(workspace).filter(pk__in=told["topics"]):
        yield Named(_("Topic"), topic.name, _of(member, "topic", topic), topic.updated_at > since)
    for campaign in Campaign.objects.of(workspace).filter(pk__in=told["campaigns"]):
        yield Named(_("Campaign"), campaign.name, _of(member, "campaign", campaign))
    for view in SavedView.objects.of(workspace).filter(pk__in=told["views"]).select_related("owner__user"):
        if view.owner_id not in (None, member.pk):
            # what a colleague keeps for themselves is theirs to look through
            yield Named(_("Saved view"), _("one of %(name)s, for themselves") % {"name": view.owner}, "")
            continue
        yield Named(_("Saved view"), view.name, _of(member, "inbox:view", view))


def _of(member: Membership, page: str, row: Any) -> str:
    return reverse(page, kwargs={"slug": member.workspace.slug, "pk": row.pk})


def _address(member: Membership, page: str, query: dict[str, str]) -> str:
    path = reverse(page, kwargs={"slug": member.workspace.slug})
    return f"{path}?{urlencode(query)}" if query else path
