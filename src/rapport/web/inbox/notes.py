"""Notes that name colleagues: where one was named, and changing a note of one's own."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import mentions as acts
from rapport.store.models import Note
from rapport.store.queries.mentions import may_be_named, mentions_of
from rapport.web.access import DeskRequest, desk, find
from rapport.web.inbox.conversation import change, find_conversation


@require_safe
@desk("read")
def named(request: DeskRequest) -> HttpResponse:
    """Notes in which this person was named, the newest first."""
    return render(request, "desk/named.html", {"mentions": mentions_of(request.membership)})


@require_safe
@desk("note")
def names(request: DeskRequest, pk: int) -> HttpResponse:
    """Who may be named in a note here, as choices of a list."""
    row = find_conversation(request, pk)
    return render(request, "desk/names.html", {"people": may_be_named(request.membership, row)})


@require_POST
@desk("note")
def edit(request: DeskRequest, pk: int, note: int) -> HttpResponse:
    """New words (`text`) for a note of one's own, or none any more (`remove`)."""
    row = find_conversation(request, pk)
    found = find(Note.objects.of(request.workspace).filter(conversation=row, author=request.membership), note)
    if request.POST.get("remove"):
        return change(
            request, pk, lambda talk, now: acts.remove_note(request.membership, talk, found, now=now), _("Taken back.")
        )
    text, said = request.POST.get("text", ""), _("Note changed.")
    return change(request, pk, lambda talk, now: acts.edit_note(request.membership, talk, found, text, now=now), said)
