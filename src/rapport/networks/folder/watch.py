"""Looking at a folder: what is new in its files becomes pages; a file that was read to its end is put aside.

The order of every step is such that a kill between any two of them costs nothing:
1. refused lines are written beside the file, cut back first to what the cursor knows of;
2. the page is given out; who asks for the next one has stored it with its cursor;
3. a file at its end is moved, its refused lines before it; the cursor forgets it afterwards.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from rapport.core.errors import GiveUp, NetworkError, RetryLater
from rapport.networks.base import Gap, Page
from rapport.networks.folder.places import open_folder
from rapport.networks.folder.progress import Aside, Cursor, Progress
from rapport.networks.folder.read import Piece, Reject, read_piece

STREAM = "files"
DONE, REFUSED = "done", "refused"
ENDINGS = (".jsonl", ".ndjson")
_REJECTS = ".rejects.jsonl"
STABLE = 0.5  # seconds without a change after which a file is begun
PATIENT = 1.0  # seconds after which one that keeps changing is begun all the same, and followed
SETTLED = 1.5  # seconds without a change after which a file that was read to its end is put aside
_TORN = 10.0  # seconds that half a line at the end may stay half
_MOST_PAGES = 20  # of one file in one look: 10,000 posts, then the other files have their turn
_LONGEST_NAME = 200  # bytes
_MOST_FILES = 10_000  # of one folder that are looked at


class _Seen(msgspec.Struct):
    """What a file looked like, and since when. Seconds of a clock that never jumps."""

    inode: int
    size: int
    mtime: int
    since: float
    first: float
    #: why it cannot be read was said
    told: bool = False


class _Found(msgspec.Struct, frozen=True):
    """A file in the folder that may be read."""

    name: str
    inode: int
    size: int
    #: seconds for which it has not changed
    calm: float
    #: seconds since it was first seen in this process
    known: float


class Watch:
    """One folder, looked at again and again. What it remembers between looks is only how calm each file is."""

    def __init__(
        self,
        folder: str,
        source: str,
        roots: Callable[[], tuple[Path, ...]],
        now: Callable[[], dt.datetime],
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self.source, self.roots, self.now, self.tick = folder, source, roots, now, tick
        self._seen: dict[str, _Seen] = {}
        #: what the last look of a live line failed with, for the poll beside it to say
        self.error: NetworkError | None = None

    def look(self, cursor: Cursor) -> Iterator[Page]:
        """One page for each piece that is new, and one when the cursor changed otherwise. May yield none.

        Raises `GiveUp` when the folder may not be read, `RetryLater` when it is not there.
        """
        with open_folder(self.folder, self.roots()) as folder:
            start = cursor
            cursor = self._forget_missing(folder, cursor)
            for found in self._files(folder):
                for page, after in self._read(folder, found, cursor):
                    cursor = after
                    if page is not None:
                        start = cursor
                        yield page
            for aside in cursor.aside:
                for page, after in self._read_aside(folder, aside, cursor):
                    cursor = start = after
                    yield page
            if cursor != start:
                yield Page(stream=STREAM, posts=(), cursor=cursor.encode())

    # ------------------------------------------------------------ what is there

    def _files(self, folder: int) -> list[_Found]:
        """Files that can be begun or gone on with, the oldest first."""
        found: list[tuple[int, _Found]] = []
        tick, wall = self.tick(), self.now().timestamp()
        names = [name for name in os.listdir(folder)[:_MOST_FILES] if _is_ours(name)]
        for name in names:
            with suppress(OSError):  # gone in the meantime
                told = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISREG(told.st_mode):
                    continue
                seen = self._seen.get(name)
                if seen is not None and seen.inode != told.st_ino:
                    seen = None
                if seen is None or (seen.size, seen.mtime) != (told.st_size, told.st_mtime_ns):
                    age = max(0.0, wall - told.st_mtime)
                    # that it changed while we looked is surer than what the clock of another machine says
                    since, first = (tick - age, tick) if seen is None else (tick, seen.first)
                    self._seen[name] = seen = _Seen(told.st_ino, told.st_size, told.st_mtime_ns, since, first)
                entry = _Found(name, told.st_ino, told.st_size, tick - seen.since, tick - seen.first)
                found.append((told.st_mtime_ns, entry))
        self._seen = {name: seen for name, seen in self._seen.items() if name in set(names)}
        return [entry for _, entry in sorted(found, key=lambda pair: (pair[0], pair[1].name))]

    def _forget_missing(self, folder: int, cursor: Cursor) -> Cursor:
        """Without files that are not there any more: moved before a kill, or taken away by a person."""
        there = set(os.listdir(folder))
        for name in list(cursor.files):
            if name not in there:
                cursor = cursor.with_file(name, None)
        return cursor

    # ------------------------------------------------------------ reading

    def _read(self, folder: int, found: _Found, cursor: Cursor) -> Iterator[tuple[Page | None, Cursor]]:
        """What is new in one file, then its move; every time the cursor after it."""
        if _is_unusable(found.name):
            yield from self._say_once(found, cursor, "its name is not UTF-8 or too long; rename it")
            return
        known = cursor.files.get(found.name)
        if known is None and found.calm < STABLE and found.known < PATIENT:
            return
        gap = None
        if known is not None and known.inode == found.inode and found.size < known.offset:
            gap = Gap(f"{found.name} became shorter while it was read; it is read from its beginning again."[:300])
        if known is None or known.inode != found.inode or gap is not None:
            known = Progress(found.inode)
        if known.offset < found.size and not known.refused:
            try:
                handle = _open_file(found.name, folder, found.inode)
            except OSError as error:
                reason = error.strerror or "it cannot be opened"
                yield from self._say_once(found, cursor, f"{reason}; allow the user that Rapport runs as to read it")
                return
            with os.fdopen(handle, "rb") as file:
                for page, progress in self._pieces(folder, found, known, file, cursor, gap):
                    known, cursor, gap = progress, cursor.with_file(found.name, progress), None
                    yield page, cursor
        if known.refused or (known.offset >= found.size and found.calm >= SETTLED):
            aside = self._put_aside(folder, found.name, known)
            cursor = cursor.with_file(found.name, None).with_aside(aside)
            yield None, cursor

    def _pieces(
        self, folder: int, found: _Found, known: Progress, file: BinaryIO, cursor: Cursor, gap: Gap | None
    ) -> Iterator[tuple[Page, Progress]]:
        """The pages of one open file, up to its last whole line."""
        rejects = f".{found.name}{_REJECTS}"
        final = min(found.calm, found.known) >= _TORN
        for _ in range(_MOST_PAGES):
            if known.offset >= found.size or known.refused:
                return
            piece = read_piece(file, known, self.source, self.now(), final)
            if piece.progress == known:
                return
            progress = _write_rejects(folder, rejects, piece)
            after = cursor.with_file(found.name, progress)
            yield _page(found.name, piece, after, more=progress.offset < found.size, gap=gap), progress
            known, gap = progress, None

    def _read_aside(self, folder: int, aside: Aside, cursor: Cursor) -> Iterator[tuple[Page, Cursor]]:
        """A file that was put aside while somebody still held it open for writing: the rest of it."""
        place = _open_place(folder, aside.place, make=False)
        if place is None:
            return
        try:
            told = os.stat(aside.name, dir_fd=place, follow_symlinks=False)
            known = aside.progress
            if told.st_ino != known.inode or told.st_size <= known.offset or known.refused:
                return
            with os.fdopen(_open_file(aside.name, place, told.st_ino), "rb") as file:
                while known.offset < told.st_size:
                    piece = read_piece(file, known, self.source, self.now(), final=False)
                    if piece.progress == known:
                        return
                    known = _write_rejects(place, f"{aside.name}{_REJECTS}", piece)
                    cursor = cursor.with_aside(msgspec.structs.replace(aside, progress=known))
                    yield _page(aside.name, piece, cursor, more=known.offset < told.st_size, gap=None), cursor
        except OSError:  # taken away by a person
            return
        finally:
            os.close(place)

    def _say_once(self, found: _Found, cursor: Cursor, reason: str) -> Iterator[tuple[Page | None, Cursor]]:
        """The file stays where it is; once in a process it is told why."""
        seen = self._seen[found.name]
        if not seen.told:
            seen.told = True
            line = f"{found.name!a}: {reason}"
            yield Page(stream=STREAM, posts=(), cursor=cursor.encode(), rejected=(line,)), cursor

    # ------------------------------------------------------------ putting aside

    def _put_aside(self, folder: int, name: str, known: Progress) -> Aside:
        """Move a file that was read to its end, its refused lines first. Raises `GiveUp` with the remedy."""
        place = REFUSED if known.refused or (known.bad and not known.good) else DONE
        target = _open_place(folder, place, make=True)
        if target is None:
            raise GiveUp(f"{self.folder}/{place} is no folder that files can be moved to; make it one, or take it away")
        try:
            free = _free_name(target, name)
            with suppress(FileNotFoundError):
                os.rename(f".{name}{_REJECTS}", f"{free}{_REJECTS}", src_dir_fd=folder, dst_dir_fd=target)
            os.rename(name, free, src_dir_fd=folder, dst_dir_fd=target)
            os.fsync(folder)
        except OSError as error:
            raise GiveUp(
                f"{self.folder}/{name} was read and cannot be moved to {place}: {error.strerror}. "
                "Allow the user that Rapport runs as to write there"
            ) from None
        finally:
            os.close(target)
        return Aside(place, free, known)


def follow(watch: Watch, cursor: Cursor, pause: Callable[[float], None], every: float = 0.5) -> Iterator[Page]:
    """Look for ever. A folder that is away or cannot be written is waited for; `watch.error` says it meanwhile."""
    while True:
        try:
            for page in watch.look(cursor):
                cursor = msgspec.json.decode(page.cursor, type=Cursor)
                yield page
            watch.error = None
            pause(every)
        except NetworkError as error:
            watch.error = error
            pause(5.0)


def _is_ours(name: str) -> bool:
    """Hidden files are being written, and files of refused lines are ours."""
    return not name.startswith(".") and name.lower().endswith(ENDINGS) and not name.endswith(_REJECTS)


def _is_unusable(name: str) -> bool:
    """A name that no cursor can hold, or that leaves no room for that of its refused lines."""
    try:
        return len(name.encode()) > _LONGEST_NAME
    except UnicodeEncodeError:
        return True


def _open_file(name: str, folder: int, inode: int) -> int:
    """A descriptor of a plain file; never of a link, a pipe or another file that was swapped in."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    told = os.fstat(handle)
    if not stat.S_ISREG(told.st_mode) or told.st_ino != inode:
        os.close(handle)
        raise OSError(0, "it is not the file that it was")
    return handle


