"""Rhythm and repetition: what a machine does and a person does not."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.understand.habits import (
    LEAST_MOMENTS,
    Sign,
    burstiness,
    count_repeated,
    longest_stretch,
    minute_entropy,
    most_a_day,
    weigh_repetition,
    weigh_rhythm,
)

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
MOMENTS = st.lists(
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2026, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    max_size=60,
)
#: somebody who writes over lunch and in the evening, in bursts, for ten days
PERSON = [
    NOON + day * DAY + offset
    for day in range(10)
    for offset in (3 * MINUTE, 7 * MINUTE * (day % 3 + 1), 31 * MINUTE, (390 + 11 * day) * MINUTE, (402 + day) * MINUTE)
]
TEXT = "Win a free phone today, just follow the link and leave your address with us"


def reasons(moments: list[dt.datetime]) -> list[str]:
    return [sign.reason for sign in weigh_rhythm(moments)]


@given(MOMENTS)
def test_signs_always_weigh_something_and_never_more_than_they_may(moments: list[dt.datetime]) -> None:
    assert all(0 < sign.points <= 4 and sign.reason for sign in weigh_rhythm(moments))


@given(MOMENTS)
def test_the_order_in_which_posts_are_heard_does_not_matter(moments: list[dt.datetime]) -> None:
    assert weigh_rhythm(moments) == weigh_rhythm(moments[::-1])


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=50))
def test_burstiness_lies_between_even_and_all_at_once(gaps: list[float]) -> None:
    assert -1.0001 <= burstiness(gaps) <= 1.0001


def test_a_person_shows_no_sign() -> None:
    assert weigh_rhythm(PERSON) == []


def test_a_timer_is_found_and_its_pace_told() -> None:
    timer = [NOON + number * 2 * HOUR + (number % 3) * MINUTE for number in range(80)]
    assert burstiness([(b - a).total_seconds() for a, b in pairwise(timer)]) < -0.9
    assert reasons(timer) == [
        "posts every 2 hours, as a timer does",
        "no pause of five hours in 7 days",
        "posts at the same minutes of the hour",
    ]


def test_a_machine_that_waits_at_random_is_found_by_never_sleeping() -> None:
    gaps = [(37 * number * number) % 211 + 5 for number in range(100)]
    moments, at = [], NOON
    for gap in gaps:
        at += gap * MINUTE
        moments.append(at)
    assert reasons(moments) == [f"no pause of five hours in {longest_stretch(moments) / DAY:.0f} days"]


def test_talk_in_one_minute_is_no_timer() -> None:
    talk = [NOON + number * dt.timedelta(seconds=7 + number % 5) for number in range(30)]
    assert minute_entropy(talk) is None


@pytest.mark.parametrize("step", [DAY, HOUR, 3 * HOUR])
def test_a_source_that_tells_only_days_or_hours_is_not_taken_for_a_timer(step: dt.timedelta) -> None:
    assert weigh_rhythm([NOON + number * step for number in range(40)]) == []


def test_too_few_moments_say_nothing() -> None:
    timer = [NOON + MINUTE + number * 61 * MINUTE for number in range(LEAST_MOMENTS)]
    assert weigh_rhythm(timer)
    assert weigh_rhythm(timer[1:]) == []


def test_a_pace_that_nobody_types_is_found() -> None:
    moments = [NOON + number * number % 300 * MINUTE + number * dt.timedelta(seconds=1) for number in range(300)]
    assert most_a_day(sorted(moments)) == 300
    assert "300 posts in a day" in reasons(moments)


@given(st.floats(0, 1), st.floats(0, 1), st.none() | st.floats(0, 1))
def test_more_copies_never_weigh_less(one: float, other: float, linked: float | None) -> None:
    less, more = sorted((one, other))
    assert points(weigh_repetition(less, linked)) <= points(weigh_repetition(more, linked))


def points(signs: list[Sign]) -> float:
    return sum(sign.points for sign in signs)


def test_copies_and_links_of_an_account_are_counted() -> None:
    texts = [f"{TEXT} {word} https://win.example" for word in ("now", "soon", "here", "there", "again", "first")]
    others = [
        "The bakery round the corner closes at six on Sundays, so hurry up",
        "My train to Leeds was late once more and nobody told us why it stood",
        "Does anybody know a good dentist in the north of the city, please help",
        "We walked along the river and saw two herons and a very small boat",
    ]
    assert count_repeated([*others, *texts]) == (0.5, 0.6)
    assert count_repeated(["thank you so much"] * 30) is None
    assert weigh_repetition(None, None) == []
    assert points(weigh_repetition(1.0, 1.0)) == 3
