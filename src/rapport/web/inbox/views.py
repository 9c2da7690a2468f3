"""Saved views: keeping the list that one looks at, and the page on which they are put in order."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import views as acts
from rapport.core.errors import InvalidInput, RapportError
from rapport.store.models import SavedView
from rapport.store.queries.views import visible_views
from rapport.web.access import DeskRequest, desk, find, seen_baskets
from rapport.web.inbox.asked import asked_of
from rapport.web.told import told

#: fields of the form that are not filters of the list
FORM = frozenset({"csrfmiddlewaretoken", "name", "shared", "over"})


@require_safe
@desk("read")
def index(request: DeskRequest) -> HttpResponse:
    """All views that this person may know of."""
    slugs = {basket.slug for basket in seen_baskets(request, request.membership)}
    root = f"/w/{request.workspace.slug}/"
    rows = []
    for view in visible_views(request.membership):
        try:
            asked = asked_of(view.asked)
        except InvalidInput as problem:
            rows.append((view, "", told(problem)))
            continue
        seen = not asked.basket or asked.basket in slugs
        if seen or view.owner_id is not None:
            rows.append((view, f"{root}views/{view.pk}/", "" if seen else _("You do not see its basket any more.")))
    own = [row for row in rows if row[0].owner_id is not None]
    shared = [row for row in rows if row[0].owner_id is None]
    context = {"own": own, "shared": shared, "may_share": request.membership.may("configure")}
    return render(request, "desk/views.html", context)


@require_safe
@desk("read")
def view(request: DeskRequest, pk: int) -> HttpResponse:
    """To the list of a view."""
    row = find(visible_views(request.membership), pk)
    return HttpResponseRedirect(_address(request, row))


@require_POST
@desk("read")
def save(request: DeskRequest) -> HttpResponse:
    """Keep a list under `name`, for everybody with `shared`, or in place of the view `over`.

    Every other field is a filter of the list; one that no list has is refused as a whole (400).
    """
    member, now = request.membership, timezone.now()
    kept = asked_of({name: value for name, value in request.POST.items() if name not in FORM and value}).kept()
    over = request.POST.get("over", "")
    shared = request.POST.get("shared") == "yes"
    if over:
        row = acts.change_view(member, _find(request, over), asked=kept, now=now)
    else:
        row = acts.save_view(member, request.POST.get("name", ""), kept, shared=shared, now=now)
    messages.success(request, _("Kept as “%(name)s”.") % {"name": row.name})
    return HttpResponseRedirect(_address(request, row), status=303)


@require_POST
@desk("read")
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """What a person does to a view (`do`): rename (`name`), share, unshare, up, down, remove."""
    member, now = request.membership, timezone.now()
    row, do = _find(request, str(pk)), request.POST.get("do", "")
    try:
        if do in {"up", "down"}:
            acts.shift_view(member, row, up=do == "up", now=now)
        elif do in {"share", "unshare"}:
            acts.change_view(member, row, shared=do == "share", now=now)
        elif do == "remove":
            acts.remove_view(member, row, now=now)
            messages.success(request, _("“%(name)s” is removed.") % {"name": row.name})
        else:
            acts.change_view(member, row, name=request.POST.get("name", ""), now=now)
            messages.success(request, _("Renamed."))
    except RapportError as problem:
        messages.error(request, told(problem))
    return HttpResponseRedirect(f"/w/{request.workspace.slug}/views/", status=303)


def _find(request: DeskRequest, pk: str) -> SavedView:
    return find(visible_views(request.membership), int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0)


def _address(request: DeskRequest, row: SavedView) -> str:
    """The list of a view, with the view's name above it. Raises `InvalidInput` for filters that no list has."""
    asked = asked_of(row.asked)
    return asked.of_view(row.pk).address(f"/w/{request.workspace.slug}/")
