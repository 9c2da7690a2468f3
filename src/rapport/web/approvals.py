"""Drafts of colleagues who may not send: read, changed, sent as one's own word, or given back with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import draft_returns
from rapport.actions import outbound as acts
from rapport.core.errors import GuardRefused, InvalidInput, Stale
from rapport.core.guard import limit
from rapport.store.models import Delivery, Draft
from rapport.store.queries import approvals as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.inbox.events import stream_address


@require_safe
@desk("send")
def index(request: DeskRequest) -> HttpResponse:
    """Everything that waits for this person's word, the longest first."""
    return show(request)


def show(request: DeskRequest, status: int = 200, **said: Any) -> HttpResponse:
    """The page; `said`: what stands in the way of which draft (`about`, `problem`, `findings`, `typed`)."""
    waiting = reads.list_waiting(request.membership)
    shown = {
        "waiting": waiting,
        "limits": {each.conversation.network: limit(each.conversation.network) for each in waiting},
        "live": stream_address(request.membership),
        **said,
    }
    return render(request, "notices/approvals.html", shown, status=status)


@require_POST
@desk("send")
def send(request: DeskRequest, pk: int) -> HttpResponse:
    """Send exactly the text of the form, as one's own word; the page shows what stands in the way."""
    draft = find(reads.waiting_drafts(request.membership).select_related("conversation__person"), pk)
    text = request.POST.get("text", "")
    waiting = next((each for each in reads.list_waiting(request.membership) if each.draft.pk == draft.pk), None)
    wanted = request.POST.get("channel", "")
    channels = waiting.channels if waiting else []
    channel = next((each for each in channels if str(each.pk) == wanted), channels[0] if channels else None)
    if waiting is None or waiting.post is None or channel is None:
        return show(
            request, 422, about=draft.pk, typed=text, problem=_("It cannot leave from here. Open the conversation.")
        )
    if str(waiting.post.pk) != request.POST.get("target", ""):
        return show(
            request, 409, about=draft.pk, typed=text, problem=_("They wrote again meanwhile: read what is new.")
        )
    version = number(request.POST.get("version", ""))
    try:
        delivery = acts.approve(
            request.membership, draft.conversation, text, target=waiting.post, channel=channel, version=version,
            now=timezone.now(),
        )  # fmt: skip
    except Stale:
        problem = _("The conversation moved on while you read. Look at it again, then send.")
        return show(request, 409, about=draft.pk, typed=text, problem=problem)
    except GuardRefused as error:
        problem = _("The guard does not let this out as it is.")
        return show(request, 422, about=draft.pk, typed=text, problem=problem, findings=error.verdict.findings)
    except InvalidInput as error:
        return show(request, 422, about=draft.pk, typed=text, problem=str(error))
    if delivery.state == Delivery.State.HELD:
        messages.warning(request, _("Held by the guard; the reason stands in the conversation."))
    else:
        messages.success(request, _("On its way. %(name)s is told.") % {"name": draft.author})
    return redirect("approvals", slug=request.workspace.slug)


@require_POST
@desk("send")
def give_back(request: DeskRequest, pk: int) -> HttpResponse:
    """Back to its author, with the reason (`reason`)."""
    draft: Draft = find(
        reads.waiting_drafts(request.membership).select_related("author__user", "conversation__basket"), pk
    )
    try:
        draft_returns.return_draft(request.membership, draft, request.POST.get("reason", ""), now=timezone.now())
    except InvalidInput as error:
        return show(request, 422, about=draft.pk, problem=str(error))
    messages.success(request, _("Returned to %(name)s.") % {"name": draft.author})
    return redirect("approvals", slug=request.workspace.slug)
