"""The least of a smooth convex function, with numpy alone: for who trains at home, without scipy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Steps that the curvature is guessed from.
MEMORY = 8
#: Armijo: a step must gain at least this share of what the slope promises.
GAIN = 1e-4


def minimise(
    function: Callable[[Floats], tuple[float, Floats]], start: Floats, steps: int = 100, tolerance: float = 1e-3
) -> Floats:
    """Where `function` (value and slope at a point, any shape) is least: L-BFGS with backtracking (Nocedal 1980).

    Stops when the slope is shorter than `tolerance` times what it was at the start, or after `steps`.
    """
    at = start
    value, slope = function(at)
    enough = tolerance * max(float(np.linalg.norm(slope)), 1e-12)
    moves: list[tuple[Floats, Floats, float]] = []
    for _ in range(steps):
        if float(np.linalg.norm(slope)) <= enough:
            break
        way = _way(slope, moves)
        promised = float(np.vdot(way, slope))
        length = 1.0 if moves else 1 / max(1.0, float(np.linalg.norm(slope)))
        there = at
        for _ in range(30):
            there = at + length * way
            new_value, new_slope = function(there)
            if new_value <= value + GAIN * length * promised:
                break
            length /= 2
        else:
            break  # the arithmetic holds no smaller step
        move, turned = there - at, new_slope - slope
        curve = float(np.vdot(move, turned))
        if curve > 1e-12:
            moves = [*moves[1 - MEMORY :], (move, turned, curve)]
        at, value, slope = there, new_value, new_slope
    return at


def _way(slope: Floats, moves: list[tuple[Floats, Floats, float]]) -> Floats:
    """Where to go: the slope, turned by the curvature of the last moves."""
    way = -slope
    shares = []
    for move, turned, curve in reversed(moves):
        share = float(np.vdot(move, way)) / curve
        way = way - share * turned
        shares.append(share)
    if moves:
        move, turned, curve = moves[-1]
        way = way * (curve / float(np.vdot(turned, turned)))
    for (move, turned, curve), share in zip(moves, reversed(shares), strict=True):
        way = way + (share - float(np.vdot(turned, way)) / curve) * move
    return way
