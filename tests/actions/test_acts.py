"""Likes, boosts, follows, deletions and edits: one press of one person, one entry of the ledger, one effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from acts_cast import Seat, Sets, fresh
from rapport.actions import accounts, acts, holds, outbound, people
from rapport.actions.ledger_check import verify
from rapport.core.errors import GiveUp, GuardRefused, InvalidInput, NotAllowed, RetryLater, Stale, Unconfirmed
from rapport.core.post import Post
from rapport.networks.base import Sent
from rapport.store.models import Approval, AuditEntry, Basket, Conversation, Delivery
from rapport.store.models import Post as Row
from rapport.store.queries.acts import place_of, sort_acts
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db
KINDS = ["like", "boost", "follow"]


@pytest.fixture
def seat(hear: Any, make_post: Callable[..., Post], alice: Any, channel: Any, bus: Any, now: dt.datetime) -> Seat:
    hear(make_post("My parcel is broken, @fernway", id="1"))
    return Seat(alice, channel, Sets(), bus, now)


def do(seat: Seat, kind: str, by: Any = None) -> Delivery:
    post = newest_inbound(seat.talk)
    assert post is not None
    return acts.approve_act(by or seat.by, kind, conversation=seat.talk, post=post, channel=seat.channel, now=seat.now)


@pytest.mark.parametrize("kind", KINDS)
def test_one_press_does_it_once_and_another_takes_it_back(seat: Seat, kind: str) -> None:
    first = do(seat, kind)
    assert do(seat, kind) == first
    seat.send(2)
    assert fresh(first).state == "sent"
    assert {mark for mark, _ in seat.network.marks} == {kind}
    back = do(seat, f"un{kind}")
    seat.send()
    assert fresh(back).state == "sent"
    assert not seat.network.marks
    assert seat.network.asked == [kind, f"un{kind}"]
    assert verify(seat.by.workspace).sequence is None
    told = AuditEntry.objects.filter(verb="act.approve").values_list("detail__kind", flat=True)
    assert sorted(told) == sorted([kind, f"un{kind}"])


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_not_left_is_taken_back_without_a_word_to_the_network(seat: Seat, kind: str) -> None:
    first = do(seat, kind)
    assert do(seat, f"un{kind}") == first
    assert fresh(first).state == "cancelled"
    seat.send()
    assert seat.network.asked == []
    with pytest.raises(InvalidInput, match="nothing to take back"):
        do(seat, f"un{kind}")


@pytest.mark.parametrize("kind", ["like", "boost", "follow", "delete", "edit"])
@pytest.mark.parametrize("taken", [True, False])
def test_a_time_out_is_settled_by_itself_with_one_effect(seat: Seat, kind: str, taken: bool) -> None:
    sent = seat.answer()
    if kind == "delete":
        delivery = acts.delete_sent(seat.by, sent, now=seat.now)
    elif kind == "edit":
        delivery = acts.edit_sent(seat.by, sent, "@nadia A new parcel leaves today.", now=seat.now)
    else:
        delivery = do(seat, kind)
    seat.network.faults = [(Unconfirmed("time-out"), taken), (RetryLater("busy", 3), False)]
    seat.send()
    assert fresh(delivery).state == "unconfirmed"
    for _ in range(8):
        seat.send(seconds=5)
    assert fresh(delivery).state == "sent"
    assert len(seat.network.marks) == (kind in KINDS)
    assert list(seat.network.posts.values()) == {
        "delete": [], "edit": ["@nadia A new parcel leaves today."],
    }.get(kind, ["@nadia I look into it now."])  # fmt: skip


def test_a_sender_that_died_after_its_request_is_followed_by_another(seat: Seat) -> None:
    delivery = do(seat, "like")
    seat.network.faults = [(KeyboardInterrupt(), True)]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        seat.send()
    assert fresh(delivery).state == "sending"
    for _ in range(4):
        seat.send(minutes=2)
    assert fresh(delivery).state == "sent"
    assert len(seat.network.marks) == 1


def test_one_that_nobody_can_tell_of_ends_with_a_person_and_can_be_tried_again(seat: Seat) -> None:
    delivery = do(seat, "like")
    seat.network.faults = [(Unconfirmed("time-out"), False)] * 8
    for _ in range(40):
        seat.send(minutes=16)
    assert fresh(delivery).state == "failed"
    assert "done twice it has one effect" in delivery.cause
    outbound.retry_delivery(seat.by, delivery, now=seat.now)
    seat.send()
    assert fresh(delivery).state == "sent"


def test_a_reply_is_deleted_and_its_words_leave_the_desk(seat: Seat, worker: Any) -> None:
    sent = seat.answer()
    worker.drain()
    assert (seat.talk.state, seat.talk.waiting_since) == ("pending", None)
    version = seat.talk.version
    deletion = acts.delete_sent(seat.by, sent, now=seat.now)
    assert acts.delete_sent(seat.by, sent, now=seat.now) == deletion
    assert seat.talk.version == version + 1
    seat.send(2)
    assert fresh(deletion).state == "sent"
    assert seat.network.posts == {}
    row = Row.objects.get(external_id=sent.external_id)
    assert (row.deleted, row.text) == (True, "")
    assert sort_acts(list(Delivery.objects.select_related("approval"))).on_sent[sent.pk].deleted
    # their word waits for an answer again
    assert (seat.talk.state, seat.talk.waiting_since is None) == ("open", False)
    assert verify(seat.by.workspace).sequence is None
    with pytest.raises(InvalidInput, match="has deleted"):
        acts.edit_sent(seat.by, sent, "@nadia Other words.", now=seat.now)


@pytest.mark.parametrize("anew", [False, True])
def test_a_reply_gets_other_words_twice_and_is_deleted_then(seat: Seat, anew: bool) -> None:
    seat.network.anew = anew
    sent = seat.answer()
    for text in ("@nadia A new parcel leaves today.", "@nadia A new parcel leaves tomorrow."):
        seat.now += dt.timedelta(minutes=1)
        edit = acts.edit_sent(seat.by, sent, text, now=seat.now)
        with pytest.raises(InvalidInput, match="has not arrived yet"):
            acts.edit_sent(seat.by, sent, "@nadia Both at once.", now=seat.now)
        seat.send()
        assert fresh(edit).state == "sent"
        assert list(seat.network.posts.items()) == [(place_of(sent), text)]
        row = Row.objects.get(ours=True, deleted=False)
        assert (row.text, row.external_id) == (text, place_of(sent))
    assert acts.words_now(sent) == "@nadia A new parcel leaves tomorrow."
    assert verify(seat.by.workspace).sequence is None
    acts.delete_sent(seat.by, sent, now=seat.now)
    seat.send()
    assert seat.network.posts == {}
    assert not Row.objects.filter(ours=True, deleted=False).exists()
    assert verify(seat.by.workspace).sequence is None


def test_two_colleagues_do_not_edit_over_each_other(seat: Seat) -> None:
    sent = seat.answer()
    acts.edit_sent(seat.by, sent, "@nadia Today.", seen=acts.words_now(sent), now=seat.now)
    seat.send()
    with pytest.raises(Stale):
        acts.edit_sent(seat.by, sent, "@nadia Tomorrow.", seen="@nadia I look into it now.", now=seat.now)


def test_the_switch_holds_acts_and_one_can_be_let_out(seat: Seat) -> None:
    sent = seat.answer()
    holds.hold_everything(seat.by, "storm", now=seat.now)
    deletion, like = acts.delete_sent(seat.by, sent, now=seat.now), do(seat, "like")
    seat.send(3)
    assert (fresh(deletion).state, fresh(like).state) == ("held", "held")
    holds.let_through(seat.by, deletion, now=seat.now)
    seat.send(2)
    assert (fresh(deletion).state, fresh(like).state) == ("sent", "held")
    holds.release_hold(seat.by, now=seat.now)
    seat.send()
    assert fresh(like).state == "sent"


def test_an_uncertain_act_is_not_done_again_while_everything_is_held(seat: Seat) -> None:
    delivery = do(seat, "like")
    seat.network.faults = [(Unconfirmed("time-out"), True)]
    seat.send()
    holds.hold_everything(seat.by, "storm", now=seat.now)
    for _ in range(5):
        seat.send(seconds=20)
    assert (fresh(delivery).state, seat.network.asked) == ("unconfirmed", ["like"])
    holds.release_hold(seat.by, now=seat.now)
    for _ in range(5):
        seat.send(seconds=20)
    assert (fresh(delivery).state, seat.network.asked) == ("sent", ["like", "like"])


def test_nobody_without_the_right_does_any_of_it(seat: Seat, charlie: Any) -> None:
    sent = seat.answer()
    baskets = list(Basket.objects.of(seat.by.workspace))
    for role in ("viewer", "restricted"):
        member, _ = accounts.invite(seat.by, f"{role}@fernway.example", role, role, baskets, now=seat.now)
        for act in (
            lambda by: do(seat, "like", by),
            lambda by: acts.delete_sent(by, sent, now=seat.now),
            lambda by: acts.edit_sent(by, sent, "@nadia Other.", now=seat.now),
        ):
            for by in (member, charlie):
                with pytest.raises(NotAllowed):
                    act(by)
    assert Approval.objects.filter(kind__isnull=False).count() == 0


def test_who_may_not_send_any_more_holds_back_what_they_asked_for(seat: Seat, ben: Any) -> None:
    delivery = do(seat, "like", ben)
    baskets = list(Basket.objects.of(seat.by.workspace))
    accounts.change_member(seat.by, ben, role="viewer", active=True, baskets=baskets, now=seat.now)
    seat.send()
    assert (fresh(delivery).state, delivery.held_by, seat.network.asked) == ("held", "person", [])


@pytest.mark.parametrize("field", ["text", "visibility", "subject", "handle"])
def test_what_was_changed_in_the_database_does_not_leave(seat: Seat, field: str) -> None:
    sent, other = seat.answer(), seat.answer("@nadia One more word from us.")
    if field == "handle":
        delivery = do(seat, "follow")
        changed: Any = Row.objects.get(external_id=sent.external_id).handle
    elif field == "subject":
        delivery, changed = acts.delete_sent(seat.by, sent, now=seat.now), other
    else:
        delivery = acts.edit_sent(seat.by, sent, "@nadia Other.", now=seat.now)
        changed = "direct" if field == "visibility" else "Buy our coins"
    Approval.objects.filter(pk=delivery.approval_id).update(**{field: changed})
    seat.network.asked.clear()
    seat.send()
    assert (fresh(delivery).state, seat.network.asked) == ("failed", [])
    assert verify(seat.by.workspace).sequence == delivery.approval.sequence


def test_who_asked_us_to_stop_gets_no_like_and_no_other_words_but_a_deletion(seat: Seat) -> None:
    sent = seat.answer()
    person = seat.talk.person
    assert person is not None
    liked = do(seat, "like")
    people.suppress_person(seat.by, person, "asked us to stop", now=seat.now)
    seat.send()
    assert (fresh(liked).state, seat.network.marks) == ("held", set())
    with pytest.raises(GuardRefused):
        do(seat, "boost")
    with pytest.raises(GuardRefused):
        acts.edit_sent(seat.by, sent, "@nadia Other.", now=seat.now)
    deletion = acts.delete_sent(seat.by, sent, now=seat.now)
    seat.send()
    assert fresh(deletion).state == "sent"


def test_a_refusal_of_the_network_is_shown_with_its_cause(seat: Seat) -> None:
    delivery = do(seat, "boost")
    seat.network.faults = [(GiveUp("they share with followers only"), False)]
    seat.send()
    assert (fresh(delivery).state, delivery.cause) == ("failed", "they share with followers only")
    again = do(seat, "boost")
    assert again != delivery


def test_an_act_is_no_answer(seat: Seat) -> None:
    waiting = seat.talk.waiting_since
    do(seat, "like")
    seat.send()
    assert seat.talk.waiting_since == waiting
    assert seat.talk.state == "open"


def test_a_reply_does_not_wait_for_a_like_nor_a_like_for_a_reply(seat: Seat) -> None:
    like = do(seat, "like")
    seat.network.faults = [(RetryLater("busy"), False)]
    seat.send()
    assert fresh(like).state == "queued"
    assert seat.answer().state == "sent"


@pytest.mark.parametrize("visibility", ["private", "direct"])
def test_what_is_not_public_is_not_shared_on(seat: Seat, visibility: str) -> None:
    Row.objects.update(visibility=visibility)
    with pytest.raises(InvalidInput, match="public"):
        do(seat, "boost")


def test_a_thread_of_several_posts_is_deleted_whole_and_not_edited(seat: Seat) -> None:
    from rapport.store.models import DeliveryPart

    sent = seat.answer()
    Approval.objects.filter(pk=sent.approval_id).update(parts=["a", "b"])
    sent = Delivery.objects.get(pk=sent.pk)
    for number, each in enumerate((sent.external_id, "s-2", "s-3"), 1):
        seat.network.posts[each] = "part"
        DeliveryPart.objects.create(
            workspace=sent.workspace, delivery=sent, number=number, key=f"k{number}", state="sent", external_id=each
        )
    with pytest.raises(InvalidInput, match="delete it and answer anew"):
        acts.edit_sent(seat.by, sent, "@nadia Other.", now=seat.now)
    acts.delete_sent(seat.by, sent, now=seat.now)
    seat.send()
    assert seat.network.posts == {}
    assert seat.network.asked[-3:] == ["delete"] * 3


def test_where_an_answer_has_the_same_id_whenever_it_is_written_it_stands_again(
    seat: Seat, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a review on Google or Trustpilot: deleted, and answered anew."""
    monkeypatch.setattr(seat.network, "push", lambda *_: Sent("r1/reply"))
    first = seat.answer("@nadia Call us, please, at noon.")
    worker.drain()
    acts.delete_sent(seat.by, first, now=seat.now)
    seat.send(2)
    assert Row.objects.get(external_id="r1/reply").deleted
    seat.now += dt.timedelta(minutes=1)
    second = seat.answer("@nadia Your parcel left this morning.")
    worker.drain()
    assert (second.state, second.external_id) == ("sent", "r1/reply")
    row = Row.objects.get(external_id="r1/reply")
    assert (row.deleted, row.text) == (False, "@nadia Your parcel left this morning.")
    # it can be deleted once more; a second one beside one that stands is still no effect
    beside = seat.answer("@nadia And something entirely different now.")
    assert (beside.state, "as another reply of ours" in beside.cause) == ("failed", True)
    acts.delete_sent(seat.by, second, now=seat.now)
    seat.send(2)
    assert Row.objects.get(external_id="r1/reply").deleted


def test_what_another_network_does_not_offer_is_said(seat: Seat) -> None:
    Delivery.objects.all().delete()
    sent = seat.answer()
    seat.channel.network = sent.channel.network = "mail"
    post = newest_inbound(seat.talk)
    assert post is not None
    post.network = "mail"
    with pytest.raises(InvalidInput, match="does not take"):
        acts.approve_act(seat.by, "like", conversation=seat.talk, post=post, channel=seat.channel, now=seat.now)
    with pytest.raises(InvalidInput, match="delete the reply and answer anew"):
        acts.edit_sent(seat.by, sent, "Other", now=seat.now)
    with pytest.raises(InvalidInput, match="does not let us delete"):
        acts.delete_sent(seat.by, sent, now=seat.now)
    assert Conversation.objects.count() == 1
