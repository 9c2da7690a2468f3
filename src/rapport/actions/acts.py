"""What a person does on a network besides answering: likes, boosts, follows, and what they take back, delete or edit.

Each is one press of one person, an entry of the ledger and a delivery; the sender does it. Nothing here is ever done by
a rule or a list: `approve_act` takes a person and one post.
"""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import transaction
from django.db.models import F

from rapport.actions.audit import announce, require_conversation, require_delivery, write_audit
from rapport.actions.drafts import check_word
from rapport.actions.ledger import append
from rapport.actions.outbound import cancel_delivery, check_text, queue
from rapport.core.errors import GuardRefused, InvalidInput, NotAllowed, Stale
from rapport.core.guard import check_act
from rapport.networks.registry import network_named
from rapport.store.models import Approval, Channel, Conversation, Delivery, Membership, Post, Workspace
from rapport.store.queries.acts import TAKEN_BACK_BY, act_of, newest_act, place_of, read_act_guard, words_now
from rapport.store.queries.spend import policy_of

State = Delivery.State
#: not left yet: taken back without anything on the network
_BEFORE = (State.QUEUED, State.HELD, State.FAILED)
_ON_THE_WAY = "This is on its way at this very moment; look at its state again in a moment."
_BACK = {back: kind for kind, back in TAKEN_BACK_BY.items()}


def approve_act(
    by: Membership,
    kind: str,
    *,
    conversation: Conversation,
    post: Post,
    channel: Channel,
    now: dt.datetime,
) -> Delivery:
    """A person likes, shares on or follows (`kind`), or takes that back: this post, or its author, from this account.

    What was asked for already is asked for once: the delivery of before comes back. Taking back what has not left yet
    cancels it. Raises `GuardRefused`, `NotAllowed` and `InvalidInput`.
    """
    require_conversation(by, conversation, "send")
    _check_place(by, conversation, post, channel)
    _check_offered(kind, channel, post)
    on, who = (None, post.handle) if kind in ("follow", "unfollow") else (post, None)
    with transaction.atomic():
        workspace = _lock(by)
        known = newest_act(channel, kind, on, who)
        if known is not None and (settled := _settled(by, kind, known, now)) is not None:
            return settled
        if known is None and kind in _BACK:
            raise InvalidInput("There is nothing to take back: it was not done from here.")
        approval = Approval(
            workspace=workspace, conversation=conversation, channel=channel, target=on, handle=who, person=by,
            kind=kind, text="", visibility=post.visibility, approved_at=now,
        )  # fmt: skip
        return _write(by, approval, conversation, now)


def delete_sent(by: Membership, sent: Delivery, *, now: dt.datetime) -> Delivery:
    """Take a reply of ours off the network; its words go from the desk once the network has taken it off."""
    return _change(by, sent, Approval.Kind.DELETE, "", now)


def edit_sent(by: Membership, sent: Delivery, text: str, *, seen: str | None = None, now: dt.datetime) -> Delivery:
    """Give a reply of ours other words on the network.

    `seen`: the words as the person had them before them. Raises `Stale` where a colleague changed them meanwhile.
    """
    text = check_text(text)
    if not text:
        raise InvalidInput("Write the new words, or delete the reply instead.")
    return _change(by, sent, Approval.Kind.EDIT, text, now, seen)


def _change(
    by: Membership, sent: Delivery, kind: str, text: str, now: dt.datetime, seen: str | None = None
) -> Delivery:
    conversation = sent.conversation
    require_delivery(by, sent, "send")
    _check_changeable(sent, kind)
    if kind == Approval.Kind.EDIT and sent.approval.target is not None and conversation is not None:
        # new words are somebody's words as the first ones were: a rule that asks for a second person asks again
        check_word(by, by, conversation, sent.channel, sent.approval.target, text)
    with transaction.atomic():
        workspace = _lock(by)
        acts = Delivery.objects.of(workspace).filter(approval__subject=sent, approval__kind__in=["delete", "edit"])
        before = acts.exclude(state=State.CANCELLED).select_related("approval").order_by("-pk").first()
        if before is not None and before.approval.kind == "delete" and before.state != State.FAILED:
            if kind == Approval.Kind.DELETE:
                return before
            raise InvalidInput("A colleague has deleted this reply.")
        if before is not None and before.state not in (State.SENT, State.FAILED):
            raise InvalidInput("An earlier change of this reply has not arrived yet: wait for it, or take it back.")
        if seen is not None and check_text(seen) != words_now(sent):
            raise Stale("A colleague has changed these words since you looked. Read them, then edit again.")
        approval = Approval(
            workspace=workspace, conversation=conversation, channel=sent.channel, person=by, kind=kind, subject=sent,
            text=text, visibility=sent.approval.visibility, approved_at=now,
        )  # fmt: skip
        delivery = _write(by, approval, conversation, now)
        if conversation is not None:
            Conversation.objects.filter(pk=conversation.pk).update(version=F("version") + 1, touched_at=now)
    return delivery


