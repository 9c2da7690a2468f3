"""Writing and sending: the draft that is kept, the guard's word while one writes, the approval, what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.actions import drafts, holds, presence, unknown
from rapport.actions import outbound as acts
from rapport.actions.parts import compose, told_of_images
from rapport.actions.snippets import note_begun
from rapport.core.errors import GuardRefused, InvalidInput, Stale
from rapport.core.guard import BY_SENDER, OVERRIDABLE, check, length, limit
from rapport.core.parts import cut_apart
from rapport.core.reply import Verdict
from rapport.store.models import Attachment, Channel, Conversation, Delivery, Post
from rapport.store.queries.drafts import is_unread_here, take_up
from rapport.store.queries.news import resolved_meanwhile
from rapport.store.queries.outbound import read_guard_facts
from rapport.store.queries.policy import sum_above
from rapport.store.queries.presence import claim_of
from rapport.store.queries.spend import policy_of
from rapport.store.queries.talk import speaking_channels
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.inbox.composer import is_typed, say_source, seen_of
from rapport.web.inbox.conversation import change, done, find_conversation, show
from rapport.web.inbox.outgoing import typed_images
from rapport.web.inbox.presence import seat
from rapport.web.inbox.voice import hints_while_writing
from rapport.web.pieces import pieces_of
from rapport.web.told import told


@require_POST
@desk("draft")
def draft(request: DeskRequest, pk: int) -> HttpResponse:
    """Keep what somebody is writing, and answer with the guard's findings on it and the time of saving."""
    row = find_conversation(request, pk)
    text = request.POST.get("text", "")
    saved = drafts.save_draft(request.membership, row, text, begun=request.POST.get("begun", ""), now=timezone.now())
    images = typed_images(request, row)
    verdict = weigh(request, row, text, images)
    findings = verdict.findings if verdict and text.strip() else ()
    clean = verdict is not None and not findings and bool(text.strip())
    target, channel = chosen_place(request, row) or (None, None)
    context = {
        "findings": findings, "clean": clean, "overridable": overridable(request),
        "pieces": pieces_of(text, channel, target, policy_of(channel) if channel else None),
        "here": f"/w/{request.workspace.slug}/c/{row.pk}/",
        "beside": request.GET.urlencode(),
    }  # fmt: skip
    context["above"] = sum_above(request.membership, row, text, target)
    place, now = chosen_place(request, row), timezone.now()
    context["hints"] = hints_while_writing(request.membership, saved, place, findings, now=now)
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
    """Put words to begin from (`begin`: what `store.queries.drafts` calls them) into the box, names filled in.

    Words that a person typed are not replaced before they said so (`replace` instead of `begin`). A script gets the
    text as JSON, or the question as HTML; without one the page comes back with either.
    """
    row = find_conversation(request, pk)
    sure = request.POST.get("replace", "")
    chosen = sure or request.POST.get("begin", "")
    offered = take_up(row, request.membership, chosen) if chosen else None
    if offered is None:
        raise Http404
    text, begun = request.POST.get("text", ""), request.POST.get("begun", "")
    ask = not sure and is_typed(row, request.membership, text, begun)
    if not request.headers.get("HX-Request"):
        slugs: dict[str, Any] = {"ask": chosen} if ask else {"begin": chosen}
        return show(request, row, 200, typed=request.POST, **slugs)
    if ask:
        return render(request, "desk/ask.html", {"asked": offered, "here": f"/w/{request.workspace.slug}/c/{row.pk}/"})
    note_begun(request.workspace, offered.begun)
    return JsonResponse({"text": offered.text, "begun": offered.begun, "say": say_source(offered.source, offered.name)})


def left_in_words(network: str, text: str) -> str:
    """How much of the network's length is left, as the guard counts; of a thread in its longest post."""
    most = limit(network)
    left = most - max(length(part, network) for part in cut_apart(text.replace("\r\n", "\n")))
    if left < 0:
        return _("%(over)d too many for %(limit)d") % {"over": -left, "limit": most}
    return _("%(left)d of %(limit)d left") % {"left": left, "limit": most}


