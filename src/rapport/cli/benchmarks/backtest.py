"""`backtest`: a draft held against what was heard, beside the same done row by row through the ORM.

The history is made once: real posts walk the line under a hundred rules and are then multiplied in the tables. Each run
is a process of its own and begins with the database closed; what is timed is what `rapport backtest` does with it.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import msgspec

from rapport.cli.benchmarks.corpus import Corpus, load_corpus
from rapport.cli.benchmarks.line import BATCH, WARM, _call, _sqlite
from rapport.cli.benchmarks.measure import Options, Result, Run, compare
from rapport.cli.benchmarks.order import Done, Order
from rapport.cli.benchmarks.rulebook import make_rules

#: posts that walk the line; each then stands in the tables several times (`backtest_sides.WANTED`)
POSTS = 20_000
PEER = "the peer reads whole outcomes as ORM rows and decides twice, rule set by rule set; both count the same changes"


def measure(name: str, options: Options) -> Result:
    """Mentions a second, both sets and the report."""
    result = Result(name=name, unit="mentions/s")
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(_sqlite())
        order, corpus = _prepare(stack, options)
        options.say(f"{name}: making the history")
        _, settings = database.template()
        _call("line_ours", order, settings, "prepare")
        made = _call("backtest_sides", order, settings, "fill")
        found: list[Done] = []

        def runner(job: str) -> Run:
            def run() -> float:
                done = _call("backtest_sides", order, settings, job)
                found.append(done)
                return done.posts / done.seconds

            return run

        result.posts, result.source = made.posts, corpus.source
        compare(result, {"ours": runner("ours"), "orm": runner("orm")}, options)
        parts = next(done for done in found if done.stages)
        told = ", ".join(f"{part} {1e6 * seconds / parts.posts:.1f} us" for part, seconds in parts.stages.items())
        result.notes = [PEER, f"of ours, for each mention: {told}"]
        return result


def _prepare(stack: contextlib.ExitStack, options: Options) -> tuple[Path, Corpus]:
    """The file with the posts and rules that make the history; topics have nothing to do with it."""
    count = options.count(POSTS)
    corpus = load_corpus(count + WARM)
    posts = list(corpus.posts)
    order = Order(corpus.now, BATCH, warm=posts[:WARM], posts=posts[WARM:], queries=[], rules=make_rules())
    file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rapport-bench-"))) / "order.json"
    file.write_bytes(msgspec.json.encode(order))
    return file, corpus
