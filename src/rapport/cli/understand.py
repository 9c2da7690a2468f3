"""`rapport understand [FILE]`: posts in, readings out, line by line. No database."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Post, decode_post
from rapport.core.understand import Reader, load_reader

#: Posts that are read together. Larger gains nothing; smaller keeps a pipe waiting less.
BATCH = 256


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = "Read posts (JSONL) and write what is understood of each (JSONL), in the same order."
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="Post JSONL; none or - is standard input")
    parser.add_argument(
        "--languages",
        default="",
        metavar="CODES",
        help="languages to expect, as ISO 639-1 codes with commas: en,de,fr (none: any)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0, or 1 when a line could not be read as a post: its number and the reason go to standard error,
    and the other lines are still read. Raises OSError when the file cannot be opened.
    """
    reader = load_reader([code.strip() for code in arguments.languages.split(",") if code.strip()])
    if arguments.file == "-":
        return _understand(sys.stdin.buffer, reader)
    with Path(arguments.file).open("rb") as lines:
        return _understand(lines, reader)


def _understand(lines: BinaryIO, reader: Reader) -> int:
    bad: list[int] = []
    encoder = msgspec.json.Encoder()
    done = 0
    for batch in _batches(lines, bad):
        sys.stdout.buffer.write(encoder.encode_lines(reader.read(batch)))
        sys.stdout.buffer.flush()
        done += len(batch)
        if sys.stderr.isatty() and not sys.stdout.isatty():
            print(f"\r{done:,} posts", end="", file=sys.stderr, flush=True)
    if done and sys.stderr.isatty() and not sys.stdout.isatty():
        print(file=sys.stderr)
    if bad:
        print(
            f"rapport understand: {len(bad)} line{'s' if len(bad) > 1 else ''} could not be read as a post.",
            file=sys.stderr,
        )
    return 1 if bad else 0


def _batches(lines: BinaryIO, bad: list[int]) -> Iterator[list[Post]]:
    """The posts of the file, `BATCH` at a time. Numbers of lines that are none are added to `bad` and reported."""
    now = dt.datetime.now(dt.UTC)
    batch: list[Post] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            batch.append(decode_post(line, now))
        except InvalidPost as error:
            print(f"rapport understand: line {number}: {error}", file=sys.stderr)
            bad.append(number)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
