"""A thread of several posts leaves post by post, in its order, each once, and goes on where it stopped."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection
from typing import Any

import pytest

from rapport.actions.holds import hold_everything, release_hold
from rapport.actions.ledger_check import verify
from rapport.actions.outbound import approve, cancel_delivery, retry_delivery
from rapport.actions.unknown import say_it_is_there, send_again
from rapport.core.errors import GiveUp, GuardRefused, InvalidInput, NetworkError, RetryLater, Unconfirmed
from rapport.core.parts import put_together
from rapport.core.post import Post
from rapport.core.reply import Reply
from rapport.networks.base import Account, Capabilities, Sent
from rapport.networks.contract import BaseNetwork
from rapport.pipeline.sender import Sender
from rapport.store.models import Approval, Conversation, Delivery, DeliveryPart, Membership
from rapport.store.models import Post as Row
from rapport.store.queries.outbound import newest_inbound, read_guard_facts
from rapport.store.queries.parts import reply_as_approved

pytestmark = pytest.mark.django_db

TEXTS = ("@nadia The first.", "The second, which says more.", "The third and last.")


class Died(BaseException):
    """The process is gone at this very point."""


class Wall(BaseNetwork):
    """Posts on a wall, each with what it answers; `keeps`: it knows the key of each."""

    name = "mastodon"
    title = "Wall"
    connect_fields = ()

    def __init__(self, keeps: bool = False) -> None:
        self.capabilities = Capabilities(True, True, keeps, 500, ("public",), idempotent_for=3600 if keeps else 0)
        self.there: list[tuple[Reply, str]] = []
        #: number of the push (from 1) -> what happens to it, and whether the wall took it
        self.faults: dict[int, tuple[BaseException, bool]] = {}
        self.pushes = 0
        self.blind = False

    def push(self, account: Account, reply: Reply, key: str, session: Any) -> Sent:
        self.pushes += 1
        fault, taken = self.faults.pop(self.pushes, (None, True))
        known = next((at for at, (_, one) in enumerate(self.there, 1) if one == key), 0)
        if taken and not (known and self.capabilities.idempotent_push):
            self.there.append((reply, key))
            known = len(self.there)
        if fault is not None:
            raise fault
        return Sent(f"s{known}", f"https://wall.example/{known}")

    def find(
        self, account: Account, reply: Reply, since: dt.datetime, key: str, session: Any, besides: Collection[str] = ()
    ) -> Sent | None:
        for number, (one, _) in enumerate(self.there, 1):
            same = (one.text, one.target) == (reply.text, reply.target)
            if same and not self.blind and f"s{number}" not in besides:
                return Sent(f"s{number}")
        return None


@dataclasses.dataclass
class Desk:
    by: Membership
    channel: Any
    bus: Any
    now: dt.datetime
    wall: Wall

    def answer(self, *texts: str, **more: Any) -> Delivery:
        conversation = Conversation.objects.get()
        target = newest_inbound(conversation)
        assert target is not None
        return approve(
            self.by, conversation, put_together(texts), target=target, channel=self.channel,
            version=conversation.version, now=self.now, **more,
        )  # fmt: skip

    def send(self, times: int = 1, **later: float) -> None:
        """By a new process each time."""
        self.now += dt.timedelta(**later)
        for _ in range(times):
            sender = Sender(
                {"mastodon": self.wall}, lambda: None, self.bus, lambda: self.now, dt.timedelta(minutes=1),  # type: ignore[arg-type, return-value]
            )  # fmt: skip
            try:
                sender.send_once()
            except Died:
                return

    def said(self) -> list[tuple[str, str]]:
        return [(reply.text, reply.target) for reply, _ in self.wall.there]


WHOLE = list(zip(TEXTS, ("1", "s1", "s2"), strict=True))


@pytest.fixture
def house(hear: Any, make_post: Callable[..., Post], alice: Any, channel: Any, bus: Any, now: dt.datetime) -> Desk:
    hear(make_post("My parcel is broken, @fernway", id="1"))
    return Desk(alice, channel, bus, now, Wall())


def test_a_thread_leaves_post_by_post_each_answering_the_one_before(house: Desk) -> None:
    delivery = house.answer(*TEXTS)
    approval = Approval.objects.get()
    assert (approval.text, approval.parts) == (TEXTS[0], list(TEXTS))
    keys = list(delivery.parts.order_by("number").values_list("key", flat=True))
    assert len(set(keys)) == 3  # kept before anything leaves
    house.send()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.parts.filter(state="sent").count()) == ("queued", 1)
    house.send(times=3)
    delivery.refresh_from_db()
    assert (house.said(), [key for _, key in house.wall.there]) == (WHOLE, keys)
    assert (delivery.state, delivery.external_id, delivery.url) == ("sent", "s1", "https://wall.example/1")
    assert list(Row.objects.filter(ours=True).order_by("pk").values_list("external_id", "in_reply_to")) == [
        ("s1", "1"), ("s2", "s1"), ("s3", "s2"),
    ]  # fmt: skip
    assert not verify(approval.workspace).what


@pytest.mark.parametrize(
    ("killed", "keeps", "taken"),
    [(1, False, True), (2, False, True), (2, False, False), (2, True, True), (2, True, False), (3, False, True)],
)
def test_a_sender_that_dies_in_the_middle_of_a_post_leaves_no_post_out_and_none_twice(
    house: Desk, killed: int, keeps: bool, taken: bool
) -> None:
    house.wall = Wall(keeps)
    house.answer(*TEXTS)
    house.wall.faults[killed] = (Died(), taken)
    house.send(times=killed)
    house.send(times=12, minutes=2)
    if not taken and not keeps:  # nobody can tell: a person is asked, and nothing after it leaves
        for _ in range(6):
            house.send(minutes=2)
        delivery = Delivery.objects.get()
        assert delivery.unknown_at is not None
        assert house.said() == WHOLE[: killed - 1]
        send_again(house.by, delivery, now=house.now)
        house.send(times=6)
    assert (house.said(), Delivery.objects.get().state) == (WHOLE, "sent")


def test_a_sender_that_dies_between_two_posts_goes_on_with_the_next(house: Desk) -> None:
    house.answer(*TEXTS)
    house.send(times=2)  # each by a process of its own: the second is gone now
    assert len(house.said()) == 2
    house.send(hours=1)
    assert house.said() == WHOLE


@pytest.mark.parametrize(
    ("error", "at"), [(RetryLater("busy", 30.0), 2), (Unconfirmed("no answer"), 2), (Unconfirmed("no answer"), 3)]
)
def test_a_refusal_or_a_lost_answer_in_the_middle_is_waited_out(house: Desk, error: NetworkError, at: int) -> None:
    house.answer(*TEXTS)
    house.wall.faults[at] = (error, isinstance(error, Unconfirmed))
    house.send(times=5)
    assert len(house.said()) < 3 or at == 3
    house.send(times=5, minutes=2)
    assert (house.said(), Delivery.objects.get().state) == (WHOLE, "sent")


def test_a_post_that_is_refused_for_good_stops_the_thread_until_a_person_says_more(house: Desk) -> None:
    delivery = house.answer(*TEXTS)
    house.wall.faults[2] = (GiveUp("no"), False)
    house.send(times=4)
    delivery.refresh_from_db()
    assert (delivery.state, len(house.said())) == ("failed", 1)
    retry_delivery(house.by, delivery, now=house.now)
    house.send(times=4)
    assert house.said() == WHOLE


def test_the_same_words_in_two_posts_of_a_thread_are_two_posts(house: Desk) -> None:
    house.answer("@nadia Yes.", "Yes.", "Yes.")
    house.wall.faults[3] = (Unconfirmed("no answer"), True)
    house.send(times=3)
    house.send(times=2, minutes=2)
    assert house.said() == [("@nadia Yes.", "1"), ("Yes.", "s1"), ("Yes.", "s2")]


def test_a_person_says_where_an_unknown_post_is_and_the_rest_goes_on(house: Desk) -> None:
    delivery = house.answer(*TEXTS)
    house.wall.faults[2], house.wall.blind = (Unconfirmed("no answer"), True), True
    house.send(times=2)
    for _ in range(8):
        house.send(minutes=2)
    delivery.refresh_from_db()
    assert delivery.unknown_at is not None
    say_it_is_there(house.by, delivery, link="https://wall.example/2", now=house.now)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.parts.filter(state="sent").count()) == ("queued", 2)
    house.send(times=2)
    # its id is not known from its address: the next answers the one before it
    assert house.said() == [WHOLE[0], WHOLE[1], (TEXTS[2], "s1")]
    assert Delivery.objects.get().state == "sent"


def test_a_hold_in_the_middle_holds_the_rest(house: Desk) -> None:
    house.answer(*TEXTS)
    house.send()
    hold_everything(house.by, "storm", now=house.now)
    house.send(times=3)
    assert (len(house.said()), Delivery.objects.get().state) == (1, "held")
    release_hold(house.by, now=house.now)
    house.send(times=5, seconds=30)
    assert house.said() == WHOLE


def test_the_rest_of_a_thread_can_be_taken_back(house: Desk) -> None:
    delivery = house.answer(*TEXTS)
    house.send()
    cancel_delivery(house.by, Delivery.objects.get(), now=house.now)
    house.send(times=3)
    delivery.refresh_from_db()
    assert (delivery.state, house.said(), delivery.external_id) == ("cancelled", WHOLE[:1], "s1")


def test_the_replies_after_a_thread_wait_for_all_of_it(house: Desk) -> None:
    house.answer(*TEXTS)
    house.answer("@nadia And one more.", despite=["near-same", "pile-on"])
    house.send(times=8)
    assert [text for text, _ in house.said()] == [*TEXTS, "@nadia And one more."]


def test_a_thread_is_one_reply_to_a_person_and_several_posts_of_an_account(house: Desk) -> None:
    delivery = house.answer(*TEXTS)
    house.send(times=2)
    delivery.refresh_from_db()
    reply = reply_as_approved(delivery.approval)

    def facts(besides: Delivery | None) -> Any:
        return read_guard_facts(
            reply, delivery.talk, delivery.approval.answered, house.channel, delivery.workspace, (), house.now, besides
        )

    assert facts(delivery).brand_replies_since_last_word == 0
    assert facts(None).brand_replies_since_last_word == 1
    assert len(facts(None).sent_times) == 3


def test_each_post_is_weighed_and_a_network_that_takes_no_threads_gets_none(house: Desk) -> None:
    with pytest.raises(GuardRefused, match="Post 2") as refused:
        house.answer("@nadia One.", "x" * 501)
    assert refused.value.verdict.findings[0].rule == "too-long"
    with pytest.raises(InvalidInput, match="at most 20"):
        house.answer(*["word"] * 21)
    house.channel.network = "reddit"
    Row.objects.update(network="reddit")
    with pytest.raises(InvalidInput, match="no threads"):
        house.answer(*TEXTS)
    assert not DeliveryPart.objects.exists()
