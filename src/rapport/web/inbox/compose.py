"""Writing and sending: the draft that is kept, the guard's word while one writes, the approval, what became of it."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from rapport.actions import outbound as acts
from rapport.core.errors import GuardRefused, InvalidInput, RapportError, Stale
from rapport.core.guard import OVERRIDABLE, Policy, check, length, limit
from rapport.core.reply import Verdict
from rapport.store.models import Channel, Conversation, Delivery, Post, PreparedReply
from rapport.store.queries.outbound import prepare_draft, read_guard_facts, reply_of
from rapport.store.queries.talk import speaking_channels
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.inbox.composer import is_typed
from rapport.web.inbox.conversation import change, done, find_conversation, show


@require_POST
@desk("draft")
def draft(request: DeskRequest, pk: int) -> HttpResponse:
    """Keep what somebody is writing, and answer with the guard's findings on it and the time of saving."""
    row = find_conversation(request, pk)
    text = request.POST.get("text", "")
    saved = acts.save_draft(request.membership, row, text, begun=request.POST.get("begun", ""), now=timezone.now())
    verdict = weigh(request, row, text)
    findings = verdict.findings if verdict and text.strip() else ()
    clean = verdict is not None and not findings and bool(text.strip())
    context = {"findings": findings, "clean": clean, "overridable": overridable(request)}
    response = render(request, "desk/findings.html", context)
    told = {
        "say": _("Saved %(time)s") % {"time": date_format(timezone.localtime(saved.updated_at), "H:i")},
        "left": left_in_words(row.network, text),
    }
    response.headers["HX-Trigger"] = json.dumps({"desk-saved": told})
    return response


@require_POST
@desk("draft")
def begin(request: DeskRequest, pk: int) -> HttpResponse:
    """Put a prepared reply (`begin`: its slug) into the box, names filled in.

    Words that a person typed are not replaced before they said so (`replace` instead of `begin`). A script gets the
    text as JSON, or the question as HTML; without one the page comes back with either.
    """
    row = find_conversation(request, pk)
    sure = request.POST.get("replace", "")
    reply = find(PreparedReply.objects.of(request.workspace), slug=sure or request.POST.get("begin", ""))
    prepared = prepare_draft(row, request.membership, reply.slug)
    if prepared is None:
        raise Http404
    text, begun = request.POST.get("text", ""), request.POST.get("begun", "")
    ask = not sure and is_typed(row, request.membership, text, begun)
    if not request.headers.get("HX-Request"):
        slugs = {"ask": reply.slug} if ask else {"begin": reply.slug}
        return show(request, row, 200, typed=request.POST, **slugs)
    if ask:
        return render(request, "desk/ask.html", {"asked": reply, "here": f"/w/{request.workspace.slug}/c/{row.pk}/"})
    say = _("Draft from “%(name)s”, read it and make it yours") % {"name": reply.name}
    return JsonResponse({"text": prepared.text, "begun": reply.slug, "say": say})


def left_in_words(network: str, text: str) -> str:
    """How much of the network's length is left, as the guard counts."""
    most = limit(network)
    left = most - length(text.strip(), network)
    if left < 0:
        return _("%(over)d too many for %(limit)d") % {"over": -left, "limit": most}
    return _("%(left)d of %(limit)d left") % {"left": left, "limit": most}


def weigh(request: DeskRequest, row: Conversation, text: str) -> Verdict | None:
    """The guard's word on this text as it would go out now; None where it could not go out at all."""
    place = chosen_place(request, row)
    if place is None:
        return None
    target, channel = place
    reply = reply_of(channel, target, text.replace("\r\n", "\n").strip(), request.membership)
    now = timezone.now()
    facts = read_guard_facts(reply, row, target, channel, request.workspace, request.POST.getlist("despite"), now)
    return check(reply, facts, Policy(), now)


