"""What colleagues write down about a person: notes, fields of the workspace, consent."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.actions.consents import set_consent, withdraw_consent
from rapport.actions.person_fields import set_value
from rapport.actions.person_notes import add_person_note, remove_person_note
from rapport.core.errors import InvalidInput, Stale
from rapport.store.models import Consent, Person, PersonField
from rapport.store.queries import people as reads
from rapport.store.queries.person_facts import visible_notes
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.people import decide
from rapport.web.told import told


@require_POST
@desk("note")
def note(request: DeskRequest, pk: int) -> HttpResponse:
    """Write a note on the person (`text`)."""
    text = request.POST.get("text", "")
    said = _("Noted, for whoever meets them next.")
    return decide(request, pk, lambda row, now: add_person_note(request.membership, row, text, now=now), said)


@require_POST
@desk("note")
def remove_note(request: DeskRequest, pk: int) -> HttpResponse:
    """Take a note back (`note`): one's own, or, for a lead, anybody's."""
    row = find(reads.visible_people(request.membership), pk)
    notes = visible_notes(request.membership).filter(person=row).select_related("person")
    if not request.membership.may("configure"):
        notes = notes.filter(author=request.membership)
    written = find(notes, number(request.POST.get("note", "")))
    said = _("The note is taken back.")
    return decide(request, pk, lambda _row, now: remove_person_note(request.membership, written, now=now), said)


@require_POST
@desk("people")
def fields(request: DeskRequest, pk: int) -> HttpResponse:
    """What the person has in the fields of the workspace, one `field-ID` each; fields that are not named stay, and so
    do those that nobody touched on the page (`was-ID`: what it showed).
    """
    named = {name: value for name, value in request.POST.items() if name.startswith("field-") and number(name[6:]) > 0}
    rows = PersonField.objects.of(request.workspace).in_bulk([number(name[6:]) for name in named][:100])

    def act(row: Person, now: dt.datetime) -> None:
        problems = []
        for name, value in named.items():
            seen = request.POST.get(f"was-{name[6:]}")
            if (field := rows.get(number(name[6:]))) is None or value == seen:
                continue
            try:
                set_value(request.membership, row, field, str(value), seen=seen, now=now)
            except (InvalidInput, Stale) as error:
                problems.append(told(error))
        if problems:
            raise InvalidInput(" ".join(problems))

    return decide(request, pk, act, _("Saved."))


@require_POST
@desk("people")
def consent(request: DeskRequest, pk: int) -> HttpResponse:
    """They allowed or refused something (`purpose`, `given` yes or no, `source`), or took it back (`withdraw`)."""
    member = request.membership
    if "withdraw" in request.POST:
        row = find(reads.visible_people(member), pk)
        standing = Consent.objects.of(request.workspace).filter(person=row).select_related("person")
        taken = find(standing, number(request.POST["withdraw"]))
        return decide(request, pk, lambda _row, now: withdraw_consent(member, taken, now=now), _("Taken back."))
    purpose, source = request.POST.get("purpose", ""), request.POST.get("source", "")
    given = request.POST.get("given") == "yes"
    return decide(
        request, pk, lambda row, now: set_consent(member, row, purpose, given, source, now=now), _("Written down.")
    )
