"""Likes, shares, follows, edits and deletions on the page of a conversation: one press, its state, its entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from acts_cast import Seat, Sets
from rapport.actions.acts import approve_act, delete_sent, edit_sent
from rapport.actions.holds import hold_everything
from rapport.core.errors import InvalidInput
from rapport.store.models import Approval, Channel, Conversation, Delivery, Handle, Post, RuleEffect
from rapport.store.queries.outbound import newest_inbound


@pytest.fixture
def seat(cast: Any, complaint: Conversation, channel: Any, bus: Any) -> Seat:
    # pages act at the moment of the machine; the sender comes after them
    return Seat(cast.amir, channel, Sets(), bus, timezone.now() + dt.timedelta(minutes=5))


@pytest.fixture
def page(complaint: Conversation) -> str:
    return f"/w/fernway/c/{complaint.pk}/"


def press(client: Any, page: str, seat: Seat, kind: str) -> None:
    post = newest_inbound(seat.talk)
    assert post is not None
    client.post(f"{page}act", {"kind": kind, "post": post.pk})
    seat.send(2)


def test_a_post_is_liked_shared_and_followed_with_one_press_each_and_says_who_did_it(
    cast: Any, enter: Any, seat: Seat, page: str
) -> None:
    client = enter(cast.amir)
    shown = client.get(page).content.decode()
    assert 'value="like" aria-pressed="false" data-act="like"' in shown
    for kind, words in (
        ("like", "liked by Amir"), ("boost", "shared on by Amir"), ("follow", "followed by Amir"),
        ("unlike", "Amir took the like back"),
    ):  # fmt: skip
        press(client, page, seat, kind)
        assert words in client.get(page).content.decode()
    assert {mark for mark, _ in seat.network.marks} == {"boost", "follow"}
    assert 'value="unboost" aria-pressed="true"' in client.get(page).content.decode()


def test_one_that_is_held_says_why_and_is_taken_back_or_let_out(cast: Any, enter: Any, seat: Seat, page: str) -> None:
    client = enter(cast.amir)
    hold_everything(cast.alice, "Recall", now=seat.now)
    press(client, page, seat, "like")
    shown = client.get(page).content.decode()
    for words in ("the like is held", "Every queue stands still: Recall.", "Let this one out", "Take back"):
        assert words in shown
    delivery = Delivery.objects.get()
    client.post(f"{page}cancel", {"delivery": delivery.pk})
    assert Delivery.objects.get().state == "cancelled"
    assert "the like is held" not in client.get(page).content.decode()


@pytest.mark.parametrize("heard", [False, True])
def test_a_sent_reply_is_edited_its_earlier_words_stay_to_be_read_and_it_is_deleted(
    cast: Any, enter: Any, seat: Seat, page: str, worker: Any, heard: bool
) -> None:
    sent, client = seat.answer("I look into it <now>."), enter(cast.amir)
    if heard:
        worker.drain()
    shown = client.get(page).content.decode()
    assert "Change it on the network" in shown
    stale = {"delivery": sent.pk, "text": "A new one leaves today.", "seen": "something else"}
    client.post(f"{page}edit-sent", stale, headers={"HX-Request": "true"})
    assert not Approval.objects.filter(kind="edit").exists()
    given = {"delivery": sent.pk, "text": "A new one leaves today.", "seen": "I look into it <now>."}
    client.post(f"{page}edit-sent", given)
    assert "the new words are on their way" in client.get(page).content.decode()
    seat.send()
    shown = client.get(page).content.decode()
    for words in ("A new one leaves today.", "edited by Amir", "What it said before", "I look into it &lt;now&gt;."):
        assert words in shown
    client.post(f"{page}delete-sent", {"delivery": sent.pk})
    seat.send()
    shown = client.get(page).content.decode()
    assert "deleted by Amir" in shown
    assert "A new one leaves today." not in shown
    assert "I look into it" not in shown
    assert "Really delete it" not in shown


def test_what_a_network_takes_of_comments_and_not_of_messages_is_offered_so(
    cast: Any, enter: Any, seat: Seat, page: str
) -> None:
    sent, client = seat.answer("I look into it."), enter(cast.amir)
    for model in (Channel, Post, Conversation, Handle):
        model.objects.update(network="facebook")
    Delivery.objects.filter(pk=sent.pk).update(url="https://www.facebook.com/1_2")
    shown = client.get(page).content.decode()
    for words in ('data-act="like"', "Change it on the network", "Really delete it"):
        assert words in shown
    Post.objects.update(visibility="direct")
    Approval.objects.update(visibility="direct")
    shown = client.get(page).content.decode()
    for words in ('data-act="like"', "Change it on the network", "Really delete it"):
        assert words not in shown
    assert "can neither be edited nor deleted" in shown
    assert 'href="https://www.facebook.com/1_2"' in shown
    fresh = Delivery.objects.select_related("approval", "channel").get(pk=sent.pk)
    with pytest.raises(InvalidInput, match="does not let us delete"):
        delete_sent(seat.by, fresh, now=seat.now)
    with pytest.raises(InvalidInput, match="does not let us edit"):
        edit_sent(seat.by, fresh, "Other words.", now=seat.now)


def test_where_an_edit_is_a_new_post_the_reply_stands_once(
    cast: Any, enter: Any, seat: Seat, page: str, worker: Any
) -> None:
    seat.network.anew = True
    sent, client = seat.answer("I look into it."), enter(cast.amir)
    client.post(f"{page}edit-sent", {"delivery": sent.pk, "text": "A new one leaves today."})
    seat.send()
    worker.drain()
    assert Post.objects.filter(ours=True).count() == 2
    shown = client.get(page).content.decode()
    assert shown.count('class="msg us"') == 1
    assert "edited by Amir" in shown


def test_what_the_guard_refuses_is_said(cast: Any, enter: Any, seat: Seat, page: str) -> None:
    sent, client = seat.answer("I look into it."), enter(cast.amir)
    fields = {"delivery": sent.pk, "text": "long " * 200}
    answer = client.post(f"{page}edit-sent", fields, headers={"HX-Request": "true"})
    assert "999 of 500 characters" in answer.headers["HX-Trigger"]
    assert not Approval.objects.filter(kind="edit").exists()


def test_an_entry_of_the_ledger_is_named_to_those_who_may_read_it(cast: Any, enter: Any, seat: Seat, page: str) -> None:
    sent = seat.answer("I look into it.")
    link = f"/w/fernway/ledger/?entry={sent.approval.sequence}"
    assert link in enter(cast.lea).get(page).content.decode()
    assert link not in enter(cast.amir).get(page).content.decode()


def test_who_may_not_send_sees_what_was_done_and_no_buttons(cast: Any, enter: Any, seat: Seat, page: str) -> None:
    seat.answer("I look into it.")
    post = newest_inbound(seat.talk)
    assert post is not None
    approve_act(cast.amir, "like", conversation=seat.talk, post=post, channel=seat.channel, now=seat.now)
    seat.send()
    shown = enter(cast.rita).get(page).content.decode()
    assert "liked by Amir" in shown
    assert "data-act" not in shown
    assert "Really delete it" not in shown


@pytest.mark.parametrize("verb", ["like", "boost", "follow"])
def test_what_a_rule_proposes_is_done_on_the_network_with_one_press(
    cast: Any, enter: Any, seat: Seat, page: str, verb: str
) -> None:
    post = newest_inbound(seat.talk)
    assert post is not None
    RuleEffect.objects.create(
        workspace=cast.workspace, conversation=seat.talk, post=post.pk, rule="Praise", verb=verb, argument="",
        level="suggest", state="proposed", at=seat.now,
    )  # fmt: skip
    client = enter(cast.amir)
    assert "I did it" not in client.get(page).content.decode()
    client.post(f"{page}proposals/{RuleEffect.objects.get().pk}/take")
    seat.send()
    assert {mark for mark, _ in seat.network.marks} == {verb}
    assert Approval.objects.get().person == cast.amir


def test_a_vote_that_a_rule_proposes_is_cast_by_hand_for_reddit_wants_it_so(
    cast: Any, enter: Any, seat: Seat, page: str
) -> None:
    post = newest_inbound(seat.talk)
    assert post is not None
    RuleEffect.objects.create(
        workspace=cast.workspace, conversation=seat.talk, post=post.pk, rule="Praise", verb="like", argument="",
        level="suggest", state="proposed", at=seat.now,
    )  # fmt: skip
    for model in (Channel, Post, Conversation, Handle):
        model.objects.update(network="reddit")
    client = enter(cast.amir)
    assert "I did it" in client.get(page).content.decode()
    client.post(f"{page}proposals/{RuleEffect.objects.get().pk}/take")
    assert not Delivery.objects.exists()


def test_a_page_asks_as_many_queries_whether_one_act_was_done_or_many(
    cast: Any, enter: Any, seat: Seat, page: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client, lea = enter(cast.amir), enter(cast.lea)
    press(client, page, seat, "like")
    lea.get(page)
    with django_assert_max_num_queries(99) as one:
        lea.get(page)
    for kind in ("boost", "follow", "unlike"):
        press(client, page, seat, kind)
    lea.get(page)
    with django_assert_max_num_queries(99) as many:
        lea.get(page)
    assert len(many.captured_queries) == len(one.captured_queries)
