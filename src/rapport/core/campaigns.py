"""Campaigns: which of the posts that were found are answered, and which wording waits for each.

Nobody is written to because a machine found them: what comes out of here is a list that a person goes through.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Literal, get_args

import msgspec

#: why a post that was found is left out, in the order in which they are looked at
Reason = Literal[
    "ours",  # we said it ourselves
    "shared",  # it shares somebody else's post
    "unopened",  # it lies in no conversation that can be answered: quarantine, near-copies, threads not threaded yet
    "suppressed",  # they asked us to stop
    "ignored",  # a colleague decided not to answer them
    "automated",  # the account looks automated
    "no-account",  # no account of ours speaks there
    "answered",  # we have answered since
    "elsewhere",  # another campaign that runs has it
    "often",  # the person is written to often enough in this campaign
    "too-many",  # a campaign holds no more
]
REASONS: tuple[Reason, ...] = get_args(Reason)

#: posts that one campaign holds: what people can go through in days, not in weeks
MOST_POSTS = 500
MOST_VARIANTS = 8


class Found(msgspec.Struct, frozen=True):
    """One post that the search found, as far as it matters whether it is answered."""

    post: int
    #: row id of the person who said it
    person: int
    said_at: dt.datetime
    #: why it is left out, as far as this post alone tells; None = nothing speaks against it
    reason: Reason | None = None


class Sifted(msgspec.Struct, frozen=True):
    """What is answered, and what is not and why."""

    #: row ids of posts, the newest first
    kept: tuple[int, ...]
    #: how many were left out for which reason, in the order of `REASONS`
    left_out: tuple[tuple[Reason, int], ...]


def sift(found: Sequence[Found], *, per_person: int, had: Collection[int] = (), room: int = MOST_POSTS) -> Sifted:
    """Of the posts found the newest `room`, at most `per_person` of each person.

    `had`: the people of the posts that the campaign holds already, one entry a post. A post that is left out for one
    reason counts for none of the others.
    """
    written, left = Counter(had), Counter[Reason]()
    kept: list[int] = []
    for one in sorted(found, key=lambda each: (each.said_at, each.post), reverse=True):
        reason = one.reason
        if reason is None and written[one.person] >= per_person:
            reason = "often"
        if reason is None and len(kept) >= room:
            reason = "too-many"
        if reason is None:
            written[one.person] += 1
            kept.append(one.post)
        else:
            left[reason] += 1
    return Sifted(tuple(kept), tuple((reason, left[reason]) for reason in REASONS if left[reason]))


def deal(posts: Sequence[int], variants: Sequence[int], had: Collection[int] = ()) -> dict[int, int]:
    """post -> variant, so that each wording waits for about as many; () where there is no variant.

    `had`: the variants that other posts of the campaign have already, one entry a post.
    """
    given = Counter(dict.fromkeys(variants, 0))
    given.update(variant for variant in had if variant in given)
    dealt: dict[int, int] = {}
    for post in posts if variants else ():
        fewest = min(variants, key=lambda variant: (given[variant], variants.index(variant)))
        given[fewest] += 1
        dealt[post] = fewest
    return dealt


class Outcome(msgspec.Struct, frozen=True):
    """What came of one post that was answered."""

    #: row id of the wording; None = of none that is still there
    variant: int | None
    #: seconds from our word to theirs; None = they have not said anything since
    answered_after: float | None = None
    #: -1 negative, 0 neutral, 1 positive, None not read: of the post, and of their first word after ours
    mood_before: int | None = None
    mood_after: int | None = None


class Result(msgspec.Struct, frozen=True):
    """What came of one wording, or of all."""

    sent: int
    answered: int
    #: of those whose mood is known before and after: how many are in a better, the same, a worse one
    better: int
    same: int
    worse: int
    #: seconds to their answer, the middle one; None = nobody answered
    answered_after: float | None

    @property
    def share(self) -> float:
        """Which share of those written to answered, 0..1."""
        return self.answered / self.sent if self.sent else 0.0


def weigh_results(outcomes: Sequence[Outcome]) -> Result:
    """Count what came of them."""
    waits = sorted(one.answered_after for one in outcomes if one.answered_after is not None)
    moved = [
        one.mood_after - one.mood_before
        for one in outcomes
        if one.mood_before is not None and one.mood_after is not None and one.answered_after is not None
    ]
    return Result(
        sent=len(outcomes),
        answered=len(waits),
        better=sum(step > 0 for step in moved),
        same=sum(step == 0 for step in moved),
        worse=sum(step < 0 for step in moved),
        answered_after=waits[len(waits) // 2] if waits else None,
    )
