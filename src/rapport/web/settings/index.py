"""The settings on one page: what there is, what each is for, as far as the person's role opens it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from rapport.web import places
from rapport.web.access import DeskRequest, desk


@desk(right="read")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every page of settings, by what it is about."""
    sections = places.open_to(request.membership, places.SECTIONS)
    return render(request, "settings/index.html", {"sections": sections, "ways": places.NOTICE_WAYS})
