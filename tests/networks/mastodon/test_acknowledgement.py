"""The acknowledgement on a real Mastodon API server: heard there, said there, heard again, and still no answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rapport.actions.acknowledge import save_acknowledgement
from rapport.actions.listening import connect_channel
from rapport.core.acknowledge import EXAMPLE
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.network import Mastodon
from rapport.pipeline.listener import Listener
from rapport.pipeline.sender import Sender
from rapport.pipeline.worker import Worker
from rapport.store.models import Acknowledgement, Basket, Conversation, Delivery
from servers import MastodonServer

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)


def clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_somebody_who_asks_for_help_hears_once_that_they_were_heard(
    alice: Any, bus: Any, mastodon: MastodonServer, session: GuardedSession
) -> None:
    channel = connect_channel(
        alice, "mastodon", server=mastodon.url, handle=f"brand@{mastodon.authority}", external_id=mastodon.ids["brand"],
        name="Brand", token=mastodon.tokens["brand"], settings={"domain": mastodon.authority}, now=clock(),
    )  # fmt: skip
    networks = {"mastodon": Mastodon()}
    listener = Listener(networks, lambda: session, bus, clock, MINUTE)
    worker = Worker(bus, clock, MINUTE)
    sender = Sender(networks, lambda: session, bus, clock, MINUTE)

    def hear() -> None:
        listener.pull(channel)
        worker.drain()

    hear()  # what other tests left on the server is told before it is turned on
    baskets = list(Basket.objects.of(alice.workspace).values_list("slug", flat=True))
    save_acknowledgement(
        alice, enabled=True, texts={"": EXAMPLE}, help_links="https://help.example/", baskets=baskets, by_rules=False,
        now=clock(),
    )  # fmt: skip
    asked = mastodon.post("ann", "@brand my parcel is broken and nobody answers, this is the third time!")
    hear()
    said = Acknowledgement.objects.get()
    while sender.send_once():
        worker.drain()
    delivery = Delivery.objects.get(pk=said.delivery_id)
    assert delivery.state == Delivery.State.SENT
    [own] = [each for each in mastodon.statuses("brand") if each["in_reply_to_id"] == asked["id"]]
    assert (own["id"], own["visibility"]) == (delivery.external_id, "unlisted")
    assert "automatic message" in own["content"]
    hear()  # the network tells of it too
    talk = Conversation.objects.get(pk=said.conversation_id)
    assert (talk.state, talk.waiting_since is not None) == ("open", True)
    mastodon.post("ann", "@brand are you there?", in_reply_to_id=own["id"])
    hear()
    assert not sender.send_once()
    assert Acknowledgement.objects.count() == 1
