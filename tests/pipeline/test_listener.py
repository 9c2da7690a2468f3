"""The listener against a real Mastodon API server: nothing lost between two looks, live where the server streams."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections

from rapport.actions.listening import connect_channel
from rapport.networks.http import GuardedSession
from rapport.networks.registry import NETWORKS
from rapport.pipeline.listener import Listener
from rapport.store.models import AuditEntry, Channel, Cursor, Post
from servers import MastodonServer, mastodon_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[MastodonServer]:
    with mastodon_server() as running:
        yield running


@pytest.fixture
def account(alice: Any, server: MastodonServer, now: dt.datetime) -> Channel:
    server.clear_faults()
    return connect_channel(
        alice, "mastodon", server=server.url, handle="brand", external_id=server.ids["brand"], name="Brand",
        token=server.tokens["brand"], now=now,
    )  # fmt: skip


@pytest.fixture
def make_listener(bus: Any, server: MastodonServer) -> Callable[[float], Listener]:
    def make(seconds: float) -> Listener:
        return Listener(
            NETWORKS, lambda: GuardedSession(allow={server.authority}), bus, lambda: dt.datetime.now(dt.UTC),
            dt.timedelta(seconds=seconds),
        )  # fmt: skip

    return make


def test_every_mention_between_two_looks_is_stored_once(
    account: Channel, make_listener: Callable[[float], Listener], server: MastodonServer
) -> None:
    listener = make_listener(0)
    listener.pull(account)
    before = Post.objects.count()
    ids = {str(server.post("ann", f"@brand word {number}")["id"]) for number in range(95)}
    assert listener.pull(account) == 95
    assert listener.pull(account) == 0
    assert Post.objects.count() - before == 95
    assert ids <= set(Post.objects.values_list("external_id", flat=True))
    assert Cursor.objects.filter(channel=account, stream="notifications").get().value


def test_a_revoked_token_is_said_loudly_and_nothing_is_asked_any_more(
    account: Channel, make_listener: Callable[[float], Listener], now: dt.datetime, alice: Any, server: MastodonServer
) -> None:
    connect_channel(
        alice, "mastodon", server=server.url, handle="brand", external_id=server.ids["brand"], name="Brand",
        token="revoked", now=now,
    )  # fmt: skip
    listener = make_listener(0)
    listener.pull(Channel.objects.get())
    channel = Channel.objects.get()
    assert channel.state == "reauthorise"
    assert channel.state_reason
    assert listener.due() == []
    assert AuditEntry.objects.filter(verb="channel.reauthorise").exists()


def test_a_pause_that_the_server_asks_for_is_kept(
    account: Channel, make_listener: Callable[[float], Listener], server: MastodonServer
) -> None:
    server.fault(
        "/api/v1/notifications", {"type": "status", "status": 429, "headers": {"Retry-After": "120"}}, ("GET",), 5
    )
    listener = make_listener(0)
    server.post("ann", "@brand while it waits")
    listener.pull(account)
    server.clear_faults()
    waiting = Cursor.objects.get(stream="notifications")
    assert waiting.paused_until is not None
    assert waiting.paused_until > dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    assert Cursor.objects.filter(stream="conversations", paused_until=None).exists(), "other streams go on"
    listener.pull(Channel.objects.get())
    assert not Post.objects.filter(text__contains="while it waits").exists()
    Cursor.objects.update(paused_until=None)
    listener.pull(Channel.objects.get())
    assert Post.objects.filter(text__contains="while it waits").exists()


def test_a_server_that_does_not_answer_is_asked_less_and_less(
    account: Channel, make_listener: Callable[[float], Listener], server: MastodonServer
) -> None:
    server.fault("/api/v1/notifications", {"type": "status", "status": 503}, ("GET",), 3)
    listener, waits = make_listener(0), []
    for _ in range(3):
        before = dt.datetime.now(dt.UTC)
        listener.pull(Channel.objects.get())
        paused = Channel.objects.get().paused_until
        assert paused is not None
        waits.append((paused - before).total_seconds())
    assert 3 < waits[0] < waits[1] < waits[2]
    assert listener.due() == []
    server.clear_faults()
    listener.pull(Channel.objects.get())
    channel = Channel.objects.get()
    assert (channel.failures, channel.paused_until, channel.state_reason) == (0, None, "")


def test_a_word_arrives_by_the_live_line_long_before_the_next_look(
    account: Channel, make_listener: Callable[[float], Listener], server: MastodonServer
) -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("threads share no in-memory database; the browser test walks the live line on a file")
    listener, stop = make_listener(3600), threading.Event()

    def listen() -> None:
        try:
            listener.run_forever(stop)
        finally:
            connections.close_all()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        wait_for(lambda: Channel.objects.get().last_pull_at is not None)
        time.sleep(2)
        said = server.post("ann", "@brand live?")
        wait_for(lambda: Post.objects.filter(external_id=str(said["id"])).exists())
    finally:
        stop.set()
        thread.join(timeout=30)


def wait_for(check: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