def weigh(request: DeskRequest, row: Conversation, text: str, images: Sequence[Attachment] = ()) -> Verdict | None:
    """The guard's word on this text as it would go out now; None where it could not go out at all."""
    place = chosen_place(request, row)
    if place is None:
        return None
    target, channel = place
    try:
        reply = compose(channel, target, text.replace("\r\n", "\n").strip(), request.membership, images)
    except InvalidInput:
        return None
    now = timezone.now()
    facts = read_guard_facts(reply, row, target, channel, request.workspace, request.POST.getlist("despite"), now)
    facts = msgspec.structs.replace(facts, unread=is_unread_here(row, text))
    return check(reply, told_of_images(facts, images, channel.network), policy_of(channel), now)


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
    return OVERRIDABLE if request.membership.may("configure") else BY_SENDER


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
    # where it is part of another conversation now, nobody read that one on this page
    standing = {"moved_on": True} if row.pk != pk else in_the_way(request, row)
    if standing is not None:
        return show(request, row, 409, typed=request.POST, **standing)
    try:
        images = typed_images(request, row)
        delivery = acts.approve(
            request.membership,
            row,
            text,
            target=target,
            channel=channel,
            version=number(request.POST.get("version", "")),
            despite=request.POST.getlist("despite"),
            begun=request.POST.get("begun", ""),
            images=images,
            now=timezone.now(),
        )
    except Stale:
        fresh = find_conversation(request, pk)
        return show(request, fresh, 409, typed=request.POST, moved_on=True)
    except GuardRefused as error:
        problem = _("The guard does not let this out as it is.")
        return show(request, row, 422, typed=request.POST, problem=problem, findings=error.verdict.findings)
    except InvalidInput as error:
        return show(request, row, 422, typed=request.POST, problem=told(error))
    presence.put_down(request.membership, row, now=timezone.now())
    held = delivery.state == Delivery.State.HELD
    return done(request, row, _("Held by the guard; the reason stands beside it.") if held else _("On its way."))


@require_POST
@desk("draft")
def propose(request: DeskRequest, pk: int) -> HttpResponse:
    """Ask a lead to send it: for those who write but do not send."""
    row = find_conversation(request, pk)
    now = timezone.now()
    try:
        typed_images(request, row)
        if "text" in request.POST:
            begun = request.POST.get("begun", "")
            drafts.save_draft(request.membership, row, request.POST["text"], begun=begun, now=now)
        drafts.propose_draft(request.membership, row, now=now)
        presence.put_down(request.membership, row, now=now)
    except InvalidInput as error:
        return show(request, row, 422, typed=request.POST, problem=told(error))
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


def in_the_way(request: DeskRequest, row: Conversation) -> dict[str, Any] | None:
    """What a colleague did that this person has to know before they send; None = nothing."""
    claim = claim_of(row, timezone.now())
    if claim is not None and claim.membership_id != request.membership.pk:
        problem = _("%(name)s is writing here. Take over first, then send; your words are kept.")
        return {"problem": problem % {"name": claim.membership}, "seat": seat(request.membership, row)["seat"]}
    seen = request.POST.get("seen", "")
    if seen and resolved_meanwhile(row, request.membership, seen_of(request.POST)):
        return {"moved_on": True}
    return None


def find_delivery(request: DeskRequest, row: Conversation) -> Delivery:
    """The delivery that the form names, of this conversation alone."""
    ways = Delivery.objects.of(request.workspace).filter(conversation=row)
    return find(ways.select_related("approval", "conversation"), number(request.POST.get("delivery", "")))


def settle(request: DeskRequest, pk: int, step: str) -> HttpResponse:
    """Take one step of `SETTLED` with the delivery that the form names."""
    delivery = find_delivery(request, find_conversation(request, pk))
    by, said, act = request.membership, *SETTLED[step]
    return change(request, pk, lambda _row, now: act(by, delivery, now=now), said)


@require_POST
@desk("send")
def again(request: DeskRequest, pk: int) -> HttpResponse:
    """It is not there: look once more, then send once more."""
    return settle(request, pk, "again")


@require_POST
@desk("send")
def hand_over(request: DeskRequest, pk: int) -> HttpResponse:
    """A person answers on the site of the network."""
    return settle(request, pk, "hand_over")


@require_POST
@desk("send")
def take_back_handover(request: DeskRequest, pk: int) -> HttpResponse:
    """It was not answered on the site after all."""
    return settle(request, pk, "take_back_handover")


@require_POST
@desk("hold")
def let_through(request: DeskRequest, pk: int) -> HttpResponse:
    """Let one reply out although everything is held."""
    return settle(request, pk, "let_through")


@require_POST
@desk("send")
def there(request: DeskRequest, pk: int) -> HttpResponse:
    """It is there: by one of our posts that was heard (`post`), or by its address (`link`)."""
    row = find_conversation(request, pk)
    delivery = find_delivery(request, row)
    chosen = number(request.POST.get("post", ""))
    post = (
        find(Post.objects.of(request.workspace).filter(conversation_id=row.pk, ours=True), chosen) if chosen else None
    )
    link = request.POST.get("link", "")
    return change(
        request, pk,
        lambda _row, now: unknown.say_it_is_there(request.membership, delivery, post=post, link=link, now=now),
        _("Set down as sent, with your name."),
    )  # fmt: skip


#: what is said once it was done, and what does it
SETTLED: dict[str, tuple[Any, Callable[..., object]]] = {
    "retry": (gettext_lazy("In the queue again."), acts.retry_delivery),
    "cancel": (gettext_lazy("Taken back."), acts.cancel_delivery),
    "again": (gettext_lazy("We look once more; if it is not there, it is sent."), unknown.send_again),
    "hand_over": (gettext_lazy("Handed over; it is settled once we hear of your post there."), unknown.hand_over),
    "take_back_handover": (gettext_lazy("Taken back."), unknown.take_back_handover),
    "let_through": (gettext_lazy("This one goes out although everything is held."), holds.let_through),
}
