"""What the two sides of the line benchmark are given, and what they answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec

from rapport.cli.benchmarks.queries import Standing
from rapport.cli.benchmarks.rulebook import Written
from rapport.core.post import Post


class Order(msgspec.Struct, frozen=True):
    """The work, the same for both."""

    #: the time at which it all takes place
    now: dt.datetime
    #: posts that are decoded and stored together
    batch: int
    #: go through before the clock starts
    warm: list[Post]
    posts: list[Post]
    queries: list[Standing]
    rules: list[Written]


class Done(msgspec.Struct):
    """One run."""

    posts: int = 0
    seconds: float = 0.0
    #: stage -> seconds in it and in no stage below it; "record/link_posts" lies inside "record"
    stages: dict[str, float] = {}


def slices(lines: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Consecutive parts of at most `size`."""
    return (lines[at : at + size] for at in range(0, len(lines), size))
