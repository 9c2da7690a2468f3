"""A network that does everything that networks do wrong, and a listener that is killed while it reads it.

`python simulated.py RUNS EVENTS [FIRST_SEED]` makes RUNS networks, each from its seed, and prints what became of each
as JSON lines. A network tells of posts, edits, deletions, suspended and returning accounts. Some of it comes late (an
edit before its post, a deletion before its post), some of it twice, pages are out of order, connections are cut between
pages, limits are reached, and the relay behind it is switched, after which a cursor means something else. The listener
and the worker run in a child that is killed with SIGKILL at any moment, again and again.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

from rounds import START, in_child, reader

import tables
from rapport.core.errors import RetryLater
from rapport.core.post import Author, Post
from rapport.networks.base import Account, Capabilities, Field, Page
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession

PAGE = 100
#: how much is read again after a relay was switched
REWIND = 300
WORDS = [
    "parcel", "late", "refund", "thanks", "driver", "broken", "box", "lovely", "where",
    "waiting", "again", "order", "missing", "soon", "great", "help",
]  # fmt: skip
Kind = Literal["create", "edit", "delete", "suspend", "restore"]


class Event(NamedTuple):
    kind: Kind
    post: int
    author: int
    text: str
    at: dt.datetime


class World:
    """What happened on the network, in the order in which it tells of it, and how it is in the end."""

    def __init__(self, seed: int, count: int) -> None:
        chance = random.Random(seed)
        authors = max(5, count // 20)
        happened: list[tuple[float, Event]] = []
        posts: list[tuple[int, int]] = []
        self.text: dict[int, str] = {}
        self.author: dict[int, int] = {}
        self.deleted: set[int] = set()
        self.suspended: set[int] = set()
        for number in range(count):
            at = START - dt.timedelta(hours=5) + dt.timedelta(milliseconds=10 * number)
            dice = chance.random()
            place = number + (chance.expovariate(1 / 40) if chance.random() < 0.05 else 0.0)
            if dice < 0.80 or not posts:
                author, text = chance.randrange(authors), f"{' '.join(chance.choices(WORDS, k=6))} {number}"
                posts.append((number, author))
                self.text[number], self.author[number] = text, author
                happened.append((place, Event("create", number, author, text, at)))
                continue
            post, author = chance.choice(posts[-2_000:])
            if dice < 0.90:
                text = f"edited {' '.join(chance.choices(WORDS, k=5))} {number}"
                if post not in self.deleted:
                    self.text[post] = text
                happened.append((place, Event("edit", post, author, text, at)))
            elif dice < 0.99:
                self.deleted.add(post)
                happened.append((place, Event("delete", post, author, "", at)))
            else:
                # what a network says of accounts it says in order
                kind: Kind = "restore" if author in self.suspended else "suspend"
                (self.suspended.discard if kind == "restore" else self.suspended.add)(author)
                happened.append((number, Event(kind, post, author, "", at)))
        self.log = [event for _, event in sorted(happened, key=lambda pair: pair[0])]
        # told twice, the second time a little later
        for place in sorted(chance.sample(range(len(self.log)), len(self.log) // 25), reverse=True):
            if self.log[place].kind not in {"suspend", "restore"}:
                self.log.insert(min(place + chance.randrange(1, 400), len(self.log)), self.log[place])

    def visible(self) -> dict[str, str]:
        """Post id -> text, of everything that stands on the network in the end."""
        return {
            str(post): text
            for post, text in self.text.items()
            if post not in self.deleted and self.author[post] not in self.suspended
        }


class Simulated(BaseNetwork):
    """The network. A cursor is "EPOCH:PLACE"; when the relay is switched, the epoch changes and places with it."""

    name = "simulated"
    title = "Simulated"
    summary = "For tests."
    capabilities = Capabilities(False, False, False, 500, ("public",), replies=False)
    connect_fields: tuple[Field, ...] = ()

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        #: places at which another relay takes over; its numbers begin elsewhere
        size = len(world.log)
        self.switches = [0, size // 3, 2 * size // 3]

    def streams(self, account: Account) -> tuple[str, ...]:
        return ("everything",)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        place = self._place(cursor)
        while place < len(self.world.log):
            self._stumble()
            epoch = max(number for number, first in enumerate(self.switches) if first <= place)
            ends = [first for first in self.switches if first > place] + [len(self.world.log)]
            end = min(place + self.chance.randrange(1, PAGE), ends[0])
            cursor = f"{epoch}:{end - self.switches[epoch] + 1000 * epoch}"
            yield self._page(self.world.log[place:end], stream, cursor)
            place = end
        yield Page(stream, (), cursor)

    def _place(self, cursor: str) -> int:
        """Where to go on. A cursor of an older relay is read from some way before the end of that relay."""
        if not cursor:
            return 0
        epoch, _, number = cursor.partition(":")
        place = self.switches[int(epoch)] + int(number) - 1000 * int(epoch)
        later = [first for first in self.switches if first > self.switches[int(epoch)]]
        return max(place - REWIND, 0) if later and place >= later[0] else place

    def _stumble(self) -> None:
        dice = self.chance.random()
        if dice < 0.02:
            raise RetryLater("the connection was cut")
        if dice < 0.03:
            raise RetryLater("too many requests", 0.001)

    def _page(self, events: list[Event], stream: str, cursor: str) -> Page:
        posts: list[Post] = []
        lists: dict[Kind, list[str]] = defaultdict(list)
        for event in events:
            if event.kind in {"create", "edit"}:
                posts.append(post_of(event, self.world))
            elif event.kind == "delete":
                lists["delete"].append(str(event.post))
            else:
                # the last word about an account counts; a page tells it once
                other: Kind = "restore" if event.kind == "suspend" else "suspend"
                key = f"a{event.author}"
                if key in lists[other]:
                    lists[other].remove(key)
                if key not in lists[event.kind]:
                    lists[event.kind].append(key)
        self.chance.shuffle(posts)
        return Page(
            stream, tuple(posts), cursor, deleted=tuple(lists["delete"]),
            suspended=tuple(lists["suspend"]), restored=tuple(lists["restore"]),
        )  # fmt: skip


def post_of(event: Event, world: World) -> Post:
    said = START - dt.timedelta(hours=5) + dt.timedelta(milliseconds=10 * event.post)
    author = f"a{event.author}"
    return Post(
        network="simulated", id=str(event.post), text=event.text, created_at=said,
        author=Author(id=author, handle=author), edited_at=event.at if event.kind == "edit" else None,
    )  # fmt: skip


def prepare() -> None:
    from django.core.management import call_command

    tables.lay()
    call_command("migrate", verbosity=0)
    from rapport.actions.accounts import create_workspace
    from rapport.actions.listening import connect_channel
    from rapport.store.models import Membership, User

    user = User.objects.create_user("alice@fernway.example", "correct horse battery", name="Alice")
    workspace = create_workspace(user, "Fernway", now=START)
    connect_channel(
        Membership.objects.get(workspace=workspace), "simulated", server="https://simulated.example",
        handle="brand", external_id="b", name="Fernway", token="t", now=START,
    )  # fmt: skip


def live(world: World, number: int, seed: int, deadline: float | None) -> None:
    """One life: read and work until everything is done, or until death comes after `deadline` seconds."""
    from rapport.bus.table import TableBus
    from rapport.pipeline.listener import Listener
    from rapport.pipeline.worker import Worker
    from rapport.store.models import Channel, Cursor

    def clock() -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2 * number)

    chance = random.Random(seed * 1_000 + number)
    bus = TableBus(size=500)
    network = Simulated(world, chance)
    listener = Listener({"simulated": network}, GuardedSession, bus, clock, dt.timedelta(0))
    worker = Worker(bus, clock, dt.timedelta(seconds=60))
    worker._readers[()] = reader()
    if deadline is not None:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, deadline)
    while True:
        listener.pull(Channel.objects.get())
        worked = False
        while worker.work_once():
            worked = True
        cursor = Cursor.objects.filter(stream="everything").first()
        if not worked and cursor is not None and cursor.value and network._place(cursor.value) >= len(world.log):
            return
        time.sleep(0.001)


def release() -> None:
    """A person puts back what was set aside because its worker died five times."""
    from rapport.bus.table import TableBus
    from rapport.store.models import BusMessage

    for message in BusMessage.objects.filter(state="quarantined"):
        TableBus().release(message)


def judge(world: World) -> dict[str, int]:
    """What is on the desk, beside what stands on the network."""
    from django.db.models import Count

    from rapport.store.models import BusMessage, Conversation, Outcome, Post

    expected = world.visible()
    rows = list(Post.objects.filter(deleted=False).select_related("handle").order_by("sort_at", "pk"))
    shown = {row.external_id: row.text for row in rows}
    times: dict[str, list[dt.datetime]] = defaultdict(list)
    for row in rows:
        times[row.handle.external_id].append(row.created_at)
    return {
        "expected": len(expected),
        "missing": len(expected.keys() - shown.keys()),
        "not_gone": len(shown.keys() - expected.keys()),
        "stale": sum(shown.get(key) != text for key, text in expected.items() if key in shown),
        "twice": len(rows) - len(shown),
        "unread": Post.objects.filter(deleted=False, outcome__isnull=True).count(),
        "read_though_gone": Outcome.objects.filter(post__deleted=True).count(),
        "words_kept_of_deleted": Post.objects.filter(external_id__in=[str(each) for each in world.deleted])
        .exclude(text="").count(),
        "out_of_order": sum(found != sorted(found) for found in times.values()),
        "without_conversation": sum(row.conversation_id is None for row in rows),
        "conversations_twice": Conversation.objects.filter(pk__in=[row.conversation_id for row in rows])
        .values("pk").annotate(n=Count("pk")).filter(n__gt=1).count(),
        "left_on_bus": BusMessage.objects.count(),
    }  # fmt: skip


def one_run(seed: int, events: int) -> dict[str, int]:
    world = World(seed, events)
    chance = random.Random(-seed)
    in_child(prepare)
    killed, number = 0, 0
    began = time.monotonic()
    while killed < 12:
        number += 1
        # deaths come early and late: within the first page, and after minutes of work
        died = in_child(lambda: live(world, number, seed, 0.02 + chance.expovariate(1 / max(0.3, events / 12_000))))  # noqa: B023
        killed += died == signal.SIGKILL
        if died == 0:
            break
        if number % 4 == 0:
            in_child(release)
    in_child(release)
    in_child(lambda: live(world, number + 1, seed, None))
    found = judge(world)
    return {
        "seed": seed,
        "events": len(world.log),
        "killed": killed,
        "seconds": round(time.monotonic() - began),
        **found,
    }


def main() -> None:
    runs, events = int(sys.argv[1]), int(sys.argv[2])
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    reader()  # once for all runs
    for seed in range(first, first + runs):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["RAPPORT_DATA"] = folder
            pid = os.fork()  # settings are read once a process
            if pid == 0:
                import django

                django.setup()
                import rapport.pipeline.listener
                import rapport.pipeline.worker  # noqa: F401  (loaded before the first fork)

                reader()
                print(json.dumps(one_run(seed, events)), flush=True)
                os._exit(0)
            _, status = os.waitpid(pid, 0)
            if status:
                raise SystemExit(f"run {seed} failed")


if __name__ == "__main__":
    main()
