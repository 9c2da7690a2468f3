"""Replies as they were approved, with their images and, of a thread, each post of it on its way."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from rapport.core.reply import Picture, Reply
from rapport.store.models import Approval, Delivery, DeliveryPart
from rapport.store.queries.outbound import reply_of


def reply_as_approved(approval: Approval) -> Reply:
    """What would leave now, made from the approval and the rows as they are: a reply, or a post of our own."""
    if approval.kind == Approval.Kind.POST:
        return Reply(
            network=approval.channel.network, channel=approval.channel_id,
            target=str(approval.to[0]) if approval.to else "", text=approval.text, visibility=approval.visibility,
            approved_by=approval.person_id, media=_media(approval), parts=tuple(approval.parts or ()),
        )  # fmt: skip
    fresh = reply_of(approval.channel, approval.answered, approval.text, approval.person)
    # whom it addresses is as approved: a person who renames themselves does not void an approval
    return Reply(
        network=fresh.network, channel=fresh.channel, target=fresh.target, text=fresh.text,
        visibility=approval.visibility, to=tuple(approval.to), approved_by=fresh.approved_by,
        media=_media(approval), parts=tuple(approval.parts or ()),
    )  # fmt: skip


def _media(approval: Approval) -> tuple[Picture, ...]:
    return tuple(Picture(each["digest"], each["alt"]) for each in approval.media or ())


def next_part(delivery: Delivery) -> DeliveryPart | None:
    """The post of a thread that is to leave, or has left and nobody knows; None for a reply of one post."""
    if not delivery.approval.parts:
        return None
    return delivery.parts.exclude(state=DeliveryPart.State.SENT).order_by("number").first()


def has_rest(part: DeliveryPart) -> bool:
    """Whether posts of the thread come after this one."""
    return part.number < len(part.delivery.approval.parts or ())


def parts_sent(delivery: Delivery) -> int:
    """Posts of a thread that are on the network; 0 for a reply of one post."""
    if not delivery.approval.parts:
        return 0
    return delivery.parts.filter(state=DeliveryPart.State.SENT).count()


def post_of_part(reply: Reply, part: DeliveryPart | None) -> Reply:
    """The one post that leaves now: all of a reply of one post, else this part, which answers the one before it.

    Images go with the first.
    """
    if part is None:
        return reply
    before = part.delivery.parts.filter(number__lt=part.number).exclude(external_id="").order_by("-number").first()
    return Reply(
        network=reply.network, channel=reply.channel, target=before.external_id if before else reply.target,
        text=reply.parts[part.number - 1], visibility=reply.visibility, to=reply.to, approved_by=reply.approved_by,
        media=reply.media if part.number == 1 else (),
    )  # fmt: skip


def key_of(delivery: Delivery, part: DeliveryPart | None) -> str:
    """The key that the network sees on every try of this post."""
    return delivery.idempotency_key if part is None else part.key


def ids_of_parts(delivery: Delivery) -> frozenset[str]:
    """Ids on the network of posts of threads that stand beside this one, those of its own included."""
    rows = DeliveryPart.objects.of(delivery.workspace_id).filter(delivery__channel=delivery.channel_id)
    near = Q(delivery__conversation=delivery.conversation_id) | Q(sent_at__gt=delivery.queued_at - dt.timedelta(days=1))
    return frozenset(rows.filter(near).exclude(external_id="").values_list("external_id", flat=True))