def _open_place(folder: int, place: str, make: bool) -> int | None:
    """The folder beside the files where those that were read are kept; None where there is none."""
    if make:
        with suppress(FileExistsError):
            os.mkdir(place, 0o770, dir_fd=folder)
    try:
        return os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None


def _free_name(place: int, name: str) -> str:
    """The name, or one with a number where a file of that name was read before."""
    taken = set(os.listdir(place))
    stem, dot, ending = name.rpartition(".")
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{stem}-{number}{dot}{ending}"
    return free


def _write_rejects(folder: int, name: str, piece: Piece) -> Progress:
    """Append refused lines to their file, cut back first to what was stored: what is read twice stands there once.

    Raises `RetryLater` when nothing can be written.
    """
    start = piece.progress.rejects
    if not piece.rejects:
        return piece.progress
    try:
        return _append(folder, name, piece, start)
    except OSError as error:
        raise RetryLater(f"the refused lines cannot be written to {name}: {error.strerror}", 30.0) from None


def _append(folder: int, name: str, piece: Piece, start: int) -> Progress:
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o660, dir_fd=folder)
    with os.fdopen(handle, "r+b") as file:
        size = os.fstat(handle).st_size
        file.truncate(min(size, start))
        file.seek(0, os.SEEK_END)
        file.writelines(_line(reject) for reject in piece.rejects)
        return msgspec.structs.replace(piece.progress, rejects=file.tell())


def _line(reject: Reject) -> bytes:
    return msgspec.json.encode(reject) + b"\n"


def _page(name: str, piece: Piece, cursor: Cursor, more: bool, gap: Gap | None) -> Page:
    rejected = tuple(f"{name}, line {one.line}: {one.reason}" for one in piece.rejects)
    return Page(stream=STREAM, posts=piece.posts, cursor=cursor.encode(), more=more, gap=gap, rejected=rejected)
