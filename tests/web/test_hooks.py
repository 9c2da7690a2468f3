"""The door for networks that bring their news by themselves."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import threading
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from rapport.actions.hearing import hear
from rapport.core.post import Post as CorePost
from rapport.networks.base import Account, Answer, Incoming, Page
from rapport.networks.registry import NETWORKS
from rapport.networks.webhook.network import Webhook
from rapport.store.models import BusMessage, Channel, Post, Received, Tombstone

pytestmark = pytest.mark.django_db

POST = {
    "network": "webhook", "id": "1", "text": "The parcel is late", "created_at": "2026-03-02T12:00:00Z",
    "author": {"id": "ann"},
}  # fmt: skip


@pytest.fixture
def hook(cast: Any, now: Any) -> Channel:
    """A connected webhook, as the form makes it."""
    from rapport.actions.listening import connect_channel
    from rapport.networks.http import GuardedSession

    network = NETWORKS["webhook"]
    fields = {field.name: field.default or "Orders" for field in network.connect_fields}
    made = network.connect(fields, GuardedSession())
    return connect_channel(
        cast.alice, "webhook", server=made.server, handle=made.identity.handle, external_id=made.identity.account_id,
        name="Orders", token=made.token, settings=dict(made.settings), now=now,
    )  # fmt: skip


def secret_of(channel: Channel) -> bytes:
    from rapport.networks.webhook.secret import newest_secret
    from rapport.store.secrets import unseal

    return base64.b64decode(newest_secret(unseal(channel.token)).removeprefix("whsec_"))


def deliver(channel: Channel, body: bytes, delivery: str = "msg_1", **more: Any) -> Any:
    stamp = str(int(timezone.now().timestamp()) + more.pop("late", 0))
    signed = f"{delivery}.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.new(secret_of(channel), signed, hashlib.sha256).digest()).decode()
    headers = {
        "webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}",
    } | more  # fmt: skip
    return Client().post(
        f"/hooks/{channel.workspace.slug}/{channel.slug}/", body, content_type="application/json", headers=headers
    )


def test_what_is_signed_is_stored_and_counts_as_a_source(hook: Channel) -> None:
    assert deliver(hook, msgspec.json.encode([POST])).status_code == 200
    assert Post.objects.get().channel_id == hook.pk
    assert hook.cursors.get().checked_at is not None


def test_the_same_delivery_has_no_second_effect(hook: Channel) -> None:
    deliver(hook, msgspec.json.encode([POST]))
    again = deliver(hook, msgspec.json.encode([{**POST, "id": "2"}]))
    assert again.status_code == 200
    assert Post.objects.count() == Received.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite tests run in memory, in one connection")
@pytest.mark.django_db(transaction=True)
def test_a_delivery_that_comes_five_times_at_once_has_one_effect(hook: Channel) -> None:
    start, codes = threading.Barrier(5), []

    def call() -> None:
        start.wait()
        try:
            codes.append(deliver(hook, msgspec.json.encode([POST])).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 5
    assert Post.objects.count() == Received.objects.count() == BusMessage.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"late": -600},
        {"late": 600},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
    ],
)
def test_an_old_or_foreign_signature_is_turned_away(hook: Channel, wrong: dict[str, Any]) -> None:
    assert deliver(hook, msgspec.json.encode([POST]), **wrong).status_code == 401
    assert not Post.objects.exists()


def test_a_door_that_leads_nowhere_tells_nothing(hook: Channel, channel: Channel, cast: Any, now: Any) -> None:
    from rapport.actions.listening import disconnect_channel

    address = f"/hooks/{hook.workspace.slug}/{hook.slug}/"
    answers = [
        Client().post(f"/hooks/{hook.workspace.slug}/none/", b"{}", content_type="application/json"),
        Client().post(f"/hooks/{hook.workspace.slug}/{channel.slug}/", b"{}", content_type="application/json"),
        Client().post(f"/hooks/elsewhere/{hook.slug}/", b"{}", content_type="application/json"),
    ]
    disconnect_channel(cast.alice, hook, now=now)
    answers.append(Client().post(address, b"{}", content_type="application/json"))
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, b"There is nothing here.")}


def test_more_than_the_door_takes_is_refused(hook: Channel, monkeypatch: Any) -> None:
    from rapport.web import hooks

    monkeypatch.setattr(hooks, "MOST", 100)
    assert deliver(hook, b"[" + b" " * 200 + b"]").status_code == 413


def test_a_new_secret_is_shown_once_and_both_hold_for_a_day(hook: Channel, cast: Any, enter: Any) -> None:
    address = f"/w/{hook.workspace.slug}/settings/channels/{hook.pk}/"
    before = secret_of(hook)
    page = enter(cast.alice).post(f"{address}secret/").content.decode()
    assert "whsec_" in page
    assert "whsec_" not in enter(cast.alice).get(address).content.decode()
    fresh = Channel.objects.get(pk=hook.pk)
    assert deliver(fresh, msgspec.json.encode([POST])).status_code == 200
    assert deliver(hook, msgspec.json.encode([{**POST, "id": "2"}]), "msg_2").status_code == 200
    assert secret_of(fresh) != before


class Told(Webhook):
    """A webhook that brings the pages it was made with."""

    def __init__(self, *pages: Page) -> None:
        self.pages = pages

    def receive(self, account: Account, incoming: Incoming) -> Answer:
        del account, incoming
        return Answer(pages=self.pages)


def test_a_page_that_comes_to_the_door_is_heard_with_everything_in_it(
    hook: Channel, bus: Any, monkeypatch: Any, caplog: Any
) -> None:
    late = msgspec.convert(POST, CorePost)
    hear(hook, [msgspec.structs.replace(late, id="ours")], bus, now=timezone.now())
    page = Page(
        "deliveries", (late, msgspec.structs.replace(late, id="")), "1",
        deleted=("ours", "old", "new"), known_only=True, young=("new",), rejected=("status 7: text is missing",),
    )  # fmt: skip
    monkeypatch.setitem(NETWORKS, "webhook", Told(page))
    assert deliver(hook, b"{}").status_code == 200
    remembered = dict(Tombstone.objects.values_list("external_id", "at"))
    assert set(remembered) == {"ours", "new"}, "of everybody's deletions only of ours and of the young"
    assert remembered["new"] < remembered["ours"] - dt.timedelta(days=1), "the young are remembered for a day"
    assert list(Post.objects.filter(deleted=False).values_list("external_id", flat=True)) == ["1"]
    assert "status 7: text is missing" in caplog.text