def chosen_place(request: DeskRequest, row: Conversation) -> tuple[Post, Channel] | None:
    """The post that the form answers and the account that speaks; None when either is not there."""
    posts = (
        Post.objects.of(request.workspace).filter(conversation_id=row.pk, ours=False).select_related("handle__person")
    )
    target = posts.filter(pk=number(request.POST.get("target", ""))).first()
    wanted = request.POST.get("channel", "")
    channel = next((each for each in speaking_channels(row) if str(each.pk) == wanted), None)
    return (target, channel) if target and channel else None


def overridable(request: DeskRequest) -> frozenset[str]:
    """Rules of the guard that this person may set aside for one reply."""
    return frozenset(OVERRIDABLE) if request.membership.may("configure") else frozenset()


@require_POST
@desk("send")
def send(request: DeskRequest, pk: int) -> HttpResponse:
    """The person's word: exactly this text, to this post, from this account. What stands in the way is shown."""
    row = find_conversation(request, pk)
    text = request.POST.get("text", "")
    place = chosen_place(request, row)
    if place is None:
        return show(
            request, row, 422, typed=request.POST, problem=_("Choose a post to answer and an account to speak from.")
        )
    target, channel = place
    try:
        delivery = acts.approve(
            request.membership,
            row,
            text,
            target=target,
            channel=channel,
            version=number(request.POST.get("version", "")),
            despite=request.POST.getlist("despite"),
            begun=request.POST.get("begun", ""),
            now=timezone.now(),
        )
    except Stale:
        fresh = find_conversation(request, pk)
        return show(request, fresh, 409, typed=request.POST, moved_on=True)
    except GuardRefused as error:
        problem = _("The guard does not let this out as it is.")
        return show(request, row, 422, typed=request.POST, problem=problem, findings=error.verdict.findings)
    except InvalidInput as error:
        return show(request, row, 422, typed=request.POST, problem=str(error))
    held = delivery.state == Delivery.State.HELD
    return done(request, row, _("Held by the guard; the reason stands beside it.") if held else _("On its way."))


@require_POST
@desk("draft")
def propose(request: DeskRequest, pk: int) -> HttpResponse:
    """Ask a lead to send it: for those who write but do not send."""
    row = find_conversation(request, pk)
    now = timezone.now()
    try:
        if "text" in request.POST:
            begun = request.POST.get("begun", "")
            acts.save_draft(request.membership, row, request.POST["text"], begun=begun, now=now)
        acts.propose_draft(request.membership, row, now=now)
    except InvalidInput as error:
        return show(request, row, 422, typed=request.POST, problem=str(error))
    return done(request, row, _("A lead sees it beside the conversation and can send it."))


@require_POST
@desk("send")
def retry(request: DeskRequest, pk: int) -> HttpResponse:
    """Put a held or failed reply back into the queue."""
    return settle(request, pk, "retry")


@require_POST
@desk("send")
def cancel(request: DeskRequest, pk: int) -> HttpResponse:
    """Take a reply back that has not left."""
    return settle(request, pk, "cancel")


def settle(request: DeskRequest, pk: int, step: str) -> HttpResponse:
    """Retry or cancel the delivery that the form names, of this conversation alone."""
    row = find_conversation(request, pk)
    ways = Delivery.objects.of(request.workspace).filter(conversation=row)
    delivery = find(ways.select_related("approval", "conversation"), number(request.POST.get("delivery", "")))
    if step == "retry":
        return change(
            request,
            pk,
            lambda _row, now: acts.retry_delivery(request.membership, delivery, now=now),
            _("In the queue again."),
        )
    return change(
        request, pk, lambda _row, now: acts.cancel_delivery(request.membership, delivery, now=now), _("Taken back.")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk("hold")
def hold(request: DeskRequest) -> HttpResponse:
    """Stop every queue of the workspace (`reason`), or start them again (`release`)."""
    if request.method != "POST":
        return render(request, "desk/hold.html", {})
    now = timezone.now()
    try:
        if request.POST.get("release"):
            acts.release_hold(request.membership, now=now)
            messages.success(request, _("The queues run again."))
        else:
            acts.hold_everything(request.membership, request.POST.get("reason", ""), now=now)
            messages.warning(request, _("Everything going out is held."))
    except RapportError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(f"/w/{request.workspace.slug}/hold/", status=303)
