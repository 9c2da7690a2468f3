"""One piece of one file -> posts and refused lines, and how far that went. Reads the file, changes nothing.

The importer (`networks/files`) reads whole files of several layouts; here only the Post format is read, from a byte on
and up to the last whole line, which is why the few lines that both need stand in both.
"""

from __future__ import annotations

import datetime as dt
from typing import BinaryIO

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import MAX_ID, Post, admit, decode_post
from rapport.networks.folder.progress import Progress

NAME = "folder"
PAGE_LINES = 500
PAGE_BYTES = 4_000_000
MAX_LINE = 16_000_000  # bytes; a Post at its own bounds stays well below
_EXCERPT = 200  # characters
_BOM = b"\xef\xbb\xbf"
_FOREIGN = {
    b"\xff\xfe": "the file is UTF-16; save it as UTF-8",
    b"\xfe\xff": "the file is UTF-16; save it as UTF-8",
    b"\x1f\x8b": "the file is packed (gzip); unpack it first",
    b"PK\x03\x04": "the file is packed (zip); unpack it first",
    b"BZh": "the file is packed (bzip2); unpack it first",
    b"\xfd7zXZ": "the file is packed (xz); unpack it first",
    b"\x28\xb5\x2f\xfd": "the file is packed (zstd); unpack it first",
}


class Reject(msgspec.Struct, frozen=True):
    """One line that was refused; `rapport import` writes the same."""

    line: int
    reason: str
    excerpt: str = ""


class Piece(msgspec.Struct, frozen=True):
    """What one page of a file holds."""

    posts: tuple[Post, ...]
    rejects: tuple[Reject, ...]
    #: but for `rejects`, which the writer of them knows
    progress: Progress
    #: what stands at the end is no whole line yet
    unfinished: bool = False


def read_piece(file: BinaryIO, progress: Progress, source: str, now: dt.datetime, final: bool) -> Piece:
    """The next page of lines. `source` begins the ids; `final`: what stands at the end without a line end is a line."""
    if progress.offset == 0 and (reason := _foreign(file)):
        first = Reject(1, reason)
        return Piece((), (first,), msgspec.structs.replace(progress, refused=reason, bad=1))
    file.seek(progress.offset)
    posts: list[Post] = []
    rejects: list[Reject] = []
    offset, number, unfinished = progress.offset, progress.line, False
    while number - progress.line < PAGE_LINES and offset - progress.offset < PAGE_BYTES:
        line, length = _next_line(file)
        if not length:
            break
        if not line.endswith(b"\n") and not (final or _is_whole(line)):
            unfinished = True
            break
        offset, number = offset + length, number + 1
        line = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
        if length > MAX_LINE:
            rejects.append(Reject(number, f"longer than {MAX_LINE // 1_000_000} MB", _excerpt(line)))
        elif line:
            try:
                posts.append(_ours(decode_post(line, now), source, now))
            except (InvalidPost, OverflowError, ValueError, RecursionError) as error:
                rejects.append(Reject(number, str(error), _excerpt(line)))
    after = msgspec.structs.replace(
        progress, offset=offset, line=number, good=progress.good + len(posts), bad=progress.bad + len(rejects)
    )
    return Piece(tuple(posts), tuple(rejects), after, unfinished)


def _foreign(file: BinaryIO) -> str:
    """Why the file as a whole is no JSONL; "" = it may be."""
    file.seek(0)
    head = file.read(64)
    for sign, reason in _FOREIGN.items():
        if head.startswith(sign):
            return reason
    if head.removeprefix(_BOM).lstrip()[:1] == b"[":
        return "this is a JSON list; write one object a line (jq -c '.[]' turns one into the other)"
    return ""


def _next_line(file: BinaryIO) -> tuple[bytes, int]:
    """(the line, its length in bytes); of one beyond `MAX_LINE` its beginning, and the end of line if there was one."""
    line = file.readline(MAX_LINE + 1)
    length = len(line)
    if length <= MAX_LINE:
        return line, length
    last = line
    while not last.endswith(b"\n") and (last := file.readline(MAX_LINE)):
        length += len(last)
    return line[: _EXCERPT * 4] + (b"\n" if last.endswith(b"\n") else b""), max(length, MAX_LINE + 1)


def _is_whole(line: bytes) -> bool:
    """Whether a line without its end can be taken: only the end of the line is missing."""
    try:
        msgspec.json.decode(line.removeprefix(_BOM), type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _ours(post: Post, source: str, now: dt.datetime) -> Post:
    """The post as one of this network: a file cannot speak for another network, or change what it said."""

    def own(identifier: str, field: str) -> str:
        found = f"{source}:{post.network}/{identifier}"
        if len(found) > MAX_ID:
            raise InvalidPost(field, f"{len(identifier):,} characters; at most {MAX_ID - len(found) + len(identifier)}")
        return found

    changed = msgspec.structs.replace(
        post,
        network=NAME,
        id=own(post.id, "id"),
        in_reply_to=own(post.in_reply_to, "in_reply_to") if post.in_reply_to else None,
        thread=own(post.thread, "thread") if post.thread else None,
        author=msgspec.structs.replace(post.author, id=own(post.author.key, "author.id")),
    )
    return admit(changed, now)


def _excerpt(line: bytes) -> str:
    return line[: _EXCERPT * 4].decode("utf-8", "replace").strip()[:_EXCERPT]
