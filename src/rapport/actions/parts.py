"""Threads of several posts: what one text of the composer comes to, and the way of each of its posts."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import msgspec

from rapport.actions.attachments import media_of
from rapport.core.errors import InvalidInput
from rapport.core.guard import GuardFacts
from rapport.core.parts import MOST, cut_apart, is_cut
from rapport.core.reply import Picture, Reply, timed_key
from rapport.networks.registry import network_named
from rapport.store.models import Approval, Attachment, Channel, Delivery, DeliveryPart, Membership, Post
from rapport.store.queries.outbound import reply_of


def takes_threads(network: str) -> bool:
    """Whether a thread of several posts can go out to this network."""
    found = network_named(network)
    return found is not None and found.capabilities.threads


def compose(channel: Channel, target: Post, text: str, by: Membership, images: Sequence[Attachment] = ()) -> Reply:
    """The reply that a text of the composer comes to: one post, or a thread where it has lines of scissors.

    Raises `InvalidInput` where the network takes no threads, or not so long ones.
    """
    parts = cut_apart(text) if is_cut(text) else (text,)
    if len(parts) > 1 and not takes_threads(channel.network):
        raise InvalidInput("This network takes no threads from here: take the lines with the scissors out.")
    if len(parts) > MOST:
        raise InvalidInput(f"A thread has at most {MOST} posts; this one has {len(parts)}.")
    reply = reply_of(channel, target, parts[0], by)
    limits = media_of(channel.network)
    if images and limits is not None and not limits.direct and reply.visibility == "direct":
        raise InvalidInput("Images cannot go with a direct message from here: take them out, or send a link.")
    return msgspec.structs.replace(
        reply,
        parts=parts if len(parts) > 1 else (),
        media=tuple(Picture(image.digest, image.alt) for image in images),
    )


def told_of_images(facts: GuardFacts, images: Sequence[Attachment], network: str) -> GuardFacts:
    """What the guard weighs, with how many of these images say nothing to those who cannot see them."""
    limits = media_of(network)
    if not images or limits is None or not limits.max_alt:
        return facts
    silent = sum(not image.alt and not image.no_alt for image in images)
    return msgspec.structs.replace(facts, images_without_words=silent)


def end_part(part: DeliveryPart, external_id: str, url: str, now: dt.datetime) -> None:
    """This post of a thread is on the network. Within the transaction that settles its delivery."""
    part.state, part.external_id, part.url, part.sent_at = DeliveryPart.State.SENT, external_id, url, now
    part.pushed_at = part.pushed_at or now
    part.save(update_fields=["state", "external_id", "url", "sent_at", "pushed_at"])


def new_key(approval: Approval, now: dt.datetime) -> str:
    """What the network knows every try of one post by."""
    random = uuid.uuid4().hex
    return timed_key(now, random) if approval.kind == Approval.Kind.POST else random


def keep_keys(delivery: Delivery) -> None:
    """A row and a key for each post of a thread; nothing for a reply of one post."""
    DeliveryPart.objects.bulk_create(
        DeliveryPart(
            workspace_id=delivery.workspace_id,
            delivery=delivery,
            number=number,
            key=new_key(delivery.approval, delivery.queued_at),
        )
        for number, _ in enumerate(delivery.approval.parts or (), 1)
    )
