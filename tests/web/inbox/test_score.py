"""A score by hand: one control says that this is more or less pressing than that, and takes it back."""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rapport.store.models import Conversation, Post, ScoreCorrection
from rapport.store.queries.desk import pressure

HTMX = {"HX-Request": "true"}


@pytest.fixture
def three(hear: Any, make_post: Any, cast: Any) -> list[Conversation]:
    """Three conversations in Care that differ in nothing but their score: 60, 40, 20."""
    from rapport.store.models import Basket

    hear(*[make_post(f"Broken number {n}, @fernway!", author=f"who{n}", mentions=("fernway",)) for n in range(3)])
    care = Basket.objects.of(cast.workspace).get(slug="care")
    rows = list(Conversation.objects.order_by("pk"))
    for row, value in zip(rows, (60, 40, 20), strict=True):
        row.state, row.basket, row.score, row.priority, row.waiting_since = "open", care, value, 1, timezone.now()
        row.save()
    return rows


def say(client: Client, talk: Conversation, **data: str) -> Any:
    return client.post(f"/w/fernway/c/{talk.pk}/score", data, headers=HTMX)


def order() -> list[int]:
    now = timezone.now()
    rows = sorted(Conversation.objects.all(), key=lambda row: -pressure(row, now))
    return [row.pk for row in rows]


def test_more_pressing_goes_right_above_the_one_before_and_the_pair_is_kept(
    cast: Any, enter: Any, three: list[Conversation]
) -> None:
    top, middle, last = three
    answer = say(enter(cast.amir), last, beside="above")
    assert answer.status_code == 200
    assert "Now more pressing than" in answer.headers["HX-Trigger"]
    assert order() == [top.pk, last.pk, middle.pk]
    kept = ScoreCorrection.objects.get()
    assert (kept.than, kept.by, kept.conversation_id) == (middle.pk, cast.amir, last.pk)
    say(enter(cast.amir), top, beside="below")
    assert order() == [last.pk, top.pk, middle.pk]


def test_at_the_ends_it_says_so_and_changes_nothing(cast: Any, enter: Any, three: list[Conversation]) -> None:
    client = enter(cast.amir)
    assert "most pressing one of its basket already" in say(client, three[0], beside="above").headers["HX-Trigger"]
    assert "least pressing one" in say(client, three[2], beside="below").headers["HX-Trigger"]
    Conversation.objects.filter(pk=three[0].pk).update(priority=3, score=95)
    assert "outweighs any score" in say(client, three[1], beside="above").headers["HX-Trigger"]
    assert not ScoreCorrection.objects.exists()


def test_the_breakdown_says_who_set_it_and_what_it_was(cast: Any, enter: Any, three: list[Conversation]) -> None:
    talk = three[1]
    client = enter(cast.amir)
    machine = Post.objects.select_related("outcome").get(pk=talk.decided_by).outcome.score
    page = unescape(say(client, talk, value="80").content.decode())
    assert "Score 80" in page
    assert f"Set by Amir: 80 (was {machine:.0f})" in page
    assert "Let the machine's count again" in page
    page = unescape(say(client, talk, beside="machine").content.decode())
    assert f"Score {machine:.0f}" in page
    assert "Set by" not in page


@pytest.mark.parametrize("value", ["", "much", "101", "-1", "nan", "1e999"])
def test_what_is_no_score_is_refused_in_words(cast: Any, enter: Any, three: list[Conversation], value: str) -> None:
    answer = enter(cast.amir).post(f"/w/fernway/c/{three[0].pk}/score", {"value": value})
    assert answer.status_code == 400
    assert "a number from 0 to 100" in answer.content.decode()
    assert not ScoreCorrection.objects.exists()


def test_neighbours_of_a_basket_out_of_sight_are_never_compared_with(
    cast: Any, enter: Any, three: list[Conversation], now: dt.datetime
) -> None:
    from rapport.store.models import Basket

    sales = Basket.objects.of(cast.workspace).get(slug="sales")
    Conversation.objects.filter(pk=three[1].pk).update(basket=sales)
    say(enter(cast.amir), three[2], beside="above")
    assert ScoreCorrection.objects.get().than == three[0].pk


def test_viewers_see_the_breakdown_without_the_control(cast: Any, enter: Any, three: list[Conversation]) -> None:
    page = enter(cast.vera).get(f"/w/fernway/c/{three[0].pk}/").content.decode()
    assert 'class="factor"' in page
    assert "set-score" not in page
