"""When the number of negative posts is far from usual."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.crisis import HOURS, LEAST, find_crisis, window_start
from rapport.core.rhythm import HOUR, Rhythm, learn

NOW = dt.datetime(2026, 11, 20, 10, 30, tzinfo=dt.UTC)  # a Friday


def steady(an_hour: float, spread: float = 100.0) -> Rhythm:
    return Rhythm((an_hour,) * 48, spread, 500)


def test_the_hours_that_count_are_the_running_one_and_those_just_before() -> None:
    assert window_start(NOW) == dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
    assert HOURS == 3


def test_what_happens_on_most_days_is_no_crisis() -> None:
    assert find_crisis(steady(8), 20, NOW) is None
    assert find_crisis(steady(8), 39, NOW) is None, "less than twice the usual 20"


def test_few_negative_posts_are_none_however_quiet_it_usually_is() -> None:
    assert find_crisis(steady(0), LEAST - 1, NOW) is None
    assert find_crisis(steady(0.1), LEAST, NOW) is not None


def test_a_storm_is_told_with_its_numbers() -> None:
    found = find_crisis(steady(8), 120, NOW)
    assert found is not None
    assert (found.level, found.negative, found.usual, found.hours) == (1.0, 120, 20.0, 3)


def test_where_trouble_comes_in_bursts_it_takes_more() -> None:
    calm, bursty = find_crisis(steady(8), 60, NOW), find_crisis(steady(8, spread=1.0), 60, NOW)
    assert calm is not None
    assert bursty is None or bursty.level < calm.level


def test_the_hour_of_the_day_counts() -> None:
    morning = {
        NOW.replace(minute=0) - day * dt.timedelta(days=1) - hour * HOUR: 40
        for day in range(1, 40)
        for hour in range(3)
    }
    usual = learn(morning, NOW - dt.timedelta(days=50), NOW)
    assert usual is not None
    assert find_crisis(usual, 100, NOW) is None
    night = NOW.replace(hour=2)
    assert find_crisis(usual, 100, night) is not None


@given(st.floats(0, 500), st.floats(0.15, 100), st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 59))
def test_more_negative_posts_never_lower_the_level(
    mean: float, spread: float, some: int, others: int, minute: int
) -> None:
    now = NOW.replace(minute=minute)
    few, many = (find_crisis(steady(mean, spread), count, now) for count in sorted((some, others)))
    assert (few.level if few else 0) <= (many.level if many else 0)
    assert many is None or 0 < many.level <= 1


@pytest.mark.parametrize("mean", [0.0, 1e-9, 1e6])
def test_no_mean_breaks_it(mean: float) -> None:
    find_crisis(steady(mean, 0.15), 100, NOW.replace(minute=0))
