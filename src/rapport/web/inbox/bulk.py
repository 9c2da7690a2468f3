"""Acting on several conversations of a list at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import bulk as acts
from rapport.actions.undo import newest_deed
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.queries import desk as reads
from rapport.store.queries import talk
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.inbox.conversation import baskets_to_move_to, own_time, snooze_choices
from rapport.web.told import told


@require_safe
@desk("triage")
def bulk_bar(request: DeskRequest) -> HttpResponse:
    """The bar with what can be done."""
    return render(request, "desk/bulk.html", choices(request))


@require_POST
@desk("triage")
def bulk(request: DeskRequest) -> HttpResponse:
    """Do `verb` on every conversation `id`; all of them, or none.

    Answers JSON: `say`, a sentence; `deed`, to undo it; `done` and `kept`, how many were changed and how many not. A
    conversation out of sight is the 404 of everything that is not there.
    """
    now = timezone.now()
    verb = request.POST.get("verb", "")
    ids = [number(each) for each in request.POST.getlist("id")]
    try:
        done = acts.change(request.membership, ids, verb, now=now, **fields_of(request, verb, now))  # type: ignore[arg-type]  # checked there
    except NotAllowed:
        raise Http404 from None
    except InvalidInput as problem:
        return JsonResponse({"say": told(problem), "done": 0, "kept": len(ids)}, status=400)
    line = ngettext("%(n)d conversation changed.", "%(n)d conversations changed.", len(done.done))
    said = line % {"n": len(done.done)}
    if done.kept:
        said = _("%(said)s %(n)d not: %(why)s") % {"said": said, "n": len(done.kept), "why": done.kept[0][1]}
    deed = newest_deed(request.membership, now=now)
    mine = deed.pk if deed is not None and deed.at == now else None
    return JsonResponse({"say": said, "deed": mine, "done": len(done.done), "kept": len(done.kept)})


def choices(request: DeskRequest) -> dict[str, Any]:
    """What the menus of the bar offer."""
    member = request.membership
    return {
        "members": [each for each in talk.colleagues(member) if each.pk != member.pk],
        "targets": baskets_to_move_to(request),
        "snoozes": snooze_choices(timezone.now()),
        "may_take": member.may("draft"),
    }


def fields_of(request: DeskRequest, verb: str, now: dt.datetime) -> dict[str, Any]:
    """What the act takes, out of the form. Raises `InvalidInput` for what cannot be read, `Http404` for the foreign."""
    value = request.POST.get("value", "")
    if verb == "assign":
        if value == "me":
            return {"assignee": request.membership}
        members = reads.visible_colleagues(request.membership).select_related("user")
        return {"assignee": find(members, number(value)) if value else None}
    if verb == "snooze":
        times = {name: when for name, _label, when in snooze_choices(now)}
        return {"until": times.get(value) or own_time(value)}
    if verb == "move":
        basket = next((each for each in baskets_to_move_to(request) if each.slug == value), None)
        if basket is None:
            raise Http404
        return {"basket": basket}
    if verb == "prioritise":
        if value not in {"0", "1", "2", "3"}:
            raise InvalidInput(_("Choose a priority: low, medium, high or urgent."))
        return {"priority": int(value)}
    return {"name": value} if verb in {"tag", "untag"} else {}
