"""Groups of rules: switched on and off as one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.core.errors import InvalidInput, Stale
from rapport.core.rules.edit import switch_group
from rapport.web.access import DeskRequest, desk
from rapport.web.forms import number
from rapport.web.rules.target import find_target, go, save_target
from rapport.web.told import told


@desk(right="configure")
@require_POST
def switch(request: DeskRequest) -> HttpResponse:
    """Switch the group `name` on or off (`on`), in the draft or in the rules in force."""
    target = find_target(request)
    name, on = request.POST.get("name", ""), request.POST.get("on") == "true"
    try:
        document = switch_group(target.document, name, on)
    except (KeyError, ValueError):
        messages.error(request, _("There is no group “%(name)s” any more.") % {"name": name[:200]})
        return go(request, "rule_list", target)
    note = (_("The group “%(name)s” on") if on else _("The group “%(name)s” off")) % {"name": name}
    try:
        messages.success(
            request, save_target(request, target, document, note, number(request.POST.get("revision", "")))
        )
    except (Stale, InvalidInput) as error:
        messages.error(request, told(error))
    return go(request, "rule_list", target)
