"""Which of very many texts of ours may say nearly the same as a new one, without reading them all.

A sketch counts the words of a text (`core.guard.sameness.essence`) in 256 buckets by their hash. What two sketches
share is never less than what the two texts share, so the bound on their similarity (Dice's coefficient) that follows
from it leaves nothing out: whoever compares the few texts that it lets through finds the nearest one for certain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import NamedTuple
from zlib import crc32

import numpy as np

from rapport.core.guard.sameness import essence

#: buckets of a sketch, one byte each
BUCKETS = 256
#: a count that no longer fits into its byte: nothing is known of such a text, so it is let through always
_FULL = 255


class Sketched(NamedTuple):
    """A reply of ours that went out, as the index keeps it."""

    #: row id of its approval; they come in rising order
    id: int
    at: dt.datetime
    #: row id of the account that spoke
    channel: int
    sketch: bytes


class Maybe(NamedTuple):
    """A text that may be alike."""

    id: int
    #: 0..1; the similarity is this or less
    bound: float


def sketch(text: str) -> bytes:
    """How many words of a text fall into each bucket, `BUCKETS` bytes; the same on every machine."""
    counts = [0] * BUCKETS
    for word, often in essence(text).items():
        counts[crc32(word.encode("utf-8", "surrogatepass")) % BUCKETS] += often
    return bytes(min(count, _FULL) for count in counts)


class SentIndex:
    """Sketches of what went out, in the order in which it did. Grows by `add`; not to be shared while it does."""

    def __init__(self) -> None:
        self._held = 0
        self._counts = np.zeros((BUCKETS, 1024), dtype=np.uint8)
        self._sizes = np.zeros(1024, dtype=np.int32)
        self._ids = np.zeros(1024, dtype=np.int64)
        self._times = np.zeros(1024, dtype=np.float64)
        self._channels = np.zeros(1024, dtype=np.int64)

    def __len__(self) -> int:
        return self._held

    def add(self, rows: Iterable[Sketched]) -> None:
        """Take in what went out since."""
        new = list(rows)
        if not new:
            return
        self._make_room(self._held + len(new))
        place = slice(self._held, self._held + len(new))
        counts = np.frombuffer(b"".join(row.sketch for row in new), dtype=np.uint8).reshape(len(new), BUCKETS)
        self._counts[:, place] = counts.T
        self._sizes[place] = counts.sum(axis=1, dtype=np.int32)
        self._ids[place] = [row.id for row in new]
        self._times[place] = [row.at.timestamp() for row in new]
        self._channels[place] = [row.channel for row in new]
        self._held += len(new)

    def _make_room(self, needed: int) -> None:
        had = len(self._sizes)
        if needed <= had:
            return
        more = max(needed, had * 3 // 2) - had
        self._counts = np.pad(self._counts, ((0, 0), (0, more)))
        for name in ("_sizes", "_ids", "_times", "_channels"):
            setattr(self, name, np.pad(getattr(self, name), (0, more)))

    def alike(
        self, text: str, least: float, *, since: dt.datetime | None = None, channels: Collection[int] | None = None
    ) -> list[Maybe]:
        """Every text that may be so alike (`least`, above 0), the likeliest first and of equals the newest.

        `since`: only what went out after that; `channels`: only out of these accounts.
        """
        mine = np.frombuffer(sketch(text), dtype=np.uint8)
        size, held = int(mine.sum(dtype=np.int64)), self._held
        shared = np.zeros(held, dtype=np.int32)
        for bucket in np.flatnonzero(mine):
            shared += np.minimum(self._counts[bucket, :held], mine[bucket])
        sizes = self._sizes[:held]
        # two texts without any word are the same (only emoji, say)
        bounds = np.where(sizes + size == 0, 1.0, 2 * shared / np.maximum(sizes + size, 1))
        if _FULL in mine:
            bounds[:] = 1.0  # one of theirs that is full counts too little in its size alone, which raises the bound
        kept = bounds >= least - 1e-9
        if since is not None:
            kept &= self._times[:held] > since.timestamp()
        if channels is not None:
            kept &= np.isin(self._channels[:held], list(channels))
        found = np.flatnonzero(kept)
        best = found[np.lexsort((-found, -bounds[found]))]
        return [Maybe(int(self._ids[at]), min(1.0, float(bounds[at]))) for at in best]
