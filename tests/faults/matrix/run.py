"""The crash matrix: every fault of the wire and of the process, at every step of a delivery, on four kinds of network.

    python tests/faults/matrix/run.py [DELIVERIES] [SEED]      (`make crash-matrix` runs it on both databases)

Prints a table for people to stderr and one JSON line to stdout; exit status 1 when a promise was broken. What it does
and what it proves stands in docs/reference/crash-matrix.md.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

import tables
from faults.matrix.cases import SERVERS, Board, Case, Doom, die_with_parent, plan
from faults.matrix.servers import LEASE, Networks, start_networks

#: senders at work at the same time
SEATS = 3
#: deliveries of one workspace, worked off before the next is begun
BATCH = 200
#: steps with a delivery that one child takes, if it lives
LONGEST = 20
#: seconds that a whole exchange with a server may take, by the machine's clock
PATIENCE = 0.7
#: seconds past the end of the lease after which somebody who was stopped wakes up
OVERSLEPT = 30.0
#: every so many batches one is held in the midst of its sending, and let go
HOLD_EVERY = 3
NETWORK = {"keys": "mastodon", "records": "bluesky", "none": "x", "late": "x"}
IDLE, TIRED, BROKEN = 0, 3, 1


class Item(NamedTuple):
    """One reply of a batch: the case, its place in the workspace's chain is its place in the list."""

    case: int
    server: str
    #: which conversation of the server
    talk: int
    #: "twin": the same words twice; "second": after another one; "thread": three posts; ""
    role: str
    text: str
    #: the posts of a thread, and which of them (from 1) the case befalls
    parts: tuple[str, ...] = ()
    struck: int = 0


class Batch(NamedTuple):
    number: int
    items: list[Item]

    def account(self, server: str) -> str:
        """The id of our account on a server, which is its token too."""
        if server == "records":
            letters = "".join("abcdefghij"[int(digit)] for digit in f"{self.number:05d}")
            return f"did:plc:matrix{letters}{'z' * 13}"
        return f"9{self.number:05d}"

    def handle(self, server: str) -> str:
        return f"brand{self.number}{server}"


def lay_out(number: int, cases: list[Case], chance: random.Random) -> Batch:
    """Of six cases on a server two are the same words twice to one post, two follow each other in a conversation, one
    is a thread of three posts.
    """
    items, talk = [], 0
    for server in SERVERS:
        mine = [case for case in cases if case.server == server]
        for place, case in enumerate(mine):
            kind = place % 6
            paired = kind in {1, 3}
            talk += not paired
            text = items[-1].text if kind == 1 else f"{_words(chance)} case{case.number}"
            role = {1: "twin", 3: "second", 5: "thread"}.get(kind, "")
            parts = tuple(f"{_words(chance)} case{case.number} post{at}" for at in (1, 2, 3)) if kind == 5 else ()
            items.append(Item(case.number, server, talk, role, text, parts, chance.randint(1, 3) if parts else 0))
    return Batch(number, items)


def _words(chance: random.Random) -> str:
    """Ten words that no other reply has, so that the guard takes none for a copy."""
    return " ".join("".join(chance.choices("bdfgklmnprstvz", k=3)) + chance.choice("aeiou") * 2 for _ in range(10))


# ---------------------------------------------------------------- children


def fork(work: Callable[[], int]) -> int:
    """Run `work` in a child with a connection of its own; its number."""
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    status = BROKEN
    try:
        die_with_parent()
        status = work()
    except BaseException:  # noqa: BLE001  # the child must end here, whatever happened, and say so
        import traceback

        traceback.print_exc()
    finally:
        connections.close_all()
        os._exit(status)


def at_once(work: Callable[[], object]) -> None:
    """Run `work` in a child and wait for its end."""

    def quietly() -> int:
        work()
        return IDLE

    _, status = os.waitpid(fork(quietly), 0)
    if status:
        raise SystemExit("a step of the matrix itself failed")


