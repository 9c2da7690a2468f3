"""The daily sample of what was put aside: drawn once, at random, judged by people, counted."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.checks import SAMPLE, draw_sample, judge_check
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Basket, Check, Conversation
from rapport.store.queries.checks import read_missed

pytestmark = pytest.mark.django_db


@pytest.fixture
def aside(alice: Any, channel: Any) -> list[int]:
    """Fifty that were put aside in the last day, ten that were put aside before, ten that were not."""
    made = [("quarantined", 1)] * 50 + [("quarantined", 40)] * 10 + [("open", 1)] * 10
    return [
        Conversation.objects.create(
            workspace=alice.workspace, network="mastodon", channel=channel, state=state,
            last_post_at=NOON - dt.timedelta(hours=hours),
        ).pk
        for state, hours in made
    ]  # fmt: skip


def test_the_sample_of_a_day_is_drawn_once_and_from_the_last_day(alice: Any, aside: list[int]) -> None:
    pick = random.Random(3).sample
    assert draw_sample(alice.workspace, pick, now=NOON) == SAMPLE
    assert draw_sample(alice.workspace, pick, now=NOON + dt.timedelta(hours=3)) == 0
    drawn = set(Check.objects.values_list("conversation_id", flat=True))
    assert drawn < set(aside[:50])
    assert set(Check.objects.values_list("population", flat=True)) == {50}


def test_nothing_is_drawn_before_people_come(alice: Any, aside: list[int]) -> None:
    assert draw_sample(alice.workspace, random.Random(3).sample, now=NOON.replace(hour=3)) == 0


def test_every_one_has_the_same_chance(alice: Any, aside: list[int]) -> None:
    chance, counts = random.Random(5), dict.fromkeys(aside[:50], 0)
    for day in range(200):
        Check.objects.all().delete()
        draw_sample(alice.workspace, chance.sample, now=NOON + dt.timedelta(seconds=day))
        for pk in Check.objects.values_list("conversation_id", flat=True):
            counts[pk] += 1
    # 80 expected of each; six standard deviations are 42
    assert 38 < min(counts.values()) <= max(counts.values()) < 122


def test_a_missed_one_goes_to_its_basket_and_counts(alice: Any, aside: list[int]) -> None:
    draw_sample(alice.workspace, random.Random(3).sample, now=NOON)
    care = Basket.objects.of(alice.workspace).get(slug="care")
    first, *rest = Check.objects.order_by("pk")
    judge_check(alice, first, basket=care, now=NOON)
    for check in rest:
        judge_check(alice, check, basket=None, now=NOON)
    assert Conversation.objects.get(pk=first.conversation_id).state == "open"
    assert Conversation.objects.filter(basket=care).count() == 1
    found = read_missed(alice.workspace, NOON)
    assert (found.judged, found.missed) == (SAMPLE, 1)
    assert found.share is not None
    assert found.share.low < 0.05 < found.share.high
    assert read_missed(alice.workspace, NOON + dt.timedelta(days=40)).share is None


def test_what_a_colleague_has_judged_is_not_judged_again(alice: Any, ben: Any, aside: list[int]) -> None:
    draw_sample(alice.workspace, random.Random(3).sample, now=NOON)
    check = Check.objects.all()[0]
    judge_check(alice, check, basket=None, now=NOON)
    with pytest.raises(InvalidInput, match="colleague"):
        judge_check(alice, check, basket=None, now=NOON)
    ben.role = "viewer"
    with pytest.raises(NotAllowed):
        judge_check(ben, Check.objects.all()[1], basket=None, now=NOON)
