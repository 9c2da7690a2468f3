"""The quarantine: kept with its reason, taken out by a person, and posts that failed put back."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.store.models import Basket, BusMessage, Channel, Conversation, Person

BASE = "/w/fernway/quarantine/"


@pytest.fixture
def kept(cast: Any, now: Any) -> Any:
    """A quarantined conversation in a basket of the given slug."""
    channel = Channel.objects.create(workspace=cast.workspace, network="mastodon", slug="brand", name="Brand")

    def keep(slug: str = "care") -> Conversation:
        person = Person.objects.create(workspace=cast.workspace, name="Spam <b>Sam</b>", first_seen=now, last_seen=now)
        return Conversation.objects.create(
            workspace=cast.workspace, network="mastodon", channel=channel, person=person, state="quarantined",
            basket=Basket.objects.of(cast.workspace).get(slug=slug), preview="Buy <script>now</script>",
            why="spam 0.97", last_post_at=now,
        )  # fmt: skip

    return keep


def test_the_empty_page_says_what_comes_here(cast: Any, enter: Any) -> None:
    assert "waits here with its reason" in enter(cast.amir).get(BASE).content.decode()


def test_each_one_stands_with_its_reason_and_its_markup_is_inert(cast: Any, enter: Any, kept: Any) -> None:
    kept()
    page = enter(cast.amir).get(BASE).content.decode()
    assert "spam 0.97" in page
    assert "Buy &lt;script&gt;now&lt;/script&gt;" in page
    assert "Spam <b>" not in page


def test_what_is_taken_out_waits_in_the_chosen_basket(cast: Any, enter: Any, kept: Any) -> None:
    row = kept()
    client = enter(cast.lea)
    assert client.post(f"{BASE}{row.pk}/take-out/", {"basket": "sales"}).headers["Location"] == BASE
    row.refresh_from_db()
    assert (row.state, row.basket.slug) == ("open", "sales")
    again = client.post(f"{BASE}{row.pk}/take-out/", {"basket": "sales"})
    assert again.status_code == 400
    assert "not in the quarantine any more" in again.content.decode()


@pytest.mark.parametrize("basket", ["", "nowhere", "../care", "other"])
def test_a_basket_that_does_not_exist_takes_nothing_out(basket: str, cast: Any, enter: Any, kept: Any) -> None:
    Basket.objects.create(workspace=cast.charlie.workspace, slug="other", name="Other")
    row = kept()
    assert enter(cast.lea).post(f"{BASE}{row.pk}/take-out/", {"basket": basket}).status_code == 404
    row.refresh_from_db()
    assert row.state == "quarantined"


def test_an_agent_sees_what_lies_in_their_own_baskets(cast: Any, enter: Any, kept: Any) -> None:
    mine, other = kept("care"), kept("sales")
    page = enter(cast.amir).get(BASE).content.decode()
    assert f"/quarantine/{mine.pk}/" in page
    assert f"/quarantine/{other.pk}/" not in page


def test_an_agent_takes_out_into_their_own_baskets_alone(cast: Any, enter: Any, kept: Any) -> None:
    row = kept("care")
    assert enter(cast.amir).post(f"{BASE}{row.pk}/take-out/", {"basket": "sales"}).status_code == 404
    assert enter(cast.amir).post(f"{BASE}{row.pk}/take-out/", {"basket": "care"}).status_code == 302


def test_posts_that_failed_are_shown_with_their_error_and_tried_again(cast: Any, enter: Any, now: Any) -> None:
    message = BusMessage.objects.create(
        workspace=cast.workspace,
        payload=b"[]",
        size=1,
        state="quarantined",
        attempts=5,
        error="KeyError: 'id'",
        created_at=now,
    )
    client = enter(cast.lea)
    assert "KeyError: &#x27;id&#x27;" in client.get(BASE).content.decode()
    assert client.post(f"{BASE}failed/{message.pk}/retry/").headers["Location"] == BASE
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("ready", 0)
    assert client.post(f"{BASE}failed/{message.pk}/retry/").status_code == 404, "it is on the line now"
    assert "KeyError" not in enter(cast.amir).get(BASE).content.decode()


def test_a_page_holds_fifty_and_leads_to_the_older_ones(
    cast: Any, enter: Any, kept: Any, django_assert_max_num_queries: Any
) -> None:
    rows = [kept().pk for _ in range(60)]
    client = enter(cast.lea)
    client.get(BASE)
    with django_assert_max_num_queries(13):
        page = client.get(BASE).content.decode()
    assert page.count("/take-out/") == 50
    assert f"?before={rows[10]}" in page
    assert client.get(BASE, {"before": rows[10]}).content.decode().count("/take-out/") == 10
    assert client.get(BASE, {"before": "x" * 20}).status_code == 200
