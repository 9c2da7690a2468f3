"""Running ours and its peers in turn on the same work, and saying what came of it."""

from __future__ import annotations

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

#: One run of one contestant: does the work once and returns its rate, in the unit of the benchmark.
Run = Callable[[], float]


class Options(NamedTuple):
    """What one call of `rapport bench` asks for."""

    #: interleaved runs of ours and of each peer
    runs: int = 5
    #: posts in one run; 0 = what the benchmark takes by itself
    posts: int = 0
    #: says a line while the work goes on
    say: Callable[[str], None] = lambda text: None

    def count(self, usual: int) -> int:
        """Posts in a run of a benchmark that usually takes `usual`."""
        return min(self.posts, usual) if self.posts else usual


class Result(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one benchmark found. A rate is the median of its runs."""

    name: str
    unit: str
    ours: float | None = None
    peers: dict[str, float] = {}
    #: least and most of our runs
    spread: tuple[float, float] | None = None
    runs: int = 0
    #: least and most of each peer's runs
    peer_spreads: dict[str, tuple[float, float]] = {}
    #: posts in each run
    posts: int = 0
    #: where the posts come from
    source: str = ""
    #: why nothing was measured
    skipped: str | None = None
    #: peer -> why it was not measured
    skipped_peers: dict[str, str] = {}
    #: what a reader must know to weigh the figures
    notes: list[str] = []


def interleave(contestants: Mapping[str, Run], runs: int, say: Callable[[str], None]) -> dict[str, list[float]]:
    """Run everybody once, then everybody again: a machine that grows slower or faster does so for all of them."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(1, runs + 1):
        for name, run in contestants.items():
            say(f"run {number} of {runs}: {name}")
            gc.collect()
            rates[name].append(run())
    return rates


def compare(result: Result, contestants: Mapping[str, Run], options: Options) -> Result:
    """Fill in `result` with the rates of "ours" and of the peers."""
    rates = interleave(contestants, options.runs, lambda text: options.say(f"{result.name}, {text}"))
    result.ours, result.spread = summarise(rates.pop("ours"))
    for name, found in rates.items():
        result.peers[name], result.peer_spreads[name] = summarise(found)
    result.runs = options.runs
    return result


def summarise(rates: list[float]) -> tuple[float, tuple[float, float]]:
    """Median, and (least, most)."""
    rounded = [round(rate, 1) for rate in rates]
    return round(statistics.median(rounded), 1), (min(rounded), max(rounded))


def timed(work: Callable[[], object], count: int) -> Run:
    """A run that does `work` once, which handles `count` posts; the rate is per second."""

    def run() -> float:
        start = time.perf_counter()
        work()
        return count / (time.perf_counter() - start)

    return run


def missing(module: str, package: str) -> str | None:
    """None when `module` is installed, else the reason for people, with how to mend it."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # what it lies in is missing
        found = None
    return None if found else f"{package} is not installed (pip install {package})"
