"""What the search box offers to complete: its operators, and what stands after each for this person."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rapport.core.search import HAS, IS
from rapport.store.models import Channel
from rapport.store.queries import talk
from rapport.store.queries.tags import common_tags
from rapport.web.access import DeskRequest, desk, seen_baskets
from rapport.web.display import visible_text

#: values of one operator that are offered at most
MOST = 60


@require_safe
@desk("read")
def words(request: DeskRequest) -> HttpResponse:
    """JSON: for each operator its name, what it is for, and the values that it may have."""
    answer = JsonResponse({"operators": operators(request)})
    answer.headers["Cache-Control"] = "private, max-age=60"
    return answer


def operators(request: DeskRequest) -> list[dict[str, Any]]:
    """Every operator, in the order in which they are offered."""
    member = request.membership
    channels = Channel.objects.of(request.workspace)
    networks = channels.order_by("network").values_list("network", flat=True).distinct()
    colleagues = [visible_text(str(each)).split() for each in talk.colleagues(member)]
    found: list[tuple[str, str, list[str]]] = [
        ("is", _("its state"), list(IS)),
        ("has", _("mood or intent"), list(HAS)),
        ("in", _("basket"), [basket.slug for basket in seen_baskets(request, member)]),
        ("tag", _("tag"), common_tags(member.workspace_id, MOST) if not member.is_outside else []),
        ("from", _("who wrote"), []),
        (
            "assignee",
            _("whose it is"),
            ["me", "nobody", *dict.fromkeys(name[0].lower() for name in colleagues if name)],
        ),
        ("network", _("network"), list(networks) if not member.is_outside else []),
        ("after", _("last word on that day or later"), ["today", "7d", "30d"]),
        ("before", _("last word earlier than that day"), ["today", "7d", "30d"]),
    ]
    return [{"name": name, "what": what, "values": values[:MOST]} for name, what, values in found]
