"""What goes wrong, planned by seed: at the wire, in the process, at every step between claim and settled."""

from __future__ import annotations

import ctypes
import importlib
import itertools
import multiprocessing
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import connection

#: "keys" keeps idempotency keys (Mastodon), "records" has record keys (Bluesky), "none" keeps nothing (X), "late" keeps
#: nothing and shows a new post only some time after it was taken (X, with its index behind)
SERVERS = ("keys", "records", "none", "late")
WIRES = (
    "well", "429", "502 not taken", "504 taken", "silence taken", "reset taken", "half answer", "beyond the lease",
    "broken answer", "401",
)  # fmt: skip
SENDER = "rapport.pipeline.sender"
DELIVERY = "rapport.actions.delivery"
#: name -> the functions that are this step; a name that is gone fails the run
STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "claim": ((DELIVERY, "claim"),),
    "check": ((SENDER, "check"),),
    "mark_pushed": ((DELIVERY, "mark_pushed"),),
    "push": (
        ("rapport.networks.mastodon.network", "Mastodon.push"),
        ("rapport.networks.bluesky.network", "Bluesky.push"),
        ("rapport.networks.x.network", "X.push"),
    ),
    "request": (("rapport.networks.http", "GuardedSession.send"),),
    "find": (
        ("rapport.networks.mastodon.network", "Mastodon.find"),
        ("rapport.networks.bluesky.network", "Bluesky.find"),
        ("rapport.networks.x.network", "X.find"),
    ),
    "settle_sent": ((DELIVERY, "settle_sent"),),
    "log": ((DELIVERY, "_log"),),
    "hear": ((DELIVERY, "hear"),),
    "commit": (("django.db.backends.base.base", "BaseDatabaseWrapper._commit"),),
}
#: a delivery writes its log and commits at the claim, before the request and at the end
THRICE = ("log", "commit")


class Fault(NamedTuple):
    """What happens to the process at the n-th time that it comes to a step with this delivery.

    `kind`: "kill" (SIGKILL), "stop" (SIGSTOP until after the lease), "cut" (the database fails at a commit), "clock"
    (this process's clock is an hour wrong from here on: "before" slow, "after" fast).
    """

    kind: str
    step: str
    when: str
    nth: int = 1


class Case(NamedTuple):
    """One delivery and what befalls it. `partner`: "" or what its group of two in one conversation is about."""

    number: int
    server: str
    wire: str
    #: one after the other, each once
    faults: tuple[Fault, ...]
    #: what the wire does at the second request that would write
    wire_again: str = "well"

    @property
    def cell(self) -> tuple[str, str, str, str, str]:
        last = self.faults[-1] if self.faults else Fault("nothing", "", "")
        return (self.server, self.wire, last.kind, last.step, last.when)


def process_faults() -> list[tuple[Fault, ...]]:
    """Every one that there is: nothing, kill and stop before and after each step, failing commits, wrong clocks."""
    found: list[tuple[Fault, ...]] = [()]
    for kind, step, when in itertools.product(("kill", "stop"), STEPS, ("before", "after")):
        # what is looked for on the network was sent by somebody who died of it
        first = (Fault("kill", "push", "after"),) if step == "find" else ()
        found.append((*first, Fault(kind, step, when)))
    found += [(Fault("cut", "commit", when),) for when in ("before", "after")]
    found += [(Fault("clock", "claim", when),) for when in ("before", "after")]
    return found


def plan(count: int, seed: int) -> list[Case]:
    """`count` cases in an order by chance. Each cell of server, wire and process fault is there once when `count`
    reaches their number, else every pair of server and wire, and of server and process fault, as far as it goes.
    """
    chance = random.Random(seed)
    faults = process_faults()
    cells = list(itertools.product(SERVERS, WIRES, faults))
    if count < len(cells):
        cells = spread(count, chance)
    else:
        cells += [
            (chance.choice(SERVERS), chance.choice(WIRES), chance.choice(faults)) for _ in range(count - len(cells))
        ]
    chance.shuffle(cells)
    cases = []
    for number, (server, wire, planned) in enumerate(cells):
        timed = tuple(each._replace(nth=chance.randint(1, 3)) if each.step in THRICE else each for each in planned)
        again = chance.choice(WIRES) if chance.random() < 0.1 else "well"
        cases.append(Case(number, server, wire, timed, again))
    return cases


def spread(count: int, chance: random.Random) -> list[tuple[str, str, tuple[Fault, ...]]]:
    """So many cells that every process fault comes once, and servers and wires are gone through in turn."""
    faults = process_faults()
    places = list(itertools.product(SERVERS, WIRES))
    chance.shuffle(places)
    chance.shuffle(faults)
    # runs through both lists at once; their lengths differ, so that the pairs change from round to round
    return [(*places[n % len(places)], faults[n % len(faults)]) for n in range(count)]


