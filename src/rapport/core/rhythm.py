"""How much a source usually brings at this hour, and whether its silence is unusual.

The model: the posts of one hour are negative binomial with a mean that depends on the hour of the day and on whether it
is a weekend, and with one dispersion for the whole source, fitted by moments (m²/(v-m); Bliss and Fisher 1953). Posts
come in bursts, so their counts vary more than a Poisson process would let them; with it, every quiet evening would be
an alarm. The probability of silence over several hours is the product of those of the hours.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

import msgspec

HOUR = dt.timedelta(hours=1)
#: hours of history that are looked at
WEEKS = dt.timedelta(weeks=8)
#: a source that is younger has no rhythm yet
YOUNGEST = dt.timedelta(days=3)
#: shorter silences are never remarkable: a person who is told of each would stop listening
SHORTEST = dt.timedelta(minutes=30)
#: silence is unusual when a source like this one falls silent for so long once in so many such stretches
UNUSUAL = 0.001
#: hours of the overall mean that are mixed into every hour of the day, so that a few weeks of history do not overfit
_PRIOR = 6.0
_LEAST_SPREAD, _MOST_SPREAD = 0.15, 100.0


class Rhythm(msgspec.Struct, frozen=True):
    """What a source usually brings."""

    #: 48 means, posts an hour, UTC: hours 0 to 23 of working days, then of Saturdays and Sundays
    means: tuple[float, ...]
    #: the dispersion k of the negative binomial; small = in bursts
    spread: float
    #: hours of history behind it
    hours: int

    def expected(self, since: dt.datetime, until: dt.datetime) -> float:
        """Posts that usually come between two moments (aware)."""
        return sum(share * self._mean(hour) for hour, share in _shares(since, until))

    def chance_of_silence(self, since: dt.datetime, until: dt.datetime) -> float:
        """The probability, 0 to 1, that nothing comes between two moments although all is well."""
        k = self.spread
        # an hour of which a part is looked at: the mean shrinks with the part, the dispersion with it
        parts = (share * k * math.log1p(self._mean(hour) / k) for hour, share in _shares(since, until))
        return math.exp(-sum(parts))

    def _mean(self, hour: dt.datetime) -> float:
        return self.means[hour.hour + (24 if hour.weekday() >= 5 else 0)]


class Silence(msgspec.Struct, frozen=True):
    """An unusual silence."""

    since: dt.datetime
    #: posts that usually come in such a stretch
    expected: float
    #: how probable it is that nothing comes although all is well
    chance: float


def learn(counts: Mapping[dt.datetime, int], first: dt.datetime, now: dt.datetime) -> Rhythm | None:
    """The rhythm of a source from its posts an hour; None while it is too young.

    counts: beginning of the hour (UTC) -> posts; hours that are missing had none. first: when the source was first
    listened to. The running hour is left out.
    """
    start = max(_floor(first) + HOUR, _floor(now - WEEKS))
    total = int((_floor(now) - start) / HOUR)
    if total * HOUR < YOUNGEST:
        return None
    sums, seen = [0.0] * 48, [0] * 48
    values: list[int] = []
    for number in range(total):
        hour = start + number * HOUR
        place = hour.hour + (24 if hour.weekday() >= 5 else 0)
        posts = counts.get(hour, 0)
        sums[place] += posts
        seen[place] += 1
        values.append(posts)
    mean = sum(values) / total
    means = tuple((sums[place] + _PRIOR * mean) / (seen[place] + _PRIOR) for place in range(48))
    return Rhythm(means, _spread(values, start, means), total)


def find_silence(rhythm: Rhythm, last: dt.datetime, now: dt.datetime) -> Silence | None:
    """The silence since `last` (the newest post of the source) if it is unusual, else None."""
    if now - last < SHORTEST:
        return None
    chance = rhythm.chance_of_silence(last, now)
    return Silence(last, rhythm.expected(last, now), chance) if chance < UNUSUAL else None


def _spread(values: list[int], start: dt.datetime, means: tuple[float, ...]) -> float:
    """The dispersion around the means of the hours: sum of squared means over the excess of the squared errors.

    Errors upwards are cut at twice the mean: an hour in which a story broke says nothing of how quiet a quiet one is.
    """
    squares, excess = 0.0, 0.0
    for number, posts in enumerate(values):
        hour = start + number * HOUR
        mean = means[hour.hour + (24 if hour.weekday() >= 5 else 0)]
        squares += mean * mean
        excess += (min(posts, 3 * mean + 1) - mean) ** 2 - mean
    if excess <= 0:
        return _MOST_SPREAD
    return min(max(squares / excess, _LEAST_SPREAD), _MOST_SPREAD)


def _floor(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _shares(since: dt.datetime, until: dt.datetime) -> list[tuple[dt.datetime, float]]:
    """The hours between two moments, each with the part of it that lies between them. At most four weeks."""
    until = min(until, since + dt.timedelta(weeks=4))
    found: list[tuple[dt.datetime, float]] = []
    hour = _floor(since)
    while hour < until:
        begin, end = max(hour, since), min(hour + HOUR, until)
        found.append((hour, (end - begin) / HOUR))
        hour += HOUR
    return found
