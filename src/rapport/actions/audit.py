"""The audit row and the desk event that every action writes inside its transaction."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from rapport.core.errors import NotAllowed
from rapport.core.roles import Right
from rapport.store.models import AuditEntry, Conversation, Delivery, DeskEvent, Membership, Workspace
from rapport.store.queries.sql import adapt, insert_rows


def write_audit(
    workspace: Workspace | int, actor: Membership | None, verb: str, subject: Any, now: dt.datetime, **detail: Any
) -> None:
    """Who (`None` = the machine) did what to which row; `detail` must be JSON."""
    AuditEntry.objects.create(
        workspace_id=workspace if isinstance(workspace, int) else workspace.pk,
        actor=actor,
        verb=verb,
        subject=type(subject).__name__.lower() if subject is not None else "",
        subject_id=str(getattr(subject, "pk", "") or ""),
        detail=detail,
        at=now,
    )


def write_audits(
    workspace: int, verb: str, subject: str, details: Mapping[int, Mapping[str, Any]], now: dt.datetime,
    by: Membership | None = None,
) -> None:  # fmt: skip
    """As `write_audit` for many rows of one kind at once, by somebody or the machine: row id -> its `detail`."""
    insert_rows(
        "store_auditentry",
        ("workspace_id", "actor_id", "verb", "subject", "subject_id", "detail", "at"),
        [
            (workspace, by.pk if by else None, verb, subject, str(pk), json.dumps(detail), adapt(now))
            for pk, detail in details.items()
        ],
    )


def announce(
    workspace: Workspace | int,
    now: dt.datetime,
    conversations: Iterable[int] = (),
    baskets: Iterable[int | None] = (),
    kind: str = "conversations",
) -> None:
    """Tell open pages that these conversations (or the settings) changed."""
    DeskEvent.objects.create(
        workspace_id=workspace if isinstance(workspace, int) else workspace.pk,
        kind=kind,
        payload={
            "conversations": sorted(set(conversations)),
            "baskets": sorted({basket for basket in baskets if basket}),
        },
        at=now,
    )


def require(by: Membership, right: Right) -> None:
    """Raise `NotAllowed` unless the person holds the right."""
    if by.may(right) is not True:
        raise NotAllowed(f"Your role ({by.role}) does not allow this. An admin or lead of the workspace can do it.")


def require_conversation(by: Membership, conversation: Conversation, right: Right) -> None:
    """As `require`, for one conversation: of the same workspace and in a basket that the person works in."""
    require(by, right)
    if conversation.workspace_id != by.workspace_id or not sees(by, conversation):
        raise NotAllowed("This conversation lies in a basket that you do not work in.")


def require_delivery(by: Membership, delivery: Delivery, right: Right) -> None:
    """As `require_conversation`, for what is on its way: a post of our own belongs to none, and to the workspace."""
    if delivery.conversation is not None:
        require_conversation(by, delivery.conversation, right)
        return
    require(by, right)
    if delivery.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")


def sees(by: Membership, conversation: Conversation) -> bool:
    """Whether the person sees the conversation: leads see all, others their baskets and what is assigned to them."""
    if conversation.workspace_id != by.workspace_id or by.may("read") is not True:
        return False
    if by.sees_every_basket or conversation.assignee_id == by.pk:
        return True
    if conversation.basket_id is None:
        return False
    return by.baskets.filter(basket_id=conversation.basket_id).exists()
