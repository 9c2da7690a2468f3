"""Acts beside replies on their way: looked at once more, done on the network, and set down."""

from __future__ import annotations

import datetime as dt

import msgspec

from rapport.actions import delivery as steps
from rapport.actions.outbound import describe
from rapport.bus.base import Bus
from rapport.core import post as vocabulary
from rapport.core.guard import check_act, holding_rule
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.contract import Network
from rapport.networks.http import GuardedSession
from rapport.store.mapping import post_of
from rapport.store.models import Delivery, DeliveryPart, Post
from rapport.store.queries.acts import act_of, place_of, read_act_guard
from rapport.store.queries.spend import policy_of

#: seconds until an act of which nobody knows whether it arrived is done once more, by the requests that left
WAITS = (2.0, 5.0, 15.0, 60.0, 300.0, 900.0)
#: requests that left before a person is told
MOST = 8
#: seconds between two looks whether everything is still held
WHILE_HELD = 15.0


def may_leave(delivery: Delivery, *, now: dt.datetime) -> bool:
    """The approval, the approver and the guard, looked at again just before the act leaves; settled where it may not.

    An account whose token is being renewed waits a moment.
    """
    approval, act = delivery.approval, act_of(delivery.approval)
    if approval.person is None or approval.person.may("send") is not True:
        steps.settle_held(delivery, f"{approval.person} may not do this any more; ask anew.", "person", now=now)
        return False
    if act.digest != approval.digest:
        steps.settle_failed(delivery, "This is not what was approved; nothing was done.", now=now)
        return False
    expires = delivery.channel.token_expires_at
    if expires is not None and expires <= now:
        steps.settle_later(delivery, "The token is being renewed.", now + dt.timedelta(seconds=5), now=now)
        return False
    verdict = check_act(act, read_act_guard(approval, now, besides=delivery), policy_of(delivery.channel), now)
    if verdict.standing == "allow":
        return True
    if verdict.standing == "hold" and verdict.retry_at is not None:
        steps.settle_later(delivery, describe(verdict), verdict.retry_at, now=now)
    else:
        steps.settle_held(delivery, describe(verdict), holding_rule(verdict), now=now)
    return False


class Came(msgspec.Struct, frozen=True):
    """What came of an act on the network."""

    sent: Sent
    #: ids of ours that are not there any more
    gone: tuple[str, ...] = ()


def perform(network: Network, account: Account, delivery: Delivery, session: GuardedSession) -> Came:
    """Do it, exactly as approved. Raises any `NetworkError`; after each of them it may be done again."""
    approval, key = delivery.approval, delivery.idempotency_key
    act = act_of(approval)
    if approval.kind == "delete":
        gone = ids_of(delivery)
        for each in reversed(gone):
            network.remove(account, each, session)
        return Came(Sent(act.target), gone)
    if approval.kind == "edit" and approval.subject is not None:
        sent = network.edit(account, act.target, _edited(delivery), key, session)
        return Came(sent, (act.target,) if sent.id != act.target else ())
    return Came(network.act(account, act, key, session))


def settle(delivery: Delivery, came: Came, own_key: str, bus: Bus, *, now: dt.datetime) -> None:
    """Set down that it is done, with what changed of our own posts, so that the desk shows it at once."""
    post = _post_now(delivery, came, own_key, now) if delivery.approval.kind == "edit" else None
    steps.settle_sent(delivery, came.sent.id, came.sent.url or "", post, bus, gone=came.gone, now=now)


def settle_uncertain(delivery: Delivery, left: int, *, now: dt.datetime) -> None:
    """Nobody knows whether it took effect: it is asked for once more, which has one effect, unless everything is held.

    `left`: requests that have left so far.
    """
    if left >= MOST:
        text = "The network does not say whether it took it. Look there, or try again: done twice it has one effect."
        steps.settle_failed(delivery, text, now=now)
    elif delivery.workspace.held_at is not None:
        until = now + dt.timedelta(seconds=WHILE_HELD)
        steps.settle_unconfirmed(
            delivery, "It may have arrived; it is looked after once the hold ends.", until, now=now
        )
    else:
        until = now + dt.timedelta(seconds=WAITS[min(max(left, 1), len(WAITS)) - 1])
        steps.settle_later(delivery, "It may have arrived; done once more, it has one effect.", until, now=now)


def ids_of(delivery: Delivery) -> tuple[str, ...]:
    """Ids of all posts of the reply that this act is about: one, or those of a thread, first to last."""
    subject = delivery.approval.subject
    if subject is None:
        return ()
    parts = subject.parts.filter(state=DeliveryPart.State.SENT).exclude(external_id="").order_by("number")
    return tuple(dict.fromkeys([place_of(subject, delivery.approval), *parts.values_list("external_id", flat=True)]))


def _edited(delivery: Delivery) -> Reply:
    """The reply as it stands, with the new words."""
    approval = delivery.approval
    before = approval.subject.approval if approval.subject else approval
    return Reply(
        network=delivery.channel.network, channel=delivery.channel_id,
        target=before.target.external_id if before.target else "", text=approval.text,
        visibility=before.visibility, to=tuple(before.to), approved_by=approval.person_id,
    )  # fmt: skip


def _post_now(delivery: Delivery, came: Came, own_key: str, now: dt.datetime) -> vocabulary.Post:
    """Our post with its new words, as the network would tell of it."""
    channel, place = delivery.channel, act_of(delivery.approval).target
    rows = Post.objects.of(delivery.workspace_id).select_related("handle")
    row = rows.filter(network=channel.network, external_id=place).first()
    author = vocabulary.Author(id=own_key, handle=channel.handle, name=channel.name, ours=True)
    reply = _edited(delivery)
    if row is None:
        return vocabulary.Post(
            network=channel.network, id=came.sent.id, text=reply.text, created_at=now, author=author,
            url=came.sent.url, kind="reply", in_reply_to=reply.target, mentions=reply.to,
            visibility=reply.visibility,  # type: ignore[arg-type]  # stored from a Visibility
        )  # fmt: skip
    changed = msgspec.structs.replace(post_of(row), text=reply.text, html=None, deleted=False, author=author)
    if came.sent.id == place:
        return msgspec.structs.replace(changed, edited_at=now)
    return msgspec.structs.replace(changed, id=came.sent.id, url=came.sent.url, edited_at=now)
