"""Changing the rules: every version is kept, the newest is in force with the next batch."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from rapport.actions.audit import announce, require, write_audit
from rapport.core.rules import RuleSet as CompiledRules
from rapport.core.rules import compile_rules
from rapport.store.models import Basket, Membership, PreparedReply, RuleSet, Webhook, Workspace


def check_document(workspace: Workspace, document: str) -> CompiledRules:
    """The document as this workspace would use it: it may name what there is. Raises `InvalidRule` with line, column
    and the nearest name.
    """
    people = Membership.objects.of(workspace).filter(active=True, user__is_active=True)
    return compile_rules(
        document,
        baskets=set(Basket.objects.of(workspace).values_list("slug", flat=True)),
        people=set(people.values_list("user__email", flat=True)),
        webhooks=set(Webhook.objects.of(workspace).values_list("slug", flat=True)),
        replies=set(PreparedReply.objects.of(workspace).values_list("slug", flat=True)),
    )


def save_rules(by: Membership, document: str, note: str = "", *, now: dt.datetime) -> RuleSet:
    """A new version of the rules, in force at once. Raises `InvalidRule` with line, column and the nearest name."""
    require(by, "publish")
    check_document(by.workspace, document)
    with transaction.atomic():
        return put_in_force(by, document, note, now)


def put_in_force(by: Membership, document: str, note: str, now: dt.datetime, **detail: object) -> RuleSet:
    """The next version, made of a document that was checked. Only inside a transaction."""
    # the row is the lock: two people who save in the same moment get two versions
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
    newest = RuleSet.objects.of(by.workspace).order_by("-version").values_list("version", flat=True).first() or 0
    rules = RuleSet.objects.create(
        workspace=by.workspace,
        version=newest + 1,
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
