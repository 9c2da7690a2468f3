"""Rounds of SIGKILL against the worker or the sender, at every step between claim and acknowledgement.

Run as a program (the test does): `python rounds.py worker|sender ROUNDS SEED`. Each round forks a child that works
until the step that the round chose and kills itself there with SIGKILL: before or after it, on its n-th time. Time
moves on by two minutes a round, so that claims of the dead run out. At the end one child that nothing kills finishes
the work, and what is in the database (and on the network) is printed as JSON.
"""

from __future__ import annotations

import datetime as dt
import functools
import gc
import importlib
import itertools
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

import tables

START = dt.datetime.now(dt.UTC)
#: what the clock of the house moves on a round; a claim holds for half of it
AHEAD = dt.timedelta(minutes=2)
WORDS = [
    "amber", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbour", "iris", "juniper", "kelp", "lagoon",
    "maple", "nectar", "opal", "pebble", "quartz", "reed", "saffron", "tundra", "umber", "violet", "willow", "yarrow",
]  # fmt: skip

#: steps of work in one round: a round whose step is never reached must leave work for the next
STRIDE = 3

WORKER_STEPS = [
    ("rapport.bus.table", "TableBus.claim"),
    ("rapport.pipeline.worker", "process"),
    ("rapport.pipeline.worker", "record"),
    ("rapport.bus.table", "TableBus.acknowledge"),
    ("rapport.actions.desk", "store_outcomes"),
    ("rapport.actions.desk", "note_presence"),
    ("rapport.actions.desk", "link_posts"),
    ("rapport.actions.desk", "refresh"),
    ("rapport.actions.desk", "announce"),
    ("rapport.actions.desk", "write_audit"),
    ("django.db.backends.base.base", "BaseDatabaseWrapper._commit"),
]
SENDER_STEPS = [
    ("rapport.actions.delivery", "claim"),
    ("rapport.pipeline.sender", "check"),
    ("rapport.actions.delivery", "mark_pushed"),
    ("rapport.networks.mastodon.network", "Mastodon.push"),
    ("rapport.networks.mastodon.network", "Mastodon.find"),
    ("rapport.networks.http", "GuardedSession.send"),
    ("rapport.actions.delivery", "settle_sent"),
    ("rapport.actions.delivery", "_log"),
    ("rapport.actions.delivery", "hear"),
    ("django.db.backends.base.base", "BaseDatabaseWrapper._commit"),
]


