"""Which folders may be read at all, and how they are opened so that nothing leads out of them.

The operator lists the allowed roots in RAPPORT_WATCH_DIRS. A folder is opened from its root downwards, one name at a
time, by descriptor and without following links; everything in it is then named relative to that descriptor. So a link
that is put there later, or swapped in between a check and a use, leads nowhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from rapport.core.errors import GiveUp, InvalidInput, RetryLater

VARIABLE = "RAPPORT_WATCH_DIRS"
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def read_roots(told: str) -> tuple[Path, ...]:
    """The folders that the operator allows, separated by commas -> their paths, with links resolved."""
    return tuple(Path(one.strip()).resolve() for one in told.split(",") if one.strip().startswith("/"))


def find_root(entered: str, roots: tuple[Path, ...]) -> tuple[Path, tuple[str, ...]]:
    """What a person typed -> (the root that it lies below, the names from there down).

    Raises `InvalidInput` with the remedy. Looks at nothing on the disk.
    """
    if not roots:
        raise InvalidInput(f"no folder may be watched: the operator of this desk lists the allowed ones in {VARIABLE}")
    text = entered.strip()
    if not text.startswith("/") or "\0" in text or len(text) > 4_000:
        raise InvalidInput("write the whole path of the folder, beginning with /")
    path = PurePosixPath(text)
    if ".." in path.parts:
        raise InvalidInput("the path must not hold ..")
    for root in roots:
        if path.is_relative_to(root):
            return root, path.relative_to(root).parts
    names = ", ".join(map(str, roots))
    raise InvalidInput(f"{text[:200]} lies outside the folders that may be watched: {names} ({VARIABLE})")


@contextmanager
def open_folder(entered: str, roots: tuple[Path, ...]) -> Iterator[int]:
    """A descriptor of the folder. Raises `GiveUp` when it may not be read, `RetryLater` when it is not there now."""
    try:
        root, names = find_root(entered, roots)
    except InvalidInput as error:
        raise GiveUp(str(error)) from None
    try:
        here = os.open(root, _OPEN_FOLDER)
    except OSError as error:
        raise RetryLater(f"{root} cannot be opened: {error.strerror}", 30.0) from None
    try:
        for name in names:
            try:
                below = os.open(name, _OPEN_FOLDER, dir_fd=here)
            except OSError as error:
                raise _refusal(entered, name, here, error) from None
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _refusal(entered: str, name: str, here: int, error: OSError) -> GiveUp | RetryLater:
    try:
        is_link = stat.S_ISLNK(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode)
    except OSError:
        is_link = False
    if is_link:
        return GiveUp(
            f"{name!r} in {entered[:200]} is a link, and links are not followed; write the path that it leads to"
        )
    if isinstance(error, NotADirectoryError):
        return GiveUp(f"{name!r} in {entered[:200]} is no folder")
    return RetryLater(f"{entered[:200]} cannot be opened: {error.strerror}", 30.0)