def _write(by: Membership, approval: Approval, conversation: Conversation | None, now: dt.datetime) -> Delivery:
    """The guard's word, the entry of the ledger, the delivery. The caller holds the lock of the workspace."""
    act = act_of(approval)
    verdict = check_act(act, read_act_guard(approval, now), policy_of(approval.channel), now)
    if verdict.standing == "refuse":
        raise GuardRefused(verdict)
    approval.digest = act.digest
    approval.verdict = msgspec.json.encode(verdict).decode()
    append(approval)
    delivery = queue(approval, verdict, now)
    write_audit(
        approval.workspace, by, "act.approve", approval, now,
        conversation=approval.conversation_id, kind=approval.kind, digest=approval.digest,
    )  # fmt: skip
    if conversation is not None:
        announce(approval.workspace, now, [conversation.pk], [conversation.basket_id])
    return delivery


def _lock(by: Membership) -> Workspace:
    """The workspace as it is now, locked: it orders the ledger."""
    return Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)


def _settled(by: Membership, kind: str, known: Delivery, now: dt.datetime) -> Delivery | None:
    """What the newest act of the pair leaves to do; None: the act is to be made."""
    same = known.approval.kind == kind
    if same and known.state != State.FAILED:
        return known
    if not same and known.state in _BEFORE:
        return cancel_delivery(by, known, now=now)
    if not same and known.state != State.SENT:
        raise InvalidInput(_ON_THE_WAY)
    return None


def _check_place(by: Membership, conversation: Conversation, post: Post, channel: Channel) -> None:
    if post.workspace_id != by.workspace_id or post.conversation_id != conversation.pk:
        raise NotAllowed("The post belongs to another conversation.")
    if channel.workspace_id != by.workspace_id or channel.network != post.network:
        raise NotAllowed("This account cannot do it there; choose one of the same network.")
    if post.ours:
        raise InvalidInput("This is a post of ours; choose one of theirs.")


def _check_offered(kind: str, channel: Channel, post: Post) -> None:
    network = network_named(channel.network)
    offers = network.capabilities if network else None
    if offers is None or kind not in offers.acts or (post.visibility == "direct" and "acts" not in offers.direct):
        raise InvalidInput("This network does not take that from here; do it on its own site.")
    if kind == "boost" and post.visibility not in ("public", "unlisted"):
        raise InvalidInput("Only what is public can be shared on.")


def _check_changeable(sent: Delivery, kind: str) -> None:
    if sent.state != State.SENT or sent.approval.kind not in (None, Approval.Kind.POST):
        raise InvalidInput("Only a reply that was sent can be changed on the network.")
    network = network_named(sent.channel.network)
    offers = network.capabilities if network else None
    deletes = kind == Approval.Kind.DELETE
    offered = offers is not None and (offers.removes if deletes else offers.edits)
    if offers is not None and sent.approval.visibility == "direct":
        offered = offered and ("removes" if deletes else "edits") in offers.direct
    if not offered:
        raise InvalidInput(
            "This network does not let us delete it from here." if deletes else
            "This network does not let us edit: delete the reply and answer anew."
        )  # fmt: skip
    if kind == Approval.Kind.EDIT and sent.approval.parts:
        raise InvalidInput("A thread of several posts cannot be edited here: delete it and answer anew.")
    if not place_of(sent):
        raise InvalidInput("We do not know under which id it stands there; change it on the site of the network.")
