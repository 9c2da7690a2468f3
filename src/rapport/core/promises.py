"""Promises of time to the people outside: what is promised, and the arithmetic of a promise that runs.

A promise runs in the staffed minutes of its basket (`core.hours`). It runs while they wait for us, pauses while we wait
for them, and ends when what was promised is done. Everything here is computed from values; the store keeps the rows.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, get_args

import msgspec

from rapport.core.decision import PRIORITIES
from rapport.core.errors import InvalidInput
from rapport.core.hours import Hours

Kind = Literal["first", "next", "resolution"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: people are warned when this share of the time has passed, and no later than so many staffed minutes before the end
WARN_AT = 0.75
WARN_BEFORE = 5
#: a year of staffed minutes round the clock; nobody promises more
MOST_MINUTES = 366 * 24 * 60
#: a word that was older when we heard it (an import, a source that was away) starts no promise: it is history
HISTORY = dt.timedelta(days=1)

#: staffed minutes for priority low, medium, high and urgent; 0 = nothing is promised
ByPriority = tuple[int, int, int, int]
NOTHING: ByPriority = (0, 0, 0, 0)


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a basket promises, in staffed minutes."""

    #: until the first answer by a person
    first: ByPriority = NOTHING
    #: until each answer after that
    next: ByPriority = NOTHING
    #: until it is resolved, without the time in which we wait for them
    resolution: ByPriority = NOTHING

    @property
    def empty(self) -> bool:
        """Nothing is promised."""
        return not any((*self.first, *self.next, *self.resolution))

    def minutes(self, kind: Kind, priority: int) -> int:
        """What is promised to a conversation of this priority (0 = low to 3 = urgent); 0 = nothing."""
        by_priority: ByPriority = getattr(self, kind)
        return by_priority[min(max(priority, 0), len(PRIORITIES) - 1)]


class Facts(msgspec.Struct, frozen=True):
    """What promises depend on: where a conversation stands."""

    #: store.models.Conversation.State
    state: str
    #: 0 = low to 3 = urgent
    priority: int = 1
    #: the oldest word of theirs that nobody has answered
    waiting_since: dt.datetime | None = None
    #: when a person of ours last answered them, as far as we know; the word of a machine is no answer
    answered_at: dt.datetime | None = None
    #: somebody of ours answered before, in this conversation
    answered_before: bool = False


class Running(msgspec.Struct, frozen=True):
    """One promise and its clock."""

    kind: Kind
    minutes: int
    started_at: dt.datetime
    #: staffed minutes used before the present stretch
    used: float = 0.0
    #: since when the present stretch runs; None while it is paused
    running_since: dt.datetime | None = None
    due_at: dt.datetime | None = None
    warn_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    #: what was promised was done, in time or late
    done: bool = False


#: what a promise should do now: run, stand still, or end, done or given up
Wanted = Literal["run", "pause", "done", "given-up"]


def wanted(kind: Kind, facts: Facts, *, exists: bool) -> Wanted | None:
    """What a promise of this kind should do; None where there is none and none is to begin. Pure.

    `exists`: one of this kind has not ended yet.
    """
    live = facts.state in {"open", "pending", "snoozed"}
    waits = facts.waiting_since is not None and not _is_answered(facts)
    if kind == "resolution":
        runs = waits or (facts.state == "open" and not _is_answered(facts))
        begins = True
        stops: Wanted = "pause" if live else "done" if facts.state == "resolved" else "given-up"
    else:
        # answered elsewhere, and they spoke again before we heard of either: the next answer is another promise
        given = kind == "first" and facts.answered_before
        runs, begins = waits and not given, (kind == "next") == facts.answered_before
        # what they took back, what was put aside or resolved without a word: nobody answered, so nothing was kept
        answered = given or _is_answered(facts) or (live and facts.waiting_since is None)
        stops = "done" if answered else "given-up"
    if live and runs:
        return "run" if exists or begins else None
    return stops if exists else None


def _is_answered(facts: Facts) -> bool:
    """A reply has gone out that the conversation does not show yet."""
    return (
        facts.waiting_since is not None
        and facts.answered_at is not None
        and facts.answered_at >= facts.waiting_since
    )  # fmt: skip


def begin(kind: Kind, minutes: int, at: dt.datetime, hours: Hours, used: float = 0.0) -> Running:
    """A promise whose clock starts at a moment; `used`: what it brings along from another basket."""
    return _with_ends(Running(kind, minutes, at, used, at), hours)


def pause(promise: Running, at: dt.datetime, hours: Hours) -> Running:
    """We wait for them: the clock stands still and nothing is due."""
    if promise.running_since is None:
        return promise
    return msgspec.structs.replace(
        promise, used=used_by(promise, at, hours), running_since=None, due_at=None, warn_at=None
    )


def resume(promise: Running, at: dt.datetime, hours: Hours) -> Running:
    """They spoke: the clock goes on with what is left."""
    if promise.running_since is not None:
        return promise
    return _with_ends(msgspec.structs.replace(promise, running_since=at), hours)


def end(promise: Running, at: dt.datetime, hours: Hours, *, done: bool) -> Running:
    """It runs no more."""
    used = used_by(promise, at, hours)
    return msgspec.structs.replace(
        promise, used=used, running_since=None, due_at=None, warn_at=None, ended_at=at, done=done
    )


def change(promise: Running, minutes: int, at: dt.datetime, before: Hours, after: Hours) -> Running:
    """Other minutes or other hours from a moment on: what was used until then stays used."""
    moved = msgspec.structs.replace(promise, minutes=minutes, used=used_by(promise, at, before))
    if promise.running_since is None:
        return moved
    return _with_ends(msgspec.structs.replace(moved, running_since=at), after)


def used_by(promise: Running, at: dt.datetime, hours: Hours) -> float:
    """Staffed minutes that it has used by a moment."""
    if promise.running_since is None:
        return promise.used
    return promise.used + hours.minutes_between(promise.running_since, at)


def overdue(promise: Running, at: dt.datetime, hours: Hours) -> float:
    """By how many staffed minutes it is late at a moment; 0 while it is not."""
    return max(0.0, used_by(promise, at, hours) - promise.minutes)


def _with_ends(promise: Running, hours: Hours) -> Running:
    """With the moments at which it warns and runs out. Hours that never open leave both out: it is never due."""
    assert promise.running_since is not None
    warn = max(0.0, min(WARN_AT * promise.minutes, promise.minutes - WARN_BEFORE))
    return msgspec.structs.replace(
        promise,
        due_at=hours.add_minutes(promise.running_since, promise.minutes - promise.used),
        warn_at=hours.add_minutes(promise.running_since, warn - promise.used),
    )


def check_terms(terms: Terms) -> Terms:
    """The terms, if they can be kept. Raises `InvalidInput` with a sentence for the person who set them."""
    for kind in KINDS:
        by_priority: ByPriority = getattr(terms, kind)
        if len(by_priority) != len(PRIORITIES):
            raise InvalidInput("A promise needs one time for each priority.")
        if any(not 0 <= minutes <= MOST_MINUTES for minutes in by_priority):
            raise InvalidInput("A promise lies between a minute and a year; leave it empty to promise nothing.")
        set_times = [minutes for minutes in by_priority if minutes]
        if set_times != sorted(set_times, reverse=True):
            raise InvalidInput("What is more urgent cannot be promised later than what is less urgent.")
    return terms
