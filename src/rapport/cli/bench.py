"""`rapport bench`: ours beside its peers, in turn, in one call, on the same posts."""

from __future__ import annotations

import argparse
import os
import sys
import time

import msgspec

from rapport.cli.benchmarks import BENCHMARKS, measure
from rapport.cli.benchmarks.measure import Options, Result
from rapport.core.errors import InvalidInput

RUNS = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport bench`."""
    parser.description = "Measure ours and its peers in turn on the same posts; median and spread of the runs."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(map(len, BENCHMARKS))
    listed = "\n".join(f"  {name:{width}}  {benchmark.summary}" for name, benchmark in BENCHMARKS.items())
    parser.epilog = (
        f"benchmarks:\n{listed}\n\nWhat could not be measured is named on stderr (with --json also in the list).\n"
        "Exit status: 0; 2 for a name that is no benchmark. What the figures mean: docs/reference/benchmarks.md"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones (none: all); match.* takes a group")
    parser.add_argument("--json", action="store_true", help="a JSON list for programs")
    parser.add_argument("--runs", type=_positive, default=RUNS, metavar="N", help=f"runs of each (default {RUNS})")
    parser.add_argument(
        "--posts", type=_positive, default=0, metavar="N", help="fewer posts in a run, for a quick look"
    )
    parser.add_argument("--profile", action="store_true", help="line.*: show where the time goes, stage by stage")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Measure and print. Raises `InvalidInput` for a name that is no benchmark."""
    options = Options(arguments.runs, arguments.posts, _say)
    names = choose(arguments.names)
    if arguments.profile:
        return _profile(names, options)
    results = []
    for name in names:
        start = time.monotonic()
        results.append(measure(name, options))
        _clear()
        explain(results[-1], time.monotonic() - start)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(results), indent=2).decode())
    else:
        print(as_table(results))
    return 0


def choose(wanted: list[str]) -> list[str]:
    """The names of the benchmarks that are asked for; "match.*" stands for all that begin with "match."."""
    chosen: list[str] = []
    for each in wanted or list(BENCHMARKS):
        found = [name for name in BENCHMARKS if name == each or (each[-1:] == "*" and name.startswith(each[:-1]))]
        if not found:
            raise InvalidInput(f"{each!r} is no benchmark. There are: {', '.join(BENCHMARKS)}")
        chosen += [name for name in found if name not in chosen]
    return chosen


def _profile(names: list[str], options: Options) -> int:
    from rapport.cli.benchmarks.line import profile

    lines = [name for name in names if name.startswith("line.")]
    if not lines:
        raise InvalidInput("--profile knows the stages of line.sqlite and line.postgresql; name one of them")
    for name in lines:
        print(profile(name, options))
    return 0


def as_table(results: list[Result]) -> str:
    """One line for ours and one for each peer, with the ratio, in columns."""
    rows = [("benchmark", "who", "median", "least", "most", "unit", "ours is")]
    for result in results:
        if result.ours is None or result.spread is None:
            rows.append((result.name, "-", "-", "-", "-", result.unit, "not measured"))
            continue
        rows.append((result.name, "ours", *_numbers(result.ours, result.spread), result.unit, ""))
        for peer, rate in result.peers.items():
            ratio = f"{result.ours / rate:.2f} x" if rate else ""
            rows.append(("", peer, *_numbers(rate, result.peer_spreads[peer]), result.unit, ratio))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    right = {2, 3, 4, 6}
    return "\n".join(
        "  ".join(
            f"{cell:>{width}}" if column in right else f"{cell:<{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _numbers(rate: float, spread: tuple[float, float]) -> tuple[str, str, str]:
    return f"{rate:,.0f}", f"{spread[0]:,.0f}", f"{spread[1]:,.0f}"


def explain(result: Result, seconds: float) -> None:
    """On stderr: what was measured on what, and what could not be measured and why."""
    if result.skipped:
        print(f"{result.name}: not measured: {result.skipped}", file=sys.stderr)
        return
    runs = f"{result.runs} run{'s' if result.runs > 1 else ''}"
    print(f"{result.name}: {result.posts:,} posts, {result.source}; {runs}, {seconds:.0f} s", file=sys.stderr)
    busy, cores = os.getloadavg()[0], os.cpu_count() or 1
    if busy > cores + 1:
        note = f"{busy:.1f} processes wanted to run on {cores} cores: the rates are lower than on a quiet machine"
        result.notes.append(note)
    for note in result.notes:
        print(f"{result.name}: {note}", file=sys.stderr)
    for peer, reason in result.skipped_peers.items():
        print(f"{result.name}: {peer} not measured: {reason}", file=sys.stderr)


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
