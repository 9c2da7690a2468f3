"""When a person puts elsewhere what a rule had decided: counted once for a conversation and rule, and kept."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from typing import Literal

import msgspec
from django.db.models import F

from rapport.actions.audit import write_audit
from rapport.core.decision import Outcome as Decided
from rapport.core.rules.actions import takes_effect
from rapport.store.models import AuditEntry, Conversation, Membership, Outcome, RuleDay
from rapport.store.queries.rule_days import OVERRIDDEN, TAKEN_BACK

What = Literal["basket", "quarantine", "draft"]

#: A prepared draft of which fewer of its words than this share are left in what was sent was thrown away.
KEPT_SHARE = 0.3
_WORD = re.compile(r"\w+")


def note_override(
    by: Membership, conversation: Conversation, what: What, before: str, after: str, *, now: dt.datetime
) -> None:
    """A person chose `after` where a rule had chosen `before`; nothing where no rule had. Inside a transaction."""
    rule = _who_decided(conversation, what, before)
    if rule is None:
        return
    if any(entry.detail.get("rule") == rule for entry in _standing(conversation)):
        return
    write_audit(by.workspace, by, OVERRIDDEN, conversation, now, rule=rule, what=what, before=before, after=after)
    day = _day(by, now)
    row, _ = RuleDay.objects.get_or_create(workspace=by.workspace, rule=rule, day=day, defaults={"last_at": now})
    RuleDay.objects.filter(pk=row.pk).update(overridden=F("overridden") + 1)


def take_back_overrides(by: Membership, conversation: Conversation, made_at: dt.datetime, *, now: dt.datetime) -> None:
    """What this person chose otherwise at that moment was undone: it counts no more. Inside a transaction."""
    for entry in _standing(conversation):
        if entry.actor_id != by.pk or entry.at != made_at:
            continue
        rule = str(entry.detail.get("rule", ""))
        write_audit(by.workspace, by, TAKEN_BACK, conversation, now, rule=rule)
        days = RuleDay.objects.of(by.workspace_id).filter(rule=rule, day=_day(by, made_at), overridden__gt=0)
        days.update(overridden=F("overridden") - 1)


def _standing(conversation: Conversation) -> list[AuditEntry]:
    """The choices of people against rules in this conversation that nobody undid, one for each rule."""
    rows = AuditEntry.objects.of(conversation.workspace_id).filter(
        subject="conversation", subject_id=str(conversation.pk), verb__in=(OVERRIDDEN, TAKEN_BACK)
    )
    found: dict[str, AuditEntry] = {}
    for entry in rows.order_by("id"):
        rule = str(entry.detail.get("rule", ""))
        if entry.verb == OVERRIDDEN:
            found[rule] = entry
        else:
            found.pop(rule, None)
    return list(found.values())


def _day(by: Membership, at: dt.datetime) -> dt.date:
    return at.astimezone(zoneinfo.ZoneInfo(by.workspace.timezone)).date()


def is_thrown_away(prepared: str, sent: str) -> bool:
    """Is hardly a word of a prepared draft left in what a person sent instead?"""
    words = set(_WORD.findall(prepared.casefold()))
    kept = words & set(_WORD.findall(sent.casefold()))
    return len(words) > 0 and len(kept) < KEPT_SHARE * len(words)


def _who_decided(conversation: Conversation, what: What, before: str) -> str | None:
    """Name of the rule whose word for the newest decision this was."""
    body = Outcome.objects.filter(post=conversation.decided_by).values_list("body", flat=True).first()
    if body is None:
        return None
    try:
        trace = msgspec.json.decode(body, type=Decided).decision.trace
    except msgspec.MsgspecError:  # kept by another version: nobody can say
        return None
    wanted = {"basket": f"basket:{before}", "quarantine": "quarantine", "draft": f"draft:{before}"}[what]
    # the first rule that names one wins: a later one that names the same had no say
    prefix = wanted.partition(":")[0]
    for step in trace:
        if not takes_effect(step.level):  # it observed or proposed, and decided nothing
            continue
        said = [action for action in step.actions if step.matched and action.partition(":")[0] == prefix]
        if said:
            return step.rule if wanted in said else None
    return None
