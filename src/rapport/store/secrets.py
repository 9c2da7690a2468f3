"""Tokens at rest: encrypted with a key of their own, which can be rotated while the desk runs."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from rapport.core.errors import Reauthorise


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in settings.TOKEN_KEYS])


def seal(secret: str) -> bytes:
    """Encrypt a secret with the newest key; the empty secret stays empty."""
    return _keys().encrypt(secret.encode()) if secret else b""


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
