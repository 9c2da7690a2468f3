"""The sender at the last moment: what is held does not leave, in its order, and no reply is taken for its twin."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Collection
from typing import Any

import pytest

from rapport.actions import accounts
from rapport.actions.delivery import claim, settle_heard, settle_held
from rapport.actions.held import let_go
from rapport.actions.holds import hold_everything, let_through, release_hold
from rapport.actions.ledger_check import verify
from rapport.actions.outbound import approve, cancel_delivery, retry_delivery
from rapport.actions.people import suppress_person
from rapport.actions.unknown import hand_over, say_it_is_there, send_again, take_back_handover
from rapport.core.errors import InvalidInput, NetworkError, RetryLater, Unconfirmed
from rapport.core.post import Author, Post
from rapport.core.reply import Reply
from rapport.networks.base import Account, Capabilities, Sent
from rapport.networks.contract import BaseNetwork
from rapport.pipeline.sender import Sender
from rapport.store.models import (
    Approval,
    Basket,
    Channel,
    Conversation,
    Delivery,
    Hold,
    Membership,
    Notification,
    Person,
)
from rapport.store.models import Post as Row
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db


class Keyless(BaseNetwork):
    """A network that keeps no keys, as X does: what it has can only be found by reading."""

    name = "mastodon"
    title = "Keyless"
    capabilities = Capabilities(True, True, False, 500, ("public",))
    connect_fields = ()

    def __init__(self) -> None:
        #: what reached it, oldest first
        self.there: list[Reply] = []
        #: the next pushes meet these, each with whether the network took the reply all the same
        self.faults: list[tuple[NetworkError, bool]] = []
        #: a late index: what is there is not shown yet
        self.blind = False

    def push(self, account: Account, reply: Reply, key: str, session: Any) -> Sent:
        if self.faults:
            fault, taken = self.faults.pop(0)
            if taken:
                self.there.append(reply)
            raise fault
        self.there.append(reply)
        return Sent(id=f"s{len(self.there)}")

    def find(
        self, account: Account, reply: Reply, since: dt.datetime, key: str, session: Any, besides: Collection[str] = ()
    ) -> Sent | None:
        for number, one in enumerate(self.there, 1):
            same = one.text == reply.text and one.target == reply.target
            if same and not self.blind and f"s{number}" not in besides:
                return Sent(id=f"s{number}")
        return None


@dataclasses.dataclass
class Desk:
    """One conversation, a network without keys, and a sender whose clock the test moves."""

    by: Membership
    channel: Channel
    network: Keyless
    sender: Sender
    now: dt.datetime
    #: what happens while the sender looks at the post that is answered
    meanwhile: Callable[[], Any] | None = None

    def answer(self, text: str, by: Membership | None = None) -> Delivery:
        conversation = Conversation.objects.get()
        target = newest_inbound(conversation)
        assert target is not None
        return approve(
            by or self.by, conversation, text, target=target, channel=self.channel, version=conversation.version,
            despite=["near-same", "pile-on"] if (by or self.by).may("configure") else [], now=self.now,
        )  # fmt: skip

    def send(self, times: int = 1, **later: float) -> None:
        self.now += dt.timedelta(**later)
        for _ in range(times):
            self.sender.send_once()

    def states(self) -> list[str]:
        return list(Delivery.objects.order_by("pk").values_list("state", flat=True))

    def texts(self) -> list[str]:
        return [reply.text for reply in self.network.there]


@pytest.fixture
def house(hear: Any, make_post: Callable[..., Post], alice: Any, channel: Any, bus: Any, now: dt.datetime) -> Desk:
    hear(make_post("My parcel is broken, @fernway", id="1"))
    network = Keyless()
    made: list[Desk] = []

    def look(_channel: Channel, _target: Any) -> None:
        if made[0].meanwhile is not None:
            made[0].meanwhile()

    sender = Sender(
        {"mastodon": network}, lambda: None, bus, lambda: made[0].now, dt.timedelta(minutes=1), look,  # type: ignore[arg-type, return-value]
    )  # fmt: skip
    made.append(Desk(alice, channel, network, sender, now))
    return made[0]


# ---------------------------------------------------------------- G1: nothing outruns the switch


def test_a_hold_that_is_set_while_the_sender_looks_at_the_post_holds_the_reply(house: Desk) -> None:
    house.answer("@nadia one")
    house.meanwhile = lambda: hold_everything(Membership.objects.get(pk=house.by.pk), "storm", now=house.now)
    house.send()
    assert house.texts() == []
    held = Delivery.objects.get()
    assert (held.state, held.cause[:11], held.pushed_at) == ("held", "crisis-hold", None)


def test_a_person_who_asks_us_to_stop_while_the_sender_looks_gets_nothing_more(house: Desk) -> None:
    house.answer("@nadia one")
    house.meanwhile = lambda: suppress_person(house.by, Person.objects.get(), "asked us to stop", now=house.now)
    house.send()
    assert (house.texts(), house.states()) == ([], ["held"])


def test_somebody_who_loses_the_right_while_the_sender_looks_has_sent_nothing(house: Desk, ben: Membership) -> None:
    house.answer("@nadia one", by=ben)
    baskets = list(Basket.objects.of(ben.workspace_id))
    house.meanwhile = lambda: accounts.change_member(
        house.by, ben, role="viewer", active=True, baskets=baskets, now=house.now
    )
    house.send()
    assert (house.texts(), house.states()) == ([], ["held"])
    assert "may not send any more" in Delivery.objects.get().cause


@pytest.mark.parametrize("what", ["hold", "suppression", "ignoring", "demotion", "leaving", "deletion", "account"])
def test_what_comes_after_the_last_look_is_seen_by_the_step_that_lets_it_leave(
    house: Desk, ben: Membership, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    from rapport.actions import delivery as steps
    from rapport.pipeline import sender

    delivery = house.answer("@nadia one", by=ben)
    let_leave = steps.mark_pushed

    def change_then_leave(*arguments: Any, **named: Any) -> bool:
        workspace = type(delivery.workspace).objects.filter(pk=delivery.workspace_id)
        changes: dict[str, Callable[[], Any]] = {
            "hold": lambda: workspace.update(held_at=house.now, hold_reason="storm"),
            "suppression": lambda: Person.objects.update(suppressed_reason="asked us to stop"),
            "ignoring": lambda: Person.objects.update(ignored=True),
            "demotion": lambda: Membership.objects.filter(pk=ben.pk).update(role="viewer"),
            "leaving": lambda: Membership.objects.filter(pk=ben.pk).update(active=False),
            "deletion": lambda: type(delivery.approval.target).objects.update(deleted=True),
            "account": lambda: Channel.objects.update(state="reauthorise"),
        }
        changes[what]()
        return let_leave(*arguments, **named)

    monkeypatch.setattr(sender.steps, "mark_pushed", change_then_leave)
    house.send()
    assert house.texts() == []
    assert house.states() == ["held"]


# ---------------------------------------------------------------- G2: in the order in which they were approved


def test_a_reply_that_is_put_off_is_not_overtaken_in_its_conversation(house: Desk) -> None:
    house.answer("@nadia first")
    house.answer("@nadia second")
    house.network.faults = [(RetryLater("busy", None), False)]
    house.send(4)
    assert house.texts() == []
    house.send(4, minutes=2)
    assert house.texts() == ["@nadia first", "@nadia second"]


def test_a_reply_that_nobody_can_tell_of_keeps_the_next_one_back(house: Desk) -> None:
    house.answer("@nadia first")
    house.answer("@nadia second")
    house.network.faults, house.network.blind = [(Unconfirmed("time-out"), True)], True
    house.send(3)
    assert house.states() == ["unconfirmed", "queued"]
    house.network.blind = False
    house.send(4, minutes=1)
    assert house.states() == ["sent", "sent"]
    assert house.texts() == ["@nadia first", "@nadia second"]


def test_a_reply_that_was_held_a_moment_too_late_is_not_overtaken(house: Desk) -> None:
    house.answer("@nadia first")
    house.answer("@nadia second")
    first = claim("another sender", dt.timedelta(minutes=1), now=house.now)
    assert first is not None  # it read that the account was off, which a person had mended by then
    settle_held(first, "channel-off: connect it again", "channel-off", now=house.now)
    house.send(3)
    assert house.texts() == []
    assert let_go(now=house.now) == 1
    house.send(3, seconds=1)
    assert house.texts() == ["@nadia first", "@nadia second"]


def test_a_reply_in_hand_waits_for_an_earlier_one_that_is_let_go_meanwhile(house: Desk) -> None:
    house.answer("@nadia first")
    hold_everything(house.by, "a recall", now=house.now)
    house.send()
    let_through(house.by, house.answer("@nadia second"), now=house.now)
    house.meanwhile = lambda: release_hold(house.by, now=house.now)
    house.send()
    assert house.texts() == []
    house.meanwhile = None
    house.send(3, seconds=2)
    assert house.texts() == ["@nadia first", "@nadia second"]


# ---------------------------------------------------------------- G3: the wrong twin


def test_a_lost_reply_is_not_taken_for_the_one_with_the_same_words_before_it(house: Desk) -> None:
    house.answer("@nadia Thank you!")
    house.send()
    house.answer("@nadia Thank you!")
    house.network.faults = [(Unconfirmed("reset"), False)]
    house.send(2, minutes=1)
    house.send(1, seconds=10)
    first, second = Delivery.objects.order_by("pk")
    assert (first.state, first.external_id) == ("sent", "s1")
    assert (second.state, second.external_id) == ("unconfirmed", "")


# ---------------------------------------------------------------- G4: what only a person can tell
def lose(house: Desk, *, taken: bool) -> Delivery:
    """A reply of which the network never says anything, until a person is asked."""
    delivery = house.answer("@nadia one")
    house.network.faults, house.network.blind = [(Unconfirmed("time-out"), taken)], True
    for _ in range(9):
        house.send(minutes=5)
    delivery.refresh_from_db()
    return delivery


def test_a_reply_of_which_nobody_can_tell_waits_for_a_person_and_is_never_sent_by_itself(house: Desk) -> None:
    delivery = lose(house, taken=True)
    assert (delivery.state, delivery.unknown_at is not None, delivery.pushed_at is not None) == (
        "unconfirmed",
        True,
        True,
    )
    assert "is it there?" in delivery.cause
    told = Notification.objects.filter(membership=house.by, event="delivery").latest("pk")
    assert json.loads(told.text)["say"] == "unknown"
    house.network.blind = False
    house.send(5, days=2)
    with pytest.raises(InvalidInput):
        retry_delivery(house.by, delivery, now=house.now)
    with pytest.raises(InvalidInput):
        cancel_delivery(house.by, delivery, now=house.now)
    assert (house.states(), len(house.texts())) == (["unconfirmed"], 1)


def test_send_again_looks_once_more_and_doubles_nothing_that_has_become_visible(house: Desk) -> None:
    delivery = lose(house, taken=True)
    house.network.blind = False
    send_again(house.by, delivery, now=house.now)
    house.send(3)
    assert (house.states(), len(house.texts())) == (["sent"], 1)


def test_send_again_sends_what_is_not_there_and_once_only(house: Desk) -> None:
    delivery = lose(house, taken=False)
    send_again(house.by, delivery, now=house.now)
    house.network.faults = [(Unconfirmed("reset"), True)]
    house.send(3)
    # a person said it once: what became of the second try is looked for anew, and nothing is sent meanwhile
    house.send(9, minutes=5)
    assert len(house.texts()) == 1
    for _ in range(9):
        house.send(minutes=5)
    delivery.refresh_from_db()
    assert (len(house.texts()), delivery.unknown_at is not None, delivery.settled_by) == (1, True, None)


def test_it_is_there_by_its_address_is_on_record_and_sends_nothing(house: Desk) -> None:
    delivery = lose(house, taken=True)
    for bad in ("", "javascript:alert(1)", "x", "https://[", "ftp://a.example/1"):
        with pytest.raises(InvalidInput):
            say_it_is_there(house.by, delivery, link=bad, now=house.now)
    link = f"{house.channel.server}/@fernway/1"
    say_it_is_there(house.by, delivery, link=link, now=house.now)
    entry = Approval.objects.get(kind="settle")
    assert (delivery.state, delivery.url, delivery.settled_by) == ("sent", link, house.by)
    assert delivery.external_id == "1"  # as its address says, so that it can be deleted
    assert (entry.subject, entry.person, entry.sequence, entry.form) == (delivery, house.by, 2, 2)
    assert verify(house.by.workspace).sequence is None
    house.send(3, days=1)
    assert len(house.texts()) == 1


def test_the_address_of_another_reply_of_ours_is_refused(house: Desk) -> None:
    link = f"{house.channel.server}/@fernway/1"
    say_it_is_there(house.by, lose(house, taken=True), link=link, now=house.now)
    with pytest.raises(InvalidInput, match="another reply"):
        say_it_is_there(house.by, lose(house, taken=True), link=link, now=house.now)


def test_a_reply_that_the_listener_hears_of_later_is_settled_without_asking_on(
    house: Desk, hear: Any, make_post: Callable[..., Post], bus: Any
) -> None:
    delivery = lose(house, taken=True)
    assert settle_heard(bus, now=house.now) == 0
    ours = Author(id="id-fernway", handle="fernway", ours=True)
    hear(make_post("Something else", id="o1", author=ours, in_reply_to="1", created_at=house.now))
    assert settle_heard(bus, now=house.now) == 0
    hear(make_post("@nadia one", id="o2", author=ours, in_reply_to="1", created_at=house.now))
    assert settle_heard(bus, now=house.now) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.external_id, delivery.unknown_at) == ("sent", "o2", None)


def test_a_reply_that_may_have_arrived_is_chosen_among_our_posts_and_none_of_theirs(
    house: Desk, hear: Any, make_post: Callable[..., Post]
) -> None:
    delivery = lose(house, taken=True)
    theirs = Row.objects.get(external_id="1")
    with pytest.raises(InvalidInput, match="another reply"):
        say_it_is_there(house.by, delivery, post=theirs, now=house.now)
    ours = Author(id="id-fernway", handle="fernway", ours=True)
    hear(make_post("typed by hand", id="o1", author=ours, in_reply_to="1", created_at=house.now))
    say_it_is_there(house.by, delivery, post=Row.objects.get(external_id="o1"), now=house.now)
    assert (delivery.state, delivery.external_id) == ("sent", "o1")


def test_what_was_given_up_before_a_person_was_asked_is_looked_for_before_it_is_sent_again(house: Desk) -> None:
    delivery = lose(house, taken=True)
    Delivery.objects.update(
        state="failed", unknown_at=None, pushed_at=None, cause="We cannot tell whether the network took it (x) Look."
    )
    house.network.blind = False
    delivery.refresh_from_db()
    retry_delivery(house.by, delivery, now=house.now)
    house.send(3)
    assert (house.states(), len(house.texts())) == (["sent"], 1)


def test_after_a_person_was_asked_the_next_reply_goes_out(house: Desk) -> None:
    lose(house, taken=True)
    house.network.blind = False
    house.answer("@nadia two")
    house.send(2)
    assert house.states() == ["unconfirmed", "sent"]


def test_what_one_of_several_tries_may_have_left_is_looked_for_since_the_first_of_them(house: Desk) -> None:
    """The first arrives unseen, the second is put off, the third is lost: the first is the one that is there."""
    looked: list[dt.datetime] = []

    class Keeping(Keyless):
        capabilities = Capabilities(True, True, True, 500, ("public",), idempotent_for=3600)

        def find(self, account: Account, reply: Reply, since: dt.datetime, *more: Any) -> Sent | None:
            looked.append(since)
            return None if self.blind else Sent("s1")

    network = house.network = Keeping()
    house.sender.networks = {"mastodon": network}
    network.blind = True
    network.faults = [(Unconfirmed("lost"), True), (RetryLater("Busy.", 900.0), False), (Unconfirmed("lost"), False)]
    first = house.now
    house.answer("@nadia one")
    house.send(2)
    house.send(2, seconds=3)
    assert (house.states(), len(looked)) == (["queued"], 1)
    house.send(2, minutes=16)
    network.blind = False
    house.send(2, seconds=3)
    assert (house.states(), len(house.texts())) == (["sent"], 1)
    assert looked[-1] <= first < house.now - dt.timedelta(minutes=15)


# ---------------------------------------------------------------- the switch, item by item


def test_one_reply_is_let_through_on_record_while_the_others_wait(house: Desk) -> None:
    first, second = house.answer("@nadia first"), house.answer("@nadia second")
    hold_everything(house.by, "storm", known="We are looking into it", now=house.now)
    house.send(3)
    assert house.states() == ["held", "held"]
    second.refresh_from_db()
    assert second.held_by == "crisis-hold"
    let_through(house.by, second, now=house.now)
    house.send(3)
    assert (house.texts(), house.states()) == (["@nadia second"], ["held", "sent"])
    assert Approval.objects.get(kind="release").subject == second
    assert verify(house.by.workspace).sequence is None
    release_hold(house.by, now=house.now)
    house.send(3)
    assert house.states() == ["sent", "sent"]
    with pytest.raises(InvalidInput, match="Nothing is held"):
        let_through(house.by, first, now=house.now)


def test_a_later_hold_stops_what_was_let_through_an_earlier_one(house: Desk) -> None:
    delivery = house.answer("@nadia one")
    hold_everything(house.by, "storm", now=house.now)
    let_through(house.by, delivery, now=house.now)
    release_hold(house.by, now=house.now)
    house.now += dt.timedelta(minutes=1)
    hold_everything(house.by, "another", now=house.now)
    house.send(3)
    assert (house.texts(), house.states()) == ([], ["held"])


def test_every_hold_is_kept_with_who_when_and_why(house: Desk) -> None:
    hold_everything(house.by, "storm", now=house.now)
    hold_everything(house.by, "a bigger storm", known="Two ships", now=house.now + dt.timedelta(minutes=1))
    release_hold(house.by, via="cli", now=house.now + dt.timedelta(minutes=5))
    hold_everything(house.by, "again", via="api", now=house.now + dt.timedelta(minutes=9))
    told = Hold.objects.order_by("pk").values_list("reason", "known", "via", "began_at", "ended_at")
    assert list(told) == [
        ("a bigger storm", "Two ships", "desk", house.now, house.now + dt.timedelta(minutes=5)),
        ("again", "", "api", house.now + dt.timedelta(minutes=9), None),
    ]


# ---------------------------------------------------------------- answers that belong on the site


def test_a_reply_that_belongs_on_the_site_is_handed_over_and_settled_once_it_is_heard(
    house: Desk, hear: Any, make_post: Callable[..., Post], bus: Any
) -> None:
    delivery = house.answer("@nadia one")
    Delivery.objects.update(state="held", held_by="x-handover", cause="x-handover: ...")
    hand_over(house.by, delivery, now=house.now)
    house.send(3, minutes=10)
    assert (house.texts(), delivery.state) == ([], "unconfirmed")
    entry = Approval.objects.get(kind="handover")
    assert (entry.subject, entry.target, entry.text) == (delivery, delivery.approval.target, "@nadia one")
    assert verify(house.by.workspace).sequence is None
    ours = Author(id="id-fernway", handle="fernway", ours=True)
    hear(make_post("@nadia one", id="o2", author=ours, in_reply_to="1", created_at=house.now))
    assert settle_heard(bus, now=house.now) == 1
    assert house.states() == ["sent"]


def test_a_handover_that_did_not_happen_is_taken_back(house: Desk) -> None:
    delivery = house.answer("@nadia one")
    with pytest.raises(InvalidInput):
        hand_over(house.by, delivery, now=house.now)
    Delivery.objects.update(state="held", held_by="x-handover", cause="x-handover: ...")
    hand_over(house.by, delivery, now=house.now)
    take_back_handover(house.by, delivery, now=house.now)
    assert (delivery.state, house.texts()) == ("cancelled", [])


# ---------------------------------------------------------------- found by the crash matrix


def test_what_is_held_in_the_moment_in_which_its_reason_ends_is_let_go(house: Desk) -> None:
    one = house.answer("@nadia one")
    claim(house.sender.name, dt.timedelta(minutes=1), now=house.now)
    hold_everything(Membership.objects.get(pk=house.by.pk), "storm", now=house.now)
    release_hold(Membership.objects.get(pk=house.by.pk), now=house.now)
    # the sender read the hold just before it was released, and sets it down just after
    one.refresh_from_db()
    settle_held(one, "crisis-hold: storm", "crisis-hold", now=house.now)
    assert let_go(now=house.now) == 1
    house.send()
    assert house.texts() == ["@nadia one"]


def test_what_stands_in_the_way_still_is_not_let_go(house: Desk) -> None:
    house.answer("@nadia one")
    hold_everything(Membership.objects.get(pk=house.by.pk), "storm", now=house.now)
    house.send()
    assert let_go(now=house.now) == 0
    assert house.states() == ["held"]


def test_a_person_is_asked_within_five_minutes_though_the_sender_dies_twice_over_the_last_look(house: Desk) -> None:
    house.network.blind = True
    house.network.faults = [(Unconfirmed("The answer did not arrive."), False)]
    house.answer("@nadia one")
    pushed = house.now
    house.send()
    for wait in (2, 5, 15, 30, 60):
        house.send(seconds=wait)
    row = Delivery.objects.get()
    house.now = row.next_try_at
    for _ in range(2):
        claim("one that dies", dt.timedelta(minutes=1), now=house.now)
        house.now += dt.timedelta(seconds=61)
    house.send()
    assert Delivery.objects.get().unknown_at is not None
    assert house.now - pushed < dt.timedelta(minutes=5)


def test_only_requests_that_left_count_as_tries(house: Desk) -> None:
    one = house.answer("@nadia one")
    Delivery.objects.filter(pk=one.pk).update(attempts=40)
    house.network.faults = [(RetryLater("Busy."), False)]
    house.send()
    assert house.states() == ["queued"]
    house.send(seconds=5)
    assert house.states() == ["sent"]
