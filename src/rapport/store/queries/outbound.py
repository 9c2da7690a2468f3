"""What the guard and the composer need to know about a reply."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from rapport.core import reply as vocabulary
from rapport.core.draft import prepare
from rapport.core.guard import NETWORKS, GuardFacts, SentText, essence
from rapport.core.guard.policy import CAUTIOUS
from rapport.core.parts import whole
from rapport.store.extra import read_extra
from rapport.store.models import (
    Channel,
    Conversation,
    Delivery,
    DeliveryPart,
    Handle,
    Membership,
    Person,
    Post,
    PreparedReply,
    Workspace,
)
from rapport.store.queries.apps import app_times
from rapport.store.queries.brands import brand_posts_since
from rapport.store.queries.policy import unfit_in
from rapport.store.queries.spend import policy_of, spent_by
from rapport.store.queries.voice import like_for_guard

#: networks on which an answer reaches only those whom it mentions
_MENTION_FIRST = frozenset({"mastodon"})
#: states in which a reply has left, or may leave, the house
ALIVE = (Delivery.State.QUEUED, Delivery.State.SENDING, Delivery.State.UNCONFIRMED, Delivery.State.SENT)


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
    template = PreparedReply.objects.of(conversation.workspace_id).filter(slug=slug).first() if slug else None
    newest = newest_inbound(conversation) if template else None
    return fill_in(template, newest, conversation, member) if template and newest else None


def fill_in(template: PreparedReply, newest: Post, conversation: Conversation, member: Membership) -> vocabulary.Draft:
    """A prepared reply to `newest`, with the names filled in."""
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
    """Everything that the guard weighs; `besides`: the delivery that is being checked, just before it leaves: it is not
    counted twice, nor is what stands behind it in the line.

    `acknowledgement`: it is a machine's word on the standing word of an admin.
    """
    person = target.handle.person
    alive = Delivery.objects.of(workspace).filter(state__in=ALIVE)
    if besides is not None:
        # what was approved after it and has not left yet waits for it, not the other way round
        alive = alive.exclude(pk=besides.pk).filter(Q(pushed_at__isnull=False) | Q(pk__lt=besides.pk))
    spoken = alive.filter(approval__kind__isnull=True)
    sent = sent_lately(channel, alive, now)
    last, spent = _last_word(conversation, target), spent_by(channel, now)
    return GuardFacts(
        sent_times=tuple(at for at, _ in sent),
        sent_kinds=tuple(kind for _, kind in sent),
        app_times=() if reply.visibility == "direct" else app_times(channel, ALIVE, besides, now),
        recent_texts=recent_texts(channel, alive, now, whole(reply.parts, reply.text), person.pk),
        person=person.pk,
        person_suppressed=person.suppressed_reason or ("a colleague decided to ignore them" if person.ignored else ""),
        person_bot=target.handle.automated,
        person_bot_reason=why_automated(target.handle),
        brand_replies_since_last_word=_brand_replies(
            conversation, last, spoken.filter(conversation=conversation), besides
        )
        + brand_posts_since(conversation, last, person.pk),
        unanswered_times=_unanswered(person, spoken, now),
        last_word_at=last,
        addressed_us=addresses_us(target, channel),
        spent_today=spent.today,
        spent_this_month=spent.this_month,
        may_tag=channel.settings.get("human_agent") is True,
        hold_reason=workspace.hold_reason if workspace.held_at else "",
        let_through=besides is not None and was_let_through(besides, workspace),
        target_deleted=target.deleted,
        channel_state=channel.state,
        channel_reason=channel.state_reason,
        max_length=channel.settings.get("max_length"),
        despite=frozenset(despite),
        acknowledgement=acknowledgement,
        unfit=None if acknowledgement else unfit_in(whole(reply.parts, reply.text), conversation, person.pk),
    )


def sent_lately(channel: Channel, alive: QuerySet[Delivery], now: dt.datetime) -> list[tuple[dt.datetime, str]]:
    """When this account did what within the last day ("reply", "like", ...), oldest first."""
    rows = alive.filter(channel=channel, queued_at__gt=now - dt.timedelta(days=1))
    told = rows.values_list("pushed_at", "queued_at", "approval__kind", "approval__parts")
    return sorted(
        # a post of our own counts as an answer does
        (pushed or queued, kind if kind not in (None, "post") else "reply")
        for pushed, queued, kind, parts in told
        for _ in parts or ("one post",)
    )


def recent_texts(
    channel: Channel, alive: QuerySet[Delivery], now: dt.datetime, text: str, person: int | None
) -> tuple[SentText, ...]:
    """What people said on this network lately, as replies or as the new words of one, that is most like `text`.

    All of the days that count are looked through, and one is enough: it is the one that the guard judges by. () where
    none is alike enough. What went to the same person out of the same account does not count.
    """
    policy = policy_of(channel)
    return like_for_guard(
        text, channel.workspace_id, channel.network, alive, besides=(person or 0, channel.pk), least=policy.near_same,
        since=now - dt.timedelta(days=policy.near_same_days), now=now,
    )  # fmt: skip


def count_waiting(workspace: Workspace) -> int:
    """How many replies have not left and are not given up."""
    rows = Delivery.objects.of(workspace).filter(state__in=[Delivery.State.QUEUED, Delivery.State.HELD])
    return rows.count()


def other_ids(delivery: Delivery) -> frozenset[str]:
    """Ids on the network of what this account sent besides, to anybody who may stand beside it: none is this one."""
    others = Delivery.objects.of(delivery.workspace_id).filter(channel=delivery.channel_id).exclude(pk=delivery.pk)
    near = Q(conversation=delivery.conversation_id) | Q(sent_at__gt=delivery.queued_at - dt.timedelta(days=1))
    return frozenset(others.filter(near).exclude(external_id="").values_list("external_id", flat=True))


#: how long before the send a post of ours may be dated: clocks differ
_CLOCKS = dt.timedelta(minutes=5)


def ours_like(delivery: Delivery) -> list[Post]:
    """Posts of ours that may be this reply: heard in its conversation since it was pushed, and known as no other."""
    pushed = delivery.pushed_at or delivery.queued_at
    known = Delivery.objects.filter(conversation=delivery.conversation_id).exclude(external_id="")
    parts = DeliveryPart.objects.filter(delivery__conversation=delivery.conversation_id).exclude(external_id="")
    posts = Post.objects.of(delivery.workspace_id)
    if delivery.conversation_id is not None:  # whoever answers a post of our own puts it into a conversation
        posts = posts.filter(conversation_id=delivery.conversation_id)
    return list(
        posts.filter(
            ours=True, deleted=False, network=delivery.channel.network,
            sort_at__gte=pushed - _CLOCKS,
        )
        .exclude(external_id__in=known.exclude(pk=delivery.pk).values("external_id"))
        .exclude(external_id__in=parts.values("external_id"))
        .order_by("-sort_at", "-pk")[:20]
    )  # fmt: skip


def find_among_ours(delivery: Delivery) -> Post | None:
    """The one among them that answers the same post in the same words."""
    target, text = delivery.approval.target, essence(delivery.approval.text)
    answered = target.external_id if target else ""
    if delivery.approval.parts and delivery.held_by != "x-handover":
        sent = delivery.parts.filter(state=DeliveryPart.State.SENT).order_by("number")
        text = essence(delivery.approval.parts[min(len(sent), len(delivery.approval.parts) - 1)])
        answered = next((part.external_id for part in reversed(sent) if part.external_id), answered)
    return next(
        (post for post in ours_like(delivery) if post.in_reply_to == answered and essence(post.text) == text), None
    )


def is_known_as_another(delivery: Delivery, external_id: str) -> bool:
    """Whether another reply of this conversation left as this very post, and was not deleted there since."""
    deliveries = Delivery.objects.of(delivery.workspace_id)
    others = deliveries.filter(conversation=delivery.conversation_id, channel=delivery.channel_id)
    others = others.filter(external_id=external_id).exclude(pk=delivery.pk).exclude(approval__kind="delete")
    deletions = deliveries.filter(approval__kind="delete", state=Delivery.State.SENT)
    gone = [Exists(deletions.filter(approval__subject=OuterRef(each))) for each in ("pk", "approval__subject")]
    return others.exclude(gone[0] | gone[1]).exists()


def was_let_through(delivery: Delivery, workspace: Workspace) -> bool:
    """Whether a person let it out after the hold that stands now began."""
    at = delivery.let_through_at
    return at is not None and workspace.held_at is not None and at >= workspace.held_at


def why_automated(handle: Handle) -> str:
    """Why we take an account for automated; "" where it says so itself."""
    if handle.bot or not handle.automated:
        return ""
    if handle.bot_word:
        return "a colleague said so"
    return f"{handle.bot_score:.0%}: {', '.join(handle.reasons)}"


def _last_word(conversation: Conversation, target: Post) -> dt.datetime | None:
    """When the person who is answered last spoke in this conversation."""
    return (
        Post.objects.of(conversation.workspace_id)
        .filter(conversation_id=conversation.pk, handle__person=target.handle.person_id)
        .order_by("-sort_at")
        .values_list("sort_at", flat=True)
        .first()
    )


def _unanswered(person: Person, alive: QuerySet[Delivery], now: dt.datetime) -> tuple[dt.datetime, ...]:
    """When we wrote to them within a day, from any account, after their last word to anybody that we heard."""
    since = max(now - dt.timedelta(days=1), person.last_seen)
    said = alive.filter(approval__target__handle__person=person.pk, approval__machine__isnull=True)
    return tuple(said.filter(queued_at__gt=since).values_list("queued_at", flat=True))


def addresses_us(target: Post, channel: Channel) -> bool:
    """Whether the post mentions the account that would answer, or quotes somebody; what it quotes is not stored."""
    if not NETWORKS.get(channel.network, CAUTIOUS).addressed_only or target.kind == "quote":
        return True
    named = {mention.casefold() for mention in read_extra(target.extra).mentions}
    return channel.handle.casefold() in named


def _brand_replies(
    conversation: Conversation, last: dt.datetime | None, alive: QuerySet[Delivery], besides: Delivery | None
) -> int:
    """Replies by us, on the network or on their way, since the person last spoke here; a machine's word is none.

    A thread is one reply, whose first post is known as its delivery; what has left of `besides` itself does not count.
    """
    if last is None:
        return 0
    on_network = Post.objects.of(conversation.workspace_id).filter(
        conversation_id=conversation.pk, ours=True, sort_at__gt=last
    )
    by_machine = Delivery.objects.filter(conversation=conversation, approval__machine__isnull=False)
    known = set(on_network.values_list("external_id", flat=True))
    known -= set(by_machine.values_list("external_id", flat=True)) if known else set()
    further = DeliveryPart.objects.filter(Q(number__gt=1) | Q(delivery=besides), delivery__conversation=conversation)
    known -= set(further.values_list("external_id", flat=True)) if known else set()
    said = alive.filter(queued_at__gt=last, approval__machine__isnull=True)
    pending = said.values_list("external_id", flat=True)
    return len(known) + sum(1 for external in pending if external not in known)
