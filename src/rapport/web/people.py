"""One person: everything that was between us, and what we decide about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import people as acts
from rapport.actions.ladder import handle_step
from rapport.core.errors import InvalidInput, RapportError
from rapport.core.roles import RIGHTS
from rapport.store.models import Handle, Person
from rapport.store.queries import identity
from rapport.store.queries import people as reads
from rapport.store.queries.desk import visible_conversations
from rapport.store.queries.ladder import read_standing, visible_steps
from rapport.web.access import DeskRequest, desk, find
from rapport.web.flash import say_done
from rapport.web.forms import number
from rapport.web.told import told

SHOWN = 100  # conversations on the page


@require_safe
@desk("read")
def person(request: DeskRequest, pk: int) -> HttpResponse:
    """The person's page: handles, moods, and every conversation that the reader may see.

    The address of somebody who was joined to another leads there, as far as the reader sees them.
    """
    people = reads.visible_people(request.membership).select_related("known_to__user")
    try:
        row = find(people, pk)
    except Http404:
        row = find(people, identity.living(request.workspace.pk, min(pk, 2**63 - 1)))
        return HttpResponseRedirect(f"/w/{request.workspace.slug}/people/{row.pk}/")
    talks = visible_conversations(request.membership).filter(person=row).exclude(state__in=["merged", "unopened"])
    context = {
        "profile": reads.profile(request.membership, row),
        "joins": identity.told_joins(row, request.membership),
        "standing": read_standing(row, request.membership),
        "talks": talks.select_related("basket", "assignee__user").order_by("-last_post_at")[:SHOWN],
        "can": {right: request.membership.may(right) for right in RIGHTS},
    }
    return render(request, "people/person.html", context)


@require_POST
@desk("people")
def ignore(request: DeskRequest, pk: int) -> HttpResponse:
    """Leave somebody deliberately unanswered (`ignored=yes` with `reason`, `until` and `review`), take that back
    (`ignored=no`), or say after a review that it is still right (`ignored=keep`).
    """
    member, wanted = request.membership, request.POST.get("ignored", "")
    if wanted == "keep":
        said = _("Still ignored; somebody is asked again in three months.")
        return decide(request, pk, lambda row, now: acts.keep_ignoring(member, row, now=now), said)
    if wanted != "yes":
        return decide(request, pk, lambda row, now: acts.stop_ignoring(member, row, now=now), _("No longer ignored."))
    reason, days = request.POST.get("reason", ""), {name: request.POST.get(name, "") for name in ("until", "review")}

    def act(row: Person, now: dt.datetime) -> object:
        until, review_at = own_day(days["until"]), own_day(days["review"])
        return acts.ignore_person(member, row, reason, until=until, review_at=review_at, now=now)

    return decide(request, pk, act, _("Ignored from now on; who decided it, and why, is on record."))


@require_POST
@desk("triage")
def step(request: DeskRequest, pk: int, step: int) -> HttpResponse:
    """Say what became of a step of the ladder (`way`, `note`)."""
    row = find(reads.visible_people(request.membership), pk)
    reached = find(visible_steps(row, request.membership), step)
    way, note = request.POST.get("way", ""), request.POST.get("note", "")
    said = _("Set down, with your name.")
    return decide(request, pk, lambda _row, now: handle_step(request.membership, reached, way, note, now=now), said)


def own_day(text: str) -> dt.datetime | None:
    """`2026-11-30`, the morning of it in the person's zone; empty: none. Raises `InvalidInput`."""
    if not text.strip():
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise InvalidInput(_("Write the day as year, month, day: 2026-11-30."))
    return timezone.make_aware(dt.datetime.combine(day, dt.time(9)))


@require_POST
@desk("people")
def suppress(request: DeskRequest, pk: int) -> HttpResponse:
    """Never write to somebody again (`reason`), or, for a lead, take that back (`lift`: why they may be)."""
    if "lift" in request.POST:
        why, said = request.POST["lift"], _("They may be written to again.")
        return decide(request, pk, lambda row, now: acts.lift_suppression(request.membership, row, why, now=now), said)
    reason, said = request.POST.get("reason", ""), _("Nothing goes to them any more.")
    return decide(request, pk, lambda row, now: acts.suppress_person(request.membership, row, reason, now=now), said)


