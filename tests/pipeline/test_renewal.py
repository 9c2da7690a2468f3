"""Tokens that expire: renewed in time, by one process, and said to be dead when they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import listening
from rapport.core.errors import NetworkError, Reauthorise, RetryLater
from rapport.core.post import Author, Post
from rapport.networks.base import Account, Capabilities, Field, Grant, Page
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.pipeline.listener import RENEWAL, Listener
from rapport.store.models import AuditEntry, Channel, Delivery
from rapport.store.secrets import unseal

pytestmark = pytest.mark.django_db


class Expiring(BaseNetwork):
    """A network that gives out tokens in turn, each good once for renewing (as X does), and takes the newest only."""

    name = "mastodon"
    title = "Expiring"
    summary = "For tests."
    capabilities = Capabilities(False, False, False, 500, ("public",))
    connect_fields: tuple[Field, ...] = ()

    def __init__(self) -> None:
        self.number = 1
        self.asked = 0
        self.trouble: NetworkError | None = None
        self.meanwhile: Callable[[], None] = lambda: None

    def streams(self, account: Account) -> tuple[str, ...]:
        return ("all",)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        if Grant.decode(account.token).access != f"access-{self.number}":
            raise Reauthorise("this token is dead; connect the account again")
        yield Page(stream, (Post("mastodon", str(self.number), "Hello", NOON, Author(id="ann")),), cursor="1")

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        self.asked += 1
        self.meanwhile()
        if self.trouble is not None:
            raise self.trouble
        if Grant.decode(account.token).refresh != f"refresh-{self.number}":
            raise Reauthorise("this token was used for renewing already; connect the account again")
        self.number += 1
        return self.grant(NOON + dt.timedelta(hours=4 * self.number))

    def grant(self, until: dt.datetime) -> tuple[str, dt.datetime]:
        return Grant(f"access-{self.number}", f"refresh-{self.number}", until).encode(), until


@pytest.fixture
def network() -> Expiring:
    return Expiring()


@pytest.fixture
def expiring(alice: Any, network: Expiring) -> Channel:
    token, until = network.grant(NOON + dt.timedelta(hours=2))
    return listening.connect_channel(
        alice, "mastodon", server="https://x.example", handle="brand", external_id="b", name="Brand", token=token,
        expires_at=until, now=NOON,
    )  # fmt: skip


def listener_at(network: Expiring, bus: Any, now: dt.datetime) -> Listener:
    return Listener({"mastodon": network}, GuardedSession, bus, lambda: now, dt.timedelta(0))


def test_a_token_is_left_alone_as_long_as_it_holds(network: Expiring, expiring: Channel, bus: Any) -> None:
    listener_at(network, bus, NOON + dt.timedelta(hours=1)).look_at(expiring)
    assert network.asked == 0
    assert expiring.posts.count() == 1


def test_a_token_that_is_about_to_expire_is_renewed_and_used(network: Expiring, expiring: Channel, bus: Any) -> None:
    later = NOON + dt.timedelta(hours=1, minutes=55)
    assert listener_at(network, bus, later).look_at(expiring) == 1
    channel = Channel.objects.get()
    assert Grant.decode(unseal(channel.token)).access == "access-2"
    assert (channel.token_expires_at, channel.renewing_until, channel.state) == (
        NOON + dt.timedelta(hours=8), None, "connected",
    )  # fmt: skip
    assert b"access-2" not in bytes(channel.token)


def test_two_processes_renew_once(network: Expiring, expiring: Channel, bus: Any) -> None:
    later = NOON + dt.timedelta(hours=1, minutes=55)
    second = listener_at(network, bus, later)
    renewed: list[bool] = []
    network.meanwhile = lambda: renewed.append(second.renew(Channel.objects.get()))
    assert listener_at(network, bus, later).renew(expiring)
    assert renewed == [True], "the second goes on with the old token as long as it holds"
    assert network.asked == 1
    stale = Channel.objects.get()
    stale.token = b"as read before the renewal"
    assert not listening.claim_renewal(stale, later + RENEWAL, now=later + 2 * RENEWAL)


def test_a_crash_between_the_network_and_the_store_asks_to_reconnect_and_does_not_circle(
    network: Expiring, expiring: Channel, bus: Any
) -> None:
    later = NOON + dt.timedelta(hours=1, minutes=55)
    listening.claim_renewal(expiring, later + RENEWAL, now=later)
    network.number += 1  # the network has rotated; nobody kept what it answered
    listener_at(network, bus, later).look_at(Channel.objects.get())
    for minutes in (3, 6, 9, 12):
        channel = Channel.objects.get()
        if channel.state == "connected":
            listener_at(network, bus, later + dt.timedelta(minutes=minutes)).look_at(channel)
    assert Channel.objects.get().state == "reauthorise"
    assert "connect the account again" in Channel.objects.get().state_reason
    assert network.asked <= 1


def test_a_network_that_does_not_answer_is_asked_again_after_the_claim(
    network: Expiring, expiring: Channel, bus: Any
) -> None:
    later = NOON + dt.timedelta(hours=1, minutes=55)
    network.trouble = RetryLater("busy")
    assert listener_at(network, bus, later).renew(expiring), "the old token holds for five minutes"
    assert listener_at(network, bus, later + dt.timedelta(minutes=1)).renew(Channel.objects.get())
    assert network.asked == 1
    network.trouble = None
    assert listener_at(network, bus, later + dt.timedelta(minutes=3)).renew(Channel.objects.get())
    assert network.asked == 2
    assert Channel.objects.get().token_expires_at == NOON + dt.timedelta(hours=8)


def test_a_dead_token_is_said_and_what_waits_is_kept(network: Expiring, expiring: Channel, bus: Any) -> None:
    network.trouble = Reauthorise("the person withdrew the consent; connect the account again")
    later = NOON + dt.timedelta(hours=3)
    assert listener_at(network, bus, later).look_at(expiring) == 0
    channel = Channel.objects.get()
    assert channel.state == "reauthorise"
    assert AuditEntry.objects.filter(verb="channel.reauthorise").exists()
    assert not Delivery.objects.exists()
    assert listener_at(network, bus, later).due() == []
