"""When somebody is told: patience, rest, quiet hours by the clock on their own wall."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.notices import (
    DAY,
    EVENTS,
    PATIENCE,
    REST,
    WAYS,
    Quiet,
    end_of_quiet,
    read_quiet,
    read_ways,
    when_due,
)

BERLIN, NEW_YORK, UTC = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), dt.UTC
NIGHT = Quiet(begins=22 * 60, ends=7 * 60)


def at(text: str, zone: dt.tzinfo = BERLIN) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (NIGHT, "2026-11-18 21:59", "2026-11-18 21:59"),
        (NIGHT, "2026-11-18 22:00", "2026-11-19 07:00"),
        (NIGHT, "2026-11-19 03:00", "2026-11-19 07:00"),
        (NIGHT, "2026-11-19 07:00", "2026-11-19 07:00"),
        # within one day
        (Quiet(begins=12 * 60, ends=13 * 60), "2026-11-18 12:30", "2026-11-18 13:00"),
        # the clock goes on at two on this night, which is an hour shorter, and back at three on that one
        (NIGHT, "2026-03-28 23:00", "2026-03-29 07:00"),
        (NIGHT, "2026-10-24 23:00", "2026-10-25 07:00"),
        # until half past two, which is left out on this night: an hour on
        (Quiet(begins=22 * 60, ends=150), "2026-03-28 23:00", "2026-03-29 03:30"),
        # the weekend as a whole, and the nights around it: from Friday night to Monday morning
        (Quiet(begins=22 * 60, ends=7 * 60, days=(5, 6)), "2026-11-20 23:00", "2026-11-23 07:00"),
        (Quiet(days=(5, 6)), "2026-11-21 12:00", "2026-11-23 00:00"),
        (Quiet(days=(0, 1, 2, 3, 4, 5)), "2026-11-16 00:00", "2026-11-22 00:00"),
        (Quiet(), "2026-11-21 12:00", "2026-11-21 12:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(quiet: Quiet, now: str, until: str) -> None:
    assert end_of_quiet(at(now), quiet, BERLIN) == at(until).astimezone(UTC)


def test_the_night_of_the_change_is_as_long_as_it_is() -> None:
    begins = at("2026-10-24 22:00").astimezone(UTC)
    assert end_of_quiet(begins, NIGHT, BERLIN) - begins == dt.timedelta(hours=10)
    begins = at("2026-03-28 22:00").astimezone(UTC)
    assert end_of_quiet(begins, NIGHT, BERLIN) - begins == dt.timedelta(hours=8)


def test_one_moment_is_night_for_one_and_day_for_another() -> None:
    now = at("2026-11-19 03:00")
    assert end_of_quiet(now, NIGHT, NEW_YORK) == now
    assert end_of_quiet(now, NIGHT, BERLIN) == at("2026-11-19 07:00")


# hypothesis takes naive bounds and the zone apart
moments = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
quiets = st.builds(
    Quiet,
    begins=st.integers(0, DAY - 1),
    ends=st.integers(0, DAY - 1),
    days=st.sets(st.integers(0, 6), max_size=6).map(lambda days: tuple(sorted(days))),
)


@given(moments, quiets, st.sampled_from([BERLIN, NEW_YORK, ZoneInfo("Pacific/Apia"), ZoneInfo("Asia/Kolkata")]))
def test_what_waits_for_the_end_of_quiet_finds_peace_and_never_waits_for_ever(
    now: dt.datetime, quiet: Quiet, zone: dt.tzinfo
) -> None:
    until = end_of_quiet(now, quiet, zone)
    assert now <= until <= now + dt.timedelta(days=9)
    assert end_of_quiet(until, quiet, zone) == until
    local = until.astimezone(zone)
    assert local.weekday() not in quiet.days


@given(moments, quiets, st.sampled_from(sorted(EVENTS)), st.sampled_from(["mail", "push"]), st.integers(0, 7200))
def test_a_message_has_patience_and_rests_after_the_last_one(
    now: dt.datetime, quiet: Quiet, event: str, way: Any, ago: int
) -> None:
    last = now - dt.timedelta(seconds=ago)
    due = when_due(way, event, now, last=last, quiet=quiet, zone=BERLIN)
    assert due >= now + PATIENCE[way]
    assert due >= last + REST[way]
    assert due == end_of_quiet(due, quiet, BERLIN)


def test_only_urgent_events_pass_quiet_hours_and_only_where_the_person_lets_them() -> None:
    night = at("2026-11-19 03:00")

    def due(event: str, *, urgent: bool) -> dt.datetime:
        quiet = Quiet(begins=NIGHT.begins, ends=NIGHT.ends, urgent=urgent)
        return when_due("push", event, night, last=None, quiet=quiet, zone=BERLIN)

    soon, morning = night + PATIENCE["push"], at("2026-11-19 07:00")
    assert due("crisis", urgent=True) == due("breach", urgent=True) == soon
    assert due("crisis", urgent=False) == due("assigned", urgent=True) == morning


def test_what_somebody_said_nothing_of_has_its_shipped_ways() -> None:
    assert read_ways("crisis", {}) == {"desk", "mail", "push"}
    assert read_ways("crisis", {"crisis": []}) == frozenset()
    assert read_ways("crisis", {"crisis": ["push", "pigeon"]}) == {"push"}
    assert all(set(event.ways) <= set(WAYS) and "desk" in event.ways for event in EVENTS.values())
    assert all(len(name) <= 16 for name in EVENTS), "they stand in a column of 16 characters"


@pytest.mark.parametrize(
    "stored",
    [{"begins": -1}, {"begins": DAY}, {"ends": "22:00"}, {"days": [7]}, {"days": [0, 1, 2, 3, 4, 5, 6]}],
)
def test_quiet_hours_that_cannot_be_meant_are_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"[Qq]uiet"):
        read_quiet(stored)
