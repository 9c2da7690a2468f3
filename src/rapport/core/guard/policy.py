"""What each network allows, as data: every number with its source and the day it was noted.

`Policy()` is the table as it ships; `Policy.override` changes single numbers for one channel.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from rapport.core.errors import InvalidInput
from rapport.core.guard import length as counting
from rapport.core.guard.length import Counting

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Window(msgspec.Struct, frozen=True):
    """At most `most` replies of one account within `seconds`."""

    most: int
    seconds: int


class NetworkPolicy(msgspec.Struct, frozen=True):
    """The row of one network."""

    network: str
    #: longest text that it takes, as `counting` counts; a server may differ (`GuardFacts.max_length`)
    max_length: int
    counting: Counting
    #: public replies: all of these must hold
    pace: tuple[Window, ...]
    #: where the numbers come from
    source: str
    #: the day they were taken into this table
    noted: dt.date
    #: direct messages, where the network counts them apart
    direct_pace: tuple[Window, ...] = ()
    #: most bytes of UTF-8, where the network counts them too
    max_bytes: int | None = None
    #: rules of the network that no check applies yet
    unchecked: tuple[str, ...] = ()

    def windows(self, visibility: str) -> tuple[Window, ...]:
        """The windows that a reply of this visibility must fit into."""
        return self.direct_pace if visibility == "direct" and self.direct_pace else self.pace


_NOTED = dt.date(2026, 11, 21)

_ROWS = (
    NetworkPolicy(
        "mastodon", 500, "mastodon", (Window(300, 3 * HOUR),),
        "Mastodon documentation (rate limits, posting); StatusLengthValidator for the length", _NOTED,
        unchecked=(
            "300 requests per 5 minutes per account and address (the HTTP client obeys the server's headers)",
            "30 media uploads and 30 deletions per 30 minutes; 400 follows per 24 hours",
        ),
    ),
    NetworkPolicy(
        "x", 280, "weighted", (Window(100, 15 * MINUTE), Window(300, 3 * HOUR)),
        "docs.x.com rate limits and manage-tweets (the pages differ: both apply); twitter-text configuration v3",
        _NOTED, direct_pace=(Window(15, 15 * MINUTE), Window(1_440, DAY)),
        unchecked=(
            "10,000 posts per 24 hours per app; 50 deletions per 15 minutes",
            "self-serve apps may reply only to an author who mentioned or quoted us (since 2026-02-23)",
            "at most one cashtag; a budget per channel",
        ),
    ),
    NetworkPolicy(
        "bluesky", 300, "graphemes", (Window(1_666, HOUR), Window(11_666, DAY)),
        "Bluesky documentation: 5,000 points an hour, 35,000 a day, a create costs 3; lexicon for the length", _NOTED,
        max_bytes=3_000, unchecked=("3,000 requests per 5 minutes per address; 30 sessions per 5 minutes",),
    ),
    NetworkPolicy(
        "linkedin", 1_250, "graphemes", (Window(100, DAY),),
        "no published numbers: our own cap; length of a comment from third-party tables, unconfirmed", _NOTED,
        unchecked=("the network's day begins at 00:00 UTC; on 429 an endpoint rests until then",),
    ),
    NetworkPolicy(
        "instagram", 1_000, "graphemes", (Window(25, DAY),),
        "25 a day where quota_total cannot be read (Meta documentation; sources disagree); length from third-party "
        "tables, unconfirmed", _NOTED,
        unchecked=("direct answers only within 24 hours of their last word (7 days with the human-agent tag)",),
    ),
    NetworkPolicy(
        "facebook", 8_000, "graphemes", (Window(60, HOUR),),
        "Meta documentation: 8,000 characters of a comment, 2,000 of a message (`networks/facebook` counts these); no "
        "pace for single answers is published: our own caution", _NOTED,
        unchecked=("messages only within 24 hours of their last word (7 days with the human-agent tag)",),
    ),
    NetworkPolicy(
        "youtube", 10_000, "graphemes", (Window(60, HOUR),),
        "10,000 characters of a comment from third-party tables, unconfirmed; the pace is our own caution", _NOTED,
        unchecked=("a budget of 10,000 units a day, of which an answer costs 50",),
    ),
    NetworkPolicy(
        "google_business", 4_096, "graphemes", (Window(60, HOUR),),
        "Google Business Profile APIs: a reply has at most 4,096 bytes; the pace is our own caution", _NOTED,
        max_bytes=4_096,
    ),
    NetworkPolicy(
        "messenger", 2_000, "graphemes", (Window(60, HOUR),),
        "our own caution; Meta policy 2026-09 publishes no pace for single answers", _NOTED,
        unchecked=("answers only within 24 hours of their last word (7 days with the human-agent tag)",),
    ),
)  # fmt: skip

#: For a network without a row: long enough for a mail or a forum, slow enough for anybody.
CAUTIOUS = NetworkPolicy(
    "any other", 50_000, "graphemes", (Window(60, HOUR),), "our own caution", dt.date(2026, 11, 21)
)

NETWORKS: dict[str, NetworkPolicy] = {row.network: row for row in _ROWS}


class Policy(msgspec.Struct, frozen=True):
    """Every number that the guard weighs with."""

    networks: Mapping[str, NetworkPolicy] = msgspec.field(default_factory=lambda: NETWORKS)
    #: similarity (0..1) from which two texts count as the same
    near_same: float = 0.9
    #: days back in which the same words are looked for
    near_same_days: int = 7
    #: replies by brands since the person last spoke, from which a reply is held
    pile_on: int = 2

    def of(self, network: str) -> NetworkPolicy:
        """The row of a network; the cautious one where it has none."""
        return self.networks.get(network, CAUTIOUS)

    def override(
        self, network: str, *, max_length: int | None = None, pace: tuple[Window, ...] | None = None
    ) -> Policy:
        """A policy with other numbers for one network. Raises `InvalidInput` for numbers that make no sense."""
        if max_length is not None and max_length < 1:
            raise InvalidInput(f"The longest text must have at least 1 character, not {max_length}.")
        if pace is not None and (not pace or any(each.most < 1 or each.seconds < 1 for each in pace)):
            raise InvalidInput("A pace needs at least one window of at least 1 reply and 1 second.")
        row = self.of(network)
        row = msgspec.structs.replace(
            row, network=network, max_length=max_length or row.max_length, pace=pace or row.pace
        )
        return msgspec.structs.replace(self, networks={**self.networks, network: row})


def length(text: str, network: str) -> int:
    """How long the network says that this text is."""
    return counting.count(text, Policy().of(network).counting)


def limit(network: str) -> int:
    """The longest text that the network takes, in the same count."""
    return Policy().of(network).max_length
