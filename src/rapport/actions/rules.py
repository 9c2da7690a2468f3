"""Changing the rules: every version is kept, the newest is in force with the next batch."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import Stale
from rapport.core.rules import RuleSet as CompiledRules
from rapport.core.rules import compile_rules
from rapport.store.models import Membership, RuleSet, Workspace
from rapport.store.queries.rules import known_in


def check_document(workspace: Workspace, document: str) -> CompiledRules:
    """The document as this workspace would use it: it may name what there is. Raises `InvalidRule` with line, column
    and the nearest name.
    """
    known = known_in(workspace)
    return compile_rules(
        document,
        baskets=known.baskets, people=known.people, webhooks=known.webhooks, replies=known.replies,
        surveys=known.surveys,
    )  # fmt: skip


def save_rules(by: Membership, document: str, note: str = "", *, over: int | None = None, now: dt.datetime) -> RuleSet:
    """A new version of the rules, in force at once.

    `over`: the version that the document was made from (0: what ships); None for a document that is to stand whatever
    is in force. Raises `InvalidRule` with line, column and the nearest name, `Stale` where another version than `over`
    is in force by now.
    """
    require(by, "publish")
    check_document(by.workspace, document)
    with transaction.atomic():
        newest = _lock_newest(by.workspace_id)
        if over is not None and (newest.version if newest else 0) != over:
            who = newest.author if newest and newest.author else "A former colleague"
            raise Stale(f"{who} put other rules in force meanwhile.")
        return put_in_force(by, document, note, now)


def _lock_newest(workspace_id: int) -> RuleSet | None:
    """The version in force, which stays so until the transaction of the caller ends; None where nobody saved one."""
    # the row is the lock: of two people who save in the same moment one waits, and then sees what the other put in
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace_id)
    rows = RuleSet.objects.of(workspace_id).select_related("author__user")
    return rows.order_by("-version").first()


def put_in_force(by: Membership, document: str, note: str, now: dt.datetime, **detail: object) -> RuleSet:
    """The next version, made of a document that was checked. Only inside a transaction."""
    newest = _lock_newest(by.workspace_id)
    rules = RuleSet.objects.create(
        workspace=by.workspace,
        version=newest.version + 1 if newest else 1,
        document=document,
        note=note.strip()[:300],
        author=by,
        created_at=now,
    )
    read_anew(by.workspace_id)
    write_audit(by.workspace, by, "rules.save", rules, now, version=rules.version, note=rules.note, **detail)
    announce(by.workspace, now, kind="config")
    return rules


def read_anew(workspace_id: int) -> None:
    """Workers compare the version of the configuration before each batch."""
    Workspace.objects.filter(pk=workspace_id).update(config_version=F("config_version") + 1)