class Matrix:
    """One run."""

    def __init__(self, cases: list[Case], seed: int) -> None:
        self.cases, self.seed = cases, seed
        self.chance = random.Random(seed + 1)
        self.board = Board(time.time(), len(cases))
        self.networks: Networks = start_networks(self.board)
        self.killed = self.stopped = self.forks = 0
        self.slept: list[tuple[float, int]] = []
        self.working: set[int] = set()

    def clock(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.board.now(), dt.UTC)

    def warm_up(self) -> None:
        """One reply to each server in this process, so that no child loads or compiles anything for the first time."""
        from django.core.management import call_command
        from django.db import connections

        tables.lay()
        call_command("migrate", verbosity=0)
        batch = lay_out(0, [Case(number, server, "well", ()) for number, server in enumerate(SERVERS)], self.chance)
        self.prepare(batch)
        sender = self.sender(self.clock)
        while sender.send_once():
            pass
        next_moment(self.board.now())
        connections.close_all()
        gc.collect()
        gc.freeze()  # what is not looked at stays shared with the children

    # ------------------------------------------------------------ a batch

    def prepare(self, batch: Batch) -> None:
        """In a child: a workspace, its accounts, posts by people, and a person's answers to them."""
        from rapport.actions.accounts import create_workspace
        from rapport.actions.listening import connect_channel
        from rapport.store.models import Membership, User

        now = self.clock()
        user = User.objects.create_user(f"alice{batch.number}@fernway.example", "correct horse", name="Alice")
        alice = Membership.objects.get(workspace=create_workspace(user, f"Fernway {batch.number}", now=now))
        for server in SERVERS:
            account = batch.account(server)
            connect_channel(
                alice, NETWORK[server], server=self.networks.urls[server], handle=batch.handle(server),
                external_id=account, name=server, token=account, now=now,
            )  # fmt: skip
        self._hear(batch, alice, now)
        self._approve(batch, alice, now)

    def _hear(self, batch: Batch, alice: Any, now: dt.datetime) -> None:
        from rapport.actions.hearing import hear
        from rapport.bus.table import TableBus
        from rapport.core.post import Author, Post
        from rapport.pipeline.worker import Worker
        from rapport.store.models import Channel

        bus = TableBus(size=100)
        for server in SERVERS:
            talks = sorted({item.talk for item in batch.items if item.server == server})
            posts = [
                Post(
                    network=NETWORK[server], id=post_id(batch, server, talk), created_at=now - dt.timedelta(minutes=9),
                    text=f"@{batch.handle(server)} where is parcel {talk}?", mentions=(batch.handle(server),),
                    author=Author(f"p{batch.number}-{talk}", f"ann{talk}"),
                )
                for talk in talks
            ]  # fmt: skip
            hear(Channel.objects.get(workspace=alice.workspace, name=server), posts, bus, now=now)
        worker = Worker(bus, self.clock, dt.timedelta(seconds=LEASE))
        worker._readers[()] = reader()
        worker.drain()

    def _approve(self, batch: Batch, alice: Any, now: dt.datetime) -> None:
        from rapport.actions.outbound import approve
        from rapport.core.parts import put_together
        from rapport.store.models import Channel, Conversation, Post

        channels = {row.name: row for row in Channel.objects.filter(workspace=alice.workspace)}
        for item in batch.items:
            target = Post.objects.get(
                workspace=alice.workspace, channel=channels[item.server],
                external_id=post_id(batch, item.server, item.talk),
            )  # fmt: skip
            talk = Conversation.objects.get(pk=target.conversation_id)
            text, channel = put_together(item.parts) if item.parts else item.text, channels[item.server]
            approve(alice, talk, text, target=target, channel=channel, version=talk.version, now=now)

    # ------------------------------------------------------------ sending

    def send(self, batch: Batch) -> int:
        """In a child: a sender, until it is tired, nothing is due, or it dies as its cases say."""
        from django.db import OperationalError, connection

        from rapport.actions.held import let_go
        from rapport.store.models import Delivery
        from rapport.store.queries.parts import parts_sent

        def case_of(delivery: Any) -> int | None:
            if delivery is None:
                rows = Delivery.objects.filter(state="queued", next_try_at__lte=clock(), workspace__isnull=False)
                delivery = rows.select_related("approval").order_by("next_try_at", "pk").first()
            item = None if delivery is None else batch.items[delivery.approval.sequence - 1]
            if item is None or (item.parts and parts_sent(delivery) + 1 != item.struck):
                return None
            return item.case

        doom = Doom(self.board, self.cases, case_of)

        def clock() -> dt.datetime:
            return self.clock() + dt.timedelta(seconds=doom.skew)

        doom.arm()
        sender = self.sender(clock)
        for _ in range(LONGEST):
            try:
                worked = sender.send_once()
                doom.current = None
                # what was held by somebody who had read it before the account was connected again: a sender that runs
                # for ever looks for it every five seconds
                worked = worked or (not doom.skew and (self._reconnect() or let_go(now=clock()) > 0))
            except OperationalError:  # as `pipeline.loop.keep_going` does it
                self.board.errors.value += 1
                connection.close()
                worked = True
            doom.current = None
            if doom.skew:
                return TIRED  # one delivery with a wrong clock, not all of them
            if not worked:
                self.board.next_at.value = next_moment(self.board.now())
                return IDLE
        return TIRED

    def sender(self, clock: Callable[[], dt.datetime]) -> Any:
        """As `wiring` makes it, with shorter patience; a fresh look at what is answered takes its time."""
        from rapport.bus.table import TableBus
        from rapport.networks.http import GuardedSession, Limits
        from rapport.networks.registry import NETWORKS
        from rapport.pipeline.sender import Sender

        allowed = self.networks.allowed
        return Sender(
            NETWORKS, lambda: GuardedSession(allow=allowed, limits=Limits(total=PATIENCE)), TableBus(), clock,
            dt.timedelta(seconds=LEASE), lambda *_: time.sleep(0.02),
        )  # fmt: skip

    def _reconnect(self) -> bool:
        """A person connects an account again whose token a server did not take; whether there was one."""
        from rapport.actions.listening import connect_channel
        from rapport.store.models import Channel, Membership

        off = Channel.objects.filter(state="reauthorise").first()
        if off is None:
            return False
        by = Membership.objects.filter(workspace_id=off.workspace_id).first()
        assert by is not None
        connect_channel(
            by, off.network, server=off.server, handle=off.handle, external_id=off.external_id, name=off.name,
            token=off.external_id, now=self.clock(),
        )  # fmt: skip
        return True

    def work(self, batch: Batch, hold_after: int | None = None) -> list[tuple[float, float]]:
        """Fork senders until nothing is due any more; the times between which the workspace was held."""
        begun, is_idle, holds = 0, False, []
        while True:
            self._wake_up()
            event = self._reap(block=bool(self.working) and (is_idle or len(self.working) >= SEATS))
            if event is not None:
                is_idle = event == IDLE
                continue
            if hold_after is not None and begun >= hold_after and not self.slept:
                at_once(lambda: self._hold(batch))
                hold_after = None
            if not is_idle and len(self.working) < SEATS:
                self.working.add(fork(lambda: self.send(batch)))
                begun += 1
                continue
            if self.working:
                continue
            if self.board.held_at.value:
                holds.append(self._release(batch))
            elif not self._pass_time():
                return holds
            is_idle = False

    def _hold(self, batch: Batch) -> None:
        from rapport.actions.holds import hold_everything
        from rapport.store.models import Membership

        hold_everything(Membership.objects.get(workspace__name=f"Fernway {batch.number}"), "a test", now=self.clock())
        self.board.held_at.value = time.time()

    def _release(self, batch: Batch) -> tuple[float, float]:
        """Nobody is at work: whatever was to leave has left. Let go, and tell from when to when it was held."""
        from rapport.actions.holds import release_hold
        from rapport.store.models import Membership

        held = (self.board.held_at.value, time.time())
        self.board.held_at.value = 0.0
        name = f"Fernway {batch.number}"
        at_once(lambda: release_hold(Membership.objects.get(workspace__name=name), now=self.clock()))
        return held

    def _pass_time(self) -> bool:
        """Put the clock to the next moment at which something is due, and wake who was stopped until then."""
        due = self.board.next_at.value
        wakes = min(self.slept)[0] if self.slept else float("inf")
        moment = min(due, wakes)
        if moment == float("inf"):
            return False
        self.board.advance(moment - self.board.now() + 0.01)
        return True

    def _wake_up(self) -> None:
        """Whoever has slept long enough goes on with what they were at."""
        for entry in [entry for entry in self.slept if entry[0] <= self.board.now()]:
            self.slept.remove(entry)
            self._wake(entry[1])

    def _wake(self, pid: int) -> None:
        self.working.add(pid)
        os.kill(pid, signal.SIGCONT)

    def _reap(self, block: bool) -> int | None:
        """What became of a child: its status, or minus the signal that stopped or ended it; None: nothing new."""
        if not self.working:
            return None
        pid, status = os.waitpid(-1, os.WUNTRACED | (0 if block else os.WNOHANG))
        if pid == 0:
            return None
        self.working.discard(pid)
        if os.WIFSTOPPED(status):
            self.stopped += 1
            if pid in self.board.locking[:]:  # all wait for what it has locked: the clock goes on, and it wakes
                self.board.leap(LEASE + OVERSLEPT)
                self._wake(pid)
            else:
                self.slept.append((self.board.now() + LEASE + OVERSLEPT, pid))
            return -signal.SIGSTOP
        # a terminal that goes away wakes who was stopped (setpgid(2), orphaned groups): nobody is left to be woken
        self.slept = [entry for entry in self.slept if entry[1] != pid]
        self.forks += 1
        if os.WIFSIGNALED(status):
            self.killed += 1
            return -os.WTERMSIG(status)
        if os.WEXITSTATUS(status) == BROKEN:
            raise SystemExit("a sender failed for another reason than its faults")
        return os.WEXITSTATUS(status)

    def end(self) -> None:
        for _, pid in self.slept:
            os.kill(pid, signal.SIGKILL)
        for pid in self.working:
            os.kill(pid, signal.SIGKILL)
        self.networks.stop()


