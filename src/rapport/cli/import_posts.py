"""`rapport import`: posts from a file, each once, with progress and a file of what could not be read."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from rapport.cli.desk import add_data_option, choose_workspace, load_django, require_tables
from rapport.core.errors import InvalidInput
from rapport.core.post import Post
from rapport.networks.files.layouts import TABLES
from rapport.networks.files.read import Reject, Row, open_rows

if TYPE_CHECKING:
    from rapport.store.models import Channel, Workspace

#: rows stored in one transaction
BATCH = 500
_EVERY = 0.5  # seconds between two lines of progress


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport import`."""
    tables = ", ".join(layout.title for layout in TABLES)
    parser.epilog = (
        f"Layouts: Post JSONL, {tables}. The last line on stdout is one JSON object. "
        "Exit status: 0 every row was taken in, 1 some were rejected, 2 it could not start."
    )
    parser.add_argument("file", metavar="FILE", help="the file; - for standard input")
    parser.add_argument("--channel", metavar="SLUG", required=True, help="the channel to fill; made when missing")
    parser.add_argument("--workspace", metavar="SLUG", help="needed only where there are several")
    parser.add_argument("--process", action="store_true", help="read, score and route the posts right away")
    add_data_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Import the file; prints the tally as JSON."""
    with open_source(arguments.file) as file:
        _, rows = open_rows(file, dt.datetime.now(dt.UTC))
        load_django(arguments.data)
        require_tables(make=True)
        workspace = choose_workspace(arguments.workspace, dt.datetime.now(dt.UTC))
        tally = Tally()
        with RejectsFile(arguments.file) as rejects:
            for batch in in_batches(rows, tally, rejects):
                hear_rows(workspace, arguments.channel, batch, tally)
                tally.show()
            tally.rejects = rejects.close()
    tally.end()
    if arguments.process:
        process_all()
    print(json.dumps(tally.as_json()))
    return 1 if tally.rejected else 0


@contextlib.contextmanager
def open_source(name: str) -> Iterator[BinaryIO]:
    """The file, or standard input for "-", as bytes."""
    if name == "-":
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file


class Tally:
    """What has been read so far, in rows of the file; shown while it grows where somebody watches."""

    def __init__(self) -> None:
        self.read = self.new = self.known = self.rejected = 0
        self.rejects: str | None = None
        self._shown = 0.0

    def as_json(self) -> dict[str, int | str | None]:
        """The last line of the command."""
        return {
            "read": self.read,
            "new": self.new,
            "known": self.known,
            "rejected": self.rejected,
            "rejects": self.rejects,
        }

    def show(self) -> None:
        """One line of progress, at most twice a second, only on a terminal."""
        if sys.stderr.isatty() and time.monotonic() - self._shown > _EVERY:
            self._shown = time.monotonic()
            line = f"{self.read:,} rows read, {self.new:,} new, {self.known:,} known, {self.rejected:,} rejected"
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line of progress away."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class RejectsFile:
    """`FILE.rejects.jsonl`, beside the file or, where that cannot be written, in the current folder.

    It is made with the first reject. One that an earlier run left is removed when there is nothing to reject now.
    """

    def __init__(self, source: str) -> None:
        path = Path("stdin" if source == "-" else source)
        name = f"{path.name}.rejects.jsonl"
        self._places = [Path(name)] if source == "-" else [path.with_name(name), Path(name)]
        self._file: TextIO | None = None
        self._path: Path | None = None

    def __enter__(self) -> RejectsFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, reject: Reject) -> None:
        """Add one line. Raises `InvalidInput` when neither place can be written."""
        if self._file is None:
            self._file = self._open()
        entry = {"line": reject.line, "reason": reject.reason, "excerpt": reject.excerpt}
        self._file.write(json.dumps(entry) + "\n")

    def close(self) -> str | None:
        """The path of the file, or None when nothing was rejected."""
        if self._file is not None:
            self._file.close()
            return str(self._path)
        with contextlib.suppress(OSError):
            self._places[0].unlink(missing_ok=True)
        return None

    def _open(self) -> TextIO:
        for path in self._places:
            with contextlib.suppress(OSError):
                self._path = path
                return path.open("w", encoding="utf-8")
        names = " nor ".join(str(path) for path in self._places)
        raise InvalidInput(f"there are rows to reject, but neither {names} can be written")


def in_batches(rows: Iterator[Row | Reject], tally: Tally, rejects: RejectsFile) -> Iterator[list[Row]]:
    """Rows in lists of `BATCH`; what could not be read goes into the rejects file."""
    batch: list[Row] = []
    for row in rows:
        tally.read += 1
        if isinstance(row, Reject):
            tally.rejected += 1
            rejects.write(row)
            tally.show()
            continue
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def hear_rows(workspace: Workspace, slug: str, batch: Sequence[Row], tally: Tally) -> None:
    """Store the posts of some rows. A row counts as new when its own post is; what came along is not counted."""
    for posts in by_network([row.posts[0] for row in batch]):
        new, known = hear_posts(workspace, slug, posts)
        tally.new += new
        tally.known += known
    for posts in by_network([post for row in batch for post in row.posts[1:]]):
        hear_posts(workspace, slug, posts)


def hear_posts(workspace: Workspace, slug: str, posts: Sequence[Post]) -> tuple[int, int]:
    """Store posts of one network in one transaction; how many were new, and how many known."""
    from rapport.actions.hearing import hear
    from rapport.wiring import make_bus

    now = dt.datetime.now(dt.UTC)
    channel = open_channel(workspace, slug, posts[0].network, now)
    heard = hear(channel, posts, make_bus(), now=now)
    return heard.new, heard.known


def open_channel(workspace: Workspace, slug: str, network: str, now: dt.datetime) -> Channel:
    """The channel `slug`; for a second network in the same file, a channel `slug-network` beside it."""
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_slug

    from rapport.actions.listening import open_file_channel

    try:
        validate_slug(slug)
    except ValidationError:
        raise InvalidInput(f"--channel {slug!r}: only letters, digits, - and _ may stand in it") from None
    channel = open_file_channel(workspace, slug[:80], network, now=now)
    if channel.network == network:
        return channel
    return open_file_channel(workspace, f"{slug[:40]}-{_as_slug(network)}", network, now=now)


def _as_slug(network: str) -> str:
    from django.utils.text import slugify

    return slugify(network)[:30] or "other"


def by_network(posts: Sequence[Post]) -> list[list[Post]]:
    """The posts of each network together, in their order."""
    groups: dict[str, list[Post]] = {}
    for post in posts:
        groups.setdefault(post.network, []).append(post)
    return list(groups.values())


def process_all() -> None:
    """Run the worker until nothing waits on the bus."""
    from rapport.wiring import make_worker

    make_worker().drain()
