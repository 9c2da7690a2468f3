"""What was known of a conversation before each post of a batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conftest import NOON
from rapport.core.decision import NEW, ConversationFacts
from rapport.core.post import Author, Post
from rapport.core.threads import MOST_SAID, conversations_before

OURS = Author(id="us", handle="fernway", ours=True)
THEIRS = Author(id="7", handle="ann")


def test_the_first_post_of_a_thread_begins_it_and_the_next_ones_see_what_was_said(
    make_post: Callable[..., Post], now: dt.datetime
) -> None:
    def at(minute: int, **more: Any) -> Post:
        return make_post(created_at=now + dt.timedelta(minutes=minute), **more)

    posts = [
        at(0, id="a"),
        at(1, id="b", in_reply_to="a"),
        at(2, id="c", in_reply_to="b", author=OURS),
        at(3, id="d", in_reply_to="a", thread="a", kind="repost"),
        at(4, id="e", in_reply_to="a"),
        at(5, id="f"),
    ]
    first, second, third, _, fifth, other = conversations_before(posts, ["negative"] + ["neutral"] * 5, {})
    assert first is other is NEW
    assert second == ConversationFacts(
        posts=(posts[0].created_at,), negative=(posts[0].created_at,), waiting_since=posts[0].created_at
    )
    assert third.posts == (posts[0].created_at, posts[1].created_at)
    assert fifth.posts == third.posts  # a repost says nothing of its own
    assert (fifth.answers, fifth.waiting_since) == ((posts[2].created_at,), None)


def test_what_is_known_goes_on_and_a_post_that_ties_two_conversations_sees_both(
    make_post: Callable[..., Post], now: dt.datetime
) -> None:
    hour = dt.timedelta(hours=1)
    older = ConversationFacts(3, "open", "care", posts=(now - 2 * hour,), waiting_since=now - 2 * hour)
    newer = ConversationFacts(8, "resolved", posts=(now - 3 * hour,), answers=(now - hour,))
    known = {("mastodon", "old"): older, ("mastodon", "new"): newer, ("mastodon", "new too"): newer}
    posts = [
        make_post(id="x", in_reply_to="new", created_at=now),
        make_post(id="y", in_reply_to="new too", thread="old", created_at=now + hour),
        make_post(id="z", in_reply_to="x", created_at=now + 2 * hour),
    ]
    before = conversations_before(posts, ["neutral"] * 3, known)
    assert before[0] == newer
    assert (before[1].id, before[1].state, before[1].basket) == (3, "open", "care")
    assert before[1].posts == (now - 3 * hour, now - 2 * hour, now)
    assert before[1].answers == newer.answers
    assert before[2].posts == (*before[1].posts, now + hour)


def test_a_long_conversation_is_known_by_its_newest_posts(make_post: Callable[..., Post], now: dt.datetime) -> None:
    posts = [make_post(thread="root", created_at=now + dt.timedelta(minutes=n)) for n in range(MOST_SAID + 5)]
    last = conversations_before(posts, ["neutral"] * len(posts), {})[-1]
    assert len(last.posts) == MOST_SAID
    assert last.posts[-1] == posts[-2].created_at


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.sampled_from(["ours", "negative", "neutral"])),
        max_size=12,
        unique_by=lambda said: said[0],
    ),
    st.randoms(use_true_random=False),
)
def test_what_is_heard_late_is_known_as_if_it_had_come_in_time(said: list[tuple[int, str]], random: Random) -> None:
    def known_at_the_end(order: list[tuple[int, str]]) -> ConversationFacts:
        posts = [
            Post(
                "x",
                str(minute),
                "",
                NOON + dt.timedelta(minutes=minute),
                OURS if mood == "ours" else THEIRS,
                thread="t",
            )
            for minute, mood in [*order, (100, "neutral")]
        ]
        return conversations_before(posts, [mood for _, mood in order] + ["neutral"], {})[-1]

    in_time = known_at_the_end(sorted(said))
    random.shuffle(said)
    assert known_at_the_end(said) == in_time