def next_moment(now: float) -> float:
    """When the next delivery may be due, in seconds since 1970; infinity when none ever will be without a person.

    What is due `now` and was not taken waits for another one of its conversation, and has no time of its own.
    """
    from rapport.store.models import Delivery

    found = [float("inf")]
    waiting = Delivery.objects.filter(state__in=["queued", "sending", "unconfirmed"], unknown_at__isnull=True)
    for row in waiting.select_related("channel"):
        moment = row.lease_until if row.claimed_by and row.lease_until else row.next_try_at
        if row.channel.paused_until:
            moment = max(moment, row.channel.paused_until)
        found.append(moment.timestamp())
    return min(moment for moment in found if moment > now)


def post_id(batch: Batch, server: str, talk: int) -> str:
    """The id of the post that a conversation begins with, as its network writes ids."""
    if server == "records":
        from rapport.networks.bluesky.syntax import encode_tid

        key = encode_tid(1_763_000_000_000_000 + batch.number * 1_000_000_000 + talk * 1_000_000, 7)
        return f"at://did:plc:{'a' * 24}/app.bsky.feed.post/{key}"
    return f"1{batch.number:05d}{talk:06d}"


def reader() -> Any:
    from faults.rounds import reader as load

    return load()


# ---------------------------------------------------------------- a run


