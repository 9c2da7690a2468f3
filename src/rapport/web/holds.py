"""The page of the one switch: hold everything, what waits, let out one by one or all, and the holds of before."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.actions import holds as acts
from rapport.core.errors import RapportError
from rapport.store.models import Delivery, Hold
from rapport.store.queries.desk import visible_conversations
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.told import told

#: rows of either list
MOST = 50


@require_http_methods(["GET", "HEAD", "POST"])
@desk("hold")
def hold(request: DeskRequest) -> HttpResponse:
    """Stop every queue (`reason`, `known`), let one reply out (`let_through`), or start them again (`release`)."""
    if request.method != "POST":
        return render(request, "desk/hold.html", _shown(request))
    by, now = request.membership, timezone.now()
    try:
        if request.POST.get("release"):
            acts.release_hold(by, a_minute=number(request.POST.get("a_minute", "")) or None, now=now)
            messages.success(request, _("The queues run again."))
        elif "let_through" in request.POST:
            one = find(_waiting(request), number(request.POST["let_through"]))
            acts.let_through(by, one, now=now)
            messages.success(request, _("This one goes out although everything is held."))
        else:
            reason = request.POST.get("why", "") or request.POST.get("reason", "")
            acts.hold_everything(by, reason, known=request.POST.get("known"), now=now)
            messages.warning(request, _("Everything going out is held."))
    except RapportError as error:
        messages.error(request, told(error))
    return HttpResponseRedirect(f"/w/{request.workspace.slug}/hold/", status=303)


def _waiting(request: DeskRequest) -> Any:
    """What the hold keeps back, of the conversations that this person sees."""
    held = Q(state=Delivery.State.QUEUED) | Q(state=Delivery.State.HELD) & (
        Q(held_by="crisis-hold") | Q(held_by__isnull=True, cause__startswith="crisis-hold:")
    )
    rows = Delivery.objects.of(request.workspace).filter(
        held, conversation__in=visible_conversations(request.membership)
    )
    at = request.workspace.held_at
    rows = rows.filter(Q(let_through_at__isnull=True) | Q(let_through_at__lt=at)) if at else rows.none()
    return rows.select_related(
        "approval__person__user", "approval__standing_word__user", "channel", "conversation__person"
    )


def _shown(request: DeskRequest) -> dict[str, Any]:
    waiting = list(_waiting(request).order_by("queued_at", "pk")[: MOST + 1])
    past = Hold.objects.of(request.workspace).select_related("by__user", "ended_by__user").order_by("-began_at")[:MOST]
    return {
        "waiting": waiting[:MOST],
        "more": len(waiting) > MOST,
        "may_send": request.membership.may("send"),
        "standing": next((each for each in past if each.ended_at is None), None),
        "past": [each for each in past if each.ended_at is not None],
        "reasons": [
            _("A recall or a danger to somebody"), _("Something we said is taken badly"), _("An outage or an accident"),
            _("An account may be in foreign hands"),
        ],
    }  # fmt: skip
