"""Saying how soon a conversation should be answered."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.actions import desk as acts
from rapport.core.errors import InvalidInput
from rapport.web.access import DeskRequest, desk
from rapport.web.inbox.conversation import change
from rapport.web.templatetags.list_words import priorities


@require_POST
@desk("triage")
def prioritise(request: DeskRequest, pk: int) -> HttpResponse:
    """Set the priority (`priority`: 0 low to 3 urgent), until their next word."""
    wanted = request.POST.get("priority", "")
    words = {str(value): word for value, word in priorities()}
    if wanted not in words:
        raise InvalidInput(_("Choose a priority: low, medium, high or urgent."))
    said = _("Priority: %(level)s.") % {"level": words[wanted]}
    return change(request, pk, lambda row, now: acts.prioritise(request.membership, row, int(wanted), now=now), said)
