"""Whether a workspace hears far more negative posts than it usually does at this hour.

The usual number is that of `core.rhythm`: negative binomial hours, because trouble comes in bursts. What is unusual is
told by how many of its standard deviations the last hours lie above it. Only what people say counts: posts from
accounts that look automated raise no crisis, however many they are.
"""

from __future__ import annotations

import datetime as dt

from rapport.core.decision import Crisis
from rapport.core.rhythm import HOUR, Rhythm

#: the hours that are looked at, the running one among them
HOURS = 3
#: fewer negative posts are never a crisis, however quiet it is otherwise
LEAST = 10
#: nor are they below so many times the usual number
TIMES = 2.0
#: standard deviations above the usual at which a crisis begins, and at which it is at its full level
BEGINS, FULL = 3.0, 12.0


def window_start(now: dt.datetime) -> dt.datetime:
    """The beginning of the first hour that counts at `now` (aware), UTC."""
    return now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * HOUR


def find_crisis(usual: Rhythm, negative: int, now: dt.datetime, automated: int = 0) -> Crisis | None:
    """What `negative` posts of people since `window_start(now)` mean; None while they are within what happens.

    usual: the rhythm of the negative posts of the workspace. More negative posts never lower the level.
    automated: how many more came from accounts that look automated, which is told with a crisis and never makes one.
    """
    start = window_start(now)
    hours = [(start + number * HOUR, min(start + (number + 1) * HOUR, now)) for number in range(HOURS)]
    means = [usual.expected(since, until) for since, until in hours]
    mean = sum(means)
    # an hour of which a part is looked at: its dispersion shrinks with the part, as in `chance_of_silence`
    spreads = [usual.spread * max((until - since) / HOUR, 1e-6) for since, until in hours]
    variance = sum(each + each * each / spread for each, spread in zip(means, spreads, strict=True))
    if negative < LEAST or negative < TIMES * mean:
        return None
    # at least one: where there was never a negative post, the first ones are no storm yet
    deviations = (negative - mean) / max(variance, 1.0) ** 0.5
    level = min(1.0, (deviations - BEGINS) / (FULL - BEGINS))
    return Crisis(round(level, 2), negative, round(mean, 1), HOURS, automated) if level > 0 else None
