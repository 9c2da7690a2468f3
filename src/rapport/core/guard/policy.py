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
    """At most `most` replies of one account within `seconds`; points, where the network counts these."""

    most: int
    seconds: int
    #: not the last 24 hours but the day, which begins at 00:00 UTC
    by_day: bool = False


class Prices(msgspec.Struct, frozen=True):
    """What the network asks for one post of a program, in thousandths of a US dollar."""

    post: int
    #: with a link in it
    link: int
    #: an answer to somebody who mentioned or quoted us
    summoned: int


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
    #: points that each act costs, where the windows count points
    points: Mapping[str, int] = msgspec.field(default_factory=dict)
    #: acts beside replies, each counted by itself, where nothing counts points; others have `ACT_PACE`
    act_pace: Mapping[str, tuple[Window, ...]] = msgspec.field(default_factory=dict)
    #: public posts and replies of all accounts together that one app of ours speaks for
    app_pace: tuple[Window, ...] = ()
    #: what an admin allows one account of each kind of act at most, besides all that the network says
    own_acts: Mapping[str, tuple[Window, ...]] = msgspec.field(default_factory=dict)
    #: most $TICKERs in one post
    max_cashtags: int | None = None
    #: public answers only to those who mentioned or quoted us; others are handed over to the site
    addressed_only: bool = False
    #: seconds after their last word in which a person may still write to them directly
    direct_within: int | None = None
    #: the same with the tag that says that a human writes, where the account has that right
    tagged_within: int | None = None
    prices: Prices | None = None
    #: rules of the network that no check applies yet
    unchecked: tuple[str, ...] = ()

    def windows(self, visibility: str, kind: str = "reply") -> tuple[Window, ...]:
        """The windows that a reply of this visibility, or an act of this kind, must fit into."""
        if kind != "reply" and not self.points:
            return self.act_pace.get(kind, ACT_PACE)
        return self.direct_pace if visibility == "direct" and self.direct_pace else self.pace

    def cost(self, kind: str, of: str = "reply") -> int:
        """What an act of this kind takes of the windows of acts `of` another (or the same) kind."""
        if self.points:
            return self.points.get(kind, self.points.get("reply", 1))
        return int(kind == of)


_NOTED = dt.date(2026, 11, 21)
#: likes, boosts, follows and the like of which a network publishes no number: our own caution
ACT_PACE = (Window(60, HOUR),)
#: acts of which an admin may allow one account fewer
LIMITED_ACTS = frozenset({"like", "boost", "follow", "delete"})

_ROWS = (
    NetworkPolicy(
        "mastodon", 500, "mastodon", (Window(300, 3 * HOUR),),
        "Mastodon documentation (rate limits, posting); StatusLengthValidator for the length", _NOTED,
        unchecked=(
            "300 requests per 5 minutes per account and address (the HTTP client obeys the server's headers)",
            "30 media uploads per 30 minutes",
        ),
        # a boost is a status; no number is published for likes and edits but that of all requests
        act_pace={
            "delete": (Window(30, 30 * MINUTE),), "unboost": (Window(30, 30 * MINUTE),), "follow": (Window(400, DAY),),
            "boost": (Window(300, 3 * HOUR),), "like": (Window(300, 5 * MINUTE),),
        },
    ),
    NetworkPolicy(
        "x", 280, "weighted", (Window(100, 15 * MINUTE), Window(300, 3 * HOUR)),
        "docs.x.com rate limits and manage-tweets (the pages differ: both apply); twitter-text configuration v3",
        _NOTED, direct_pace=(Window(15, 15 * MINUTE), Window(1_440, DAY)),
        max_cashtags=1, addressed_only=True, prices=Prices(15, 200, 10),
        act_pace={
            "delete": (Window(50, 15 * MINUTE),), "like": (Window(50, 15 * MINUTE), Window(1_000, DAY)),
            "unlike": (Window(50, 15 * MINUTE), Window(1_000, DAY)),
        },
        app_pace=(Window(10_000, DAY),),
    ),
    NetworkPolicy(
        "bluesky", 300, "graphemes", (Window(5_000, HOUR), Window(35_000, DAY)),
        "Bluesky documentation: 5,000 points an hour, 35,000 a day, a create costs 3, an update 2 (a put 3), a "
        "deletion 1; lexicon for the length", _NOTED,
        points={
            "reply": 3, "like": 3, "boost": 3, "follow": 3, "delete": 1, "unlike": 1, "unboost": 1, "unfollow": 1,
            "edit": 4,  # the new post in its place, and the deletion of the old one
        },
        max_bytes=3_000,
        unchecked=("3,000 requests per 5 minutes per address; 30 sessions per 5 minutes, 300 a day",),
    ),
    NetworkPolicy(
        "linkedin", 1_250, "graphemes", (Window(100, DAY, by_day=True),),
        "no published numbers: our own cap; length of a comment from third-party tables, unconfirmed", _NOTED,
        unchecked=("on 429 an endpoint rests until 00:00 UTC; 422 DUPLICATE_POST is looked up before it is a success",),
    ),
    NetworkPolicy(
        "instagram", 1_000, "graphemes", (Window(25, DAY),),
        "25 a day where quota_total cannot be read (Meta documentation; sources disagree); length from third-party "
        "tables, unconfirmed", _NOTED,
        direct_within=DAY, tagged_within=7 * DAY,
    ),
    NetworkPolicy(
        "facebook", 8_000, "graphemes", (Window(60, HOUR),),
        "Meta documentation: 8,000 characters of a comment, 2,000 of a message (`networks/facebook` counts these); no "
        "pace for single answers is published: our own caution", _NOTED,
        direct_within=DAY, tagged_within=7 * DAY,
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
        direct_within=DAY, tagged_within=7 * DAY,
    ),
)  # fmt: skip

