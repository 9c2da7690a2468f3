"""Finding a prepared reply while one writes: by its words, or by what they wrote."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from rapport.store.queries.outbound import newest_inbound
from rapport.store.queries.snippets import find_snippets
from rapport.web.access import DeskRequest, desk
from rapport.web.inbox.conversation import find_conversation, list_beside


@require_safe
@desk("draft")
def search(request: DeskRequest, pk: int) -> HttpResponse:
    """What `q` finds (nothing typed: what fits best), as lines of the box to choose from, or as a page."""
    row = find_conversation(request, pk)
    words = request.GET.get("q", "")[:200]
    context = {
        "found": find_snippets(row, newest_inbound(row), words),
        "q": words,
        "here": f"/w/{request.workspace.slug}/c/{row.pk}/",
        "beside": list_beside(request, row).beside(),
        "conversation": row,
    }
    asked = request.headers.get("HX-Request")
    return render(request, "desk/snippets.html" if asked else "desk/snippets_page.html", context)
