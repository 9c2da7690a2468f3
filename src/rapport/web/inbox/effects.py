"""What rules propose on a conversation: taken, dismissed, or put back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.actions import proposals as acts
from rapport.store.models import Conversation, RuleEffect
from rapport.web.access import DeskRequest, desk, find
from rapport.web.inbox.conversation import change, find_conversation


@require_POST
@desk("note")
def take(request: DeskRequest, pk: int, effect: int) -> HttpResponse:
    """Do what a rule proposed."""
    return _decide(request, pk, effect, acts.take, _("Done, in your name."))


@require_POST
@desk("note")
def dismiss(request: DeskRequest, pk: int, effect: int) -> HttpResponse:
    """It does not fit."""
    return _decide(request, pk, effect, acts.dismiss, _("Dismissed."))


@require_POST
@desk("note")
def put_back(request: DeskRequest, pk: int, effect: int) -> HttpResponse:
    """Undo a dismissal."""
    return _decide(request, pk, effect, acts.put_back, _("It waits again."))


def _decide(request: DeskRequest, pk: int, effect: int, act: Callable[..., RuleEffect], said: str) -> HttpResponse:
    row = find_conversation(request, pk)
    rows = RuleEffect.objects.of(request.workspace).filter(conversation=row)
    found = find(rows.select_related("conversation__person", "conversation__workspace", "conversation__basket"), effect)

    def decide(_row: Conversation, now: dt.datetime) -> None:
        act(request.membership, found, now=now)

    return change(request, pk, decide, said)
