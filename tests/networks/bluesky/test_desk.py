"""From the real network into the database of the desk: mention, reply, answer of ours, deletion, account taken down."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest

from bluesky import BlueskyAccount, BlueskyNetwork, until
from rapport.actions.listening import connect_channel
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.bluesky.network import Bluesky
from rapport.networks.http import GuardedSession
from rapport.networks.registry import NETWORKS
from rapport.pipeline.listener import Listener
from rapport.pipeline.sender import account_of
from rapport.store.models import Channel, Cursor, Post


class TooLate(Exception):
    """What `pause` raises when a test has waited long enough."""


@pytest.mark.django_db
def test_what_happens_on_bluesky_is_on_the_desk_by_the_live_line(
    alice: Any, bus: Any, bluesky: BlueskyNetwork, signed_in: Account, session: GuardedSession,
    brand: BlueskyAccount, ann: BlueskyAccount,
) -> None:  # fmt: skip
    now = dt.datetime.now(dt.UTC)
    channel = connect_channel(
        alice, "bluesky", server=signed_in.server, handle=signed_in.handle, external_id=signed_in.account_id,
        name="Brand", token=signed_in.token, settings=dict(signed_in.settings), now=now,
    )  # fmt: skip
    clock = lambda: dt.datetime.now(dt.UTC)  # noqa: E731
    listener = Listener(NETWORKS, lambda: session, bus, clock, dt.timedelta(hours=1))
    listener.pull(channel)
    assert Channel.objects.get().state == "connected", Channel.objects.get().state_reason
    account = account_of(channel)
    cursors = dict(Cursor.objects.values_list("stream", "value"))
    assert set(cursors) == set(Bluesky().streams(account))
    deadline = [time.monotonic() + 30]

    def pause(seconds: float) -> None:
        if time.monotonic() > deadline[0]:
            raise TooLate
        time.sleep(seconds)

    pages = Bluesky().stream(account, cursors, session, pause)

    def wait_for(condition: Callable[[], bool]) -> float:
        """Store what comes until it is there; how long it took."""
        began = time.monotonic()
        deadline[0] = began + 30
        while not condition():
            listener.store(channel, next(pages))
        return time.monotonic() - began

    def shown(uri: str) -> bool:
        return Post.objects.filter(external_id=uri, deleted=False).exists()

    first = ann.post("@brand.test the first word")
    wait_for(lambda: shown(first["uri"]))  # the line is open
    waits = {}
    mention = ann.post("@brand.test where is my bag?")
    waits["mention"] = wait_for(lambda: shown(mention["uri"]))
    until(lambda: bluesky.shows(mention["uri"], brand))
    reply = Reply(network="bluesky", channel=channel.pk, target=mention["uri"], text="We look for it.", approved_by=1)
    sent = Bluesky().push(account, reply, "desk-key", session)
    waits["our answer"] = wait_for(lambda: shown(sent.id))
    assert Post.objects.get(external_id=sent.id).in_reply_to == mention["uri"]
    cid = next(record["cid"] for record in brand.records() if record["uri"] == sent.id)
    ours = {"uri": sent.id, "cid": cid, "root": mention["root"]}
    thanks = ann.post("thank you", to=ours)
    waits["reply"] = wait_for(lambda: shown(thanks["uri"]))
    ann.delete(thanks)
    waits["deletion"] = wait_for(lambda: not shown(thanks["uri"]))
    assert Post.objects.get(external_id=thanks["uri"]).text == ""
    guest = bluesky.account("passerby")
    rude = guest.post("@brand.test something rude")
    wait_for(lambda: shown(rude["uri"]))
    bluesky.take_down(guest)
    waits["account taken down"] = wait_for(lambda: not shown(rude["uri"]))
    bluesky.take_down(guest, applied=False)
    wait_for(lambda: shown(rude["uri"]))
    print({what: round(seconds, 2) for what, seconds in waits.items()})
    assert sorted(waits.values())[len(waits) // 2] < 10.0
    assert "known" in Cursor.objects.get(stream="jetstream").value
