"""Tokens at rest: encrypted with a key of their own, which can be rotated while the desk runs."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from rapport.core.errors import Reauthorise


def _keys() -> MultiFernet:
    """The keys of this moment: those in the file may have been rotated by another process."""
    file = settings.TOKEN_KEYS_FILE
    if not file:
        return _fernets(",".join(settings.TOKEN_KEYS))
    return _fernets_of_file(file, Path(file).stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _fernets_of_file(file: str, changed: int) -> MultiFernet:
    del changed  # part of what is remembered
    return _fernets(Path(file).read_text(encoding="ascii"))


@lru_cache(maxsize=2)
def _fernets(keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys.split(",")])


def write_keys(file: str, keys: list[str]) -> None:
    """Put these in the place of the keys in the file, newest first; whoever reads meanwhile sees the old or the new."""
    place = Path(file)
    scratch = place.with_name(f"{place.name}.{os.getpid()}.new")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(",".join(keys))
        opened.flush()
        os.fsync(opened.fileno())
    scratch.replace(place)


def seal(secret: str) -> bytes:
    """Encrypt a secret with the newest key; the empty secret stays empty."""
    return _keys().encrypt(secret.encode()) if secret else b""


def reseal(sealed: bytes | memoryview) -> bytes:
    """The same secret under the newest key. Raises `Reauthorise` when no key fits."""
    return seal(unseal(sealed))


def unseal(sealed: bytes | memoryview) -> str:
    """Decrypt with whichever key fits. Raises `Reauthorise` when none does: the account must be connected again."""
    raw = bytes(sealed)
    if not raw:
        return ""
    try:
        return _keys().decrypt(raw).decode()
    except InvalidToken:
        raise Reauthorise(
            "the token cannot be decrypted with the keys of this desk; connect the account again"
        ) from None
