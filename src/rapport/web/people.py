"""One person: everything that was between us, and what we decide about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import people as acts
from rapport.core.errors import RapportError
from rapport.core.roles import RIGHTS
from rapport.store.models import Person
from rapport.store.queries import people as reads
from rapport.store.queries.desk import visible_conversations
from rapport.web.access import DeskRequest, desk, find

SHOWN = 100  # conversations on the page


@require_safe
@desk("read")
def person(request: DeskRequest, pk: int) -> HttpResponse:
    """The person's page: handles, moods, and every conversation that the reader may see."""
    row = find(reads.visible_people(request.membership).select_related("known_to__user"), pk)
    talks = visible_conversations(request.membership).filter(person=row).exclude(state__in=["merged", "unopened"])
    context = {
        "profile": reads.profile(request.membership, row),
        "talks": talks.select_related("basket", "assignee__user").order_by("-last_post_at")[:SHOWN],
        "can": {right: request.membership.may(right) for right in RIGHTS},
    }
    return render(request, "people/person.html", context)


@require_POST
@desk("triage")
def ignore(request: DeskRequest, pk: int) -> HttpResponse:
    """Leave somebody deliberately unanswered (`ignored=yes`), or take that back."""
    wanted = request.POST.get("ignored") == "yes"
    said = _("Ignored from now on; who decided it is on record.") if wanted else _("No longer ignored.")
    return decide(request, pk, lambda row, now: acts.ignore_person(request.membership, row, wanted, now=now), said)


@require_POST
@desk("triage")
def suppress(request: DeskRequest, pk: int) -> HttpResponse:
    """Never write to somebody again (`reason`), or take that back with an empty reason."""
    reason = request.POST.get("reason", "")
    said = _("Nothing goes to them any more.") if reason.strip() else _("They may be written to again.")
    return decide(request, pk, lambda row, now: acts.suppress_person(request.membership, row, reason, now=now), said)


@require_POST
@desk("triage")
def relationship(request: DeskRequest, pk: int) -> HttpResponse:
    """Name what they are to us."""
    wanted = request.POST.get("relationship", "")
    return decide(
        request, pk, lambda row, now: acts.set_relationship(request.membership, row, wanted, now=now), _("Saved.")
    )


def decide(request: DeskRequest, pk: int, act: Callable[[Person, dt.datetime], object], said: str) -> HttpResponse:
    """Find, act, and back to where the person was."""
    row = find(reads.visible_people(request.membership), pk)
    try:
        act(row, timezone.now())
    except RapportError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    back = request.POST.get("back", "")
    inside = back.startswith(f"/w/{request.workspace.slug}/") and url_has_allowed_host_and_scheme(back, None)
    return HttpResponseRedirect(back if inside else f"/w/{request.workspace.slug}/people/{row.pk}/", status=303)
