"""When a desk is staffed: held against times that were worked out by hand."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.hours import DAY, HORIZON, Hours, Shift, check_hours

NINE_TO_FIVE: tuple[Shift, ...] = ((540, 1020),)
OFFICE = (*(NINE_TO_FIVE,) * 5, (), ())
EVERY_NIGHT: tuple[tuple[Shift, ...], ...] = (((60, 300),),) * 7  # 1:00 to 5:00
ROUND_THE_CLOCK: tuple[tuple[Shift, ...], ...] = (((0, 1440),),) * 7


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("zone", "week", "since", "until", "minutes"),
    [
        # a Monday of winter, Berlin = UTC+1: 9:00 to 17:00 is 8:00 to 16:00 UTC
        ("Europe/Berlin", OFFICE, "2026-01-05 00:00", "2026-01-06 00:00", 480),
        ("Europe/Berlin", OFFICE, "2026-01-05 15:30", "2026-01-06 08:15", 45),
        # Friday 16:00 to Monday 10:00 local, over the weekend on which summer time begins (29 March 2026)
        ("Europe/Berlin", OFFICE, "2026-03-27 15:00", "2026-03-30 08:00", 120),
        # ... and on which it ends (25 October 2026)
        ("Europe/Berlin", OFFICE, "2026-10-23 14:00", "2026-10-26 09:00", 120),
        # the night that has no 2:00 to 3:00, and the one that has it twice
        ("Europe/Berlin", EVERY_NIGHT, "2026-03-28 12:00", "2026-03-29 12:00", 180),
        ("Europe/Berlin", EVERY_NIGHT, "2026-10-24 12:00", "2026-10-25 12:00", 300),
        # New York, 8 March and 1 November 2026 at 2:00
        ("America/New_York", EVERY_NIGHT, "2026-03-07 17:00", "2026-03-08 17:00", 180),
        ("America/New_York", EVERY_NIGHT, "2026-10-31 17:00", "2026-11-01 17:00", 300),
        ("America/New_York", OFFICE, "2026-03-06 21:00", "2026-03-09 14:00", 120),
        # Kolkata is UTC+5:30 all year: 9:00 to 17:00 is 3:30 to 11:30 UTC
        ("Asia/Kolkata", OFFICE, "2026-03-30 03:00", "2026-03-30 04:00", 30),
        ("Asia/Kolkata", OFFICE, "2026-03-27 11:00", "2026-03-30 04:00", 60),
        # Lord Howe turns the clock by half an hour: 5 April 2026 back at 2:00, 4 October 2026 on at 2:00
        ("Australia/Lord_Howe", EVERY_NIGHT, "2026-04-04 03:00", "2026-04-05 03:00", 270),
        ("Australia/Lord_Howe", EVERY_NIGHT, "2026-10-03 03:00", "2026-10-04 03:00", 210),
        # a day of 23 and one of 25 hours
        ("Europe/Berlin", ROUND_THE_CLOCK, "2026-03-28 23:00", "2026-03-29 22:00", 23 * 60),
        ("Europe/Berlin", ROUND_THE_CLOCK, "2026-10-24 22:00", "2026-10-25 23:00", 25 * 60),
        # nothing set: every minute
        ("UTC", (), "2026-01-01 00:00", "2027-01-01 00:00", 525_600),
        # a week with no shift
        ("UTC", ((),) * 7, "2026-01-01 00:00", "2027-01-01 00:00", 0),
        ("UTC", OFFICE, "2026-01-06 12:00", "2026-01-05 12:00", 0),
    ],
)
def test_staffed_minutes_are_those_of_the_wall_clock(
    zone: str, week: tuple[tuple[Shift, ...], ...], since: str, until: str, minutes: float
) -> None:
    assert Hours(zone, week).minutes_between(utc(since), utc(until)) == minutes


@pytest.mark.parametrize(
    ("zone", "week", "start", "minutes", "due"),
    [
        # Friday 16:30 in Berlin and an hour of time: half on Friday, half on Monday, when it is summer
        ("Europe/Berlin", OFFICE, "2026-03-27 15:30", 60, "2026-03-30 07:30"),
        ("Europe/Berlin", OFFICE, "2026-10-23 14:30", 60, "2026-10-26 08:30"),
        # the last minute of a shift is the moment of closing, not the next opening
        ("Europe/Berlin", OFFICE, "2026-01-05 15:00", 60, "2026-01-05 16:00"),
        # said at night: the clock begins at nine
        ("Europe/Berlin", OFFICE, "2026-01-04 20:00", 30, "2026-01-05 08:30"),
        # two hours from 1:30 on, in the night without 2:00 to 3:00: until 4:30
        ("Europe/Berlin", EVERY_NIGHT, "2026-03-29 00:30", 120, "2026-03-29 02:30"),
        # ... and in the one that has it twice: until 2:30 the second time
        ("Europe/Berlin", EVERY_NIGHT, "2026-10-24 23:30", 120, "2026-10-25 01:30"),
        ("Asia/Kolkata", OFFICE, "2026-03-27 11:00", 60, "2026-03-30 04:00"),
        ("UTC", (), "2026-03-29 00:30", 90, "2026-03-29 02:00"),
    ],
)
def test_a_promise_is_due_when_its_staffed_minutes_have_passed(
    zone: str, week: tuple[tuple[Shift, ...], ...], start: str, minutes: float, due: str
) -> None:
    assert Hours(zone, week).add_minutes(utc(start), minutes) == utc(due)


def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    # Friday 22:00 to Saturday 6:00, and nothing else
    night = Hours("UTC", ((), (), (), (), ((1320, 1800),), (), ()))
    assert night.is_open(utc("2026-01-10 05:59"))
    assert not night.is_open(utc("2026-01-10 06:00"))
    assert not night.is_open(utc("2026-01-09 05:00"))
    assert night.minutes_between(utc("2026-01-09 23:00"), utc("2026-01-10 12:00")) == 420
    # the holiday on Saturday does not send the night shift of Friday home, that on Friday does
    assert Hours("UTC", night.week, holidays=frozenset({dt.date(2026, 1, 10)})).is_open(utc("2026-01-10 05:00"))
    assert not Hours("UTC", night.week, holidays=frozenset({dt.date(2026, 1, 9)})).is_open(utc("2026-01-10 05:00"))


def test_shifts_that_run_into_one_another_are_counted_once() -> None:
    week = (((1200, 1740),), ((240, 600),), (), (), (), (), ())  # Monday 20:00 to 5:00, Tuesday 4:00 to 10:00
    assert Hours("UTC", week).minutes_between(utc("2026-01-05 00:00"), utc("2026-01-07 00:00")) == 14 * 60


def test_a_time_that_the_clock_never_shows_is_the_moment_of_the_jump() -> None:
    early = Hours("Europe/Berlin", (((150, 240),),) * 7)  # 2:30 to 4:00
    assert early.next_opening(utc("2026-03-28 12:00")) == utc("2026-03-29 01:00")
    assert early.minutes_between(utc("2026-03-28 12:00"), utc("2026-03-29 12:00")) == 60
    # 2:15 to 2:45 is not there on that night
    assert Hours("Europe/Berlin", (((135, 165),),) * 7).minutes_between(
        utc("2026-03-29 00:00"), utc("2026-03-29 12:00")
    ) == 0  # fmt: skip


def test_holidays_and_closed_days_are_left_out_and_special_days_taken_in() -> None:
    xmas, eve, saturday = dt.date(2026, 12, 25), dt.date(2026, 12, 24), dt.date(2026, 12, 19)
    hours = Hours(
        "Europe/Berlin",
        OFFICE,
        holidays=frozenset({xmas}),
        closed=frozenset({eve}),
        opened=((saturday, ((600, 840),)),),
    )
    assert not hours.is_open(utc("2026-12-25 10:00"))
    assert not hours.is_open(utc("2026-12-24 10:00"))
    assert hours.is_open(utc("2026-12-19 10:00"))
    assert hours.add_minutes(utc("2026-12-23 15:30"), 60) == utc("2026-12-28 08:30")
    # a day of its own is open even on a holiday, and round the clock has holidays too
    assert Hours("UTC", (), holidays=frozenset({xmas}), opened=((xmas, ((600, 660),)),)).minutes_between(
        utc("2026-12-25 00:00"), utc("2026-12-26 00:00")
    ) == 60  # fmt: skip


def test_a_desk_that_never_opens_says_so_and_nothing_is_ever_due() -> None:
    never = Hours("UTC", ((),) * 7)
    assert never.never
    assert not never.always
    assert never.add_minutes(utc("2026-01-01 00:00"), 1) is None
    assert never.next_opening(utc("2026-01-01 00:00")) is None
    assert not Hours().never
    assert Hours().always


weeks = st.lists(
    st.one_of(
        st.just(()),
        st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda each: ((each[0], each[0] + each[1]),)),
    ),
    min_size=7,
    max_size=7,
).map(tuple)
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana"]
)
moments = st.integers(0, 730 * 86_400).map(lambda seconds: utc("2026-01-01") + dt.timedelta(seconds=seconds))


@settings(max_examples=150)
@given(zones, weeks, moments, st.integers(0, 6_000))
def test_what_was_added_is_what_lies_between(
    zone: str, week: tuple[tuple[Shift, ...], ...], start: dt.datetime, minutes: int
) -> None:
    hours = Hours(zone, week)
    due = hours.add_minutes(start, minutes)
    if due is None:
        # a week with any shift has more than 6,000 minutes in four years, unless it has but few a week
        assert hours.minutes_between(start, start + dt.timedelta(days=HORIZON - 3)) < minutes
    else:
        assert hours.minutes_between(start, due) == minutes
        assert due == start or hours.minutes_between(start, due - dt.timedelta(seconds=1)) < minutes


@settings(max_examples=100)
@given(zones, weeks, moments, st.lists(st.integers(0, 20_000), min_size=2, max_size=2))
def test_time_is_monotone_and_adds_up(
    zone: str, week: tuple[tuple[Shift, ...], ...], start: dt.datetime, steps: list[int]
) -> None:
    hours = Hours(zone, week)
    middle = start + dt.timedelta(minutes=steps[0])
    end = middle + dt.timedelta(minutes=steps[1])
    first, second = hours.minutes_between(start, middle), hours.minutes_between(middle, end)
    assert 0 <= first <= steps[0]
    assert hours.minutes_between(start, end) == pytest.approx(first + second)


def minutes_on_the_wall(hours: Hours, since: dt.datetime, until: dt.datetime) -> int:
    """The same, counted minute by minute by what the clock on the wall shows; for shifts whose ends it shows once."""
    zone, found, at = zoneinfo.ZoneInfo(hours.zone), 0, since
    while at < until:
        wall = at.astimezone(zone)
        minute, day = wall.hour * 60 + wall.minute, wall.date()
        today, yesterday = _shifts(hours, day), _shifts(hours, day - dt.timedelta(days=1))
        found += any(start <= minute < end for start, end in today) or any(minute < end - DAY for _, end in yesterday)
        at += dt.timedelta(minutes=1)
    return found


def _shifts(hours: Hours, day: dt.date) -> tuple[Shift, ...]:
    special = dict(hours.opened)
    if day in special:
        return special[day]
    if day in hours.closed | hours.holidays:
        return ()
    return hours.week[day.weekday()] if hours.week else ((0, DAY),)


#: half hours at which no clock of these zones jumps, and which none of them shows twice
plain_ends = st.sampled_from([0, 30, *range(5 * 60, 23 * 60, 30)])
plain_shifts = st.tuples(plain_ends, plain_ends).map(lambda pair: ((pair[0], pair[1] + DAY * (pair[1] <= pair[0])),))
plain_days = st.one_of(st.just(()), plain_shifts)
days = st.sampled_from([dt.date(2026, 3, 28), dt.date(2026, 3, 29), dt.date(2026, 4, 5), dt.date(2026, 10, 25)])


@settings(max_examples=60)
@given(
    st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"]),
    st.one_of(st.just(()), st.lists(plain_days, min_size=7, max_size=7).map(tuple)),
    st.frozensets(days, max_size=2),
    st.frozensets(days, max_size=2),
    st.dictionaries(days, plain_days, max_size=1),
    days,
    st.integers(-1_440, 1_440),
    st.integers(0, 3_000),
)
def test_staffed_minutes_are_those_that_a_naive_clock_counts(
    zone: str, week: Any, closed: Any, holidays: Any, opened: Any, day: dt.date, offset: int, length: int
) -> None:
    hours = Hours(zone, week, closed=closed, opened=tuple(opened.items()), holidays=holidays)
    since = dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(minutes=offset)
    until = since + dt.timedelta(minutes=length)
    counted = minutes_on_the_wall(hours, since, until)
    assert hours.minutes_between(since, until) == counted
    if counted:
        minutes = (until - dt.timedelta(minutes=gone) for gone in range(length))
        last = next(at for at in minutes if hours.is_open(at - dt.timedelta(minutes=1)))
        assert hours.add_minutes(since, counted) == last


@settings(max_examples=100)
@given(zones, weeks, moments)
def test_a_moment_is_open_exactly_when_the_next_second_counts(
    zone: str, week: tuple[tuple[Shift, ...], ...], at: dt.datetime
) -> None:
    hours, at = Hours(zone, week), at.replace(second=0, microsecond=0)
    assert hours.is_open(at) == (hours.minutes_between(at, at + dt.timedelta(seconds=1)) > 0)


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (Hours("Europe/Atlantis"), "no time zone"),
        (Hours("UTC", ((),) * 6), "seven days"),
        (Hours("UTC", (((600, 600),), *((),) * 6)), "at most 24 hours"),
        (Hours("UTC", (((600, 2041),), *((),) * 6)), "at most 24 hours"),
        (Hours("UTC", (((600, 700), (660, 800)), *((),) * 6)), "overlap"),
        (Hours("UTC", opened=((dt.date(2026, 1, 1), ((1440, 1500),)),)), "begins between"),
    ],
)
def test_hours_that_make_no_sense_are_refused_with_a_sentence(hours: Hours, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        check_hours(hours)
