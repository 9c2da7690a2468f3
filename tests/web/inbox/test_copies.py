"""Near-copies on the desk: one row with a count, the others behind it, each a conversation that can be answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rapport.store.models import Basket, BasketMember, Conversation

pytestmark = pytest.mark.django_db
WAVE = "The power of the whole street went out and nobody answers the phone at Fernway"


@pytest.fixture
def wave(cast: Any, channel: Any, hear: Callable[..., Any], make_post: Callable[..., Any]) -> list[Conversation]:
    """Nadia says it first, then Omar and Pia; all of it in Care."""
    hear(*(make_post(f"{WAVE} {'!' * n}", author=name) for n, name in enumerate(("nadia", "omar", "pia"))))
    Conversation.objects.update(basket=Basket.objects.of(cast.workspace).get(slug="care"))
    return list(Conversation.objects.order_by("pk"))


def read(client: Any, address: str) -> str:
    page: str = client.get(address).content.decode()
    return " ".join(page.split())


def test_the_list_has_one_row_with_the_count(cast: Any, enter: Any, wave: list[Conversation]) -> None:
    page = enter(cast.alice).get("/w/fernway/b/care/")
    assert [row.conversation.pk for row in page.context["listing"].rows] == [wave[0].pk]
    assert "2 near-copies" in page.content.decode()


def test_the_entry_lists_its_near_copies_with_links(cast: Any, enter: Any, wave: list[Conversation]) -> None:
    page = read(enter(cast.alice), f"/w/fernway/c/{wave[0].pk}/")
    assert "2 near-copies" in page
    for each, name in zip(wave[1:], ("Omar", "Pia"), strict=True):
        assert f'href="/w/fernway/c/{each.pk}/' in page
        assert name in page


def test_a_folded_one_leads_to_the_first_and_can_be_answered_on_its_own(
    cast: Any, enter: Any, wave: list[Conversation]
) -> None:
    alice = enter(cast.alice)
    address = f"/w/fernway/c/{wave[1].pk}/"
    page = read(alice, address)
    assert f'href="/w/fernway/c/{wave[0].pk}/' in page
    assert "Answer on its own" in page
    assert 'id="reply-text"' not in page
    alice.post(f"{address}unfold")
    page = read(alice, address)
    assert 'id="reply-text"' in page
    assert "Says nearly the same as" in page
    assert "1 near-copy" in read(alice, "/w/fernway/b/care/")
    # pressed again on a page that is out of date, it says so and changes nothing
    again = alice.post(f"{address}unfold", headers={"HX-Request": "true"})
    assert "not folded" in again.headers["HX-Trigger"]


def test_near_copies_in_baskets_out_of_sight_are_counted_and_not_shown(
    cast: Any, enter: Any, wave: list[Conversation]
) -> None:
    care, sales = (Basket.objects.of(cast.workspace).get(slug=slug) for slug in ("care", "sales"))
    BasketMember.objects.of(cast.workspace).filter(membership=cast.amir).exclude(basket=care).delete()
    Conversation.objects.filter(pk=wave[1].pk).update(basket=sales)
    page = read(enter(cast.amir), f"/w/fernway/c/{wave[0].pk}/")
    assert "Pia" in page
    assert "Omar" not in page
    assert "2 near-copies" in page
    # nor does a copy name a first one that its reader may not see
    Conversation.objects.filter(pk=wave[0].pk).update(basket=sales)
    page = read(enter(cast.amir), f"/w/fernway/c/{wave[2].pk}/")
    assert "Nadia" not in page
    assert "folded into that one" in page


def test_a_list_of_entries_costs_the_same_however_many_are_folded(
    cast: Any, enter: Any, wave: list[Conversation], django_assert_max_num_queries: Any
) -> None:
    alice = enter(cast.alice)
    alice.get("/w/fernway/b/care/")
    with django_assert_max_num_queries(20):
        alice.get("/w/fernway/b/care/")
    with django_assert_max_num_queries(35):
        alice.get(f"/w/fernway/c/{wave[0].pk}/")


def test_who_may_not_triage_sees_no_button(cast: Any, enter: Any, wave: list[Conversation]) -> None:
    cast.alice.role = "viewer"
    cast.alice.save()
    page = read(enter(cast.alice), f"/w/fernway/c/{wave[1].pk}/")
    assert "Answer on its own" not in page
    assert "To the first one" in page
