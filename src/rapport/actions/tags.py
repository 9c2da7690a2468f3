"""Tags on conversations, by hand and by rules."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping

from django.db import transaction

from rapport.actions.audit import announce, require_conversation, write_audit
from rapport.actions.undo import TAG, note_deed
from rapport.core.decision import Decision
from rapport.core.errors import InvalidInput
from rapport.store.models import Conversation, ConversationTag, Membership

MAX_TAG = 63  # characters
MOST_TAGS = 30  # on one conversation
_NAME = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


def clean_tag(name: str) -> str:
    """A tag as it is kept: lower case, no # before it, words joined by hyphens. Raises `InvalidInput`."""
    kept = "-".join(name.strip().lstrip("#").lower().split())
    if len(kept) > MAX_TAG:
        raise InvalidInput(f"A tag has at most {MAX_TAG} characters.")
    if not _NAME.fullmatch(kept):
        raise InvalidInput("A tag is made of letters, digits and hyphens, such as: late-delivery.")
    return kept


def add_tag(by: Membership, conversation: Conversation, name: str, *, now: dt.datetime) -> str:
    """Put a tag on a conversation; returns it as it is kept. One that is there already stays as it is."""
    require_conversation(by, conversation, "triage")
    tag = clean_tag(name)
    with transaction.atomic():
        row = Conversation.objects.of(by.workspace).select_for_update().get(pk=conversation.pk)
        standing = ConversationTag.objects.of(by.workspace).filter(conversation=row, removed_at__isnull=True)
        if standing.filter(name=tag).exists():
            return tag
        if standing.count() >= MOST_TAGS:
            raise InvalidInput(f"A conversation has at most {MOST_TAGS} tags. Take one away first.")
        ConversationTag.objects.update_or_create(
            workspace=by.workspace, conversation=row, name=tag,
            defaults={"by": by, "rule": "", "at": now, "removed_at": None},
        )  # fmt: skip
        _tell(by, row, "conversation.tag", tag, False, now)
    return tag


def remove_tag(by: Membership, conversation: Conversation, name: str, *, now: dt.datetime) -> None:
    """Take a tag off a conversation; no rule puts it there again. One that is not there is nothing to do."""
    require_conversation(by, conversation, "triage")
    with transaction.atomic():
        row = Conversation.objects.of(by.workspace).select_for_update().get(pk=conversation.pk)
        standing = ConversationTag.objects.of(by.workspace).filter(conversation=row, name=name, removed_at__isnull=True)
        if standing.update(removed_at=now):
            _tell(by, row, "conversation.untag", name, True, now)


def tag_by_rules(workspace: int, tags: Mapping[int, Iterable[tuple[str, str]]], *, now: dt.datetime) -> None:
    """Put the tags of rules on conversations (row id -> (tag, rule)). What a colleague took away stays away.

    Part of recording a batch, whose audit entry counts it; it costs one write, and nothing where no rule tags.
    """
    ConversationTag.objects.bulk_create(
        [
            ConversationTag(workspace_id=workspace, conversation_id=conversation, name=tag, rule=rule[:200], at=now)
            for conversation, found in tags.items()
            for tag, rule in found
        ],
        ignore_conflicts=True,
    )


def rule_of_tag(decision: Decision, tag: str) -> str:
    """The first rule that put this tag there; "a rule" where the trace does not say."""
    steps = (step for step in decision.trace if step.matched and f"tag:{tag}" in step.actions)
    return next((step.rule for step in steps), "a rule")


def _tell(by: Membership, row: Conversation, verb: str, tag: str, had: bool, now: dt.datetime) -> None:
    write_audit(by.workspace, by, verb, row, now, tag=tag)
    note_deed(by, verb, [(row.pk, {f"{TAG}:{tag}": had}, {f"{TAG}:{tag}": not had})], now=now)
    announce(by.workspace, now, [row.pk], [row.basket_id])
