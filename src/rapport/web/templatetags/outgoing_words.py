"""Tags for what goes out besides the words of one post: images, and the posts of a thread."""

from __future__ import annotations

from typing import Any

from django import template

from rapport.actions.attachments import media_of
from rapport.networks.base import MediaLimits
from rapport.store.models import (
    Approval,
    Attachment,
    Channel,
    Conversation,
    Delivery,
    DeliveryPart,
    Draft,
    Membership,
    Post,
)
from rapport.store.queries.attachments import unsent_images
from rapport.web.pieces import Pieces, pieces_of

register = template.Library()


@register.simple_tag
def images_on(conversation: Conversation) -> MediaLimits | None:
    """Which images the network of a conversation takes; None = none."""
    return media_of(conversation.network)


@register.simple_tag
def unsent(conversation: Conversation, member: Membership) -> list[Attachment]:
    """The images that lie in the composer of this person."""
    return list(unsent_images(conversation, member))


@register.simple_tag
def pieces(text: str, channel: Channel | None, target: Post | None) -> Pieces:
    """The posts of a thread, or how many there could be."""
    return pieces_of(text, channel, target)


@register.filter
def pictures(approval: Approval) -> list[Attachment]:
    """The images that went out with a reply, read only where there are some."""
    return list(approval.attachments.order_by("pk")) if approval.media else []


@register.filter
def of_draft(images: dict[tuple[int, int], list[Attachment]], draft: Draft) -> list[Attachment]:
    """The images that were brought for a draft."""
    return images.get((draft.conversation_id, draft.author_id or 0), [])


@register.filter
def thread_posts(delivery: Delivery) -> list[dict[str, Any]]:
    """The posts of a thread, each with its words and whether it is sent; [] for a reply of one post."""
    if not delivery.approval.parts:
        return []
    known = {part.number: part for part in delivery.parts.all()}
    return [
        {"text": text, "sent": number in known and known[number].state == DeliveryPart.State.SENT}
        for number, text in enumerate(delivery.approval.parts, 1)
    ]


@register.filter
def sent_count(posts: list[dict[str, Any]]) -> int:
    """How many posts of a thread are on the network."""
    return sum(post["sent"] for post in posts)
