"""`rapport replay`: feeds a file as if it were live, in the order and at the distances of the original times."""

from __future__ import annotations

import argparse
import datetime as dt
import math
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from rapport.cli.desk import add_data_option, choose_workspace, load_django, require_tables
from rapport.cli.import_posts import BATCH, by_network, hear_posts, open_source
from rapport.cli.leash import add_leash_option, hold_leash
from rapport.core.errors import InvalidInput
from rapport.core.post import Post
from rapport.networks.files.read import Row, open_rows


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport replay`."""
    parser.epilog = (
        "The whole file is held in memory while it is sorted: fine for some 100,000 posts. "
        "Posts keep their ids, so a second replay of the same file brings nothing new."
    )
    parser.add_argument("file", metavar="FILE", help="the file, in any layout that `rapport import` reads")
    parser.add_argument("--speed", type=speed, default=1.0, metavar="N", help="N times as fast as it was (default 1)")
    parser.add_argument("--channel", metavar="SLUG", default="replay", help="the channel to fill (default replay)")
    parser.add_argument("--workspace", metavar="SLUG", help="needed only where there are several")
    add_data_option(parser)
    add_leash_option(parser)


def speed(text: str) -> float:
    """A factor above 0. Raises `ValueError`, which argparse puts into words."""
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise ValueError
    return value


def run(arguments: argparse.Namespace) -> int:
    """Feed the file; ends when the last post is in, or on Ctrl-C."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    hold_leash(arguments.leash, stop.set)
    posts, rejected = read_sorted(arguments.file)
    load_django(arguments.data)
    require_tables(make=True)
    workspace = choose_workspace(arguments.workspace, dt.datetime.now(dt.UTC))
    print(f"Replaying {len(posts):,} posts from {Path(arguments.file).name}, {arguments.speed:g} times as fast.")
    if rejected:
        print(f"{rejected:,} rows could not be read and are left out; `rapport import` names them.", file=sys.stderr)

    def take_in(batch: Sequence[Post]) -> None:
        for group in by_network(batch):
            hear_posts(workspace, arguments.channel, group)

    replay(posts, arguments.speed, take_in, stop)
    print("The replay has stopped." if stop.is_set() else "The replay is over.", flush=True)
    return 0


def read_sorted(file: str) -> tuple[list[Post], int]:
    """Every post of the file in the order of its time, and the number of rows that could not be read.

    Raises `InvalidInput` when there is no post in it.
    """
    rejected = 0
    posts: list[Post] = []
    with open_source(file) as source:
        _, rows = open_rows(source, dt.datetime.now(dt.UTC))
        for row in rows:
            if isinstance(row, Row):
                posts.extend(row.posts)
            else:
                rejected += 1
    if not posts:
        raise InvalidInput(f"{file}: there is no post in it to replay")
    posts.sort(key=lambda post: post.created_at)
    return posts, rejected


def due_times(posts: Sequence[Post], factor: float) -> list[float]:
    """Seconds after the first post at which each one is due, `factor` times as fast as it was."""
    first = posts[0].created_at
    return [(post.created_at - first).total_seconds() / factor for post in posts]


def replay(posts: Sequence[Post], factor: float, hear: Callable[[Sequence[Post]], None], stop: threading.Event) -> None:
    """Hand each post to `hear` when it is due, dated then. `posts` in order of time. Returns early on `stop`."""
    due = due_times(posts, factor)
    start = dt.datetime.now(dt.UTC)
    position = 0
    while position < len(posts) and not stop.is_set():
        elapsed = (dt.datetime.now(dt.UTC) - start).total_seconds()
        if due[position] > elapsed:
            stop.wait(min(due[position] - elapsed, 3600.0))
            continue
        end = position
        while end < len(posts) and due[end] <= elapsed and end - position < BATCH:
            end += 1
        hear([_dated(post, start, at) for post, at in zip(posts[position:end], due[position:end], strict=True)])
        position = end


def _dated(post: Post, start: dt.datetime, seconds: float) -> Post:
    return msgspec.structs.replace(post, created_at=start + dt.timedelta(seconds=seconds), edited_at=None)
