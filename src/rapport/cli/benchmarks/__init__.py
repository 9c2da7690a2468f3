"""The benchmarks by name. Each measures ours and its peers in turn, in one call, on the same posts."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, cast

from rapport.cli.benchmarks.measure import Options, Result


class Benchmark(NamedTuple):
    """Where a benchmark lives, and what it measures in one line."""

    module: str
    summary: str


#: every benchmark, in the order in which they run
BENCHMARKS: dict[str, Benchmark] = {
    "line.sqlite": Benchmark("line", "the whole line on SQLite, 1,000 topics, 100 rules, everything read"),
    "line.postgresql": Benchmark("line", "the same on PostgreSQL"),
    "match.sparse.1000": Benchmark("match", "1,000 standing queries, most about names that never occur"),
    "match.sparse.10000": Benchmark("match", "10,000 of them"),
    "match.sparse.100000": Benchmark("match", "100,000 of them"),
    "match.dense.1000": Benchmark("match", "1,000 standing queries of frequent words"),
    "match.dense.10000": Benchmark("match", "10,000 of them"),
    "match.dense.100000": Benchmark("match", "100,000 of them"),
    "match.add.100000": Benchmark("match", "one more query while 100,000 are in use"),
    "read.sparse": Benchmark("read", "everything that is read from a post"),
    "read.deep": Benchmark("read", "the transformer, on one core"),
    "rules.100": Benchmark("rules", "which of 100 rules hold for a post, with their actions"),
    "rules.1000": Benchmark("rules", "which of 1,000 rules"),
    "backtest": Benchmark("backtest", "a draft of 100 rules held against 100,000 stored mentions"),
    "decode": Benchmark("decode", "Post JSONL into checked posts"),
    "desk.list": Benchmark("desk", "pages of lists and counts, on a desk with a million posts"),
    "desk.conversation": Benchmark("desk", "pages of conversations there, short ones and some of 500 posts"),
    "desk.person": Benchmark("desk", "pages of people there, some of them on the ladder"),
    "desk.search": Benchmark("desk", "pages of searches there, for common words, rare ones, handles and names"),
    "desk.work": Benchmark("desk", "promises, tasks and notices there"),
    "desk.rules": Benchmark("desk", "drafts to approve, rules with what they did, baskets, absences there"),
}


def measure(name: str, options: Options) -> Result:
    """Run one benchmark. Raises `KeyError` for a name that is none."""
    module = import_module(f"{__name__}.{BENCHMARKS[name].module}")
    return cast("Callable[[str, Options], Result]", module.measure)(name, options)
