"""What the guard and the composer need to know about a reply."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from rapport.core import reply as vocabulary
from rapport.core.draft import prepare
from rapport.core.guard import GuardFacts, SentText
from rapport.store.models import (
    Approval,
    Channel,
    Conversation,
    Delivery,
    Handle,
    Membership,
    Post,
    PreparedReply,
    Workspace,
)

#: how far back replies of the same words are looked for
NEAR_SAME = dt.timedelta(days=7)
#: networks on which an answer reaches only those whom it mentions
_MENTION_FIRST = frozenset({"mastodon"})
#: states in which a reply has left, or may leave, the house
_ALIVE = (Delivery.State.QUEUED, Delivery.State.SENDING, Delivery.State.UNCONFIRMED, Delivery.State.SENT)


def newest_inbound(conversation: Conversation) -> Post | None:
    """Their newest word in this conversation that still stands on the network; sharing ours is no word of theirs."""
    return (
        Post.objects.of(conversation.workspace_id)
        .filter(conversation_id=conversation.pk, ours=False, deleted=False)
        .exclude(kind="repost")
        .select_related("handle__person")
        .order_by("-sort_at", "-pk")
        .first()
    )


def reply_of(channel: Channel, target: Post, text: str, by: Membership | None) -> vocabulary.Reply:
    """The reply as it would go out. A private word is answered in private."""
    return vocabulary.Reply(
        network=target.network,
        channel=channel.pk,
        target=target.external_id,
        text=text,
        visibility=target.visibility,
        to=(target.handle.handle or target.handle.external_id,),
        approved_by=by.pk if by else None,
    )


def prepare_draft(conversation: Conversation, member: Membership, chosen: str = "") -> vocabulary.Draft | None:
    """The machine's draft for this person, with the names filled in: the prepared reply that a rule chose.

    `chosen`: slug of the one that the person chose instead. None where there is no such reply, or nobody to answer.
    """
    slug = chosen or conversation.draft_slug
    if not slug:
        return None
    template = PreparedReply.objects.of(conversation.workspace_id).filter(slug=slug).first()
    newest = newest_inbound(conversation)
    if template is None or newest is None:
        return None
    handle = newest.handle
    text = prepare(
        template.text,
        name=handle.person.name or handle.name,
        handle=handle.handle,
        agent=member.user.name or member.user.email.partition("@")[0],
        brand=conversation.workspace.name,
    )
    return vocabulary.Draft(text=address(newest, text), template=template.name, based_on=newest.external_id)


def address(target: Post, text: str) -> str:
    """Begin with the person's handle where the network tells nobody of an answer without it."""
    handle = f"@{target.handle.handle}"
    if target.network not in _MENTION_FIRST or not target.handle.handle or handle in text:
        return text
    return f"{handle} {text}"


def read_guard_facts(
    reply: vocabulary.Reply,
    conversation: Conversation,
    target: Post,
    channel: Channel,
    workspace: Workspace,
    despite: Collection[str],
    now: dt.datetime,
    besides: Delivery | None = None,
    acknowledgement: bool = False,
) -> GuardFacts:
    """Everything that the guard weighs; `besides`: the delivery that is being checked, not to count it twice.

    `acknowledgement`: it is a machine's word on the standing word of an admin.
    """
    person = target.handle.person
    alive = Delivery.objects.of(workspace).filter(state__in=_ALIVE)
    if besides is not None:
        alive = alive.exclude(pk=besides.pk)
    sent_times = alive.filter(channel=channel, queued_at__gt=now - dt.timedelta(days=1)).values_list(
        "pushed_at", "queued_at"
    )
    recent = Approval.objects.of(workspace).filter(
        channel__network=channel.network, approved_at__gt=now - NEAR_SAME, delivery__in=alive, machine__isnull=True
    )
    return GuardFacts(
        sent_times=tuple(sorted(pushed or queued for pushed, queued in sent_times)),
        recent_texts=tuple(
            SentText(text, person_id, channel_id, at)
            for text, person_id, channel_id, at in recent.values_list(
                "text", "target__handle__person_id", "channel_id", "approved_at"
            ).order_by("-approved_at")[:500]
        ),
        person=person.pk,
        person_suppressed=person.suppressed_reason or ("a colleague decided to ignore them" if person.ignored else ""),
        person_bot=target.handle.automated,
        person_bot_reason=_why_automated(target.handle),
        brand_replies_since_last_word=_brand_replies(conversation, target, alive.filter(conversation=conversation)),
        hold_reason=workspace.hold_reason if workspace.held_at else "",
        target_deleted=target.deleted,
        channel_state=channel.state,
        channel_reason=channel.state_reason,
        max_length=channel.settings.get("max_length"),
        despite=frozenset(despite),
        acknowledgement=acknowledgement,
    )


def _why_automated(handle: Handle) -> str:
    if handle.bot or not handle.automated:
        return ""
    if handle.bot_word:
        return "a colleague said so"
    return f"{handle.bot_score:.0%}: {', '.join(handle.reasons)}"


def _brand_replies(conversation: Conversation, target: Post, alive: object) -> int:
    """Replies by us, on the network or on their way, since the person last spoke here; a machine's word is none."""
    last = (
        Post.objects.of(conversation.workspace_id)
        .filter(conversation_id=conversation.pk, handle__person=target.handle.person_id)
        .order_by("-sort_at")
        .values_list("sort_at", flat=True)
        .first()
    )
    if last is None:
        return 0
    on_network = Post.objects.of(conversation.workspace_id).filter(
        conversation_id=conversation.pk, ours=True, sort_at__gt=last
    )
    by_machine = Delivery.objects.filter(conversation=conversation, approval__machine__isnull=False)
    known = set(on_network.values_list("external_id", flat=True))
    known -= set(by_machine.values_list("external_id", flat=True)) if known else set()
    said = alive.filter(queued_at__gt=last, approval__machine__isnull=True)  # type: ignore[attr-defined]
    pending = said.values_list("external_id", flat=True)
    return len(known) + sum(1 for external in pending if external not in known)
