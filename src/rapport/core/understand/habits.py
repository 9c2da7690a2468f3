"""What the rhythm and the repetitions of an account tell of whether it is automated: written rules, in log-odds.

Nothing here speaks for a person: a machine can sleep and stammer, and of most accounts we hear only a part. What we do
not hear makes pauses longer and a timer look less even, so a part of the posts accuses nobody who is innocent as a
whole. Where the rules begin and end was set beside real streams (docs/reference/readings.md): customers, brands' agents
in shifts, and a troll farm, all of them people, lie below the beginnings but for a few accounts of many hands.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rapport.core.copies import ALIKE, fingerprints, resemblance

#: moments that a rhythm takes at least, and the newest that are looked at
LEAST_MOMENTS, MOST_MOMENTS = 12, 300
#: texts long enough to be compared that a repetition takes at least, and the newest that are looked at
LEAST_TEXTS, MOST_TEXTS = 8, 20
#: nobody goes for days without a pause of this length
PAUSE = dt.timedelta(hours=5)
#: moments that are nearer than this count once where the minute of the hour is looked at: talk is not a timer
APART = dt.timedelta(minutes=30)

_DAY = dt.timedelta(days=1)


class Sign(NamedTuple):
    """One thing that was found."""

    #: added to the log-odds, more than 0
    points: float
    #: in words for a person
    reason: str


def weigh_rhythm(moments: Sequence[dt.datetime]) -> list[Sign]:
    """When an account posted -> what speaks for a machine; [] below `LEAST_MOMENTS` or where only days are known.

    Even gaps: the burstiness of the gaps (Goh and Barabási 2008, with the correction of Kim and Jo 2016 for short
    series), -1 for a timer, 0 for pure chance, near 1 for people; 0 points at -0.3, 4 at -0.8 and below.
    One minute: the entropy of the minute of the hour, as a share of the greatest possible; 0 points at 0.6, 3 at 0.3.
    No pause: the longest stretch without a pause of `PAUSE`; 0 points at 2 days, 3 at 7 days.
    Pace: posts in the busiest 24 hours; 0 points at 100, 2 at 300.
    """
    times = sorted(moments)[-MOST_MOMENTS:]
    if len(times) < LEAST_MOMENTS or not _are_to_the_minute(times):
        return []
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    burst, minute, stretch, busiest = burstiness(gaps), minute_entropy(times), longest_stretch(times), most_a_day(times)
    every = _spell(sorted(gaps)[len(gaps) // 2])
    days = stretch / _DAY
    found = [
        Sign(4 * _between(-burst, 0.3, 0.8), f"posts every {every}, as a timer does"),
        Sign(3 * _between(days, 2, 7), f"no pause of five hours in {days:.0f} days"),
        Sign(2 * _between(busiest, 100, 300), f"{busiest} posts in a day"),
    ]
    if minute is not None:
        found.append(Sign(3 * _between(-minute, -0.6, -0.3), "posts at the same minutes of the hour"))
    return [sign for sign in found if sign.points > 0]


def weigh_repetition(copied: float | None, linked: float | None) -> list[Sign]:
    """Shares of near-copies and of texts with a link -> what speaks for a machine; None: not known.

    Copies: 0 points at 0.4, 2.5 at 0.8. Links: 0 points at 0.7, 0.5 at 1.0. Together less than it takes to call an
    account automated of which nothing else is known: people who are angry repeat themselves.
    """
    found = []
    if copied is not None:
        found.append(Sign(2.5 * _between(copied, 0.4, 0.8), f"{copied:.0%} of the last texts repeat an earlier one"))
    if linked is not None and copied is not None:
        found.append(Sign(0.5 * _between(linked, 0.7, 1.0), f"{linked:.0%} of the last texts carry a link"))
    return [sign for sign in found if sign.points > 0]


def count_repeated(texts: Sequence[str]) -> tuple[float, float] | None:
    """The texts of an account, oldest first -> the shares that repeat an earlier one, and that carry a link.

    Of the newest `MOST_TEXTS` that are long enough to be compared (`core.copies`); None below `LEAST_TEXTS` of them.
    """
    newest = texts[-MOST_TEXTS:]
    judged = [(digest, text) for digest, text in zip(fingerprints(newest), newest, strict=True) if digest]
    if len(judged) < LEAST_TEXTS:
        return None
    digests = [digest for digest, _ in judged]
    copies = sum(
        any(resemblance(digest, earlier) >= ALIKE for earlier in digests[:place])
        for place, digest in enumerate(digests)
    )
    links = sum("http://" in text or "https://" in text for _, text in judged)
    return copies / len(judged), links / len(judged)


def burstiness(gaps: Sequence[float]) -> float:
    """Kim and Jo, "Measuring burstiness for finite event sequences" (2016), formula 22: -1 even, 0 chance, 1 bursts."""
    many = len(gaps)
    mean = math.fsum(gaps) / many
    if mean <= 0:
        return 1.0  # all at once is the greatest of bursts
    spread = math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / many) / mean
    more, less = math.sqrt(many + 1), math.sqrt(many - 1)
    return (more * spread - less) / ((more - 2) * spread + less)


def minute_entropy(times: Sequence[dt.datetime]) -> float | None:
    """0 (always the same minute) to 1 (all minutes alike); None where too few moments lie `APART`."""
    kept = list(times[:1])
    for moment in times:
        if moment - kept[-1] >= APART:
            kept.append(moment)
    if len(kept) < LEAST_MOMENTS:
        return None
    counted = Counter(moment.minute for moment in kept).values()
    entropy = -math.fsum(count / len(kept) * math.log2(count / len(kept)) for count in counted)
    return abs(entropy) / math.log2(min(60, len(kept)))


def longest_stretch(times: Sequence[dt.datetime]) -> dt.timedelta:
    """The longest time without a pause of `PAUSE`; `times` in order."""
    longest, since = dt.timedelta(), times[0]
    for before, after in pairwise(times):
        if after - before >= PAUSE:
            since = after
        longest = max(longest, after - since)
    return longest


def most_a_day(times: Sequence[dt.datetime]) -> int:
    """How many moments lie within the busiest 24 hours; `times` in order."""
    most, first = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] > _DAY:
            first += 1
        most = max(most, last - first + 1)
    return most


def _are_to_the_minute(times: Sequence[dt.datetime]) -> bool:
    """Whether the moments are finer than days or hours: some sources tell no more, and that would look like a timer."""
    return len({(moment.minute, moment.second) for moment in times}) > 1


def _between(value: float, none: float, all_of_it: float) -> float:
    """0 at `none` and below, 1 at `all_of_it` and above, a straight line between."""
    return min(1.0, max(0.0, (value - none) / (all_of_it - none)))


def _spell(seconds: float) -> str:
    """ "10 minutes", for a gap."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            amount = round(seconds / size)
            return unit if amount == 1 else f"{amount} {unit}s"
    return f"{seconds:.0f} seconds"
