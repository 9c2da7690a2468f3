"""The sender: takes approved replies to their networks, each with exactly one effect.

Every step is written down before the next one begins, so a process that dies anywhere leaves a state from which another
goes on: claimed (nothing left yet: due again), pushed (it may have left: look on the network), settled.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from threading import Event

import msgspec
from django.db import models
from django.db.models import Max, Min

from rapport.actions import delivery as steps
from rapport.actions import hearing, listening
from rapport.actions.held import let_go
from rapport.actions.outbound import describe
from rapport.bus.base import Bus
from rapport.core import post as vocabulary
from rapport.core.errors import AddressRefused, GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.guard import check, holding_rule
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.contract import Network
from rapport.networks.http import GuardedSession
from rapport.pipeline import acting
from rapport.pipeline.images import bring_images
from rapport.pipeline.lanes import Lanes
from rapport.pipeline.loop import keep_going
from rapport.store.models import Approval, Attempt, Channel, Delivery, Post
from rapport.store.queries.acknowledge import why_not_now
from rapport.store.queries.acts import act_of
from rapport.store.queries.outbound import is_known_as_another, other_ids, read_guard_facts
from rapport.store.queries.parts import ids_of_parts, key_of, next_part, parts_sent, post_of_part, reply_as_approved
from rapport.store.queries.spend import policy_of
from rapport.store.secrets import unseal

log = logging.getLogger(__name__)

RENEWAL = 5.0  # seconds until the next look at a token that has expired; the listener renews it
IDLE = 0.3  # seconds between two looks at an empty outbox
#: accounts that are served side by side
LANES = 16
#: how often it is asked whether the network told us of a reply that a person is asked about, and whether something is
#: held whose reason is gone
HEARING = dt.timedelta(seconds=5)
#: seconds to wait before each look for an unconfirmed reply; after the last a person is asked
LOOKS = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0)
#: seconds from the push on after which no further look is waited for: a sender may die twice over the last one, each
#: time for the length of its lease, and a person is asked within five minutes all the same
LAST_LOOK = 170.0
#: seconds to wait after a refusal without a time of its own, by number of attempts; jitter is not needed: one a channel
BACK_OFF = (5.0, 15.0, 60.0, 300.0, 900.0)
#: requests that left before a reply that the network keeps putting off is handed to a person
MAX_ATTEMPTS = 12


#: what goes out by `Network.push`, and is looked for where nobody knows whether it arrived
_SAID = (None, Approval.Kind.POST)


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
        self._hear_at = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.name = f"{os.uname().nodename}-{os.getpid()}"[:64]

    def run_forever(self, stop: Event) -> None:
        """Send until `stop` is set; what is on its way then is seen through to its answer.

        Accounts have lanes of their own: one at a time for each, and a server that does not answer holds up no other.
        """
        lanes = Lanes(LANES)
        try:
            keep_going(stop, lambda: self._fill(lanes))
        finally:
            lanes.close()

    def _fill(self, lanes: Lanes) -> float:
        """Start one delivery of an account that has none under way; wait a little where there is none."""
        lanes.raise_failure()
        if self.clock() >= self._hear_at:
            self._hear_at = self.clock() + HEARING
            steps.settle_heard(self.bus, now=self.clock())
            let_go(now=self.clock())
        ended, busy = lanes.ended, lanes.busy
        delivery = None
        if len(busy) < lanes.most:
            delivery = steps.claim(self.name, self.lease, besides=busy, now=self.clock())
        if delivery is None:
            lanes.wait(ended, IDLE)
        else:
            lanes.start(delivery.channel_id, partial(self._step, delivery))
        return 0.0

    def send_once(self) -> bool:
        """Take one step with one delivery that is due; False when none was."""
        delivery = steps.claim(self.name, self.lease, now=self.clock())
        if delivery is None:
            return False
        self._step(delivery)
        return True

    def _step(self, delivery: Delivery) -> None:
        network = self.networks.get(delivery.channel.network)
        if network is None:
            steps.settle_held(delivery, "Replies cannot be sent to this network yet.", "network", now=self.clock())
        elif delivery.approval.kind not in _SAID:
            self._act(delivery, network)
        elif delivery.state == Delivery.State.UNCONFIRMED:
            self._reconcile(delivery, network)
        else:
            self._send(delivery, network)

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
        part = next_part(delivery)
        reply = post_of_part(reply_as_approved(delivery.approval), part)
        try:
            account, session = account_of(delivery.channel), self.session()
            reply = bring_images(network, account, delivery.approval, reply, session)
            if not steps.mark_pushed(delivery, part, now=self.clock()):
                self._settle_changed(delivery)
                return
            sent = network.push(account, reply, key_of(delivery, part), session)
        except NetworkError as error:
            self._settle_error(delivery, error)
        else:
            self._settle_sent(delivery, reply, sent, "sent")

    def _act(self, delivery: Delivery, network: Network) -> None:
        """A like, a deletion or the like: what may have taken effect is done again, which has one effect."""
        if delivery.state == Delivery.State.UNCONFIRMED:
            left = _steps_since_asked(delivery).filter(step="pushed").count()
            acting.settle_uncertain(delivery, left, now=self.clock())
        elif acting.may_leave(delivery, now=self.clock()):
            try:
                account = account_of(delivery.channel)
                if not steps.mark_pushed(delivery, now=self.clock()):
                    if read_anew(delivery):
                        acting.may_leave(delivery, now=self.clock())
                    return
                came = acting.perform(network, account, delivery, self.session())
            except NetworkError as error:
                self._settle_error(delivery, error)
            else:
                acting.settle(delivery, came, self._own_key(delivery.channel), self.bus, now=self.clock())

    def _may_leave(self, delivery: Delivery) -> bool:
        """The approval, the approver and the guard, looked at again just before the reply leaves."""
        approval = delivery.approval
        now = self.clock()
        if approval.kind == Approval.Kind.POST:
            return acting.may_leave(delivery, now=now)
        if approval.person is None:
            return self._may_be_acknowledged(delivery)
        if approval.person.may("send") is not True:
            steps.settle_held(delivery, f"{approval.person} may not send any more; approve it anew.", "person", now=now)
            return False
        reply = reply_as_approved(approval)
        if reply.digest != approval.digest:
            steps.settle_failed(delivery, "This is not what was approved; nothing was sent.", now=now)
            return False
        facts = read_guard_facts(
            reply, delivery.talk, approval.answered, delivery.channel, delivery.channel.workspace,
            approval.despite, now, besides=delivery,
        )  # fmt: skip
        facts = msgspec.structs.replace(facts, parts_sent=parts_sent(delivery))
        verdict = check(reply, facts, policy_of(delivery.channel), now)
        if verdict.standing == "allow":
            return True
        if verdict.standing == "hold" and verdict.retry_at is not None:
            steps.settle_later(delivery, describe(verdict), verdict.retry_at, now=now)
        else:
            steps.settle_held(delivery, describe(verdict), holding_rule(verdict), now=now)
        return False

    def _may_be_acknowledged(self, delivery: Delivery) -> bool:
        """A machine's word leaves at once or not at all: whatever stands in its way now drops it."""
        approval, now = delivery.approval, self.clock()
        reply = reply_as_approved(approval)
        facts = read_guard_facts(
            reply, delivery.talk, approval.answered, delivery.channel, delivery.channel.workspace,
            (), now, besides=delivery, acknowledgement=True,
        )  # fmt: skip
        verdict = check(reply, facts, policy_of(delivery.channel), now)
        cause = "" if verdict.standing == "allow" else describe(verdict)
        cause = cause or why_not_now(approval, delivery.queued_at, now)
        if reply.digest != approval.digest:
            cause = "This is not what was to be said; nothing was sent."
        if cause:
            steps.settle_dropped(delivery, cause, now=now)
        return not cause

    def _still_stands(self, delivery: Delivery) -> bool:
        """Whether the post that is answered is still there by a fresh look; else the guard holds the reply.

        That look may take seconds on the network, in which somebody may have stopped everything: all is read anew.
        """
        if self.look_again is None or delivery.approval.target is None:
            return True
        self.look_again(delivery.channel, delivery.approval.target)
        return read_anew(delivery) and self._may_leave(delivery)

    def _settle_changed(self, delivery: Delivery) -> None:
        """What was to leave may not any more: the guard says why. A claim that was lost is somebody else's by now.

        Where the guard has nothing against it, an earlier reply is due again and leaves first.
        """
        if read_anew(delivery) and self._may_leave(delivery):
            now = self.clock()
            steps.settle_later(delivery, "", now + dt.timedelta(seconds=1), now=now)

    def _settle_error(self, delivery: Delivery, error: NetworkError) -> None:
        now = self.clock()
        cause = str(error)
        if isinstance(error, Unconfirmed):
            steps.settle_unconfirmed(delivery, cause, now + dt.timedelta(seconds=LOOKS[0]), now=now)
        elif isinstance(error, RetryLater):
            # what ended in a pause, a hold of the guard or a death of ours is no refusal of the network
            left = _steps_since_asked(delivery).filter(step="pushed").count()
            wait = error.after if error.after is not None else BACK_OFF[min(max(left, 1), len(BACK_OFF)) - 1]
            until = now + dt.timedelta(seconds=wait)
            if error.after is not None:
                listening.pause_channel(delivery.channel, until, cause, now=now)
            if left >= MAX_ATTEMPTS:
                steps.settle_failed(delivery, f"Given up after {left} tries: {cause}", now=now)
            else:
                steps.settle_later(delivery, cause, until, now=now)
        elif isinstance(error, Reauthorise):
            listening.ask_to_reconnect(delivery.channel, error, now=now)
            steps.settle_held(delivery, f"channel-off: {cause} Connect the account again.", "channel-off", now=now)
        elif isinstance(error, GiveUp | AddressRefused):
            steps.settle_failed(delivery, cause, now=now)
        else:
            raise error

    def _settle_sent(self, delivery: Delivery, reply: Reply, sent: Sent, how: str) -> None:
        now = self.clock()
        if is_known_as_another(delivery, sent.id) or sent.id in ids_of_parts(delivery):
            cause = "The network has these words as another reply of ours already, and took nothing new. Say it anew."
            steps.settle_failed(delivery, cause, now=now)
            return
        post = own_post(delivery, reply, sent, self._own_key(delivery.channel), now)
        hearing.bring_back(delivery.channel, post, self.bus, now=now)
        steps.settle_sent(delivery, sent.id, sent.url or "", post, self.bus, how=how, now=now)

    def _own_key(self, channel: Channel) -> str:
        return self.networks[channel.network].own_key(account_of(channel))

    def _reconcile(self, delivery: Delivery, network: Network) -> None:
        """Read the network: is it there? Only a network that keeps our key may be asked to take it once more."""
        now = self.clock()
        part = next_part(delivery)
        reply = post_of_part(reply_as_approved(delivery.approval), part)
        pushed = delivery.pushed_at or delivery.queued_at
        tries = _steps_since_asked(delivery).filter(step="pushed")
        first = min(tries.aggregate(first=Min("at"))["first"] or pushed, pushed)
        try:
            found = network.find(
                account_of(delivery.channel),
                reply,
                first - dt.timedelta(minutes=5),  # of several tries any one may be there
                key_of(delivery, part),
                self.session(),
                other_ids(delivery) | ids_of_parts(delivery),
            )
        except Reauthorise as error:
            listening.ask_to_reconnect(delivery.channel, error, now=now)
            self._look_again(delivery, str(error), now)
            return
        except Unconfirmed as error:
            if delivery.settled_by_id:  # what cannot be read was looked at by a person, who says: send it again
                steps.settle_later(delivery, "Sending again, as a colleague said.", now, now=now)
            else:
                self._look_again(delivery, str(error), now)
            return
        except NetworkError as error:
            self._look_again(delivery, str(error), now)
            return
        if found is not None:
            self._settle_sent(delivery, reply, found, "reconciled")
        elif delivery.settled_by_id:
            steps.settle_later(delivery, "Not on the network; sending again, as a colleague said.", now, now=now)
        elif self._is_still_idempotent(network, pushed, now):
            steps.settle_later(delivery, "Not on the network; sending again with the same key.", now, now=now)
        else:
            self._look_again(delivery, "The network does not show it yet.", now)

    def _is_still_idempotent(self, network: Network, pushed: dt.datetime, now: dt.datetime) -> bool:
        """Half of the time that the network keeps a key: clocks differ, and a try takes a while itself."""
        offers = network.capabilities
        return offers.idempotent_push and now - pushed < dt.timedelta(seconds=offers.idempotent_for / 2)

    def _look_again(self, delivery: Delivery, cause: str, now: dt.datetime) -> None:
        done = _steps_since_asked(delivery)
        looks = done.filter(step="unconfirmed").count()
        began = max(delivery.pushed_at or delivery.queued_at, done.aggregate(first=Min("at"))["first"] or now)
        last = began + dt.timedelta(seconds=LAST_LOOK)
        if looks < len(LOOKS) and now < last:
            look_at = min(now + dt.timedelta(seconds=LOOKS[looks]), last)
            steps.settle_unconfirmed(delivery, cause, look_at, now=now)
        else:
            text = f"We cannot tell whether the network took it ({cause}) Look there: is it there?"
            steps.settle_unknown(delivery, text, now=now)


