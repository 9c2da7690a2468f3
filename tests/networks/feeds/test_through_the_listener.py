"""Feeds and a watched folder as the listener reads them: stored once, and one bad feed does not stop the others."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from rapport.actions.listening import connect_channel
from rapport.bus.table import TableBus
from rapport.networks.feeds.network import Feeds
from rapport.networks.folder.network import Folder
from rapport.networks.http import GuardedSession
from rapport.pipeline.listener import Listener
from rapport.store.models import Channel, Cursor, Gap, Post

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now


def listener_of(network: Any, session: GuardedSession, clock: Clock) -> Listener:
    bus = TableBus(settings.RAPPORT.batch)
    return Listener({network.name: network}, lambda: session, bus, clock, dt.timedelta(seconds=20))


def connect(alice: Any, network: Any, fields: dict[str, str], session: GuardedSession, clock: Clock) -> Channel:
    made = network.connect(fields, session)
    return connect_channel(
        alice,
        network.name,
        server=made.server,
        handle=made.identity.handle,
        external_id=made.identity.account_id,
        name=made.identity.name,
        token=made.token,
        settings=dict(made.settings),
        now=clock.now,
    )


def test_one_bad_feed_does_not_stop_the_others(
    alice: Any, site: Any, session: GuardedSession, write_entry: Any
) -> None:
    clock = Clock()
    network = Feeds(clock=clock)
    bad, good = site.feed("/bad", write_entry(1)), site.feed("/good", write_entry(2))
    gone = site.feed("/gone", write_entry(3))
    channel = connect(alice, network, {"feeds": f"{bad}\n{gone}\n{good}"}, session, clock)
    site.put("/bad", "", status=302, Location="http://10.0.0.1/")
    site.put("/gone", "", status=410)
    listener = listener_of(network, session, clock)
    assert listener.pull(channel) == 1
    assert Post.objects.get().text.startswith("Story 2")
    channel.refresh_from_db()
    assert channel.paused_until is None
    errors = {row.stream: row.error for row in Cursor.objects.filter(channel=channel)}
    assert sorted(bool(error) for error in errors.values()) == [False, True, True]
    assert "gone for good (410)" in Gap.objects.get().reason
    clock.now += dt.timedelta(hours=1)
    site.feed("/good", write_entry(4), write_entry(2, "Corrected words."))
    assert listener.pull(channel) == 1
    assert {post.text for post in Post.objects.all()} == {
        "Story 2\n\nCorrected words.",
        "Story 4\n\nWords of story 4.",
    }
    later = {row.stream: row.error for row in Cursor.objects.filter(channel=channel)}
    assert {stream: bool(error) for stream, error in later.items()} == {
        stream: bool(error) for stream, error in errors.items()
    }


def test_files_that_are_dropped_are_stored_once(alice: Any, session: GuardedSession, tmp_path: Path) -> None:
    clock = Clock()
    root = tmp_path.resolve()
    network = Folder(roots=lambda: (root,), clock=clock)
    channel = connect(alice, network, {"folder": str(root)}, session, clock)
    line = (
        '{"network":"shop","id":"%d","text":"Word","created_at":"2026-11-21T10:00:00Z","author":{"handle":"nadia"}}\n'
    )
    listener = listener_of(network, session, clock)
    for name in ("a.jsonl", "b.jsonl"):
        (root / name).write_text("".join(line % number for number in range(700)))
        os.utime(root / name, (1_700_000_000, 1_700_000_000))
    assert listener.pull(channel) == 700
    assert Post.objects.count() == 700
    assert sorted(each.name for each in (root / "done").iterdir()) == ["a.jsonl", "b.jsonl"]
    assert listener.pull(channel) == 0
