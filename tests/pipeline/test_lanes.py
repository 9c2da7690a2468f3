"""Steps side by side: one at a time for each key, a bound on all, and an end that waits for what runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator

import pytest

from rapport.pipeline.lanes import Lanes

#: seconds after which a test gives up; nothing here waits for them unless it is broken
PATIENCE = 20.0


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes(3)
    yield made
    made.close()


def finish(lanes: Lanes, but: Collection[str] = ()) -> None:
    """Wait until nothing runs besides `but`."""
    while lanes.busy - set(but):
        lanes.wait(lanes.ended, 0.05)


def test_a_slow_step_holds_up_no_other_key(lanes: Lanes) -> None:
    answer, done = threading.Event(), threading.Event()
    lanes.start("slow", lambda: answer.wait(PATIENCE) and None)
    for _ in range(5):
        done.clear()
        lanes.start("quick", done.set)
        assert done.wait(PATIENCE)
        finish(lanes, {"slow"})
    assert lanes.busy == {"slow"}
    answer.set()


def test_a_key_has_one_step_at_a_time_and_all_have_a_bound(lanes: Lanes) -> None:
    answer = threading.Event()
    for key in range(3):
        lanes.start(key, lambda: answer.wait(PATIENCE) and None)
    for key in (1, 7):
        with pytest.raises(ValueError, match="no free lane"):
            lanes.start(key, answer.set)
    answer.set()
    finish(lanes)
    lanes.start(1, answer.set)


def test_what_a_step_raises_is_raised_to_whoever_runs_the_lanes(lanes: Lanes) -> None:
    def fail() -> None:
        raise RuntimeError("the disk is full")

    lanes.start("a", fail)
    finish(lanes)
    with pytest.raises(RuntimeError, match="disk is full"):
        lanes.raise_failure()
    lanes.raise_failure()
    lanes.start("a", lambda: None)


def test_the_end_waits_for_what_is_on_its_way() -> None:
    lanes, answer, ended = Lanes(2), threading.Event(), threading.Event()

    def push() -> None:
        answer.wait(PATIENCE)
        ended.set()

    lanes.start("a", push)
    threading.Timer(0.05, answer.set).start()
    lanes.close()
    assert ended.is_set()


def test_waiting_ends_with_the_first_step_that_does(lanes: Lanes) -> None:
    lanes.start("a", lambda: time.sleep(0.02))
    began = time.monotonic()
    lanes.wait(0, PATIENCE)
    assert time.monotonic() - began < PATIENCE
    lanes.wait(0, PATIENCE)  # ended already: nothing to wait for
    assert time.monotonic() - began < PATIENCE
