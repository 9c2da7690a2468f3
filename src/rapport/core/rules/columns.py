"""Numbers of many cases looked up at once, field by field: what `Index.look` does for one, at a third of its price."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

_WORD = 64


class Columns:
    """Tables of bits by the place of a number among cuts, one for each field, in arrays."""

    def __init__(self, cuts: Sequence[Sequence[float]], masks: Sequence[Sequence[int]], width: int) -> None:
        """As an `Index` has them: for each field its cuts, ascending, and bits by slot, `width` of them."""
        self._words = max(1, -(-width // _WORD))
        self._cuts = [np.array(each, dtype=np.float64) for each in cuts]
        self._masks = [self._rows(each) for each in masks]

    def _rows(self, masks: Sequence[int]) -> NDArray[np.uint64]:
        size = self._words * _WORD // 8
        raw = b"".join(mask.to_bytes(size, "little") for mask in masks)
        return np.frombuffer(raw, dtype="<u8").reshape(len(masks), self._words)

    def look(self, numbers: Sequence[tuple[float, ...]]) -> list[int | None]:
        """For each case's numbers, one by field: the bits that all of them leave; None where one is NaN.

        Raises `TypeError` or `ValueError` for what is no number.
        """
        count, fields = len(numbers), len(self._cuts)
        found = np.fromiter(chain.from_iterable(numbers), np.float64, count * fields).reshape(count, fields)
        alive: NDArray[np.uint64] | None = None
        for place, (cuts, masks) in enumerate(zip(self._cuts, self._masks, strict=True)):
            rows = masks[np.searchsorted(cuts, found[:, place], side="right")]
            alive = rows if alive is None else np.bitwise_and(alive, rows, out=alive)
        assert alive is not None
        size = self._words * _WORD // 8
        raw = alive.tobytes()
        bits: list[int | None] = [
            int.from_bytes(raw[start : start + size], "little") for start in range(0, count * size, size)
        ]
        for place in np.flatnonzero(np.isnan(found).any(axis=1)).tolist():
            bits[place] = None
        return bits
