"""The worker: a poison post is set aside after five tries and holds up no other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.desk import retry_message
from rapport.actions.hearing import hear
from rapport.bus.table import TableBus
from rapport.core.decision import Outcome as Decided
from rapport.core.post import Post
from rapport.pipeline import worker as module
from rapport.pipeline.worker import Worker
from rapport.store.models import BusMessage, Conversation, Outcome
from rapport.store.models import Post as PostRow

pytestmark = pytest.mark.django_db


class Hours:
    """A clock that a test winds."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> dt.datetime:
        return self.time


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def clockwork(bus: TableBus, hours: Hours) -> Worker:
    return Worker(bus, hours, dt.timedelta(seconds=60))


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that break the line; emptied, they do no harm any more. A fault that no real text causes today."""
    texts = ["poison"]
    real = module.process

    def process(posts: Sequence[Post], *rest: Any) -> list[Decided]:
        if any(post.text in texts for post in posts):
            raise ValueError("this post breaks the line")
        return real(posts, *rest)

    monkeypatch.setattr(module, "process", process)
    return texts


def test_a_post_that_breaks_the_line_holds_up_no_other(
    channel: Any, bus: TableBus, clockwork: Worker, hours: Hours, poison: list[str], make_post: Callable[..., Post]
) -> None:
    posts = [make_post(f"Hello number {number} @fernway") for number in range(9)]
    hear(channel, [*posts[:4], make_post("poison"), *posts[4:]], bus, now=NOON)
    clockwork.drain()
    assert Outcome.objects.count() == 9
    assert BusMessage.objects.get().state == "ready"


def test_it_is_set_aside_with_its_error_after_five_tries_in_minutes_not_in_a_blink(
    channel: Any, bus: TableBus, clockwork: Worker, hours: Hours, poison: list[str], make_post: Callable[..., Post]
) -> None:
    hear(channel, [make_post("poison")], bus, now=NOON)
    for _ in range(4):
        clockwork.drain()
        assert BusMessage.objects.get().state == "ready"
        hours.time += dt.timedelta(minutes=2)
    clockwork.drain()
    message = BusMessage.objects.get()
    assert (message.state, message.attempts) == ("quarantined", 5)
    assert "this post breaks the line" in message.error
    hours.time += dt.timedelta(days=1)
    assert clockwork.drain() == 0
    assert PostRow.objects.count() == 1  # kept, never deleted


def test_a_person_puts_it_back_on_the_line_when_the_fault_is_mended(
    channel: Any,
    bus: TableBus,
    clockwork: Worker,
    hours: Hours,
    poison: list[str],
    make_post: Callable[..., Post],
    alice: Any,
) -> None:
    hear(channel, [make_post("poison")], bus, now=NOON)
    for _ in range(5):
        clockwork.drain()
        hours.time += dt.timedelta(minutes=2)
    poison.clear()
    retry_message(alice, BusMessage.objects.get(), bus, now=hours())
    clockwork.drain()
    assert not BusMessage.objects.exists()
    assert Conversation.objects.count() == 1


def test_a_batch_whose_worker_vanished_is_handed_out_again(
    channel: Any, bus: TableBus, clockwork: Worker, hours: Hours, make_post: Callable[..., Post]
) -> None:
    hear(channel, [make_post()], bus, now=NOON)
    lost = bus.claim("gone", NOON, dt.timedelta(seconds=60))
    assert lost is not None
    assert clockwork.drain() == 0
    hours.time += dt.timedelta(seconds=61)
    assert clockwork.drain() == 1
    assert not bus.acknowledge(lost)


def test_a_claim_that_was_lost_meanwhile_writes_nothing(
    channel: Any, bus: TableBus, clockwork: Worker, make_post: Callable[..., Post]
) -> None:
    from rapport.actions.desk import record
    from rapport.pipeline.line import process

    hear(channel, [make_post()], bus, now=NOON)
    late = bus.claim("late", NOON, dt.timedelta(seconds=1))
    assert late is not None
    outcomes = process([post for _, post in late.posts], clockwork.snapshot(late), NOON)
    other = bus.claim("other", NOON + dt.timedelta(seconds=2), dt.timedelta(seconds=60))
    assert other is not None
    assert not record(late, outcomes, bus, now=NOON).kept
    assert not Outcome.objects.exists()
    assert record(other, outcomes, bus, now=NOON).kept
    assert Outcome.objects.count() == 1


def test_new_rules_are_in_force_with_the_next_batch(
    channel: Any, bus: TableBus, clockwork: Worker, make_post: Callable[..., Post], alice: Any
) -> None:
    from rapport.actions.rules import save_rules

    hear(channel, [make_post("Hello @fernway")], bus, now=NOON)
    clockwork.drain()
    save_rules(alice, '[[rule]]\nname = "All"\nwhen = "true"\nthen = ["basket:sales"]\n', now=NOON)
    hear(channel, [make_post("Hello again @fernway")], bus, now=NOON)
    clockwork.drain()
    assert Conversation.objects.filter(basket__slug="sales").count() == 1
