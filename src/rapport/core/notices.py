"""What colleagues are told of, by which way, and when: the arithmetic of bundling and quiet hours.

Nobody is told twice of what they have not looked at: what belongs together is one notice with a count, and a way that
reaches people elsewhere (mail, push) first waits a little, because whoever sits at the desk sees it there, and then
rests between two messages about the same thing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args

import msgspec

from rapport.core.errors import InvalidInput

Way = Literal["desk", "mail", "push"]
WAYS: tuple[Way, ...] = get_args(Way)
DAY = 24 * 60  # minutes


class Event(msgspec.Struct, frozen=True):
    """A kind of thing that colleagues are told of."""

    #: the ways that are on until the person says otherwise
    ways: tuple[Way, ...]
    #: may pass quiet hours, if the person lets it
    urgent: bool = False


#: name -> event; the order is that of the settings page
EVENTS: dict[str, Event] = {
    # a conversation became theirs
    "assigned": Event(("desk", "push")),
    # a rule says notify:NAME
    "rule": Event(("desk", "push")),
    # a promise of time runs out soon; it ran out
    "promise": Event(("desk", "push")),
    "breach": Event(("desk", "push", "mail"), urgent=True),
    # a task is due
    "task": Event(("desk", "mail")),
    # a colleague who may not send asks for approval; what became of what one proposed
    "proposal": Event(("desk", "push")),
    "answer": Event(("desk", "push")),
    # a reply of theirs failed, or nobody knows whether it left
    "delivery": Event(("desk", "mail", "push")),
    # a source went quiet or must be connected again
    "source": Event(("desk", "mail")),
    # far more trouble than usual begins, or is over
    "crisis": Event(("desk", "push", "mail"), urgent=True),
    # somebody wrote one's name into a note
    "mention": Event(("desk", "push")),
}

#: how long mail and push wait first, so that whoever is at the desk is spared, and how long they rest between two
#: messages about the same thing
PATIENCE: dict[Way, dt.timedelta] = {"mail": dt.timedelta(minutes=5), "push": dt.timedelta(seconds=15)}
REST: dict[Way, dt.timedelta] = {"mail": dt.timedelta(hours=1), "push": dt.timedelta(minutes=10)}
#: the longer of these: a notice that is older has no say in when the next one goes out
LONGEST_REST = max(REST.values())
#: what could not be told within this time is not told any more but at the desk
TOO_LATE = dt.timedelta(hours=24)


class Quiet(msgspec.Struct, frozen=True, omit_defaults=True):
    """When somebody gets neither mail nor push, on the clock of their own time zone. What comes then waits."""

    #: minutes after midnight; the hours go over midnight where they end before they begin; equal: there are none
    begins: int = 0
    ends: int = 0
    #: days that are quiet as a whole, 0 for Monday
    days: tuple[int, ...] = ()
    #: urgent things come through all the same
    urgent: bool = False


def read_quiet(stored: Mapping[str, Any]) -> Quiet:
    """`Quiet` from its JSON; empty: never quiet. Raises `InvalidInput` for what cannot be meant."""
    try:
        quiet = msgspec.convert(stored, Quiet)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"Quiet hours: {error}") from None
    if not (0 <= quiet.begins < DAY and 0 <= quiet.ends < DAY):
        raise InvalidInput("Quiet hours begin and end at a time of the day, such as 22:00.")
    if any(day not in range(7) for day in quiet.days):
        raise InvalidInput("Quiet days are days of the week.")
    if len(set(quiet.days)) == 7:
        raise InvalidInput("At least one day of the week must not be quiet; turn mail and push off instead.")
    return quiet


def read_ways(event: str, chosen: Mapping[str, Collection[str]]) -> frozenset[Way]:
    """The ways by which somebody is told of an event, by what they chose; an event that they said nothing of has its
    shipped ones.
    """
    ways = chosen.get(event)
    if ways is None:
        return frozenset(EVENTS[event].ways)
    return frozenset(way for way in WAYS if way in ways)


def end_of_quiet(at: dt.datetime, quiet: Quiet, zone: dt.tzinfo) -> dt.datetime:
    """The first moment at or after `at` (aware) that is not quiet, in UTC.

    Hours are those of the clock on the wall in `zone`: on the days when it changes they are an hour longer or shorter.
    """
    at = at.astimezone(dt.UTC)
    # each round passes one window of hours or one whole day; between two there is at most a week of quiet days
    for _ in range(32):
        later = _end_of_window(at, quiet, zone)
        if later is None:
            return at
        at = later
    return at


def _end_of_window(at: dt.datetime, quiet: Quiet, zone: dt.tzinfo) -> dt.datetime | None:
    """When the quiet day or the quiet hours end in which `at` lies; None: it lies in none."""
    today = at.astimezone(zone).date()
    if today.weekday() in quiet.days:
        return _moment(today + dt.timedelta(days=1), 0, zone)
    if quiet.begins == quiet.ends:
        return None
    for first in (today - dt.timedelta(days=1), today):
        last = first if quiet.begins < quiet.ends else first + dt.timedelta(days=1)
        begins, ends = _moment(first, quiet.begins, zone), _moment(last, quiet.ends, zone)
        if begins <= at < ends:
            return ends
    return None


def _moment(day: dt.date, minutes: int, zone: dt.tzinfo) -> dt.datetime:
    """A time on the wall as a moment in UTC; of a time that comes twice the first, one that is left out an hour on."""
    return dt.datetime.combine(day, dt.time(minutes // 60, minutes % 60), zone).astimezone(dt.UTC)


def when_due(
    way: Way,
    event: str,
    now: dt.datetime,
    *,
    last: dt.datetime | None,
    quiet: Quiet,
    zone: dt.tzinfo,
) -> dt.datetime:
    """When news of `event` that came `now` goes out by mail or push.

    last: when the person was last told of the same by this way. Never before its patience is over, never sooner than
    its rest after the last one, never in quiet hours, unless the event is urgent and the person lets urgent ones pass.
    """
    due = now + PATIENCE[way]
    if last is not None:
        due = max(due, last + REST[way])
    if EVENTS[event].urgent and quiet.urgent:
        return due
    return end_of_quiet(due, quiet, zone)
