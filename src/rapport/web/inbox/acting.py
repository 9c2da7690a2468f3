"""What people do with posts besides answering, and with what was sent: each one press, singly."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.actions import acts
from rapport.core.errors import GuardRefused, InvalidInput
from rapport.store.models import Channel, Conversation, Delivery, Post
from rapport.store.queries.talk import speaking_channels
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.guard_words import said_reason, said_remedy
from rapport.web.inbox.compose import find_delivery
from rapport.web.inbox.conversation import change, find_conversation

_SAID = {
    "like": gettext_lazy("Liked, in your name."),
    "unlike": gettext_lazy("The like is taken back."),
    "boost": gettext_lazy("Shared on, in your name."),
    "unboost": gettext_lazy("Not shared on any more."),
    "follow": gettext_lazy("Followed, in your name."),
    "unfollow": gettext_lazy("Not followed any more."),
}


@require_POST
@desk("send")
def act(request: DeskRequest, pk: int) -> HttpResponse:
    """Like a post, share it on, follow its author, or take that back (`kind`): this one post, at once."""
    row, kind = find_conversation(request, pk), request.POST.get("kind", "")
    post = find(
        Post.objects.of(request.workspace).filter(conversation_id=row.pk, ours=False).select_related("handle__person"),
        number(request.POST.get("post", "")),
    )
    if kind not in _SAID:
        raise InvalidInput(_("Choose what is to be done."))
    channel = _account(row)

    def do(_row: Conversation, now: Any) -> None:
        try:
            acts.approve_act(request.membership, kind, conversation=row, post=post, channel=channel, now=now)
        except GuardRefused as error:
            raise InvalidInput(_reasons(error)) from None

    return change(request, pk, do, str(_SAID[kind]))


@require_POST
@desk("send")
def delete_sent(request: DeskRequest, pk: int) -> HttpResponse:
    """Take a reply of ours off the network; the form has asked whether that is meant."""
    delivery = _sent(request, pk)
    said = _("It is taken off the network.")
    return change(request, pk, lambda _row, now: acts.delete_sent(request.membership, delivery, now=now), said)


@require_POST
@desk("send")
def edit_sent(request: DeskRequest, pk: int) -> HttpResponse:
    """Give a reply of ours other words; `seen`: the words that stood there when the person began."""
    delivery = _sent(request, pk)
    text, seen = request.POST.get("text", ""), request.POST.get("seen")

    def do(_row: Conversation, now: Any) -> None:
        try:
            acts.edit_sent(request.membership, delivery, text, seen=seen, now=now)
        except GuardRefused as error:
            raise InvalidInput(_reasons(error)) from None

    return change(request, pk, do, _("The new words are on their way."))


def _sent(request: DeskRequest, pk: int) -> Delivery:
    found = find_delivery(request, find_conversation(request, pk))
    if found.approval.kind is not None:
        raise InvalidInput(_("Choose a reply that was sent."))
    return found


def _account(row: Conversation) -> Channel:
    """The account that acts: the one that would answer."""
    channels = speaking_channels(row)
    if not channels:
        raise InvalidInput(_("No account of this network is connected."))
    return channels[0]


def _reasons(error: GuardRefused) -> str:
    told = [
        f"{said_reason(each)} {said_remedy(each)}".strip()
        for each in error.verdict.findings
        if each.standing == "refuse"
    ]
    return " ".join(told)