class Board:
    """What all processes of a run see: the clock, how many faults of each case have happened, when something is due.

    Made before the first fork. Only the parent and the servers move the clock, so no child can die with its lock.
    """

    def __init__(self, start: float, cases: int) -> None:
        self._lock = multiprocessing.Lock()
        self._clock = multiprocessing.RawValue("d", start)
        #: leaps of the clock over which nobody could work: when, how far
        self._leaps = multiprocessing.RawArray("d", 20 * cases + 200)
        self._leap = multiprocessing.RawValue("L", 0)
        self.next_at = multiprocessing.RawValue("d", 0.0)
        #: seconds since 1970, by the machine's clock: when the hold was committed; 0 while nothing is held
        self.held_at = multiprocessing.RawValue("d", 0.0)
        self.errors = multiprocessing.RawValue("L", 0)
        self.fired = multiprocessing.RawArray("B", cases)
        #: of each case the process that was stopped in the midst of a transaction: others wait for its locks
        self.locking = multiprocessing.RawArray("i", cases)

    def now(self) -> float:
        """Seconds since 1970 on the clock of the matrix."""
        return float(self._clock.value)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._clock.value += max(seconds, 0.0)

    def leap(self, seconds: float) -> None:
        """As `advance`, by somebody who sleeps or dawdles: what is late by this is not late by the senders' fault."""
        with self._lock:
            place = 2 * self._leap.value
            if place < len(self._leaps):
                self._leaps[place], self._leaps[place + 1] = self._clock.value, seconds
                self._leap.value += 1
            self._clock.value += seconds

    def leapt(self, start: float, end: float) -> float:
        """Seconds between two moments over which the clock leapt."""
        pairs = zip(self._leaps[::2], self._leaps[1::2], strict=True)
        return sum(seconds for at, seconds in pairs if start <= at < end)


class Doom:
    """Armed in a child: does to it what the case of the delivery in hand says, when its step comes."""

    def __init__(self, board: Board, cases: Sequence[Case], case_of: Callable[[Any], int | None]) -> None:
        """`case_of`: the number of the case of a delivery, or of the one that would be claimed next (given None)."""
        self.board, self.cases, self.case_of = board, cases, case_of
        self.current: Case | None = None
        self.calls: Counter[str] = Counter()
        #: seconds by which the clock of this process is wrong
        self.skew = 0.0
        self._busy = False

    def arm(self) -> None:
        for step, places in STEPS.items():
            for module, name in places:
                self._wrap(step, module, name)

    def _wrap(self, step: str, module: str, name: str) -> None:
        owner: Any = importlib.import_module(module)
        *owners, attribute = name.split(".")
        for each in owners:
            owner = getattr(owner, each)
        original: Callable[..., Any] = getattr(owner, attribute)

        def deadly(*args: Any, **kwargs: Any) -> Any:
            if self._busy:
                return original(*args, **kwargs)
            if step == "claim":
                self._take(self._ask(None))
            self.calls[step] += 1
            self._come("before", step)
            result = None
            try:
                result = original(*args, **kwargs)
            finally:  # also after a step that failed
                if step == "claim" and result is not None:
                    self._take(self._ask(result))
                self._come("after", step)
            return result

        setattr(owner, attribute, deadly)

    def _ask(self, delivery: Any) -> int | None:
        self._busy = True  # its own queries are no steps
        try:
            return self.case_of(delivery)
        finally:
            self._busy = False

    def _take(self, number: int | None) -> None:
        case = None if number is None else self.cases[number]
        if case is None or self.current is None or case.number != self.current.number:
            self.calls.clear()
            self.calls["claim"] = 1
        self.current = case

    def _come(self, when: str, step: str) -> None:
        case = self.current
        if case is None:
            return
        done = self.board.fired[case.number]
        if done >= len(case.faults):
            return
        fault = case.faults[done]
        if fault.kind == "clock":
            if step == "claim" and when == "after":
                self.board.fired[case.number] += 1
                self.skew = 3600.0 if fault.when == "after" else -3600.0
            return
        if (fault.step, fault.when) != (step, when) or self.calls[step] < fault.nth:
            return
        if fault.kind == "stop" and self.board.held_at.value:
            return  # who was stopped in the midst of a request ends it when woken, held or not
        self.board.fired[case.number] += 1
        in_transaction = connection.in_atomic_block or (step, when) == ("commit", "before")
        if fault.kind == "stop" and in_transaction:
            self.board.locking[case.number] = os.getpid()
        if fault.kind == "cut":
            cut_the_database(when)
        else:
            os.kill(os.getpid(), signal.SIGKILL if fault.kind == "kill" else signal.SIGSTOP)


def cut_the_database(when: str) -> None:
    """PostgreSQL ends our session; SQLite reports an error of the disk."""
    from django.db import OperationalError

    if connection.vendor != "postgresql":
        raise OperationalError(f"disk I/O error (the matrix, {when} the commit)")
    import psycopg

    parameters = connection.get_connection_params()
    kept = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if name in parameters}
    with psycopg.connect(**kept, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


def die_with_parent() -> None:
    """Linux ends this process when its parent ends, also while it is stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
