"""Trials of a draft on what was heard: begin one, watch it, stop it, read what would have been different."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import back_tests as acts
from rapport.core.errors import InvalidInput
from rapport.store.models import BackTest, RuleDraft
from rapport.web.access import DeskRequest, desk, find
from rapport.web.settings.backtest_shown import WINDOWS, show_test
from rapport.web.told import told


@desk(right="configure")
@require_POST
def begin(request: DeskRequest, pk: int) -> HttpResponse:
    """Have a draft tried on the last days."""
    draft = find(RuleDraft.objects.of(request.workspace), pk)
    days = request.POST.get("days", "")
    if days not in {str(each) for each in WINDOWS}:
        messages.error(request, _("Choose one of the times."))
        return redirect("rule_draft", slug=request.workspace.slug, pk=pk)
    now = timezone.now()
    try:
        row = acts.ask_back_test(request.membership, draft, now - dt.timedelta(days=int(days)), now, now=now)
    except InvalidInput as error:
        messages.error(request, told(error))
        return redirect("rule_draft", slug=request.workspace.slug, pk=pk)
    return redirect("back_test", slug=request.workspace.slug, pk=row.pk)


@desk(right="configure")
@require_safe
def show(request: DeskRequest, pk: int) -> HttpResponse:
    """How far a trial is, or what came of it; a fragment for htmx, which asks again while it runs."""
    row = find(BackTest.objects.of(request.workspace).select_related("draft", "asked_by__user"), pk)
    name = "settings/backtest_found.html" if request.headers.get("HX-Request") else "settings/backtest.html"
    return render(request, name, show_test(request.workspace, row))


@desk(right="configure")
@require_POST
def stop(request: DeskRequest, pk: int) -> HttpResponse:
    """End a trial."""
    row = find(BackTest.objects.of(request.workspace), pk)
    try:
        acts.stop_back_test(request.membership, row, now=timezone.now())
    except InvalidInput as error:
        messages.info(request, told(error))
    return redirect("back_test", slug=request.workspace.slug, pk=pk)
