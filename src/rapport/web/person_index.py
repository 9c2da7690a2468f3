"""Everybody whom this desk has met: found by name or handle, narrowed by what is known of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rapport.actions.people import RELATIONSHIPS
from rapport.store.models import PersonField
from rapport.store.queries.person_list import SHOWN, Wanted, list_people
from rapport.web.access import DeskRequest, desk
from rapport.web.forms import number
from rapport.web.templatetags.desk_words import relationship_name

STATES = ("", "suppressed", "ignored", "known")
MAX_WORDS = 200  # characters


@require_safe
@desk("read")
def index(request: DeskRequest) -> HttpResponse:
    """A page of people, those whom we met last first; `q`, `relationship`, `state`, `field` with `value`, `before`."""
    member, asked = request.membership, request.GET
    fields = [] if member.is_outside else list(PersonField.objects.of(request.workspace))
    field = next((each for each in fields if each.pk == number(asked.get("field", ""))), None)
    wanted = Wanted(
        words=asked.get("q", "").replace("\x00", "").strip()[:MAX_WORDS],
        relationship=_one_of(asked.get("relationship", ""), RELATIONSHIPS),
        state=_one_of(asked.get("state", ""), STATES),
        field=field.pk if field else 0,
        value=asked.get("value", "").replace("\x00", "").strip()[:MAX_WORDS] if field else "",
        before=number(asked.get("before", "")),
    )
    rows = list_people(member, wanted)
    shown = rows[:SHOWN]
    context: dict[str, Any] = {
        "rows": shown,
        "wanted": wanted,
        "narrowed": any((wanted.words, wanted.relationship, wanted.state, wanted.field)),
        "fields": fields,
        "relationships": [(each, relationship_name(each)) for each in RELATIONSHIPS if each],
        "states": [
            ("suppressed", _("never written to")), ("ignored", _("deliberately not answered")),
            ("known", _("known to a colleague")),
        ],
        "older": _older(wanted, shown[-1].person.pk) if len(rows) > SHOWN else "",
    }  # fmt: skip
    return render(request, "people/index.html", context)


def _older(wanted: Wanted, last: int) -> str:
    """The query of the next page."""
    told = {**msgspec.structs.asdict(wanted), "before": last}
    told["q"] = told.pop("words")
    return urlencode({name: value for name, value in told.items() if value})


def _one_of(text: str, known: tuple[str, ...]) -> str:
    return text if text in known else ""
