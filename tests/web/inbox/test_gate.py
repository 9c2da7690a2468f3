"""The gate on the pages: a reply of which nobody can tell, the way over the site, and the page of the switch."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.actions.holds import hold_everything
from rapport.actions.outbound import approve
from rapport.store.models import Approval, Conversation, Delivery, Hold
from rapport.store.queries.outbound import newest_inbound


@pytest.fixture
def delivery(cast: Any, complaint: Conversation, channel: Any, now: Any) -> Delivery:
    """Amir's answer to the complaint, not sent yet."""
    target = newest_inbound(complaint)
    assert target is not None
    return approve(
        cast.amir, complaint, "I look into it now.", target=target, channel=channel, version=complaint.version, now=now
    )


def put(delivery: Delivery, now: Any, **fields: Any) -> str:
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    return f"/w/fernway/c/{delivery.conversation_id}/"


def test_it_is_there_and_send_again_stand_beside_what_nobody_can_tell(
    cast: Any, enter: Any, delivery: Delivery, now: Any
) -> None:
    page = put(delivery, now, state="unconfirmed", unknown_at=now, pushed_at=now, cause="is it there?")
    client = enter(cast.amir)
    shown = client.get(page).content.decode()
    assert "It is there" in shown
    assert "Send again" in shown
    assert "/retry" not in shown
    client.post(f"{page}there", {"delivery": delivery.pk, "link": "javascript:alert(1)"})
    assert Delivery.objects.get().state == "unconfirmed"
    client.post(f"{page}again", {"delivery": delivery.pk})
    assert Delivery.objects.get().unknown_at is None
    put(delivery, now, unknown_at=now)
    client.post(f"{page}there", {"delivery": delivery.pk, "link": "https://social.example/@fernway/9"})
    row = Delivery.objects.get()
    assert (row.state, row.url, row.settled_by) == ("sent", "https://social.example/@fernway/9", cast.amir)


def test_an_answer_that_belongs_on_the_site_is_handed_over_and_taken_back(
    cast: Any, enter: Any, delivery: Delivery, now: Any
) -> None:
    page = put(delivery, now, state="held", held_by="x-handover", cause="x-handover: answer there")
    client = enter(cast.amir)
    assert "I answered there" in client.get(page).content.decode()
    client.post(f"{page}hand-over", {"delivery": delivery.pk})
    assert Approval.objects.get(kind="handover").person == cast.amir
    assert "waiting to hear of it" in client.get(page).content.decode()
    client.post(f"{page}take-back-handover", {"delivery": delivery.pk})
    assert Delivery.objects.get().state == "cancelled"


def test_the_page_of_the_switch_holds_with_one_press_lists_what_waits_and_lets_one_out(
    cast: Any, enter: Any, delivery: Delivery, now: Any
) -> None:
    client, address = enter(cast.amir), "/w/fernway/hold/"
    client.post(address, {"why": "An outage or an accident", "reason": ""})
    assert cast.workspace.__class__.objects.get(pk=cast.workspace.pk).hold_reason == "An outage or an accident"
    client.post(address, {"reason": "An outage", "known": "The line is cut near Aston."})
    shown = client.get(address).content.decode()
    for words in ("I look into it now.", "The line is cut near Aston.", "Let this one out"):
        assert words in shown
    client.post(address, {"let_through": delivery.pk})
    assert Delivery.objects.get().let_through_at is not None
    assert "Let this one out" not in client.get(address).content.decode()
    client.post(address, {"release": "yes"})
    assert Hold.objects.get().ended_by == cast.amir
    assert "Holds of before" in client.get(address).content.decode()


def test_what_waits_in_baskets_of_others_is_neither_shown_nor_let_out(
    cast: Any, enter: Any, delivery: Delivery, now: Any
) -> None:
    from rapport.store.models import Basket

    hold_everything(cast.lea, "storm", now=now)
    sales = Basket.objects.of(cast.workspace).get(slug="sales")
    Conversation.objects.update(basket=sales, assignee=None)
    client = enter(cast.amir)
    assert "I look into it now." not in client.get("/w/fernway/hold/").content.decode()
    assert client.post("/w/fernway/hold/", {"let_through": delivery.pk}).status_code == 404
    assert Delivery.objects.get().let_through_at is None
