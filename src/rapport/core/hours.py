"""When a desk is staffed, and how much of that time passes between two moments.

Hours are told as a wall clock shows them, moments are aware. Where the clock jumps, the law of the time zone counts: a
shift from 1:00 to 5:00 lasts three hours in the night that loses one, and five in the night that has one twice. An
opening or closing time that the clock never shows is the moment of the jump; one that it shows twice is the first.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from rapport.core.errors import InvalidInput

DAY = 24 * 60
MINUTE = dt.timedelta(minutes=1)
#: a promise that has not run out after so many days of closed and open hours never does
HORIZON = 4 * 366

#: opening and closing in minutes since midnight; a closing time of up to 2,880 lies on the next day
Shift = tuple[int, int]


class Hours(msgspec.Struct, frozen=True, cache_hash=True, omit_defaults=True):
    """When a basket is staffed. As it stands without anything set: round the clock, every day."""

    #: IANA name
    zone: str = "UTC"
    #: the shifts of Monday to Sunday; empty = round the clock on every day. Seven empty days are never open
    week: tuple[tuple[Shift, ...], ...] = ()
    #: ISO 3166-1 country, and the part of it, whose public holidays are closed; "" = none
    country: str = ""
    subdivision: str = ""
    #: more days on which it is closed
    closed: frozenset[dt.date] = frozenset()
    #: days with shifts of their own, holiday or not
    opened: tuple[tuple[dt.date, tuple[Shift, ...]], ...] = ()
    #: the public holidays of the years that matter; whoever reads the hours fills them in, nobody stores them
    holidays: frozenset[dt.date] = frozenset()

    @property
    def always(self) -> bool:
        """Open at every moment."""
        return not (self.week or self.closed or self.opened or self.holidays)

    @property
    def never(self) -> bool:
        """Open at no moment of an ordinary week, so that no promise ever runs out."""
        return bool(self.week) and not any(self.week)

    def is_open(self, at: dt.datetime) -> bool:
        """Is somebody there at this moment? Open at the minute of opening, closed at the minute of closing."""
        at = at.astimezone(dt.UTC)
        return self.always or any(start <= at < end for start, end in self._spans(at, days=1))

    def minutes_between(self, since: dt.datetime, until: dt.datetime) -> float:
        """Staffed minutes from one moment to a later one; 0 where `until` is not later."""
        since, until = since.astimezone(dt.UTC), until.astimezone(dt.UTC)
        if until <= since:
            return 0.0
        if self.always:
            return (until - since) / MINUTE
        found = dt.timedelta()
        for start, end in self._spans(since, days=(until - since).days + 2):
            if start >= until:
                break
            found += max(min(end, until) - max(start, since), dt.timedelta())
        return found / MINUTE

    def add_minutes(self, start: dt.datetime, minutes: float) -> dt.datetime | None:
        """The first moment, in UTC, by which so many staffed minutes have passed since `start`.

        None where that takes longer than `HORIZON` days, as it does for a desk that never opens.
        """
        start, left = start.astimezone(dt.UTC), minutes * MINUTE
        if left <= dt.timedelta():
            return start
        if self.always:
            return start + left if left < dt.timedelta(days=HORIZON) else None
        for opens, end in self._spans(start, days=HORIZON):
            begin = max(opens, start)
            if end - begin >= left:
                return begin + left
            left -= max(end - begin, dt.timedelta())
        return None

    def next_opening(self, at: dt.datetime) -> dt.datetime | None:
        """When it opens next, in UTC: `at` itself while it is open; None where it never does."""
        at = at.astimezone(dt.UTC)
        if self.always:
            return at
        return next((max(start, at) for start, end in self._spans(at, days=HORIZON) if end > at), None)

    def _spans(self, since: dt.datetime, days: int) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Open stretches in UTC, in order and apart, of the day of `since` and the days that follow.

        The day before counts too: its last shift may run past midnight.
        """
        first = since.astimezone(_zone(self.zone)).date()
        reached = dt.datetime.min.replace(tzinfo=dt.UTC)
        for number in range(-1, days + 1):
            for start, end in _spans_of(self, first + dt.timedelta(days=number)):
                if end > reached:
                    yield max(start, reached), end
                    reached = end

    def shifts_of(self, day: dt.date) -> tuple[Shift, ...]:
        """The shifts that begin on a day, in order. A shift belongs to the day on which it begins."""
        for special, shifts in self.opened:
            if special == day:
                return tuple(sorted(shifts))
        if day in self.closed or day in self.holidays:
            return ()
        return tuple(sorted(self.week[day.weekday()])) if self.week else ((0, DAY),)


def check_hours(hours: Hours) -> Hours:
    """The hours, if they can be used. Raises `InvalidInput` with a sentence for the person who set them."""
    try:
        _zone(hours.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"{hours.zone!r} is no time zone; write one such as Europe/Berlin.") from None
    if hours.week and len(hours.week) != 7:
        raise InvalidInput("A week has seven days, Monday first.")
    for shifts in (*hours.week, *(shifts for _, shifts in hours.opened)):
        ordered = sorted(shifts)
        for start, end in ordered:
            if not (0 <= start < DAY and start < end <= start + DAY):
                raise InvalidInput("A shift begins between 0:00 and 23:59 and lasts at most 24 hours.")
        if any(before[1] > after[0] for before, after in pairwise(ordered)):
            raise InvalidInput("Two shifts of one day overlap.")
    return hours


@functools.lru_cache(maxsize=8192)
def _spans_of(hours: Hours, day: dt.date) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
    zone = _zone(hours.zone)
    spans = [(_moment(day, start, zone), _moment(day, end, zone)) for start, end in hours.shifts_of(day)]
    return tuple((start, end) for start, end in spans if end > start)


@functools.lru_cache(maxsize=1024)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


def _moment(day: dt.date, minute: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """When the clock shows `minute` of `day`, in UTC."""
    wall = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
    # fold 0: of a time that comes twice the first, and of one that never comes the offset of before the jump
    found = wall.replace(tzinfo=zone).astimezone(dt.UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    return _jump(wall.replace(tzinfo=zone, fold=1).astimezone(dt.UTC), found, zone)


def _jump(before: dt.datetime, after: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The second in (before, after] from which the clock has another offset."""
    old = before.astimezone(zone).utcoffset()
    while after - before > dt.timedelta(seconds=1):
        middle = before + dt.timedelta(seconds=(after - before).total_seconds() // 2)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def say_length(minutes: int | None) -> str:
    """Minutes -> "1 h 30 min", as it is written in forms and notices; nothing -> ""."""
    hours, rest = divmod(minutes or 0, 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{rest} min" if rest else "")))