def kill_at(module: str, name: str, when: str, nth: int) -> None:
    """Make the process kill itself before or after the n-th call of `name`."""
    place: Any = importlib.import_module(module)
    *owners, attribute = name.split(".")
    for owner in owners:
        place = getattr(place, owner)
    original: Callable[..., Any] = getattr(place, attribute)
    calls = itertools.count(1)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        call = next(calls)
        if call == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if call == nth and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(place, attribute, deadly)


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked child with connections of its own; the number of the signal that ended it, or 0."""
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001  # the child must end here, whatever happened, and say so
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a child failed for another reason than its kill")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def settle_in() -> None:
    """After everything was done once in this process: the children share what it has loaded and compiled."""
    gc.collect()
    gc.freeze()


def clock_of(number: int) -> Callable[[], dt.datetime]:
    return lambda: dt.datetime.now(dt.UTC) + AHEAD * number


def prepare() -> None:
    """Tables, a workspace, a connected channel."""
    from django.core.management import call_command

    tables.lay()
    call_command("migrate", verbosity=0)
    from rapport.actions.accounts import create_workspace
    from rapport.actions.listening import connect_channel
    from rapport.store.models import Membership, User

    user = User.objects.create_user("alice@fernway.example", "correct horse battery", name="Alice")
    workspace = create_workspace(user, "Fernway", now=START)
    connect_channel(
        Membership.objects.get(workspace=workspace), "mastodon", server=os.environ.get("FAULTS_SERVER", ""),
        handle="brand", external_id=os.environ.get("FAULTS_ACCOUNT", "b"), name="Fernway",
        token=os.environ.get("FAULTS_TOKEN", ""), now=START,
    )  # fmt: skip


def feed(texts: list[tuple[str, str, str | None]]) -> None:
    """Posts (id, text, id of the post that it answers) come in."""
    from rapport.actions.hearing import hear
    from rapport.bus.table import TableBus
    from rapport.core.post import Author, Post
    from rapport.store.models import Channel

    posts = [
        Post(
            network="mastodon", id=key, text=text, created_at=START + dt.timedelta(milliseconds=number),
            author=Author(id=f"p{number}", handle=f"person{number}@example.social", name=f"Person {number}"),
            in_reply_to=parent,
        )
        for number, (key, text, parent) in enumerate(texts)
    ]  # fmt: skip
    hear(Channel.objects.get(), posts, TableBus(size=4), now=START)


def work(number: int, step: tuple[str, str, str, int] | None) -> None:
    from rapport.bus.table import TableBus
    from rapport.pipeline.worker import Worker

    if step:
        kill_at(*step)
    worker = Worker(TableBus(size=4), clock_of(number), dt.timedelta(seconds=60))
    worker._readers[()] = reader()  # loaded once before the forks: a second a round saved
    done = 0
    while worker.work_once() and (step is None or done < STRIDE):
        done += 1


@functools.cache
def reader() -> Any:
    from rapport.core.understand import load_reader

    found = load_reader(())
    found.get_ready()
    return found


def release() -> None:
    """A person looks at what was set aside (its worker died five times) and puts it back on the line."""
    from rapport.bus.table import TableBus
    from rapport.store.models import BusMessage

    for message in BusMessage.objects.filter(state="quarantined"):
        TableBus().release(message)


def send(number: int, step: tuple[str, str, str, int] | None, most: int = 10_000) -> None:
    from rapport.bus.table import TableBus
    from rapport.core.reply import Reply
    from rapport.networks.base import Account, Sent
    from rapport.networks.http import GuardedSession
    from rapport.networks.mastodon.network import Mastodon
    from rapport.pipeline.sender import Sender

    if step:
        kill_at(*step)

    class Behind(Mastodon):
        """The server goes by its own clock, which has not moved on with the rounds."""

        def find(self, account: Account, reply: Reply, since: dt.datetime, *more: Any) -> Sent | None:
            return super().find(account, reply, since - AHEAD * number, *more)

    allowed = {os.environ["FAULTS_SERVER"].removeprefix("http://")}
    sender = Sender(
        {"mastodon": Behind()}, lambda: GuardedSession(allow=allowed), TableBus(), clock_of(number), AHEAD / 2
    )
    done = 0
    while done < (STRIDE if step else most) and sender.send_once():
        done += 1


def approve_all() -> None:
    """Alice answers every conversation, each with other words."""
    from rapport.actions.outbound import approve
    from rapport.store.models import Channel, Conversation, Membership
    from rapport.store.queries.outbound import newest_inbound

    alice, channel = Membership.objects.get(), Channel.objects.get()
    chance = random.Random(1)
    for conversation in Conversation.objects.all():
        target = newest_inbound(conversation)
        assert target is not None
        text = f"@{target.handle.handle} {' '.join(chance.sample(WORDS, 9))} {target.external_id}"
        approve(alice, conversation, text, target=target, channel=channel, version=conversation.version, now=START)


def run_worker(rounds: int, chance: random.Random) -> dict[str, Any]:
    """Four posts of each of 400 threads, arriving in a mixed order, while the worker dies and dies."""
    from rapport.store.models import BusMessage, Conversation, Outcome, Post

    texts = [
        (
            f"{thread}-{reply}",
            f"{chance.choice(WORDS)} parcel {thread} {reply}",
            f"{thread}-{reply - 1}" if reply else None,
        )
        for thread in range(rounds)
        for reply in range(4)
    ]
    prepare()
    feed(texts[:4])
    work(0, None)
    settle_in()
    rest = texts[4:]
    chance.shuffle(rest)
    in_child(lambda: feed(rest))
    killed = run_rounds(work, WORKER_STEPS, rounds, chance)
    in_child(release)
    in_child(lambda: work(rounds + 9, None))
    members = dict(Post.objects.values_list("external_id", "conversation_id"))
    groups: dict[Any, set[str]] = {}
    for key, conversation in members.items():
        groups.setdefault(conversation, set()).add(key.split("-")[0])
    return {
        "killed": killed,
        "posts": len(members),
        "expected": len(texts),
        "unread": Post.objects.filter(outcome__isnull=True).count(),
        "outcomes": Outcome.objects.count(),
        "left_on_bus": BusMessage.objects.count(),
        "conversations": Conversation.objects.exclude(state="merged").count(),
        "threads": rounds,
        "mixed": sum(len(threads) != 1 for threads in groups.values()) + abs(len(groups) - rounds),
    }


def run_sender(rounds: int, chance: random.Random) -> dict[str, Any]:
    """One approved reply a round to posts that are really on the server, while the sender dies and dies."""
    from rapport.networks.mastodon.network import Mastodon
    from rapport.store.models import Delivery, Post
    from servers import mastodon_server

    with mastodon_server() as server:
        os.environ |= {
            "FAULTS_SERVER": server.url,
            "FAULTS_TOKEN": server.tokens["brand"],
            "FAULTS_ACCOUNT": server.ids["brand"],
        }
        texts = [
            (server.post("ann", f"@brand help {number}")["id"], f"@brand help {number}", None)
            for number in range(rounds)
        ]
        prepare()
        feed(texts)
        work(0, None)
        approve_all()
        send(0, None, most=1)
        settle_in()
        killed = run_rounds(send, SENDER_STEPS, rounds, chance)
        in_child(lambda: work(rounds, None))
        answers = []
        for key, _, _ in texts:
            context = server.call("GET", f"/api/v1/statuses/{key}/context", "brand")
            answers.append(len(context["descendants"]))
    return {
        "killed": killed,
        "network": Mastodon.name,
        "states": list(Delivery.objects.values_list("state", flat=True).distinct()),
        "deliveries": Delivery.objects.count(),
        "answered_once": sum(count == 1 for count in answers),
        "answered_twice": sum(count > 1 for count in answers),
        "forgotten": sum(count == 0 for count in answers),
        "own_posts": Post.objects.filter(ours=True).count(),
        "reconciled": Delivery.objects.filter(tries__step="reconciled").distinct().count(),
    }


def run_rounds(
    job: Callable[[int, tuple[str, str, str, int] | None], None],
    steps: list[tuple[str, str]],
    rounds: int,
    chance: random.Random,
) -> int:
    """Every step, before and after, in turn; returns how many children were killed. Then the rest in peace."""
    places = [(*step, when) for step in steps for when in ("before", "after")]
    killed = 0
    for number in range(1, rounds + 1):
        module, name, when = places[number % len(places)]
        nth = chance.randint(1, 2)
        killed += in_child(lambda: job(number, (module, name, when, nth))) == signal.SIGKILL  # noqa: B023  (runs now)
    for number in range(rounds + 1, rounds + 5):
        in_child(lambda: job(number, None))  # noqa: B023
    return killed


def main() -> None:
    import django

    django.setup()
    which, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    import rapport.pipeline.sender
    import rapport.pipeline.worker  # noqa: F401  (loaded before the first fork)

    reader()

    if which == "worker":
        print(json.dumps(run_worker(rounds, chance)))
    else:
        print(json.dumps(run_sender(rounds, chance)))


if __name__ == "__main__":
    main()
