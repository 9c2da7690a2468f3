"""Webhooks as their page shows them."""

from __future__ import annotations

from django.db.models import Count, Max, Q

from rapport.store.models import Webhook, WebhookCall, Workspace
from rapport.store.models.scoped import ScopedQuerySet

SHOWN = 30


def list_webhooks(workspace: Workspace) -> ScopedQuerySet[Webhook]:
    """Every webhook with `waiting` (calls on their way) and `last_taken_at`."""
    waiting = Q(calls__state__in=[WebhookCall.State.QUEUED, WebhookCall.State.SENDING])
    return Webhook.objects.of(workspace).annotate(  # type: ignore[return-value]  # rows with two values more
        waiting=Count("calls", filter=waiting),
        last_taken_at=Max("calls__settled_at", filter=Q(calls__state=WebhookCall.State.SENT)),
    )


def calls_of(hook: Webhook) -> list[WebhookCall]:
    """Its last calls, newest first."""
    rows = WebhookCall.objects.of(hook.workspace_id).filter(webhook=hook).defer("body")
    return list(rows.order_by("-queued_at", "-pk")[:SHOWN])
