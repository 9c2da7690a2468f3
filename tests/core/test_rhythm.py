"""How much a source usually brings, and which silences are unusual."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.rhythm import HOUR, find_silence, learn

SERIES = Path(__file__).parents[2].parent / "shared" / "data" / "07_crisis" / "nab_realTweets"
START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)  # a Monday


def day_and_night(weeks: int, busy: int, calm: int, seed: int = 1) -> dict[dt.datetime, int]:
    """Hours of a source that speaks from 8 to 20 and hardly at night."""
    chance = random.Random(seed)
    found = {}
    for number in range(weeks * 7 * 24):
        hour = START + number * HOUR
        mean = busy if 8 <= hour.hour < 20 else calm
        found[hour] = sum(chance.random() < 0.5 for _ in range(2 * mean))
    return found


def test_a_young_source_has_no_rhythm() -> None:
    assert learn({START: 5}, START, START + dt.timedelta(days=2)) is None


def test_the_same_silence_is_unusual_by_day_and_usual_at_night() -> None:
    now = START + dt.timedelta(weeks=4)
    rhythm = learn(day_and_night(4, busy=20, calm=0), START, now)
    assert rhythm is not None
    noon, night = now.replace(hour=12), now.replace(hour=23)
    assert find_silence(rhythm, noon, noon + 2 * HOUR) is not None
    assert find_silence(rhythm, night, night + 2 * HOUR) is None


def test_a_source_that_brings_two_posts_a_day_is_not_missed_after_an_hour() -> None:
    now = START + dt.timedelta(weeks=6)
    counts = {START + day * dt.timedelta(days=1) + hour * HOUR: 1 for day in range(42) for hour in (9, 15)}
    rhythm = learn(counts, START, now)
    assert rhythm is not None
    assert find_silence(rhythm, now, now + 20 * HOUR) is None
    assert find_silence(rhythm, now, now + dt.timedelta(days=6)) is not None


def test_a_story_of_one_day_does_not_teach_that_every_day_is_wild() -> None:
    now = START + dt.timedelta(weeks=6)
    counts = day_and_night(6, busy=20, calm=4)
    plain = learn(counts, START, now)
    for hour in range(12):
        counts[now - dt.timedelta(days=9) + hour * HOUR] = 5_000
    stormy = learn(counts, START, now)
    assert plain is not None
    assert stormy is not None
    noon = now.replace(hour=10)
    assert find_silence(stormy, noon, noon + 3 * HOUR) is not None


@given(
    st.lists(st.integers(0, 50), min_size=80, max_size=200),
    st.integers(0, 100_000),
    st.integers(0, 400_000),
    st.integers(0, 400_000),
)
def test_longer_silences_are_never_likelier(counts: list[int], begin: int, first: int, more: int) -> None:
    now = START + len(counts) * HOUR
    rhythm = learn({START + n * HOUR: posts for n, posts in enumerate(counts)}, START, now)
    assert rhythm is not None
    since = now + dt.timedelta(seconds=begin)
    near = rhythm.chance_of_silence(since, since + dt.timedelta(seconds=first))
    far = rhythm.chance_of_silence(since, since + dt.timedelta(seconds=first + more))
    assert 0.0 <= far <= near <= 1.0


def read_series(path: Path) -> list[tuple[dt.datetime, float]]:
    with gzip.open(path, "rt") as file:
        return [
            (dt.datetime.fromisoformat(row["timestamp"]).replace(tzinfo=dt.UTC), float(row["value"]))
            for row in csv.DictReader(file)
        ]


def alarms(series: list[tuple[dt.datetime, float]], thin: int) -> Iterator[dt.datetime]:
    """When silence was called unusual, if of `thin` posts one is heard."""
    hours: Counter[dt.datetime] = Counter()
    kept, last, rhythm, learnt, alarmed = 0.0, None, None, None, False
    for moment, posts in series:
        kept += posts
        heard, kept = int(kept // thin), kept % thin
        hour = moment.replace(minute=0, second=0)
        if hour != learnt:
            learnt, rhythm = hour, learn(hours, series[0][0], moment)
        if heard:
            hours[hour] += heard
            last, alarmed = moment, False
        elif rhythm and last and not alarmed and find_silence(rhythm, last, moment):
            alarmed = True
            yield moment


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not SERIES.exists(), reason="the real data (../shared/data) is not here")
@pytest.mark.parametrize("thin", [1, 20, 200])
def test_real_streams_raise_hardly_any_alarm(thin: int) -> None:
    """Five companies on Twitter, eight weeks each, every five minutes. Some of the alarms are true outages in them."""
    found = {path.name: len(list(alarms(read_series(path), thin))) for path in sorted(SERIES.glob("*.csv.gz"))}
    assert len(found) == 5
    assert sum(found.values()) <= 12, found
