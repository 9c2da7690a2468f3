"""How far each file of a folder has been read: the cursor."""

from __future__ import annotations

import msgspec

#: files that were put aside and may still grow under the hand of who wrote them
MOST_ASIDE = 20


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file that was begun."""

    #: tells a file from another one of the same name
    inode: int
    #: bytes that were read and stored
    offset: int = 0
    #: lines that were read
    line: int = 0
    #: lines that became posts, and lines that were refused
    good: int = 0
    bad: int = 0
    #: bytes of the file of refused lines that belong to what was stored
    rejects: int = 0
    #: why nothing more of this file is read; "" = it is readable
    refused: str = ""


class Aside(msgspec.Struct, frozen=True):
    """A file that was put aside: (its place, "done" or "refused"; its name there; how far it was read)."""

    place: str
    name: str
    progress: Progress


class Cursor(msgspec.Struct, frozen=True):
    """All of them."""

    #: name -> progress
    files: dict[str, Progress] = {}
    aside: tuple[Aside, ...] = ()

    def encode(self) -> str:
        """The cursor, as it is stored."""
        return msgspec.json.encode(self).decode()

    def with_file(self, name: str, progress: Progress | None) -> Cursor:
        """With this progress; None: the file is gone."""
        others = {key: value for key, value in self.files.items() if key != name}
        return Cursor(others if progress is None else {**others, name: progress}, self.aside)

    def with_aside(self, moved: Aside) -> Cursor:
        """With a file put aside, or read further there."""
        others = [one for one in self.aside if (one.place, one.name) != (moved.place, moved.name)]
        return Cursor(self.files, (*others, moved)[-MOST_ASIDE:])


def decode_cursor(cursor: str) -> Cursor | None:
    """None for one that cannot be read."""
    if not cursor:
        return Cursor()
    try:
        return msgspec.json.decode(cursor, type=Cursor)
    except msgspec.MsgspecError:
        return None
