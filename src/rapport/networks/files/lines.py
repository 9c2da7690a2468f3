"""Lines of a file, one by one and of bounded length, whatever the file holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

#: bytes of one physical line; a Post at its own bounds stays well below
MAX_LINE = 16 * 1024 * 1024


class UnreadableLine(Exception):
    """A line that holds no text: `line` is its number from 1, `reason` says what is wrong with it."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Lines:
    """Physical lines of `file` as (number from 1, bytes), and a way to put lines back.

    A line longer than `MAX_LINE` is read past and raised as `UnreadableLine`; the next call goes on after it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._back: deque[tuple[int, bytes]] = deque()
        self._read = 0

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return self

    def __next__(self) -> tuple[int, bytes]:
        if self._back:
            return self._back.popleft()
        line = self._file.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self._read += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := self._file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            raise UnreadableLine(self._read, f"longer than {MAX_LINE // 1024 // 1024} MB")
        return self._read, line

    def put_back(self, lines: list[tuple[int, bytes]]) -> None:
        """The next lines read are these, in this order."""
        self._back.extendleft(reversed(lines))
