"""Post JSONL as the commands without a database read it: batch by batch, with what is no post named and passed over."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from rapport.core.errors import InvalidPost
from rapport.core.post import Post, decode_post


class PostLines:
    """Iterates over the posts of `lines` in lists of at most `size`, in their order; empty lines do not count.

    A line that is no post goes to standard error as `rapport COMMAND: line N: reason`. While somebody watches and the
    answers go elsewhere, standard error also tells how far it is; where the posts are to be typed, that they are.
    """

    def __init__(self, command: str, lines: BinaryIO, size: int) -> None:
        self._command, self._lines, self._size = command, lines, size
        #: lines so far that could not be read as a post
        self.rejected = 0

    def __iter__(self) -> Iterator[list[Post]]:
        if self._lines.isatty():
            print(f"rapport {self._command}: posts are read from the keyboard; Ctrl-D ends them", file=sys.stderr)
        watched = sys.stderr.isatty() and not sys.stdout.isatty()
        posts = self._posts()
        done = 0
        while batch := list(islice(posts, self._size)):
            yield batch
            done += len(batch)
            if watched:
                print(f"\r{done:,} posts", end="", file=sys.stderr, flush=True)
        if done and watched:
            print(file=sys.stderr)

    def _posts(self) -> Iterator[Post]:
        now = dt.datetime.now(dt.UTC)
        for number, line in enumerate(self._lines, start=1):
            if not line.strip():
                continue
            try:
                yield decode_post(line, now)
            except InvalidPost as error:
                self.rejected += 1
                print(f"rapport {self._command}: line {number}: {error}", file=sys.stderr)
