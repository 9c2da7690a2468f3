"""Files of exports in the data folder: written whole or not at all, found by a name of ours, taken away in time."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from rapport.store.models import PersonJob

_NAME = re.compile(r"[0-9a-f]{32}\.zip")


def write_export(content: bytes) -> str:
    """Keep a file under a name drawn at random, for nobody but this user of the machine; returns the name."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{secrets.token_hex(16)}.zip"
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:  # a disk that is full or broken: half a file helps nobody
        (folder / name).unlink(missing_ok=True)
        raise
    return name


def export_file(job: PersonJob) -> Path | None:
    """Where the file of an export lies; None where it is gone."""
    if not _NAME.fullmatch(job.path):
        return None
    path = _folder() / job.path
    return path if path.is_file() else None


def remove_exports(jobs: Iterable[PersonJob]) -> None:
    """Delete the files of these exports."""
    for job in jobs:
        if _NAME.fullmatch(job.path):
            with suppress(FileNotFoundError):
                (_folder() / job.path).unlink()


def sweep_folder(known: Iterable[str], older_than: float) -> int:
    """Delete files that no row tells of and that are older (seconds since 1970): of a process that died between."""
    kept, gone = set(known), 0
    with suppress(FileNotFoundError), os.scandir(_folder()) as found:
        for each in list(found):
            if each.name not in kept and each.stat().st_mtime < older_than:
                with suppress(FileNotFoundError):
                    Path(each.path).unlink()
                    gone += 1
    return gone


def _folder() -> Path:
    folder: Path = settings.RAPPORT.data_dir / "exports"
    return folder
