"""Replies that wait: what holds them, and what lets them go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from rapport.actions.holds import hold_everything, release_hold
from rapport.actions.listening import ask_to_reconnect, connect_channel, disconnect_channel
from rapport.actions.outbound import approve, cancel_delivery, retry_delivery
from rapport.core.errors import GuardRefused, InvalidInput, NotAllowed, Stale
from rapport.core.post import Post
from rapport.store.models import Approval, Conversation, Delivery
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(
    hear: Any, make_post: Callable[..., Post], alice: Any, channel: Any, now: dt.datetime
) -> Callable[..., Delivery]:
    """Alice answers a fresh complaint."""
    hear(make_post("My parcel is broken, @fernway", id="1"))

    def answer(text: str = "@nadia I look into it now.", by: Any = None, **fields: Any) -> Delivery:
        conversation = Conversation.objects.get()
        target = newest_inbound(conversation)
        assert target is not None
        version = fields.pop("version", conversation.version)
        return approve(
            by or alice, conversation, text, target=target, channel=channel, version=version, now=now, **fields
        )

    return answer


def test_an_account_that_is_connected_again_lets_its_held_replies_go(
    send: Callable[..., Delivery], alice: Any, channel: Any, now: dt.datetime
) -> None:
    ask_to_reconnect(channel, "revoked", now=now)
    delivery = send()
    assert delivery.state == "held"
    assert "channel-off" in delivery.cause
    connect_channel(
        alice, "mastodon", server=channel.server, handle="fernway", external_id=channel.external_id, name="Fernway",
        token="new", now=now,
    )  # fmt: skip
    delivery.refresh_from_db()
    assert (delivery.state, delivery.cause) == ("queued", "")


def test_the_one_switch_holds_and_lets_go(send: Callable[..., Delivery], alice: Any, now: dt.datetime) -> None:
    hold_everything(alice, "Recall", now=now)
    delivery = send()
    assert delivery.state == "held"
    release_hold(alice, now=now)
    delivery.refresh_from_db()
    assert delivery.state == "queued"


def test_a_reply_to_less_than_the_whole_is_stopped(
    send: Callable[..., Delivery], hear: Any, make_post: Callable[..., Post]
) -> None:
    seen = Conversation.objects.get().version
    hear(make_post("And now the second one too!", id="2", in_reply_to="1"))
    with pytest.raises(Stale):
        send(version=seen)
    assert not Approval.objects.exists()


def test_two_colleagues_cannot_both_answer_from_the_same_view(send: Callable[..., Delivery], ben: Any) -> None:
    seen = Conversation.objects.get().version
    send(version=seen)
    with pytest.raises(Stale):
        send("@nadia Another answer entirely, from Ben.", by=ben, version=seen)


def test_somebody_of_another_workspace_sends_nothing(send: Callable[..., Delivery], charlie: Any) -> None:
    with pytest.raises(NotAllowed):
        send(by=charlie)


@pytest.mark.parametrize("text", ["", "   ", "x" * 501])
def test_what_the_guard_refuses_is_not_even_approved(send: Callable[..., Delivery], text: str) -> None:
    with pytest.raises(GuardRefused):
        send(text)
    assert not Approval.objects.exists()


@pytest.mark.parametrize("text", ["half a \ud83d pair", "a \x00 in it"])
def test_characters_that_cannot_be_sent_are_refused_with_a_remedy(send: Callable[..., Delivery], text: str) -> None:
    with pytest.raises(InvalidInput, match="Type them again"):
        send(text)


def test_what_was_taken_back_can_be_sent_no_more(send: Callable[..., Delivery], alice: Any, now: dt.datetime) -> None:
    delivery = send()
    cancel_delivery(alice, delivery, now=now)
    with pytest.raises(InvalidInput):
        retry_delivery(alice, delivery, now=now)


def test_a_switched_off_account_holds_what_is_queued(
    send: Callable[..., Delivery], alice: Any, channel: Any, now: dt.datetime
) -> None:
    disconnect_channel(alice, channel, now=now)
    channel.refresh_from_db()
    assert send().state == "held"