#: For a network without a row: long enough for a mail or a forum, slow enough for anybody.
CAUTIOUS = NetworkPolicy(
    "any other", 50_000, "graphemes", (Window(60, HOUR),), "our own caution", dt.date(2026, 11, 21)
)

NETWORKS: dict[str, NetworkPolicy] = {row.network: row for row in _ROWS}


class Override(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The numbers that an admin chose for one account; None = as the table has it."""

    max_length: int | None = None
    pace: tuple[Window, ...] | None = None
    #: kind of act -> windows of its own, which hold besides those of the network
    acts: dict[str, tuple[Window, ...]] | None = None
    near_same: float | None = None
    near_same_days: int | None = None
    pile_on: int | None = None
    person_day: int | None = None
    day_budget: int | None = None
    month_budget: int | None = None
    answers_anyone: bool | None = None


class Policy(msgspec.Struct, frozen=True):
    """Every number that the guard weighs with."""

    networks: Mapping[str, NetworkPolicy] = msgspec.field(default_factory=lambda: NETWORKS)
    #: similarity (0..1) from which two texts count as the same
    near_same: float = 0.9
    #: days back in which the same words are looked for
    near_same_days: int = 7
    #: replies by brands since the person last spoke, from which a reply is held
    pile_on: int = 2
    #: replies of ours to one person within 24 hours, from any account, that they have not answered
    person_day: int = 3
    #: most that this account may spend in a day and in a month (UTC), in thousandths of a US dollar; None = no limit
    day_budget: int | None = None
    month_budget: int | None = None
    #: the network lets this account answer anybody (`addressed_only` is not for it)
    answers_anyone: bool = False

    def of(self, network: str) -> NetworkPolicy:
        """The row of a network; the cautious one where it has none."""
        return self.networks.get(network, CAUTIOUS)

    def with_numbers(self, network: str, chosen: Override | None) -> Policy:
        """The same with what was chosen for one account of `network`. Raises `InvalidInput` for senseless numbers."""
        if chosen is None:
            return self
        counts = (chosen.pile_on, chosen.person_day, chosen.near_same_days)
        if any(number is not None and number < 1 for number in counts):
            raise InvalidInput("Days and numbers of replies begin at 1.")
        if chosen.near_same is not None and not 0.5 <= chosen.near_same <= 1:
            raise InvalidInput("The similarity from which texts count as the same lies between 50 and 100 percent.")
        if any(budget is not None and budget < 0 for budget in (chosen.day_budget, chosen.month_budget)):
            raise InvalidInput("A budget is 0 or more.")
        own = {
            name: value
            for name, value in msgspec.structs.asdict(chosen).items()
            if value is not None and name not in ("max_length", "pace", "acts")
        }
        changed = msgspec.structs.replace(self, **own)
        return changed.override(network, max_length=chosen.max_length, pace=chosen.pace, acts=chosen.acts)

    def override(
        self,
        network: str,
        *,
        max_length: int | None = None,
        pace: tuple[Window, ...] | None = None,
        acts: Mapping[str, tuple[Window, ...]] | None = None,
    ) -> Policy:
        """A policy with other numbers for one network. Raises `InvalidInput` for numbers that make no sense."""
        if max_length is not None and max_length < 1:
            raise InvalidInput(f"The longest text must have at least 1 character, not {max_length}.")
        if pace is not None and (not pace or any(each.most < 1 or each.seconds < 1 for each in pace)):
            raise InvalidInput("A pace needs at least one window of at least 1 reply and 1 second.")
        own = [each for windows in (acts or {}).values() for each in windows]
        if not set(acts or {}) <= LIMITED_ACTS or any(each.most < 1 or not 1 <= each.seconds <= DAY for each in own):
            raise InvalidInput("A number of likes, boosts, follows or deletions is at least 1, within a day at most.")
        row = self.of(network)
        row = msgspec.structs.replace(
            row, network=network, max_length=max_length or row.max_length, pace=pace or row.pace,
            own_acts=acts or row.own_acts,
        )  # fmt: skip
        return msgspec.structs.replace(self, networks={**self.networks, network: row})


def length(text: str, network: str) -> int:
    """How long the network says that this text is."""
    return counting.count(text, Policy().of(network).counting)


def limit(network: str) -> int:
    """The longest text that the network takes, in the same count."""
    return Policy().of(network).max_length
