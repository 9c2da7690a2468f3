"""`rapport understand [FILE]`: posts in, readings out, line by line. No database."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from rapport.cli.post_lines import PostLines
from rapport.core.errors import InvalidInput
from rapport.core.query import parse
from rapport.core.reading import Reading, Toward
from rapport.core.toward import Aims
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
    parser.add_argument(
        "--toward",
        default="",
        metavar="BRAND",
        help='also tell the mood toward this brand (a word, "two words" or a query) where a post names others too',
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0, or 1 when a line could not be read as a post: its number and the reason go to standard error,
    and the other lines are still read. Raises OSError when the file cannot be opened.
    """
    if not 0 <= arguments.deep <= 1:
        raise InvalidInput(f"--deep {arguments.deep:g}: must lie between 0 (none) and 1 (all).")
    reader = load_reader([code.strip() for code in arguments.languages.split(",") if code.strip()], arguments.deep)
    toward = _brand(arguments.toward, reader) if arguments.toward else None
    if arguments.file == "-":
        return _understand(sys.stdin.buffer, reader, arguments.toward, toward)
    with Path(arguments.file).open("rb") as lines:
        return _understand(lines, reader, arguments.toward, toward)


def _brand(query: str, reader: Reader) -> Aims:
    parse(query)  # says at once what is wrong with it
    return Aims([(query, query)], frozenset(), reader.vocabularies)


def _understand(lines: BinaryIO, reader: Reader, brand: str, toward: Aims | None) -> int:
    posts = PostLines("understand", lines, BATCH)
    encoder = msgspec.json.Encoder()
    for batch in posts:
        readings = reader.read(batch)
        told: list[object] = list(readings)
        if toward is not None:
            felt = toward.feel(batch, [(brand,)] * len(batch), readings, reader.targets)
            told = [_with_toward(reading, one) for reading, one in zip(readings, felt, strict=True)]
        sys.stdout.buffer.write(encoder.encode_lines(told))
        sys.stdout.buffer.flush()
    if posts.rejected:
        several = "s" if posts.rejected > 1 else ""
        print(
            f"rapport understand: {posts.rejected} line{several} could not be read as a post.",
            file=sys.stderr,
        )
    return 1 if posts.rejected else 0


def _with_toward(reading: Reading, felt: Sequence[Toward]) -> dict[str, object]:
    """The reading with `toward`: the mood toward the brand and its words, or null where the text has one mood."""
    told: dict[str, object] = msgspec.to_builtins(reading)
    one = felt[0] if felt else None
    told["toward"] = {"name": one.name, "sentiment": one.sentiment, "words": one.words} if one else None
    return told
