"""Keys that the desk makes for itself on its first start and keeps beside the database."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec


def keep_key(folder: Path, name: str) -> str:
    """The key `name` in `folder`, made on first use, readable by the owner alone (0600)."""
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        value = _make(name)
        scratch = path.with_suffix(f".{os.getpid()}.new")
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        try:
            # link, not rename: of two processes that start at once only the first one's key lives
            os.link(scratch, path)
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
    return path.read_text(encoding="ascii").strip()


def _make(name: str) -> str:
    if name == "token.keys":
        return Fernet.generate_key().decode()
    if name == "push.key":  # a P-256 number (RFC 8292)
        number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
    return secrets.token_urlsafe(50)
