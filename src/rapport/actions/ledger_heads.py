"""Heads of the ledgers, kept outside of the database: whoever can rewrite every table cannot rewrite these.

A head is how far the chain of a workspace has come, and the hash that it ends with. They stand one a line in a file of
the data folder that is only ever added to. A copy of it elsewhere is worth more than the file itself: see
`rapport.pipeline.heads`, which also sends each one away.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from django.conf import settings

from rapport.core.errors import InvalidInput
from rapport.store.models import Approval, Workspace

#: name of the file in the data folder
FILE = "ledger-heads.jsonl"
#: a head is kept after so many entries, or so long after the last one where there is a new entry
EVERY, AFTER = 100, dt.timedelta(hours=1)


class Head(msgspec.Struct, frozen=True):
    """One line of the file."""

    #: row id and short name of the workspace
    id: int
    workspace: str
    sequence: int
    #: `Approval.chain` of that entry
    chain: str
    #: when this was written down
    at: dt.datetime


def heads_file() -> Path:
    """Where the heads of this deployment are kept."""
    folder: Path = settings.RAPPORT.data_dir
    return folder / FILE


def due_heads(known: Mapping[int, Head], *, now: dt.datetime) -> list[Head]:
    """What is to be written down now; `known`: the newest head of each workspace, by its row id."""
    due = []
    for pk, slug in Workspace.objects.order_by("pk").values_list("pk", "slug"):
        last = Approval.objects.of(pk).order_by("-sequence").values_list("sequence", "chain").first()
        before = known.get(pk)
        if last is None or (before is not None and before.sequence == last[0] and before.chain == last[1]):
            continue
        if before is None or abs(last[0] - before.sequence) >= EVERY or now - before.at >= AFTER:
            due.append(Head(pk, slug, last[0], last[1], now))
    return due


def keep_heads(heads: Iterable[Head], path: Path) -> None:
    """Add these to the file, and see them on the disk. Raises `OSError`."""
    lines = b"".join(msgspec.json.encode(head) + b"\n" for head in heads)
    if not lines:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        if file.tell() and not _ends_whole(path):
            lines = b"\n" + lines  # a line that a full disk cut off stays as it is
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def read_heads(path: Path) -> list[Head]:
    """All of them, oldest first. A line that was cut off by a full disk is left out.

    Raises `InvalidInput` for a file that is not there or holds no head at all.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}): name the file with the heads.") from None
    heads = []
    for line in lines:
        try:
            heads.append(msgspec.json.decode(line, type=Head))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    if not heads:
        raise InvalidInput(f"{path} holds no head of a ledger. One line looks like the last line of {FILE}.")
    return heads


def newest_of(heads: Iterable[Head]) -> dict[int, Head]:
    """Row id of a workspace -> the head that was written down last."""
    return {head.id: head for head in heads}
