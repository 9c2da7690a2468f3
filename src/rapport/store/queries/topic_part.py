"""What was found among stored posts by one kind of account: how much, when, in which mood, and the newest of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import msgspec

from rapport.core.felt import MOODS, mood_number
from rapport.store.queries.sql import select_in

#: posts that are shown as samples, and of each side of a change
SAMPLES, SIDE = 20, 10
#: days of the sparkline, and the windows that are counted, in days
DAYS = 30
WINDOWS = (1, 7, 30)

#: what a page hands back is checked: a row id that a database can hold
Id = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Ids = Annotated[list[Id], msgspec.Meta(max_length=SAMPLES)]


class Part(msgspec.Struct):
    """Posts that match, counted."""

    matched: Id = 0
    #: of those that match, how many the list that hides folds away
    hidden: Id = 0
    #: matches of the last 1, 7 and 30 days
    windows: Annotated[list[Id], msgspec.Meta(min_length=len(WINDOWS), max_length=len(WINDOWS))] = msgspec.field(
        default_factory=lambda: [0] * len(WINDOWS)
    )
    #: matches of each of the last `DAYS` days, today last
    days: Annotated[list[Id], msgspec.Meta(min_length=DAYS, max_length=DAYS)] = msgspec.field(
        default_factory=lambda: [0] * DAYS
    )
    #: matches by mood, as in `core.felt.MOODS`; the first are those that were not read yet
    moods: Annotated[list[Id], msgspec.Meta(min_length=len(MOODS), max_length=len(MOODS))] = msgspec.field(
        default_factory=lambda: [0] * len(MOODS)
    )
    samples: Ids = []
    folded: Ids = []
    #: against the saved query: what a change would add and drop
    added: Id = 0
    dropped: Id = 0
    added_samples: Ids = []
    dropped_samples: Ids = []

    def note(self, row: int, folds: bool, mood: int, age: dt.timedelta, days_ago: int) -> None:
        """One post that matches. `folds`: the list that hides folds it away; `days_ago`: by the reader's calendar."""
        self.matched += 1
        self.hidden += folds
        self.moods[mood] += 1
        _keep(self.folded if folds else self.samples, row, SAMPLES)
        for index, days in enumerate(WINDOWS):
            self.windows[index] += age < dt.timedelta(days=days)
        if 0 <= days_ago < DAYS:
            self.days[DAYS - 1 - days_ago] += 1

    def note_change(self, row: int, is_new: bool) -> None:
        """One post that only the query as it is written matches, or only the saved one."""
        if is_new:
            self.added += 1
            _keep(self.added_samples, row, SIDE)
        else:
            self.dropped += 1
            _keep(self.dropped_samples, row, SIDE)


def _keep(ids: list[int], row: int, most: int) -> None:
    if len(ids) < most:
        ids.append(row)


def read_moods(posts: Sequence[int], topic: int) -> dict[int, int]:
    """Row id of a post -> number of its mood (`core.felt`), for those that were read: the mood toward the topic (row
    id; 0 for none) where it is known and differs, else that of the whole text.
    """
    rows = select_in(
        "SELECT o.post_id, o.sentiment, m.mood FROM store_outcome o "
        "LEFT JOIN store_topicmatch m ON m.topic_id = %s AND m.post_id = o.post_id WHERE o.post_id {among}",
        [topic],
        posts,
    )
    return {post: toward if toward is not None else mood_number(whole) for post, whole, toward in rows}
