"""The sender: takes approved replies to their networks, each with exactly one effect.

Every step is written down before the next one begins, so a process that dies anywhere leaves a state from which another
goes on: claimed (nothing left yet: due again), pushed (it may have left: look on the network), settled.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Mapping
from threading import Event

from rapport.actions import delivery as steps
from rapport.actions import listening
from rapport.actions.outbound import describe
from rapport.bus.base import Bus
from rapport.core import post as vocabulary
from rapport.core.errors import AddressRefused, GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.guard import Policy, check
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.contract import Network
from rapport.networks.http import GuardedSession
from rapport.pipeline.loop import keep_going
from rapport.store.models import Channel, Delivery, Post
from rapport.store.queries.acknowledge import why_not_now
from rapport.store.queries.outbound import read_guard_facts, reply_of
from rapport.store.secrets import unseal

log = logging.getLogger(__name__)

RENEWAL = 5.0  # seconds until the next look at a token that has expired; the listener renews it
IDLE = 0.3  # seconds between two looks at an empty outbox
#: seconds to wait before each look for an unconfirmed reply; after the last a person is asked
LOOKS = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0)
#: seconds to wait after a refusal without a time of its own, by number of attempts; jitter is not needed: one a channel
BACK_OFF = (5.0, 15.0, 60.0, 300.0, 900.0)
#: attempts before a reply that the network keeps putting off is handed to a person
MAX_ATTEMPTS = 12


def account_of(channel: Channel) -> Account:
    """A channel as its network wants to see it. Raises `Reauthorise` when the token cannot be decrypted."""
    return Account(
        channel=channel.pk,
        server=channel.server,
        handle=channel.handle,
        account_id=channel.external_id,
        token=unseal(channel.token),
        settings=channel.settings,
    )


class Sender:
    """Claims deliveries one by one and settles each."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        session: Callable[[], GuardedSession],
        bus: Bus,
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        look_again: Callable[[Channel, Post], None] | None = None,
    ) -> None:
        """`look_again`: see to it that what we know of a post is at most some minutes old."""
        self.networks = networks
        self.session = session
        self.bus = bus
        self.clock = clock
        self.lease = lease
        self.look_again = look_again
        self.name = f"{os.uname().nodename}-{os.getpid()}"[:64]

    def run_forever(self, stop: Event) -> None:
        """Send until `stop` is set."""
        keep_going(stop, lambda: 0.0 if self.send_once() else IDLE)

    def send_once(self) -> bool:
        """Take one step with one delivery that is due; False when none was."""
        delivery = steps.claim(self.name, self.lease, now=self.clock())
        if delivery is None:
            return False
        network = self.networks.get(delivery.channel.network)
        if network is None:
            steps.settle_held(delivery, "Replies cannot be sent to this network yet.", now=self.clock())
        elif delivery.state == Delivery.State.UNCONFIRMED:
            self._reconcile(delivery, network)
        else:
            self._send(delivery, network)
        return True

    def _send(self, delivery: Delivery, network: Network) -> None:
        if not self._may_leave(delivery):
            return
        expires = delivery.channel.token_expires_at
        if expires is not None and expires <= self.clock():
            steps.settle_later(
                delivery, "The token is being renewed.", self.clock() + dt.timedelta(seconds=RENEWAL), now=self.clock()
            )
            return
        if not self._still_stands(delivery):
            return
        reply = reply_of_delivery(delivery)
        try:
            account = account_of(delivery.channel)
            if not steps.mark_pushed(delivery, now=self.clock()):
                return  # the claim was lost while we looked: whoever holds it now goes on
            sent = network.push(account, reply, delivery.idempotency_key, self.session())
        except NetworkError as error:
            self._settle_error(delivery, error)
        else:
            self._settle_sent(delivery, reply, sent, "sent")

    def _may_leave(self, delivery: Delivery) -> bool:
        """The approval, the approver and the guard, looked at again just before the reply leaves."""
        approval = delivery.approval
        now = self.clock()
        if approval.person is None:
            return self._may_be_acknowledged(delivery)
        if not approval.person.may("send"):
            steps.settle_held(delivery, f"{approval.person} may not send any more; approve it anew.", now=now)
            return False
        reply = reply_of_delivery(delivery)
        if reply.digest != approval.digest:
            steps.settle_failed(delivery, "This is not what was approved; nothing was sent.", now=now)
            return False
        facts = read_guard_facts(
            reply, delivery.conversation, approval.target, delivery.channel, delivery.channel.workspace,
            approval.despite, now, besides=delivery,
        )  # fmt: skip
        verdict = check(reply, facts, Policy(), now)
        if verdict.standing == "allow":
            return True
        if verdict.standing == "hold" and verdict.retry_at is not None:
            steps.settle_later(delivery, describe(verdict), verdict.retry_at, now=now)
        else:
            steps.settle_held(delivery, describe(verdict), now=now)
        return False

    def _may_be_acknowledged(self, delivery: Delivery) -> bool:
        """A machine's word leaves at once or not at all: whatever stands in its way now drops it."""
        approval, now = delivery.approval, self.clock()
        reply = reply_of_delivery(delivery)
        facts = read_guard_facts(
            reply, delivery.conversation, approval.target, delivery.channel, delivery.channel.workspace,
            (), now, besides=delivery, acknowledgement=True,
        )  # fmt: skip
        verdict = check(reply, facts, Policy(), now)
        cause = "" if verdict.standing == "allow" else describe(verdict)
        cause = cause or why_not_now(approval, delivery.queued_at, now)
        if reply.digest != approval.digest:
            cause = "This is not what was to be said; nothing was sent."
        if cause:
            steps.settle_dropped(delivery, cause, now=now)
        return not cause

    def _still_stands(self, delivery: Delivery) -> bool:
        """Whether the post that is answered is still there by a fresh look; else the guard holds the reply."""
        target = delivery.approval.target
        if self.look_again is not None:
            self.look_again(delivery.channel, target)
            target.refresh_from_db(fields=["deleted"])
        return not target.deleted or self._may_leave(delivery)

    def _settle_error(self, delivery: Delivery, error: NetworkError) -> None:
        now = self.clock()
        cause = str(error)
        if isinstance(error, Unconfirmed):
            steps.settle_unconfirmed(delivery, cause, now + dt.timedelta(seconds=LOOKS[0]), now=now)
        elif isinstance(error, RetryLater):
            wait = error.after if error.after is not None else BACK_OFF[min(delivery.attempts, len(BACK_OFF)) - 1]
            until = now + dt.timedelta(seconds=wait)
            if error.after is not None:
                listening.pause_channel(delivery.channel, until, cause, now=now)
            if delivery.attempts >= MAX_ATTEMPTS:
                steps.settle_failed(delivery, f"Given up after {delivery.attempts} tries: {cause}", now=now)
            else:
                steps.settle_later(delivery, cause, until, now=now)
        elif isinstance(error, Reauthorise):
            listening.ask_to_reconnect(delivery.channel, cause, now=now)
            steps.settle_held(delivery, f"channel-off: {cause} Connect the account again.", now=now)
        elif isinstance(error, GiveUp | AddressRefused):
            steps.settle_failed(delivery, cause, now=now)
        else:
            raise error

    def _settle_sent(self, delivery: Delivery, reply: Reply, sent: Sent, how: str) -> None:
        now = self.clock()
        post = own_post(delivery, reply, sent, self._own_key(delivery.channel), now)
        steps.settle_sent(delivery, sent.id, sent.url or "", post, self.bus, how=how, now=now)

    def _own_key(self, channel: Channel) -> str:
        return self.networks[channel.network].own_key(account_of(channel))

    def _reconcile(self, delivery: Delivery, network: Network) -> None:
        """Read the network: is it there? Only a network that keeps our key may be asked to take it once more."""
        now = self.clock()
        reply = reply_of_delivery(delivery)
        pushed = delivery.pushed_at or delivery.queued_at
        try:
            found = network.find(
                account_of(delivery.channel),
                reply,
                pushed - dt.timedelta(minutes=5),
                delivery.idempotency_key,
                self.session(),
            )
        except Reauthorise as error:
            listening.ask_to_reconnect(delivery.channel, str(error), now=now)
            self._look_again(delivery, str(error), now)
            return
        except NetworkError as error:
            self._look_again(delivery, str(error), now)
            return
        if found is not None:
            self._settle_sent(delivery, reply, found, "reconciled")
        elif self._is_still_idempotent(network, pushed, now):
            steps.settle_later(delivery, "Not on the network; sending again with the same key.", now, now=now)
        else:
            self._look_again(delivery, "The network does not show it yet.", now)

    def _is_still_idempotent(self, network: Network, pushed: dt.datetime, now: dt.datetime) -> bool:
        """Half of the time that the network keeps a key: clocks differ, and a try takes a while itself."""
        offers = network.capabilities
        return offers.idempotent_push and now - pushed < dt.timedelta(seconds=offers.idempotent_for / 2)

    def _look_again(self, delivery: Delivery, cause: str, now: dt.datetime) -> None:
        looks = delivery.tries.filter(step="unconfirmed").count()
        if looks < len(LOOKS):
            look_at = now + dt.timedelta(seconds=LOOKS[looks])
            steps.settle_unconfirmed(delivery, cause, look_at, now=now)
        else:
            text = f"We cannot tell whether the network took it ({cause}) Look there, then retry or take it back."
            steps.settle_failed(delivery, text, now=now)


