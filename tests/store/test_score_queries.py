"""Pairs of what people answered first, and weights tried on the last posts."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.score import set_score
from rapport.core.post import Author, Post
from rapport.core.score import FACTORS, SHIPPED, Weights
from rapport.store.models import Approval, Basket, Conversation, Outcome
from rapport.store.queries import score as reads
from rapport.store.queries.answered import read_pairs

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def talks(hear: Callable[..., Any], make_post: Callable[..., Post], alice: Any) -> list[Conversation]:
    """Four conversations in one basket, heard at noon; their people have 10, 100, 1,000 and 10,000 followers."""
    hear(
        *[
            make_post(f"Where is order {n}?", author=Author(id=str(n), handle=f"who{n}", followers=10**n))
            for n in range(1, 5)
        ]
    )
    Conversation.objects.update(state="open", basket=Basket.objects.of(alice.workspace).get(slug="care"))
    return list(Conversation.objects.order_by("pk"))


def answer(by: Any, talk: Conversation, at: dt.datetime, number: int) -> None:
    Approval.objects.create(
        workspace=by.workspace, conversation=talk, channel=talk.channel, target_id=talk.decided_by, person=by,
        text="Hello", digest=str(number), approved_at=at, sequence=number, chain=str(number),
    )  # fmt: skip


def reach_of(strengths: tuple[float, ...]) -> float:
    return round(6 * strengths[FACTORS.index("reach")])


def test_a_pair_is_two_that_waited_at_once_in_one_basket(alice: Any, talks: list[Conversation]) -> None:
    first, second, third, elsewhere = talks
    elsewhere.basket = Basket.objects.of(alice.workspace).get(slug="sales")
    elsewhere.save()
    for number, talk in enumerate((third, elsewhere, first, second), 1):
        answer(alice, talk, NOON + number * MINUTE, number)
    pairs = read_pairs(alice.workspace, NOON + dt.timedelta(hours=1))
    assert [(reach_of(pair.first), reach_of(pair.second)) for pair in pairs] == [(3, 1), (3, 2), (1, 2)]


def test_what_was_heard_later_or_answered_again_is_no_pair(
    alice: Any, talks: list[Conversation], make_post: Callable[..., Post]
) -> None:
    first, second, *_ = talks
    second_post = Outcome.objects.get(pk=second.decided_by).post
    second_post.seen_at = NOON + 5 * MINUTE
    second_post.save()
    answer(alice, first, NOON + MINUTE, 1)
    answer(alice, second, NOON + 6 * MINUTE, 2)
    answer(alice, first, NOON + 7 * MINUTE, 3)
    assert read_pairs(alice.workspace, NOON + dt.timedelta(hours=1)) == []
    assert read_pairs(alice.workspace, NOON + dt.timedelta(days=91)) == []


def test_waiting_is_measured_at_the_moment_of_the_answer(alice: Any, talks: list[Conversation]) -> None:
    first, second, *_ = talks
    answer(alice, first, NOON + 60 * MINUTE, 1)
    answer(alice, second, NOON + 600 * MINUTE, 2)
    (pair,) = read_pairs(alice.workspace, NOON + dt.timedelta(days=1))
    waiting = FACTORS.index("waiting")
    assert pair.first[waiting] == pair.second[waiting] == pytest.approx(1 / 3)


def test_who_says_that_this_presses_more_than_that_makes_a_pair_too(alice: Any, talks: list[Conversation]) -> None:
    first, second, third, _ = talks
    set_score(alice, first, 99, than=third, now=NOON)
    set_score(alice, second, 0, than=third, now=NOON + MINUTE)
    set_score(alice, second, 50, now=NOON + 2 * MINUTE)
    pairs = read_pairs(alice.workspace, NOON + dt.timedelta(hours=1))
    assert [(reach_of(pair.first), reach_of(pair.second)) for pair in pairs] == [(1, 3), (3, 2)]


def test_pairs_of_another_workspace_stay_there(alice: Any, charlie: Any, talks: list[Conversation]) -> None:
    for number, talk in enumerate(talks, 1):
        answer(alice, talk, NOON + number * MINUTE, number)
    assert read_pairs(charlie.workspace, NOON + dt.timedelta(hours=1)) == []
    assert reads.read_candidates(charlie.workspace) == []


def test_a_preview_places_counts_and_crosses_the_line(alice: Any, talks: list[Conversation]) -> None:
    candidates = reads.read_candidates(alice.workspace)
    assert [each.author.handle for each in candidates] == ["who4", "who3", "who2", "who1"]
    same = reads.preview(candidates, SHIPPED, SHIPPED, NOON)
    assert (same.risen, same.fallen, same.fresh) == (0, 0, 0)
    assert [each.rise for each in same.top] == [0, 0, 0, 0]
    assert same.old_bins == same.new_bins
    assert sum(same.new_bins) == 4
    reach = Weights(**{**dict.fromkeys(FACTORS, 0.0), "reach": 100.0})
    found = reads.preview(candidates, SHIPPED, reach, NOON)
    assert [each.candidate.author.handle for each in found.top] == ["who4", "who3", "who2", "who1"]
    assert [round(each.new) for each in found.top] == [67, 50, 33, 17]
    assert found.urgent_after - found.urgent_before == found.risen - found.fallen
    assert sum(each.rise for each in found.top) == 0


def test_the_last_two_hundred_posts_are_tried_and_how_long_that_takes_is_told(
    alice: Any, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    hear(*[make_post(f"Word {n} is broken, where is it?", author=f"who{n}") for n in range(210)])
    began = time.process_time()
    candidates = reads.read_candidates(alice.workspace)
    found = reads.preview(candidates, SHIPPED, Weights(mood=0), NOON)
    took = time.process_time() - began
    print(f"\npreview of {found.posts} posts: {1000 * took:.0f} ms of CPU")
    assert (found.posts, len(found.top)) == (reads.LOOKED_AT, reads.LISTED)
