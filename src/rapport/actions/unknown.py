"""A person's word on a reply whose fate no machine can tell: it is there, or send it again; and the way over the site.

Each of these is an entry of the ledger. None sends anything: the sender does, after it has read the network once more.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q

from rapport.actions.audit import announce, require_delivery
from rapport.actions.ledger import append_decision
from rapport.actions.notices import notify_of_delivery
from rapport.actions.parts import end_part
from rapport.actions.promises import keep_promises
from rapport.core.errors import InvalidInput
from rapport.core.parts import whole
from rapport.networks.registry import network_named
from rapport.store.models import Attempt, Delivery, DeliveryPart, Membership, Post, Workspace
from rapport.store.queries.outbound import ours_like
from rapport.store.queries.parts import has_rest, next_part

MAX_LINK = 2_000  # characters
#: how the causes of those began that were given up before a person was asked
GIVEN_UP = "We cannot tell whether the network took it"
_ASKED = Q(state=Delivery.State.UNCONFIRMED, unknown_at__isnull=False)
_MOVED_ON = "This reply is settled already; look at its state again."


def say_it_is_there(
    by: Membership, delivery: Delivery, *, post: Post | None = None, link: str = "", now: dt.datetime
) -> Delivery:
    """The network took it: `post`, one of ours that was heard, or the `link` to it. Nothing is sent any more.

    Raises `InvalidInput` for a post that is not ours or is another reply, and for what is no address of the web.
    """
    require_delivery(by, delivery, "send")
    link = _check_link(link) if post is None else post.url
    with transaction.atomic():
        row = _lock(by, delivery, _ASKED)
        if post is not None and post.pk not in {each.pk for each in ours_like(row)}:
            raise InvalidInput("This post is another reply, or none of ours; choose the one that says this.")
        external_id = post.external_id if post else _id_at(row, link)
        append_decision(by, row, "settle", f"it is there: {link or external_id}", now=now)
        part = next_part(row)
        if part is not None:
            end_part(part, external_id, link, now)
        known = {"external_id": row.external_id or external_id, "url": row.url or link, "cause": ""}
        if part is not None and has_rest(part):
            # where no id is known of this post, the next one hangs on the one before it
            rest = {"next_try_at": now, "pushed_at": None, "settled_by": None}
            _change(row, "part", str(by), now, state=Delivery.State.QUEUED, **known, **rest)
        else:
            sent_at = row.pushed_at or now
            _change(row, "there", str(by), now, state=Delivery.State.SENT, sent_at=sent_at, settled_by=by, **known)
        notify_of_delivery(row, "sent", Delivery.State.UNCONFIRMED, now=now)
        keep_promises(row.workspace_id, row.talks, now=now)
    return _fresh(delivery)


def send_again(by: Membership, delivery: Delivery, *, now: dt.datetime) -> Delivery:
    """It is not there: the network is read once more, and where that shows nothing it is sent once more."""
    require_delivery(by, delivery, "send")
    given_up = Q(state=Delivery.State.FAILED, cause__startswith=GIVEN_UP)
    with transaction.atomic():
        row = _lock(by, delivery, _ASKED | given_up)
        append_decision(by, row, "settle", "send again", now=now)
        pushed = row.pushed_at or row.tries.filter(step="pushed").order_by("-pk").values_list("at", flat=True).first()
        _change(
            row, "again", str(by), now, state=Delivery.State.UNCONFIRMED, settled_by=by, next_try_at=now,
            pushed_at=pushed or row.queued_at, cause="A colleague says it is not there: we look once more, then send.",
        )  # fmt: skip
    return _fresh(delivery)


def hand_over(by: Membership, delivery: Delivery, *, now: dt.datetime) -> Delivery:
    """A person answers on the site of the network: on record, and settled once the network tells us of the post."""
    require_delivery(by, delivery, "send")
    held = Q(state=Delivery.State.HELD) & (Q(held_by="x-handover") | Q(cause__startswith="x-handover:"))
    with transaction.atomic():
        row = _lock(by, delivery, held)
        append_decision(by, row, "handover", whole(row.approval.parts or (), row.approval.text), now=now)
        _change(
            row, "handed over", str(by), now, state=Delivery.State.UNCONFIRMED, held_by="x-handover", unknown_at=now,
            pushed_at=now, cause="Handed over to the site of the network; it is settled once we hear of the post.",
        )  # fmt: skip
    return _fresh(delivery)


def take_back_handover(by: Membership, delivery: Delivery, *, now: dt.datetime) -> Delivery:
    """It was not answered on the site after all."""
    require_delivery(by, delivery, "send")
    with transaction.atomic():
        row = _lock(by, delivery, _ASKED & Q(held_by="x-handover"))
        append_decision(by, row, "settle", "not sent", now=now)
        _change(row, "cancelled", str(by), now, state=Delivery.State.CANCELLED, settled_by=by, cause="")
    return _fresh(delivery)


def _check_link(link: str) -> str:
    link = link.strip()
    if not link:
        raise InvalidInput("Paste the address of the post on the network, or choose it among our posts.")
    try:
        parts = urlsplit(link)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname or len(link) > MAX_LINK or not link.isprintable():
        raise InvalidInput("This is no address of the web; it begins with https://.")
    return link


def _id_at(row: Delivery, link: str) -> str:
    """Id of the post at an address, where that tells it. Raises `InvalidInput` for another reply of ours."""
    channel, network = row.channel, network_named(row.channel.network)
    found = network.id_at(channel.server, channel.external_id, link) if network else ""
    if found:
        others = Delivery.objects.of(row.workspace_id).filter(channel=channel, external_id=found).exclude(pk=row.pk)
        parts = DeliveryPart.objects.of(row.workspace_id).filter(delivery__channel=channel, external_id=found)
        if others.exists() or parts.exists():
            raise InvalidInput("This is the address of another reply of ours; look for the one that says this.")
    return found


def _lock(by: Membership, delivery: Delivery, where: Q) -> Delivery:
    """The row, locked after the workspace, whose lock orders the ledger. Raises `InvalidInput` where it moved on."""
    Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
    rows = (
        Delivery.objects.of(by.workspace).select_for_update(of=("self",)).select_related("approval__target", "channel")
    )
    row = rows.filter(where, pk=delivery.pk).first()
    if row is None:
        raise InvalidInput(_MOVED_ON)
    return row


def _change(row: Delivery, step: str, detail: str, now: dt.datetime, **fields: Any) -> None:
    fields = {"unknown_at": None, "claimed_by": "", "lease_until": None, **fields}
    if "held_by" not in fields:
        fields["held_by"] = None
    if fields["state"] not in Delivery.MOVES[row.state]:
        raise InvalidInput(_MOVED_ON)
    for name, value in fields.items():
        setattr(row, name, value)
    row.fence += 1  # a sender that still holds it settles nothing any more
    row.save(update_fields=[*fields, "fence"])
    Attempt.objects.create(
        workspace_id=row.workspace_id, delivery=row, fence=row.fence, step=step, detail=detail[:500], at=now
    )
    announce(row.workspace_id, now, row.talks)


def _fresh(delivery: Delivery) -> Delivery:
    delivery.refresh_from_db()
    return delivery
