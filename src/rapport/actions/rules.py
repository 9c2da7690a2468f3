"""Changing the rules: every version is kept, the newest is in force with the next batch."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from rapport.actions.audit import announce, require, write_audit
from rapport.core.rules import compile_rules
from rapport.store.models import Basket, Membership, RuleSet, Workspace


def save_rules(by: Membership, document: str, note: str = "", *, now: dt.datetime) -> RuleSet:
    """A new version of the rules. Raises `InvalidRule` with line, column and the nearest name that exists."""
    require(by, "configure")
    baskets = set(Basket.objects.of(by.workspace).values_list("slug", flat=True))
    compile_rules(document, baskets=baskets)
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=by.workspace_id)
        newest = RuleSet.objects.of(by.workspace).order_by("-version").values_list("version", flat=True).first() or 0
        rules = RuleSet.objects.create(
            workspace=by.workspace,
            version=newest + 1,
            document=document,
            note=note.strip()[:300],
            author=by,
            created_at=now,
        )
        Workspace.objects.filter(pk=by.workspace_id).update(config_version=F("config_version") + 1)
        write_audit(by.workspace, by, "rules.save", rules, now, version=rules.version, note=rules.note)
        announce(by.workspace, now, kind="config")
    return rules
