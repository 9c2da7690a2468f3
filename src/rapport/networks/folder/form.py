"""Connecting a folder: a path below an allowed root -> a channel, after it was tried."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from rapport.core.errors import InvalidInput, NetworkError
from rapport.networks.base import Connected, Field, Identity, Step
from rapport.networks.folder.places import VARIABLE, find_root, open_folder

FIELDS = (
    Field(name="folder", label="Folder", help=f"The whole path. It must lie below a folder that {VARIABLE} names."),
    Field(
        name="name", label="Name of this source", required=False, help="What is dropped there, for example: Reviews."
    ),
)
GUIDE = (
    Step(f"On the machine that Rapport runs on, let {VARIABLE} name the folder, or one above it, and start it again."),
    Step("Make the folder, and let the user that Rapport runs as read and write in it: read files are moved away."),
    Step(
        "Drop files there whose names end in .jsonl: one Post a line, in UTF-8. Write a file under a name that begins "
        "with a dot and rename it when it is whole; or simply write it, it is read line by line as it grows."
    ),
    Step("What was read moves to done, what could not be read to refused, each with a file of the refused lines."),
)


def connect(fields: Mapping[str, str], roots: tuple[Path, ...]) -> Connected:
    """See `Network.connect`. Raises `InvalidInput` with the remedy."""
    entered = fields.get("folder", "")
    root, names = find_root(entered, roots)
    path = str(root.joinpath(*names))
    try:
        with open_folder(path, roots) as folder:
            _try_to_write(path, folder)
    except NetworkError as error:
        raise InvalidInput(str(error)) from error
    name = fields.get("name", "").strip()[:200] or (names[-1] if names else root.name)
    identity = Identity(handle=Path(path).name[:100], account_id=account_id(path), name=name)
    return Connected("", identity, "", {"folder": path})


def account_id(path: str) -> str:
    """One folder belongs to one workspace: the same path is the same account."""
    return f"folder-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"


def _try_to_write(path: str, folder: int) -> None:
    """A file that was read has to be moved, or it would be read for ever."""
    name = f".rapport-{secrets.token_hex(8)}"
    try:
        handle = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder
        )
        os.close(handle)
        os.unlink(name, dir_fd=folder)
    except OSError as error:
        raise InvalidInput(
            f"nothing can be written in {path} ({error.strerror}): allow it to the user that Rapport runs as, "
            "because files that were read are moved"
        ) from None
