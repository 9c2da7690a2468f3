"""The help: every page says what one page of the desk is for."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from rapport.web.access import PersonRequest, signed_in
from rapport.web.help.pages import ENGLISH, INDEX, page_for, pages, shown


@require_safe
@signed_in
def index(request: PersonRequest) -> HttpResponse:
    """To the help of the page `from`, else to the list of all pages."""
    return redirect("help_page", page=page_for(request.GET.get("from", "")))


@require_safe
@signed_in
def page(request: PersonRequest, page: str) -> HttpResponse:
    """One page, in the language of the reader where it is written in it."""
    written = pages((get_language() or ENGLISH).split("-")[0])
    found = written.get(page)
    if found is None:
        raise Http404
    howtos = sorted((each for each in written.values() if each.folder == "howto"), key=lambda each: each.title)
    context = {"page": found, "html": shown(found), "howtos": howtos if page == INDEX else ()}
    return render(request, "help/page.html", context)
