"""A replay keeps order and distances, divided by its speed."""

import datetime as dt
import threading
import time
from collections.abc import Sequence

import pytest

from rapport.cli.replay import due_times, replay, speed
from rapport.core.post import Author, Post

START = dt.datetime(2017, 10, 31, 22, tzinfo=dt.UTC)


def said(seconds: float, number: int = 0) -> Post:
    moment = START + dt.timedelta(seconds=seconds)
    return Post(network="x", id=f"{seconds}-{number}", text="hi", created_at=moment, author=Author(handle="ann"))


def test_distances_are_divided_by_the_speed() -> None:
    assert due_times([said(0), said(60), said(3600)], 60) == [0, 1, 60]


def test_posts_come_when_they_are_due_and_are_dated_then() -> None:
    heard: list[tuple[float, Post]] = []
    begin = time.monotonic()

    def hear(posts: Sequence[Post]) -> None:
        heard.extend((time.monotonic() - begin, post) for post in posts)

    posts = [said(0), said(0, 1), said(20), said(50)]
    before = dt.datetime.now(dt.UTC)
    replay(posts, 100, hear, threading.Event())
    assert [post.id for _, post in heard] == [post.id for post in posts]
    for (at, post), due in zip(heard, [0, 0, 0.2, 0.5], strict=True):
        assert due <= at < due + 0.5
        assert 0 <= (post.created_at - before).total_seconds() - due < 0.5


def test_a_stop_ends_a_long_wait_at_once() -> None:
    stop = threading.Event()
    heard: list[Post] = []
    threading.Timer(0.2, stop.set).start()
    begin = time.monotonic()
    replay([said(0), said(86400)], 1, heard.extend, stop)
    assert len(heard) == 1
    assert time.monotonic() - begin < 5


def test_many_posts_of_one_moment_come_in_batches_and_all_of_them() -> None:
    sizes: list[int] = []
    replay([said(0, number) for number in range(1201)], 1, lambda posts: sizes.append(len(posts)), threading.Event())
    assert sum(sizes) == 1201
    assert max(sizes) <= 500


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "fast"])
def test_a_speed_is_a_number_above_zero(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        speed(text)
