"""Drafts of colleagues who may not send: read, changed, sent as one's own word, or given back with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import draft_returns
from rapport.actions import outbound as acts
from rapport.core.errors import GuardRefused, InvalidInput, Stale
from rapport.core.guard import limit
from rapport.store.models import Conversation, Delivery, Draft
from rapport.store.queries import approvals as reads
from rapport.store.queries import own_posts
from rapport.store.queries.attachments import unsent_by, unsent_of_drafts
from rapport.web.access import DeskRequest, desk
from rapport.web.forms import number
from rapport.web.inbox.conversation import find_conversation
from rapport.web.inbox.conversation import show as show_conversation
from rapport.web.inbox.events import stream_address
from rapport.web.told import told


@require_safe
@desk("send")
def index(request: DeskRequest) -> HttpResponse:
    """Everything that waits for this person's word, the longest first."""
    return show(request)


def show(request: DeskRequest, status: int = 200, **said: Any) -> HttpResponse:
    """The page; `said`: what stands in the way of which draft (`about`, `problem`, `findings`, `typed`)."""
    due_first = request.GET.get("order") == "due"
    waiting = reads.list_waiting(request.membership, due_first)
    shown = {
        "waiting": waiting,
        "due_first": due_first,
        "limits": {each.conversation.network: limit(each.conversation.network) for each in waiting},
        "posts": own_posts.waiting_posts(request.membership)[: reads.SHOWN],
        "images": unsent_of_drafts([each.draft for each in waiting]),
        "live": stream_address(request.membership),
        **said,
    }
    return render(request, "notices/approvals.html", shown, status=status)


@require_POST
@desk("send")
def send(request: DeskRequest, pk: int) -> HttpResponse:
    """Send exactly the text of the form, as one's own word; the page shows what stands in the way."""
    draft = reads.waiting_drafts(request.membership).select_related("conversation__person").filter(pk=pk).first()
    waiting = next((each for each in reads.list_waiting(request.membership) if draft and each.draft.pk == pk), None)
    if draft is None or waiting is None:
        return _too_late(request, pk)
    text, channels = request.POST.get("text", ""), waiting.channels
    wanted = request.POST.get("channel", "")
    usual = channels[0] if channels and not wanted else None
    # an account that is not there (any more) is never replaced by another one
    channel = next((each for each in channels if str(each.pk) == wanted), usual)
    if waiting.post is None or channel is None:
        return show(
            request, 422, about=draft.pk, typed=text, problem=_("It cannot leave from here. Open the conversation.")
        )
    if str(waiting.post.pk) != request.POST.get("target", ""):
        return show(
            request, 409, about=draft.pk, typed=text, problem=_("They wrote again meanwhile: read what is new.")
        )
    version = number(request.POST.get("version", ""))
    try:
        delivery = acts.approve(
            request.membership, draft.conversation, text, target=waiting.post, channel=channel, version=version,
            images=list(unsent_by(draft.conversation, draft.author)) if draft.author else [],
            asked_by=draft.author, now=timezone.now(),
        )  # fmt: skip
    except (Stale, GuardRefused, InvalidInput) as error:
        return _refuse(request, draft, text, error)
    if delivery.state == Delivery.State.HELD:
        messages.warning(request, _("Held by the guard; the reason stands in the conversation."))
    else:
        messages.success(request, _("On its way. %(name)s is told.") % {"name": draft.author})
    return redirect("approvals", slug=request.workspace.slug)


def _refuse(request: DeskRequest, draft: Draft, text: str, error: Stale | GuardRefused | InvalidInput) -> HttpResponse:
    """What stands in the way, with the words that were typed."""
    if not reads.waiting_drafts(request.membership).filter(pk=draft.pk).exists():
        return _too_late(request, draft.pk)
    shown: dict[str, Any] = {"about": draft.pk, "typed": text}
    if isinstance(error, Stale):
        problem = _("The conversation moved on while you read. Look at it again, then send.")
        return show(request, 409, problem=problem, **shown)
    if isinstance(error, GuardRefused):
        problem = _("The guard does not let this out as it is.")
        return show(request, 422, problem=problem, findings=error.verdict.findings, **shown)
    return show(request, 422, problem=told(error), **shown)


@require_POST
@desk("send")
def give_back(request: DeskRequest, pk: int) -> HttpResponse:
    """Back to its author, with the reason (`reason`)."""
    rows = reads.waiting_drafts(request.membership).select_related("author__user", "conversation__basket")
    draft: Draft | None = rows.filter(pk=pk).first()
    if draft is None:
        return _returned_too_late(request, pk)
    try:
        draft_returns.return_draft(request.membership, draft, request.POST.get("reason", ""), now=timezone.now())
    except InvalidInput as error:
        if not rows.filter(pk=pk).exists():
            return _returned_too_late(request, pk)
        return show(request, 422, about=draft.pk, problem=told(error), reason=request.POST.get("reason", ""))
    messages.success(request, _("Returned to %(name)s.") % {"name": draft.author})
    return redirect("approvals", slug=request.workspace.slug)


def _too_late(request: DeskRequest, pk: int) -> HttpResponse:
    """A colleague was faster: the conversation, with what they did and this person's words in its box."""
    row = find_conversation(request, number(request.POST.get("conversation", "")))
    problem = f"{_say_settled(row, pk)} {_('Your words are kept here.')}"
    return show_conversation(request, row, 409, typed=request.POST, problem=problem)


def _returned_too_late(request: DeskRequest, pk: int) -> HttpResponse:
    row = find_conversation(request, number(request.POST.get("conversation", "")))
    reason = " ".join(request.POST.get("reason", "").split())
    kept = _("Nobody was sent your reason: “%(reason)s”") % {"reason": reason} if reason else ""
    return show(request, 409, gone=f"{_say_settled(row, pk)} {kept}".strip(), gone_from=row)


def _say_settled(row: Conversation, pk: int) -> str:
    settled = reads.how_settled(row, pk)
    name = settled.by or _("A former colleague")
    if settled.how == "sent":
        return _("%(name)s sent an answer meanwhile.") % {"name": name}
    if settled.how == "returned":
        return _("%(name)s gave this draft back meanwhile: “%(reason)s”") % {"name": name, "reason": settled.reason}
    return _("This draft does not wait for anybody any more.")