def run(count: int, seed: int) -> dict[str, Any]:
    """`count` deliveries; what came of them."""
    from faults.matrix.count import Tally, ask_people, judge

    began = time.monotonic()
    matrix = Matrix(plan(count, seed), seed)
    tally = Tally()
    try:
        matrix.warm_up()
        for number, first in enumerate(range(0, count, BATCH), 1):
            batch = lay_out(number, matrix.cases[first : first + BATCH], matrix.chance)
            matrix.networks.plan(
                [
                    (item.server, text, [matrix.cases[item.case].wire, matrix.cases[item.case].wire_again], late)
                    for item in batch.items
                    for text in [item.parts[item.struck - 1] if item.parts else item.text]
                    for late in [_lateness(matrix.chance)]
                ]
            )
            at_once(lambda: matrix.prepare(batch))  # noqa: B023  (runs now)
            hold_after = 5 if number % HOLD_EVERY == 1 else None
            holds = matrix.work(batch, hold_after)
            tally.add(judge(matrix, batch, holds))
            at_once(lambda: ask_people(matrix, batch))  # noqa: B023
            matrix.work(batch)
            tally.add_answers(judge(matrix, batch, None))
            _show(f"{min(first + BATCH, count)} of {count}, {time.monotonic() - began:.0f} s")
    finally:
        matrix.end()
    return tally.told(matrix, seconds=time.monotonic() - began)


def _lateness(chance: random.Random) -> float:
    """Seconds until the late server shows a post: mostly soon, sometimes only after the last look."""
    return chance.uniform(300, 900) if chance.random() < 0.1 else chance.uniform(3, 40)


def _show(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with tempfile.TemporaryDirectory(prefix="rapport-matrix-") as folder:
        os.environ["RAPPORT_DATA"] = folder  # never one that somebody works with
        import django

        django.setup()
        import rapport.pipeline.sender
        import rapport.pipeline.worker  # noqa: F401  (loaded before the first fork)
        from faults.matrix.count import table

        reader()
        found = run(count, seed)
    print(table(found), file=sys.stderr)
    print(json.dumps(found))
    return 1 if any(found["broken"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
