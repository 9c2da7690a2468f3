"""Who is at which conversation, as the open pages show it: faces on the rows and in the head, words of who writes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import presence as acts
from rapport.actions.drafts import save_draft
from rapport.store.models import Conversation, Membership, Presence
from rapport.store.queries.presence import claim_of, is_writing, present_now, words_of
from rapport.web.access import DeskRequest, desk
from rapport.web.forms import number
from rapport.web.inbox.conversation import change, find_conversation


@require_safe
@desk("read")
def faces(request: DeskRequest) -> HttpResponse:
    """Faces by conversation, and for the open one (`c`) who writes there."""
    chosen = number(request.GET.get("c", ""))
    return answer(request, find_conversation(request, chosen) if chosen else None)


@require_POST
@desk("read")
def beat(request: DeskRequest, pk: int) -> HttpResponse:
    """The page is still open (`writing`: somebody typed in it; `gone`: it is being closed)."""
    row, token = find_conversation(request, pk), request.POST.get("token", "")
    if request.POST.get("gone"):
        acts.leave(request.membership, row, token=token, now=timezone.now())
        return HttpResponse(status=204)
    writing = bool(request.POST.get("writing"))
    acts.look_at(request.membership, row, writing=writing, token=token, now=timezone.now())
    return answer(request, row, token)


@require_POST
@desk("draft")
def take_over(request: DeskRequest, pk: int) -> HttpResponse:
    """Write instead of the colleague who does."""
    token = request.POST.get("token", "") or "form"
    if "text" in request.POST:
        # a page without scripts brings its form along, and no pause in typing has kept what is in it
        text, begun = request.POST["text"], request.POST.get("begun", "")
        save_draft(request.membership, find_conversation(request, pk), text, begun=begun, now=timezone.now())
    said = _("You write here now. Your colleague is told; their words are kept.")
    return change(request, pk, lambda row, now: acts.take_over(request.membership, row, token=token, now=now), said)


def answer(request: DeskRequest, row: Conversation | None, token: str = "") -> JsonResponse:
    """`{"faces": {id: html}, "open": id, "seat": html, "locked": bool}`; nothing of what this person may not see."""
    now, member = timezone.now(), request.membership
    by_row: dict[int, list[Presence]] = {}
    for each in present_now(member, now):
        by_row.setdefault(each.conversation_id, []).append(each)
    told: dict[str, Any] = {
        "faces": {
            str(pk): render_to_string("desk/here.html", {"present": [(one, is_writing(one, now)) for one in there]})
            for pk, there in by_row.items()
        }
    }
    if row is not None:
        told |= {"open": row.pk, **seat(member, row, token)}
    return JsonResponse(told, headers={"Cache-Control": "no-store"})


def seat(member: Membership, row: Conversation, token: str = "") -> dict[str, Any]:
    """What stands above the box while somebody else writes, and whether the box waits for them.

    `token`: of the page; one's own other window is told of, and nothing waits for it.
    """
    claim = claim_of(row, timezone.now())
    if claim is not None and claim.membership_id == member.pk and token and claim.token not in {token, "form"}:
        return {"seat": render_to_string("desk/seat_own.html"), "locked": False}
    if claim is None or claim.membership_id == member.pk or member.may("draft") is not True:
        return {"seat": "", "locked": False}
    context = {
        "claim": claim,
        "words": words_of(claim),
        "here": f"/w/{member.workspace.slug}/c/{row.pk}/",
    }
    return {"seat": render_to_string("desk/seat.html", context), "locked": True}