def reply_of_delivery(delivery: Delivery) -> Reply:
    """What would leave now, made from the approval and the rows as they are."""
    approval = delivery.approval
    fresh = reply_of(delivery.channel, approval.target, approval.text, approval.person)
    # whom it addresses is as approved: a person who renames themselves does not void an approval
    return Reply(
        network=fresh.network, channel=fresh.channel, target=fresh.target, text=fresh.text,
        visibility=approval.visibility, to=tuple(approval.to), approved_by=fresh.approved_by,
    )  # fmt: skip


def own_post(delivery: Delivery, reply: Reply, sent: Sent, key: str, now: dt.datetime) -> vocabulary.Post:
    """The sent reply as a post of ours, so that it stands in the conversation before the network tells us of it.

    `key`: by which the network knows us as an author, so that there is one row for us, whoever told of the post.
    """
    channel = delivery.channel
    author = vocabulary.Author(id=key, handle=channel.handle, name=channel.name, ours=True)
    return vocabulary.Post(
        network=channel.network, id=sent.id, text=reply.text, created_at=now, author=author, url=sent.url,
        kind="message" if reply.visibility == "direct" else "reply", in_reply_to=reply.target,
        mentions=reply.to, visibility=reply.visibility,  # type: ignore[arg-type]  # stored from a Visibility
    )  # fmt: skip
