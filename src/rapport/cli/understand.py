"""`rapport understand [FILE]`: posts in, readings out, line by line. No database."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from rapport.cli.post_lines import PostLines
from rapport.core.errors import InvalidInput
from rapport.core.understand import Reader, load_reader
from rapport.core.understand.cascade import SHARE

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
    parser.add_argument(
        "--deep",
        type=float,
        default=SHARE,
        metavar="SHARE",
        help=f"share of the posts, the doubtful ones, that the transformer reads too: 0 none, 1 all ({SHARE:g})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0, or 1 when a line could not be read as a post: its number and the reason go to standard error,
    and the other lines are still read. Raises OSError when the file cannot be opened.
    """
    if not 0 <= arguments.deep <= 1:
        raise InvalidInput(f"--deep {arguments.deep:g}: must lie between 0 (none) and 1 (all).")
    reader = load_reader([code.strip() for code in arguments.languages.split(",") if code.strip()], arguments.deep)
    if arguments.file == "-":
        return _understand(sys.stdin.buffer, reader)
    with Path(arguments.file).open("rb") as lines:
        return _understand(lines, reader)


def _understand(lines: BinaryIO, reader: Reader) -> int:
    posts = PostLines("understand", lines, BATCH)
    encoder = msgspec.json.Encoder()
    for batch in posts:
        sys.stdout.buffer.write(encoder.encode_lines(reader.read(batch)))
        sys.stdout.buffer.flush()
    if posts.rejected:
        several = "s" if posts.rejected > 1 else ""
        print(
            f"rapport understand: {posts.rejected} line{several} could not be read as a post.",
            file=sys.stderr,
        )
    return 1 if posts.rejected else 0
