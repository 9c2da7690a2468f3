"""What every bus can do. The database is the truth; a bus only carries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from rapport.core.post import Post


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Posts of one workspace that one worker has claimed."""

    #: id of the message on the bus
    id: int
    workspace: int
    #: (row id, post)
    posts: tuple[tuple[int, Post], ...]
    #: how often it has been claimed, this time included; also the fencing token of this claim
    attempt: int
    worker: str


class Bus(Protocol):
    """At least once: what is not acknowledged within its lease is handed out again."""

    def append(self, workspace: int, posts: Sequence[tuple[int, Post]], now: dt.datetime) -> None:
        """Add posts, inside the transaction that stored them."""
        ...

    def claim(self, worker: str, now: dt.datetime, lease: dt.timedelta) -> Batch | None:
        """The oldest batch that is free, or whose lease ran out; None when there is nothing to do."""
        ...

    def acknowledge(self, batch: Batch) -> bool:
        """Done. False when the claim was lost meanwhile: then nothing of this try may be kept."""
        ...

    def fail(self, batch: Batch, error: str, now: dt.datetime) -> str:
        """It failed: hand it out again, post by post; after `MAX_TRIES` keep it aside. Returns what was done."""
        ...

    def release(self, message: Any) -> None:
        """A person asks for another five tries of a post that was set aside (a `BusMessage` row)."""
        ...


#: tries before a post is set aside for a person to look at
MAX_TRIES = 5
#: how long a post that failed rests before its next try: about three minutes between the first and the last
WAITS = tuple(dt.timedelta(seconds=seconds) for seconds in (1, 5, 30, 120))
