"""The accounts of other firms: shown in a thread that they answer in, and counted before we answer too."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from rapport.actions import brands as acts
from rapport.core.errors import InvalidInput
from rapport.store.models import BrandHandle
from rapport.store.queries.topics import networks_of
from rapport.web.access import DeskRequest, desk, find
from rapport.web.told import told


@require_http_methods(["GET", "HEAD", "POST"])
@desk("configure")
def index(request: DeskRequest) -> HttpResponse:
    """The list, and one more (`network`, `handle`, `name`)."""
    problem = ""
    if request.method == "POST":
        asked = {field: request.POST.get(field, "") for field in ("network", "handle", "name")}
        try:
            row = acts.add_brand(request.membership, **asked, now=timezone.now())
        except InvalidInput as error:
            problem = told(error)
        else:
            messages.success(request, _("%(name)s counts as a firm from now on.") % {"name": row.name})
            return redirect("brands", slug=request.workspace.slug)
    context = {
        "rows": BrandHandle.objects.of(request.workspace).select_related("by__user").order_by("name", "pk"),
        "networks": networks_of(request.workspace.pk),
        "problem": problem,
        "typed": request.POST if problem else {},
    }
    return render(request, "settings/brands.html", context, status=422 if problem else 200)


@require_POST
@desk("configure")
def remove(request: DeskRequest, pk: int) -> HttpResponse:
    """It speaks for nobody but itself."""
    row = find(BrandHandle.objects.of(request.workspace), pk)
    name = row.name
    acts.remove_brand(request.membership, row, now=timezone.now())
    messages.success(request, _("%(name)s is taken off the list.") % {"name": name})
    return redirect("brands", slug=request.workspace.slug)
