"""The acknowledgement on its way: once, honest, in the ledger as a machine's word, and no answer to anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import desk, holds, outbound
from rapport.actions.acknowledge import save_acknowledgement
from rapport.actions.ledger_check import verify
from rapport.core.acknowledge import EXAMPLE
from rapport.core.errors import InvalidInput, NotAllowed, RetryLater
from rapport.core.post import Author, Post
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.contract import BaseNetwork
from rapport.pipeline.sender import Sender
from rapport.store.models import (
    Acknowledgement,
    Approval,
    Conversation,
    Delivery,
    Membership,
    Person,
    Workspace,
)
from rapport.store.models import Post as StoredPost
from rapport.store.queries.acknowledge import measure
from rapport.store.queries.talk import read_talk

pytestmark = pytest.mark.django_db
Turn = Callable[..., Any]


class Spoken(BaseNetwork):
    """A network that takes what it is given."""

    name = "mastodon"
    title = "Mastodon"

    def __init__(self) -> None:
        self.sent: list[Reply] = []
        self.fails = 0

    def push(self, account: Account, reply: Reply, key: str, session: Any) -> Sent:
        if self.fails:
            self.fails -= 1
            raise RetryLater("busy")
        self.sent.append(reply)
        return Sent(id=f"s{len(self.sent)}", url=None)

    def own_key(self, account: Account) -> str:
        return account.account_id


@pytest.fixture
def network() -> Spoken:
    return Spoken()


@pytest.fixture
def send(network: Spoken, bus: Any, worker: Any) -> Callable[..., int]:
    """Whatever waits goes out, and what was sent is heard."""

    def run(now: dt.datetime = NOON) -> int:
        sender = Sender({"mastodon": network}, lambda: None, bus, lambda: now, dt.timedelta(minutes=1))  # type: ignore[arg-type, return-value]
        steps = 0
        while sender.send_once():
            steps += 1
        worker.drain()
        return steps

    return run


@pytest.fixture
def turn_on(alice: Membership) -> Turn:
    def save(by: Membership = alice, **changed: Any) -> Any:
        asked = {
            "enabled": True, "texts": {"": EXAMPLE}, "help_links": "https://help.example/", "by_rules": False,
            "baskets": ["care", "questions"], "now": NOON, **changed,
        }  # fmt: skip
        return save_acknowledgement(by, **asked)

    return save


def complain(
    number: str = "1", author: str = "nadia", text: str = "My parcel is broken, third time!", **fields: Any
) -> Post:
    person = Author(id=f"id-{author}", handle=author, name=author.title())
    at = fields.pop("created_at", NOON - dt.timedelta(minutes=1))
    return Post("mastodon", number, text, at, person, **{"kind": "message", "visibility": "direct", **fields})


def test_it_is_off_until_an_admin_turns_it_on(hear: Any, turn_on: Turn, ben: Membership) -> None:
    hear(complain())
    assert not Acknowledgement.objects.exists()
    with pytest.raises(NotAllowed):
        turn_on(ben)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"texts": {"": "Hello, I am Ann and will help you"}}, "automatic"),
        ({"texts": {}}, "Write the text"),
        ({"baskets": []}, "Choose at least one basket"),
        ({"baskets": ["gone"]}, "no basket gone"),
        ({"help_links": "javascript:alert(1)"}, "no address of a page"),
    ],
)
def test_what_cannot_be_turned_on_is_said_with_the_remedy(turn_on: Turn, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        turn_on(**changed)


def test_it_goes_out_once_and_stands_in_the_ledger_as_a_machine_s_word(
    alice: Membership, hear: Any, turn_on: Turn, send: Any, network: Spoken
) -> None:
    turn_on()
    hear(complain())
    approval = Approval.objects.get()
    assert (approval.person, approval.machine, approval.standing_word) == (None, "acknowledgement", alice)
    send()
    [said] = network.sent
    assert said.text == (
        "@nadia Hello Nadia, this is an automatic message: we have read that you need us, and a person will answer you "
        "here. We are here round the clock. This may help until then: https://help.example/"
    )
    hear(complain("2", in_reply_to="1"))
    send()
    assert len(network.sent) == Acknowledgement.objects.count() == 1
    assert verify(alice.workspace).sequence is None


def test_the_ledger_breaks_when_a_machine_s_word_is_given_to_a_person(
    alice: Membership, hear: Any, turn_on: Turn
) -> None:
    turn_on()
    hear(complain())
    Approval.objects.update(person=alice, machine=None, standing_word=None)
    assert verify(alice.workspace).sequence == 1


def test_it_is_no_answer_they_wait_as_before(
    alice: Membership, hear: Any, turn_on: Turn, send: Any, network: Spoken
) -> None:
    turn_on()
    hear(complain())
    before = Conversation.objects.get()
    send()
    assert StoredPost.objects.filter(ours=True).exists()
    after = Conversation.objects.get()
    assert (after.state, after.waiting_since, after.score) == ("open", before.waiting_since, before.score)
    assert after.waiting_since is not None
    talk = read_talk(after, alice)
    assert not talk.answered
    # a person's answer is one
    target = StoredPost.objects.get(ours=False)
    outbound.approve(
        alice, after, "@nadia I look into it.", target=target, channel=after.channel, version=after.version, now=NOON
    )
    send()
    answered = Conversation.objects.get()
    assert (answered.state, answered.waiting_since) == ("pending", None)


def test_what_the_network_tells_of_it_before_we_know_its_id_ends_no_waiting(
    hear: Any, turn_on: Turn, send: Any, network: Spoken, channel: Any
) -> None:
    turn_on()
    hear(complain())
    echo = Post(
        "mastodon", "s1", "Hello, automatic", NOON, Author(id="id-fernway", handle="fernway", ours=True),
        kind="message", in_reply_to="1",
    )  # fmt: skip

    def push(account: Account, reply: Reply, key: str, session: Any) -> Sent:
        hear(echo)
        return Sent(id="s1", url=None)

    network.push = push  # type: ignore[method-assign]
    send()
    talk = Conversation.objects.get()
    assert (talk.state, talk.waiting_since is not None) == ("open", True)


@pytest.mark.parametrize(
    "post",
    [
        complain(kind="post", visibility="public"),
        complain(created_at=NOON - dt.timedelta(hours=2)),
        complain(text="I love this, thank you so much, great service!"),
        complain(text="STOP"),
        Post("mastodon", "1", "My parcel is broken", NOON, Author(id="b", handle="b", bot=True), kind="message"),
    ],
    ids=["not to us", "old", "another basket", "asked us to stop", "a bot"],
)
def test_it_is_not_said_to_whom_it_must_not_be(hear: Any, turn_on: Turn, post: Post) -> None:
    turn_on(baskets=["care"])
    hear(post)
    assert StoredPost.objects.exists()
    assert not Acknowledgement.objects.exists()


def test_the_ignored_and_a_held_workspace_hear_nothing(hear: Any, turn_on: Turn) -> None:
    hear(complain("0", text="Hello", kind="post", visibility="public"))
    Person.objects.update(ignored=True)
    turn_on()
    hear(complain("1"))
    Person.objects.update(ignored=False)
    Workspace.objects.update(held_at=NOON, hold_reason="storm")
    hear(complain("2", author="olga"))
    assert not Acknowledgement.objects.exists()


def test_one_person_hears_it_once_a_day_whatever_they_begin(hear: Any, turn_on: Turn) -> None:
    turn_on()
    hear(complain("1"), complain("2", text="And my other parcel is lost, terrible!"))
    assert Acknowledgement.objects.count() == 1


@pytest.mark.parametrize("what", ["off", "late", "answered", "held", "admin left"])
def test_what_stands_in_its_way_before_it_leaves_drops_it(
    alice: Membership, ben: Membership, hear: Any, turn_on: Turn, send: Any, network: Spoken, what: str
) -> None:
    turn_on()
    hear(complain())
    later = NOON
    if what == "off":
        turn_on(enabled=False)
    elif what == "late":
        later = NOON + dt.timedelta(hours=2)
    elif what == "held":
        holds.hold_everything(alice, "storm", now=NOON)
    elif what == "admin left":
        Membership.objects.filter(pk=alice.pk).update(role="agent")
    else:
        talk = Conversation.objects.get()
        outbound.approve(
            alice, talk, "@nadia I look into it.", target=StoredPost.objects.get(), channel=talk.channel,
            version=talk.version, now=NOON,
        )  # fmt: skip
    send(later)
    delivery = Delivery.objects.get(approval__machine="acknowledgement")
    assert (delivery.state, bool(delivery.cause)) == ("cancelled", True)
    assert all("automatic" not in reply.text for reply in network.sent)


def test_a_network_that_is_busy_is_tried_again(hear: Any, turn_on: Turn, send: Any, network: Spoken) -> None:
    network.fails = 1
    turn_on()
    hear(complain())
    send()
    assert network.sent == []
    send(NOON + dt.timedelta(minutes=1))
    assert len(network.sent) == 1


def test_the_same_words_to_many_do_not_hold_it_nor_the_answers_of_people(
    alice: Membership, hear: Any, turn_on: Turn, send: Any, network: Spoken
) -> None:
    turn_on(texts={"": "An automatic message: we have your word."})
    for number, author in enumerate(("nadia", "olga", "piet")):
        hear(complain(str(number), author=author, text=f"Parcel {number} is broken, {'very ' * number} annoying!"))
    send()
    assert len(network.sent) == 3
    talk = Conversation.objects.first()
    assert talk is not None
    target = StoredPost.objects.get(conversation_id=talk.pk, ours=False)
    delivery = outbound.approve(
        alice, talk, "@nadia An automatic message: we have your word.", target=target, channel=talk.channel,
        version=talk.version, now=NOON,
    )  # fmt: skip
    assert delivery.state == "queued"


def test_a_crash_while_a_batch_is_recorded_leaves_no_word_behind(
    hear: Any, turn_on: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_on()

    def die(*args: object, **rest: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(desk, "announce", die)
        hear(complain())
    assert not Approval.objects.exists()
    assert not Delivery.objects.exists()


def test_its_effect_is_measured_beside_those_who_did_not_get_it(
    alice: Membership, hear: Any, turn_on: Turn, send: Any
) -> None:
    turn_on()
    hear(complain("1"), complain("2", author="olga", text="Where is my parcel? It is broken and late."))
    send()
    turn_on(enabled=False)
    hear(complain("3", author="piet", text="Broken! I am disappointed, third time!"))
    hear(
        complain("4", in_reply_to="1", text="This is terrible, I hate you", created_at=NOON),
        complain("5", author="piet", in_reply_to="3", text="Thank you, all is great now", created_at=NOON),
    )
    found = measure(alice.workspace, ["care"], NOON)
    assert (found.sent, found.acknowledged.conversations, found.acknowledged.back) == (2, 2, 1)
    assert (found.others.conversations, found.others.back, found.others.calmer) == (1, 1, 1)
    assert found.acknowledged.share(found.acknowledged.back) == 0.5


def test_two_that_were_acknowledged_and_turn_out_to_be_one_wait_as_before(
    hear: Any, turn_on: Turn, send: Any, network: Spoken
) -> None:
    turn_on()
    hear(complain("1"), complain("2", author="olga", text="Where is my parcel? It is broken and late."))
    send()
    assert len(network.sent) == 2
    hear(complain("3", author="nadia", in_reply_to="2", thread="1", created_at=NOON))
    talk = Conversation.objects.exclude(state="merged").get()
    assert (talk.state, talk.waiting_since) == ("open", NOON - dt.timedelta(minutes=1))
    send()
    assert len(network.sent) == 2