def _steps_since_asked(delivery: Delivery) -> models.QuerySet[Attempt]:
    """What was tried of late: since a person said what is to happen, or the post before it in a thread was sent."""
    asked = delivery.tries.filter(step__in=["again", "part"]).aggregate(last=Max("pk"))["last"] or 0
    return delivery.tries.filter(pk__gt=asked)


def read_anew(delivery: Delivery) -> bool:
    """Forget what was read of it and around it, so that the next look sees the rows as they are; False: claim lost."""
    claimed = (delivery.fence, delivery.claimed_by, delivery.state)
    try:
        delivery.refresh_from_db()
    except Delivery.DoesNotExist:
        return False
    return (delivery.fence, delivery.claimed_by, delivery.state) == claimed


def own_post(delivery: Delivery, reply: Reply, sent: Sent, key: str, now: dt.datetime) -> vocabulary.Post:
    """The sent reply as a post of ours, so that it stands in the conversation before the network tells us of it.

    `key`: by which the network knows us as an author, so that there is one row for us, whoever told of the post.
    """
    channel, answered = delivery.channel, reply.target
    is_first = delivery.approval.kind == Approval.Kind.POST and answered == act_of(delivery.approval).target
    author = vocabulary.Author(id=key, handle=channel.handle, name=channel.name, ours=True)
    return vocabulary.Post(
        network=channel.network, id=sent.id, text=reply.text, created_at=now, author=author, url=sent.url,
        kind="post" if is_first else "message" if reply.visibility == "direct" else "reply",
        in_reply_to=None if is_first else answered,
        mentions=reply.to, visibility=reply.visibility,  # type: ignore[arg-type]  # stored from a Visibility
    )  # fmt: skip
