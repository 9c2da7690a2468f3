"""What we said of our own accord: where it stands, who approved it, answers since; and what can be done with it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import acts, holds, outbound, unknown
from rapport.actions.post_sheet import network_of, seen_drafts
from rapport.core.errors import InvalidInput, RapportError
from rapport.store.models import Delivery
from rapport.store.queries import own_posts as reads
from rapport.store.queries.outbound import ours_like
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.told import told


@require_safe
@desk("read")
def index(request: DeskRequest) -> HttpResponse:
    """The newest first, below what is being written."""
    return show(request)


def show(request: DeskRequest, status: int = 200, **said: Any) -> HttpResponse:
    """The page; `said`: what stands in the way of which post (`about`, `problem`)."""
    before = number(request.GET.get("before", "")) or None
    rows = reads.said_posts(request.workspace, before)
    member = request.membership
    found = list(reads.told_of(rows[: reads.PAGE]))
    asked = {each.delivery.pk: ours_like(each.delivery)[:5] for each in found if each.delivery.unknown_at}
    shown = {
        "drafts": seen_drafts(member) if member.may("draft") and before is None else [],
        "posts": [(each, asked.get(each.delivery.pk, []), _offers(each)) for each in found],
        "older": rows[reads.PAGE - 1].pk if len(rows) > reads.PAGE else None,
        "before": before,
        "may_send": member.may("send"),
        **said,
    }
    return render(request, "posts/index.html", shown, status=status)


def _offers(said: reads.Said) -> dict[str, bool]:
    """What the network lets us do with it now."""
    offers = network_of(said.delivery.channel).capabilities
    sent = said.delivery.state == Delivery.State.SENT and not said.changed.deletion and not said.changed.waits
    known = bool(said.delivery.external_id)
    return {"edit": sent and known and offers.edits and not said.approval.parts, "delete": sent and offers.removes}


@require_POST
@desk("send")
def act(request: DeskRequest, pk: int) -> HttpResponse:
    """Retry, take back, let out, say what became of it, edit or delete; what stands in the way is said beside it."""
    rows = Delivery.objects.of(request.workspace).filter(approval__kind="post")
    row = find(rows.select_related("approval__target", "channel", "conversation"), pk)
    member, now, text = request.membership, timezone.now(), request.POST.get("text", "")
    try:
        match request.POST.get("do", ""):
            case "retry":
                outbound.retry_delivery(member, row, now=now)
            case "cancel":
                outbound.cancel_delivery(member, row, now=now)
            case "let-through":
                holds.let_through(member, row, now=now)
            case "again":
                unknown.send_again(member, row, now=now)
            case "there":
                chosen = number(request.POST.get("post", ""))
                post = next((each for each in ours_like(row) if each.pk == chosen), None)
                unknown.say_it_is_there(member, row, post=post, link=request.POST.get("link", ""), now=now)
            case "delete":
                acts.delete_sent(member, row, now=now)
            case "edit":
                acts.edit_sent(member, row, text, seen=request.POST.get("seen"), now=now)
            case "cancel-change":
                own = Delivery.objects.of(request.workspace).filter(approval__subject=row)
                outbound.cancel_delivery(member, find(own, number(request.POST.get("change", ""))), now=now)
            case _:
                raise InvalidInput(_("This is nothing that can be done with a post."))
    except RapportError as error:
        return show(request, 422, about=row.pk, problem=told(error), typed=text)
    messages.success(request, _("Done; its state is shown below."))
    return redirect(f"/w/{request.workspace.slug}/posts/#post-{row.pk}")
