"""Which posts of a search a campaign answers, with which wording, and what is counted afterwards."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOON
from rapport.core.campaigns import REASONS, Found, Outcome, deal, sift, weigh_results


def found(post: int, person: int = 0, reason: str | None = None) -> Found:
    return Found(post, person or post, NOON + dt.timedelta(minutes=post), reason)  # type: ignore[arg-type]


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from([None, *REASONS])), max_size=40),
    st.integers(1, 3), st.integers(0, 10), st.lists(st.integers(1, 5), max_size=6),
)  # fmt: skip
def test_every_post_is_kept_or_counted_once_and_nobody_is_written_to_too_often(
    said: list[tuple[int, str | None]], per_person: int, room: int, had: list[int]
) -> None:
    posts = [found(post, person, reason) for post, (person, reason) in enumerate(said, 1)]
    sifted = sift(posts, per_person=per_person, had=had, room=room)
    assert len(sifted.kept) + sum(count for _, count in sifted.left_out) == len(posts)
    people = {post.post: post.person for post in posts}
    often = Counter(people[post] for post in sifted.kept)
    assert all(often[person] + had.count(person) <= max(per_person, had.count(person)) for person in often)
    assert len(sifted.kept) <= room
    assert list(sifted.kept) == sorted(sifted.kept, reverse=True)


def test_the_newest_post_of_a_person_is_the_one_that_is_answered() -> None:
    sifted = sift([found(1, 7), found(2, 7), found(3, 8, "suppressed")], per_person=1)
    assert sifted.kept == (2,)
    assert sifted.left_out == (("suppressed", 1), ("often", 1))


def test_wordings_are_dealt_evenly_and_go_on_where_they_stopped() -> None:
    dealt = deal(range(7), [10, 20, 30])
    assert Counter(dealt.values()) == {10: 3, 20: 2, 30: 2}
    more = deal(range(7, 9), [10, 20, 30], had=list(dealt.values()))
    assert sorted(more.values()) == [20, 30]
    assert deal(range(3), []) == {}


def test_answers_and_moods_are_counted_of_those_that_are_known() -> None:
    result = weigh_results(
        [
            Outcome(1, 60.0, -1, 1),
            Outcome(1, 600.0, -1, -1),
            Outcome(1, 6_000.0, 0, None),
            Outcome(1, None, -1, None),
        ]
    )
    assert (result.sent, result.answered, result.better, result.same, result.worse) == (4, 3, 1, 1, 0)
    assert (result.answered_after, result.share) == (600.0, 0.75)
    assert weigh_results([]).share == 0.0
