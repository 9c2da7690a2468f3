"""How sure a share is that was measured on a sample."""

from __future__ import annotations

import math

import msgspec


class Share(msgspec.Struct, frozen=True):
    """A measured share with its 95 % interval, all three 0 to 1."""

    value: float
    low: float
    high: float


def share(hits: int, of: int, z: float = 1.96) -> Share | None:
    """The share `hits` of `of` with the score interval of Wilson (1927); None where nothing was looked at.

    Unlike the textbook interval it makes sense for no hit at all: 0 of 20 may still be 16 %.
    """
    if of <= 0:
        return None
    value = hits / of
    spread = z * z / of
    middle = value + spread / 2
    half = z * math.sqrt(value * (1 - value) / of + spread / (4 * of))
    # rounding must not put the share outside of its own interval
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return Share(value, max(0.0, min(low, value)), min(1.0, max(high, value)))
