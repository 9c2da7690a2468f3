"""Our side of the line benchmark, run in a process of its own (`__main__`)."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapport.cli.benchmarks.corpus import as_lines
from rapport.cli.benchmarks.order import Done, Order, slices
from rapport.cli.benchmarks.rulebook import as_document
from rapport.cli.desk import load_django, migrate
from rapport.cli.import_posts import by_network
from rapport.cli.parts import calm_collector
from rapport.core.post import Post, decode_post

if TYPE_CHECKING:
    from rapport.bus.base import Bus
    from rapport.pipeline.worker import Worker
    from rapport.store.models import Channel


def prepare(order: Order) -> Done:
    """Tables, a workspace, its topics and rules: through the actions, as people would."""
    load_django()
    migrate()
    from django.db import transaction

    with transaction.atomic():  # one for all: a thousand commits would take longer than what is measured
        _fill(order)
    return Done()


def _fill(order: Order) -> None:
    from rapport.actions.accounts import create_workspace
    from rapport.actions.listening import open_file_channel, save_topic
    from rapport.actions.rules import save_rules
    from rapport.store.models import Membership, User

    user = User.objects.create_user("bench@localhost", name="Bench")
    workspace = create_workspace(user, "Bench", now=order.now)
    by = Membership.objects.get(workspace=workspace)
    for query in order.queries:
        save_topic(by, query.id, query.id, query.written(), now=order.now)
    save_rules(by, as_document(order.rules), now=order.now)
    for posts in by_network([*order.warm, *order.posts]):
        open_file_channel(workspace, posts[0].network, posts[0].network, now=order.now)


class Line:
    """The parts of the line, as the command line puts them together; time stands still at `order.now`."""

    def __init__(self, order: Order) -> None:
        from rapport.pipeline.worker import Worker
        from rapport.store.models import Channel
        from rapport.wiring import lease, make_bus

        self.now = order.now
        self.batch = order.batch
        self.bus: Bus = make_bus()
        self.worker: Worker = Worker(self.bus, lambda: order.now, lease())
        self.channels: dict[str, Channel] = {channel.network: channel for channel in Channel.objects.all()}

    def walk(self, lines: Sequence[bytes]) -> None:
        """Lines of Post JSONL -> decoded, heard, worked on until the bus is empty."""
        for part in slices(lines, self.batch):
            for posts in by_network(decode(part, self.now)):
                hear(self.channels[posts[0].network], posts, self.bus, self.now)
        self.worker.drain()


def decode(lines: Sequence[bytes], now: dt.datetime) -> list[Post]:
    """Lines -> checked posts."""
    return [decode_post(line, now) for line in lines]


def hear(channel: Channel, posts: Sequence[Post], bus: Bus, now: dt.datetime) -> None:
    """Store posts and hand them to the bus."""
    from rapport.actions.hearing import hear as hear_posts

    hear_posts(channel, posts, bus, now=now)


def run(order: Order) -> Done:
    """Walk the line once. Fails when a post was not worked on to the end."""
    load_django()
    line = Line(order)
    line.walk(as_lines(order.warm))
    calm_collector()
    lines = as_lines(order.posts)
    start = time.perf_counter()
    line.walk(lines)
    seconds = time.perf_counter() - start
    _check(order)
    return Done(len(lines), seconds)


def run_with_stages(order: Order) -> Done:
    """As `run`, with a clock on every stage."""
    load_django()
    from rapport.cli.benchmarks.stages import Stages

    stages = Stages()
    stages.attach()
    line = Line(order)
    line.walk(as_lines(order.warm))
    calm_collector()
    lines = as_lines(order.posts)
    stages.clear()
    start = time.perf_counter()
    line.walk(lines)
    seconds = time.perf_counter() - start
    _check(order)
    return Done(len(lines), seconds, dict(stages.seconds))


def _check(order: Order) -> None:
    """A run that lost a post would look fast. Ends the process with a sentence."""
    from rapport.store.models import BusMessage, Outcome
    from rapport.store.models import Post as PostRow

    expected = len(order.warm) + len(order.posts)
    stored, recorded, left = PostRow.objects.count(), Outcome.objects.count(), BusMessage.objects.count()
    if (stored, recorded, left) != (expected, expected, 0):
        sys.exit(f"of {expected} posts {stored} were stored and {recorded} worked on; {left} batches wait on the bus")


JOBS = {"prepare": prepare, "run": run, "stages": run_with_stages}
