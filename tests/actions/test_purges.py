"""What was heard through an account goes when its access has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from canary import CANARY, places
from conftest import NOON
from rapport.actions.ledger_check import verify
from rapport.actions.listening import ask_to_reconnect, claim_renewal, connect_channel, disconnect_channel
from rapport.actions.outbound import approve
from rapport.actions.purges import ask_purge, begin_due_purges, carry_on_purges
from rapport.core.errors import AccessEnded, InvalidInput, NotAllowed, Reauthorise, RetryLater
from rapport.core.post import Author, Post
from rapport.pipeline.notice_words import words_of
from rapport.store.models import AuditEntry, Channel, Conversation, Handle, Notification, Person, Tombstone
from rapport.store.models import Post as Row
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(days=9)


@pytest.fixture
def heard(alice: Any, channel: Any, bus: Any, worker: Any, hear: Any, make_post: Callable[..., Post]) -> Channel:
    """An X account through which fifty-five people wrote, one of whom was answered; one wrote on Mastodon too."""
    from rapport.actions.hearing import hear as hear_posts

    account = connect_channel(
        alice, "x", server="", handle="fernway", external_id="77", name="Fernway on X", token="token", now=NOON
    )
    posts = [
        make_post(f"My {CANARY} parcel {n} is {n * 7919} days late", network="x", id=f"{CANARY}-{n}",
                  author=Author(id=f"{CANARY}{n}", handle=f"{CANARY}{n}", name=f"Xqkanarie {n}"))
        for n in range(55)
    ]  # fmt: skip
    hear_posts(account, posts, bus, now=NOON, stream="mentions", cursor=f"{CANARY}-54")
    worker.drain()
    hear(make_post("A word on Mastodon", author="olga"))
    talk = Conversation.objects.filter(network="x").order_by("pk")[0]
    target = newest_inbound(talk)
    assert target is not None
    approve(alice, talk, f"We look for {CANARY}", target=target, channel=account, version=talk.version, now=NOON)
    account.refresh_from_db()
    return account


def purge(alice: Any, now: dt.datetime = LATER) -> int:
    steps = 0
    while carry_on_purges(alice.workspace, now=now):
        steps += 1
    return steps


def test_all_of_it_goes_ten_days_after_the_account_was_disconnected(alice: Any, heard: Channel) -> None:
    disconnect_channel(alice, heard, now=NOON)
    assert begin_due_purges(alice.workspace, now=LATER - dt.timedelta(minutes=1)) == 0
    assert purge(alice) == 0
    assert begin_due_purges(alice.workspace, now=LATER) == 1
    assert purge(alice) >= 3
    assert [place for place in sorted(places()) if "_words" not in place] == []
    assert [row.text for row in Row.objects.all()] == ["A word on Mastodon"]
    assert [row.name for row in Person.objects.all()] == ["Olga"]
    assert not Handle.objects.filter(network="x").exists()
    assert not Tombstone.objects.exists()
    assert (verify(alice.workspace).sequence, verify(alice.workspace).erased) == (None, 1)
    heard.refresh_from_db()
    assert "deleted" in heard.state_reason
    assert AuditEntry.objects.get(verb="channel.purge").detail["removed"] > 150
    assert begin_due_purges(alice.workspace, now=LATER) == 0


def test_while_another_account_of_the_network_is_connected_nothing_goes(alice: Any, heard: Channel) -> None:
    connect_channel(alice, "x", server="", handle="fern2", external_id="78", name="Second", token="token", now=NOON)
    disconnect_channel(alice, heard, now=NOON)
    assert begin_due_purges(alice.workspace, now=LATER) == 0


def test_other_networks_keep_what_they_brought(alice: Any, channel: Channel, hear: Any, make_post: Any) -> None:
    hear(make_post("A word on Mastodon"))
    disconnect_channel(alice, channel, now=NOON)
    assert begin_due_purges(alice.workspace, now=NOON + dt.timedelta(days=400)) == 0


def test_an_admin_may_have_any_disconnected_account_forgotten_by_its_name(
    alice: Any, ben: Any, channel: Channel, hear: Any, make_post: Any
) -> None:
    hear(make_post("A word on Mastodon"))
    with pytest.raises(InvalidInput, match="Disconnect"):
        ask_purge(alice, channel, "Fernway", now=NOON)
    disconnect_channel(alice, channel, now=NOON)
    with pytest.raises(InvalidInput, match="to confirm"):
        ask_purge(alice, channel, "Other", now=NOON)
    with pytest.raises(NotAllowed):
        ask_purge(ben, channel, "Fernway", now=NOON)
    ask_purge(alice, channel, " fernway ", now=NOON)
    purge(alice, NOON)
    assert not Row.objects.exists()
    channel.refresh_from_db()
    assert "forget_by" not in channel.settings


def test_what_was_purged_may_be_heard_again(
    alice: Any, channel: Channel, hear: Any, make_post: Callable[..., Post]
) -> None:
    post = make_post("A word on Mastodon", id="1")
    hear(post)
    disconnect_channel(alice, channel, now=NOON)
    ask_purge(alice, channel, "Fernway", now=NOON)
    purge(alice, NOON)
    assert hear(post).new == 1


def test_connected_again_an_account_loses_nothing_more(alice: Any, channel: Channel, hear: Any, make_post: Any) -> None:
    hear(make_post("A word on Mastodon", id="1"))
    disconnect_channel(alice, channel, now=NOON)
    ask_purge(alice, channel, "Fernway", now=NOON)
    connect_channel(
        alice, "mastodon", server="http://127.0.0.1:9", handle="fernway", external_id="id-fernway", name="Fernway",
        token="token", now=NOON,
    )  # fmt: skip
    assert not carry_on_purges(alice.workspace, now=NOON)
    channel.refresh_from_db()
    disconnect_channel(alice, channel, now=LATER)
    assert not carry_on_purges(alice.workspace, now=LATER)
    assert Row.objects.count() == 1


ENDED = AccessEnded("X answered 401: Unauthorized.")


def test_access_that_the_network_ended_is_told_to_admins_with_the_day_and_all_of_it_goes_then(
    alice: Any, ben: Any, heard: Channel
) -> None:
    ask_to_reconnect(heard, ENDED, now=NOON)
    told = Notification.objects.get(event="source")
    assert told.membership == alice
    assert "has ended our access" in words_of(told.text)
    assert "30 Nov 2026" in words_of(told.text)
    assert begin_due_purges(alice.workspace, now=LATER - dt.timedelta(minutes=1)) == 0
    assert begin_due_purges(alice.workspace, now=LATER) == 1
    heard.refresh_from_db()
    assert (heard.state, bytes(heard.token)) == ("off", b"")
    purge(alice)
    assert not Row.objects.filter(network="x").exists()
    assert Row.objects.filter(network="mastodon").count() == 1
    assert AuditEntry.objects.get(verb="channel.ask_purge").actor == alice


def test_connected_again_in_time_an_account_that_was_ended_keeps_all(alice: Any, heard: Channel) -> None:
    ask_to_reconnect(heard, ENDED, now=NOON)
    connect_channel(
        alice, "x", server="", handle="fernway", external_id="77", name="Fernway on X", token="new", now=LATER
    )
    assert begin_due_purges(alice.workspace, now=LATER + dt.timedelta(days=90)) == 0


@pytest.mark.parametrize("cause", [Reauthorise("The access lacks a right"), RetryLater("no answer"), "revoked"])
def test_a_token_that_died_otherwise_is_no_end_of_access(alice: Any, heard: Channel, cause: Any) -> None:
    ask_to_reconnect(heard, cause, now=NOON)
    assert "must be connected again" in words_of(Notification.objects.get(event="source").text)
    assert begin_due_purges(alice.workspace, now=NOON + dt.timedelta(days=90)) == 0


def test_a_token_that_had_run_out_or_was_being_renewed_is_no_sign(alice: Any, heard: Channel) -> None:
    Channel.objects.filter(pk=heard.pk).update(token_expires_at=NOON - dt.timedelta(seconds=1))
    ask_to_reconnect(heard, ENDED, now=NOON)
    assert begin_due_purges(alice.workspace, now=NOON + dt.timedelta(days=90)) == 0
    Channel.objects.filter(pk=heard.pk).update(token_expires_at=NOON + dt.timedelta(hours=1))
    heard.refresh_from_db()
    assert claim_renewal(heard, NOON + dt.timedelta(minutes=1), now=NOON)  # and its answer is lost
    ask_to_reconnect(heard, ENDED, now=NOON + dt.timedelta(minutes=5))
    assert begin_due_purges(alice.workspace, now=NOON + dt.timedelta(days=90)) == 0


def test_while_another_account_of_the_network_speaks_an_ended_one_keeps_what_it_heard(
    alice: Any, heard: Channel
) -> None:
    connect_channel(alice, "x", server="", handle="fern2", external_id="78", name="Second", token="token", now=NOON)
    ask_to_reconnect(heard, ENDED, now=NOON)
    assert begin_due_purges(alice.workspace, now=LATER) == 0


def test_a_network_that_asks_for_nothing_keeps_what_it_brought_though_access_ended(
    alice: Any, channel: Channel, hear: Any, make_post: Any
) -> None:
    hear(make_post("A word on Mastodon"))
    ask_to_reconnect(channel, ENDED, now=NOON)
    assert "must be connected again" in words_of(Notification.objects.get(event="source").text)
    assert begin_due_purges(alice.workspace, now=NOON + dt.timedelta(days=400)) == 0
