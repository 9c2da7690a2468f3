"""`rapport match`: hold standing queries against posts, without a database.

Exit status: 0; 1 when a post could not be read (the others were matched); 2 when the queries or the file could not.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from rapport.cli.post_lines import PostLines
from rapport.core.errors import InvalidQuery
from rapport.core.query import Matcher

#: posts that are matched and written together
BATCH = 1_000


class TopicLine(msgspec.Struct, frozen=True):
    """One line of the file of queries."""

    id: str | int
    query: str


class MatchLine(msgspec.Struct, frozen=True):
    """One line of the answer."""

    network: str
    id: str
    queries: list[str | int]


class UnusableInput(Exception):
    """A file that we cannot work with; the message says why."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rapport match`."""
    parser.description = "Hold standing queries against posts: Post JSONL in, the ids of matching queries out."
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="posts, one JSON object a line (or -)")
    parser.add_argument(
        "--queries", required=True, metavar="Q.jsonl", help='queries, one {"id": ..., "query": ...} a line'
    )


def run(arguments: argparse.Namespace) -> int:
    """Match and print. Returns the exit status."""
    try:
        matcher, ids = _read_queries(Path(arguments.queries))
        if arguments.file == "-":
            return _match_all(matcher, ids, sys.stdin.buffer)
        with Path(arguments.file).open("rb") as lines:
            return _match_all(matcher, ids, lines)
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"rapport match: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2


def _match_all(matcher: Matcher, ids: dict[str, str | int], lines: BinaryIO) -> int:
    posts = PostLines("match", lines, BATCH)
    encode = msgspec.json.Encoder().encode
    for batch in posts:
        answers = [
            MatchLine(post.network, post.id, [ids[topic] for topic in topics])
            for post, topics in zip(batch, matcher.match(batch), strict=True)
        ]
        sys.stdout.write("".join([encode(answer).decode() + "\n" for answer in answers]))
    sys.stdout.flush()
    return 1 if posts.rejected else 0


def _read_queries(path: Path) -> tuple[Matcher, dict[str, str | int]]:
    """The matcher, and the ids as they were written. Raises `UnusableInput` with one line for each bad query."""
    matcher = Matcher()
    ids: dict[str, str | int] = {}
    problems: list[str] = []
    decode = msgspec.json.Decoder(TopicLine).decode
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                topic = decode(line)
                if str(topic.id) in ids:
                    problems.append(f"line {number}: query {topic.id}: this id was used before")
                    continue
                ids[str(topic.id)] = topic.id
                matcher.add(str(topic.id), topic.query)
            except InvalidQuery as error:
                problems.append(f"line {number}: query {topic.id}: {error}")
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                problems.append(f'line {number}: {error}; expected {{"id": "delays", "query": "delay*"}}')
    if problems:
        raise UnusableInput("\n".join(f"rapport match: {path}: {problem}" for problem in problems))
    return matcher, ids
