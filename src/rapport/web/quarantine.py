"""What is kept out of sight with its reason, and the posts that the line could not get through."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport import wiring
from rapport.actions import desk as actions
from rapport.actions.checks import judge_check
from rapport.store.models import BusMessage, Check
from rapport.store.queries import settings as reads
from rapport.store.queries.checks import count_open_checks, open_checks, read_missed
from rapport.store.queries.desk import visible_baskets, visible_conversations
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm


class TakeOutForm(ExactForm):
    """The basket that a conversation goes to."""

    basket = forms.SlugField(max_length=64)


class JudgeForm(ExactForm):
    """The basket that a missed one goes to; none: it was rightly put aside."""

    basket = forms.SlugField(max_length=64, required=False)


@desk(right="release")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Quarantined conversations with why; for those who see every basket also the posts that failed."""
    before = request.GET.get("before", "")
    page = reads.read_quarantine(
        visible_conversations(request.membership), int(before) if before.isdecimal() and len(before) < 19 else None
    )
    failed = reads.failed_messages(request.workspace)[: reads.PAGE] if request.membership.sees_every_basket else []
    baskets = visible_baskets(request.membership)
    visible = visible_conversations(request.membership)
    shown = {
        "page": page,
        "failed": failed,
        "baskets": baskets,
        "checks": open_checks(visible, 5),
        "waiting": count_open_checks(visible),
        "missed": read_missed(request.workspace, timezone.now()),
    }
    return render(request, "quarantine/index.html", shown)


@desk(right="release")
@require_POST
def judge(request: DeskRequest, pk: int) -> HttpResponse:
    """One of the sample: rightly put aside, or missed and where it goes."""
    visible = visible_conversations(request.membership)
    check = find(Check.objects.of(request.workspace).filter(conversation__in=visible.values("pk")), pk)
    form = JudgeForm(request.POST)
    if not form.is_valid():
        raise Http404
    slug = form.cleaned_data["basket"]
    basket = find(visible_baskets(request.membership), slug=slug) if slug else None
    judge_check(request.membership, check, basket=basket, now=timezone.now())
    messages.success(
        request,
        _("It waits in %(basket)s now.") % {"basket": basket.name} if basket else _("Noted: rightly put aside."),
    )
    return redirect("quarantine", slug=request.workspace.slug)


@desk(right="release")
@require_POST
def take_out(request: DeskRequest, pk: int) -> HttpResponse:
    """Put a conversation in front of people after all."""
    conversation = find(visible_conversations(request.membership), pk)
    form = TakeOutForm(request.POST)
    if not form.is_valid():
        raise Http404
    basket = find(visible_baskets(request.membership), slug=form.cleaned_data["basket"])
    actions.take_out(request.membership, conversation, basket, now=timezone.now())
    messages.success(request, _("It waits in %(basket)s now.") % {"basket": basket.name})
    return redirect("quarantine", slug=request.workspace.slug)


@desk(right="release")
@require_POST
def retry(request: DeskRequest, pk: int) -> HttpResponse:
    """Put posts that failed back on the line."""
    if request.membership.sees_every_basket is not True:
        raise Http404
    rows = BusMessage.objects.of(request.workspace).filter(state=BusMessage.State.QUARANTINED)
    actions.retry_message(request.membership, find(rows, pk), wiring.make_bus(), now=timezone.now())
    messages.success(request, _("Back on the line. If it fails again, it returns to this page."))
    return redirect("quarantine", slug=request.workspace.slug)
