"""Rules about who has to approve what others write."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Max

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidInput, InvalidRule, NotAllowed
from rapport.core.roles import ROLES
from rapport.store.models import ApprovalRule, Basket, Channel, Membership
from rapport.store.queries.approval_rules import compile_condition

MAX_CONDITION = 2_000  # characters


def save_approval_rule(
    by: Membership, rule: ApprovalRule | None, *, role: str, basket: Basket | None, channel: Channel | None,
    condition: str, approver: str, four_eyes: bool, active: bool, now: dt.datetime,
) -> ApprovalRule:  # fmt: skip
    """Add a rule at the end (`rule` None), or change one. Raises `InvalidInput`."""
    require(by, "team")
    condition = " ".join(condition.split())
    if role not in {"", *ROLES} or approver not in ApprovalRule.Approver.values:
        raise InvalidInput("Choose roles from the list.")
    if any(each is not None and each.workspace_id != by.workspace_id for each in (rule, basket, channel)):
        raise NotAllowed("This belongs to another workspace.")
    if len(condition) > MAX_CONDITION:
        raise InvalidInput(f"The condition has {len(condition):,} characters; at most {MAX_CONDITION:,} fit.")
    if condition:
        try:
            compile_condition(condition)
        except InvalidRule as error:
            near = f" Did you mean {error.suggestion}?" if error.suggestion else ""
            raise InvalidInput(f"The condition: {error.message}.{near}") from None
    with transaction.atomic():
        last = ApprovalRule.objects.of(by.workspace).aggregate(last=Max("position"))["last"] or 0
        row = rule or ApprovalRule(workspace=by.workspace, position=last + 1)
        row.role, row.basket, row.channel, row.condition = role, basket, channel, condition
        row.approver, row.four_eyes, row.active = approver, four_eyes, active
        row.changed_by, row.changed_at = by, now
        row.save()
        write_audit(
            by.workspace, by, "approval_rule.save", row, now, role=role, basket=basket.slug if basket else "",
            channel=channel.slug if channel else "", condition=condition, approver=approver, four_eyes=four_eyes,
            active=active,
        )  # fmt: skip
        announce(by.workspace, now, kind="config")
    return row


def move_approval_rule(by: Membership, rule: ApprovalRule, *, up: bool, now: dt.datetime) -> None:
    """Change places with the one before or after it: the first that applies decides."""
    require(by, "team")
    if rule.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")
    with transaction.atomic():
        rows = list(ApprovalRule.objects.of(by.workspace).select_for_update())
        at = [row.pk for row in rows].index(rule.pk)
        other = at - 1 if up else at + 1
        if not 0 <= other < len(rows):
            return
        rows[at], rows[other] = rows[other], rows[at]
        for position, row in enumerate(rows, 1):
            ApprovalRule.objects.filter(pk=row.pk).update(position=position)
        write_audit(by.workspace, by, "approval_rule.move", rule, now, up=up)
        announce(by.workspace, now, kind="config")


def delete_approval_rule(by: Membership, rule: ApprovalRule, *, now: dt.datetime) -> None:
    """Take a rule away; what waits for approval goes on waiting."""
    require(by, "team")
    if rule.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")
    with transaction.atomic():
        write_audit(by.workspace, by, "approval_rule.delete", rule, now, condition=rule.condition, role=rule.role)
        rule.delete()
        announce(by.workspace, now, kind="config")