@require_POST
@desk("people")
def relationship(request: DeskRequest, pk: int) -> HttpResponse:
    """Name what they are to us."""
    wanted = request.POST.get("relationship", "")
    return decide(
        request, pk, lambda row, now: acts.set_relationship(request.membership, row, wanted, now=now), _("Saved.")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk("people")
def join(request: DeskRequest, pk: int) -> HttpResponse:
    """Look for who may be the same person (`q`), see both side by side (`with`), and join them (POST, `evidence`)."""
    people = reads.visible_people(request.membership)
    row = find(people, pk)
    asked = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {"person": row}
    if "with" not in asked:
        words = request.GET.get("q", "").strip()[:200]
        likely = identity.likely_same(request.membership, row)
        found = identity.search_people(request.membership, words, row)
        return render(request, "people/join.html", {**context, "words": words, "found": found, "likely": likely})
    other = find(people.exclude(pk=row.pk), number(asked["with"]))
    problem = ""
    if request.method == "POST":
        try:
            acts.join_people(request.membership, row, other, asked.get("evidence", ""), now=timezone.now())
        except InvalidInput as error:
            problem = told(error)
        else:
            messages.success(request, _("They are one person now. This can be undone below."))
            return to_person(request, row)
    sides = [reads.profile(request.membership, each) for each in (row, other)]
    context |= {
        "other": other, "sides": sides, "problem": problem, "evidence": asked.get("evidence", ""),
        "stricter": any(each.ignored or each.suppressed_reason for each in (row, other)),
    }  # fmt: skip
    return render(request, "people/join.html", context, status=422 if problem else 200)


@require_POST
@desk("people")
def split(request: DeskRequest, pk: int) -> HttpResponse:
    """Undo one of the joins (`join`) that this person is made of."""
    row = find(reads.visible_people(request.membership), pk)
    wanted = number(request.POST.get("join", ""))
    merge = next((each for each in identity.joins_in_sight(row, request.membership) if each.pk == wanted), None)
    if merge is None:
        raise Http404
    said = _("They are two again.")
    return decide(request, pk, lambda _row, now: acts.split_people(request.membership, merge, now=now), said)


@require_POST
@desk("people")
def split_handle(request: DeskRequest, pk: int) -> HttpResponse:
    """Give one of their handles (`handle`) a person of its own."""
    row = find(reads.visible_people(request.membership), pk)
    handles = Handle.objects.of(request.workspace).filter(person=row).select_related("person")
    handle = find(handles, number(request.POST.get("handle", "")))
    said = _("The handle has a person of its own now.")
    return decide(request, pk, lambda _row, now: acts.split_handle(request.membership, handle, now=now), said)


@require_POST
@desk("people")
def automated(request: DeskRequest, pk: int) -> HttpResponse:
    """Say of one of their accounts (`handle`) that it is a bot (`word=yes`), is none (`no`), or take that back."""
    row = find(reads.visible_people(request.membership), pk)
    handles = Handle.objects.of(request.workspace).filter(person=row, ours=False).select_related("person")
    handle = find(handles, number(request.POST.get("handle", "")))
    word = {"yes": True, "no": False}.get(request.POST.get("word", ""))
    said = {
        True: _("A bot, then; no machine of ours will answer it."),
        False: _("Not a bot; your word stands above the score."),
        None: _("Taken back; the score counts again."),
    }[word]
    return decide(request, pk, lambda _row, now: acts.say_automated(request.membership, handle, word, now=now), said)


def to_person(request: DeskRequest, row: Person) -> HttpResponse:
    """To the page of a person."""
    return HttpResponseRedirect(f"/w/{request.workspace.slug}/people/{row.pk}/", status=303)


def decide(request: DeskRequest, pk: int, act: Callable[[Person, dt.datetime], object], said: str) -> HttpResponse:
    """Find, act, and back to where the person was."""
    row, now = find(reads.visible_people(request.membership), pk), timezone.now()
    try:
        act(row, now)
    except RapportError as error:
        messages.error(request, told(error))
    else:
        say_done(request, said, now=now)
    back = request.POST.get("back", "")
    inside = back.startswith(f"/w/{request.workspace.slug}/") and url_has_allowed_host_and_scheme(back, None)
    return HttpResponseRedirect(back if inside else f"/w/{request.workspace.slug}/people/{row.pk}/", status=303)
