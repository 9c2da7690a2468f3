"""The secrets of one webhook: made, kept as one string in `Account.token`, rotated without an interruption.

A secret is `whsec_` and 24 to 64 random bytes in base64 (Standard Webhooks, "Signature scheme").
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import secrets
from collections.abc import Callable

import msgspec

from rapport.core.errors import InvalidInput
from rapport.networks.base import Grant

PREFIX = "whsec_"
_BYTES = 32
_SHORTEST, _LONGEST = 24, 64  # bytes
#: how long the secret before goes on being valid after a rotation
OVERLAP = dt.timedelta(days=1)
_MOST = 5  # secrets that are valid at once


class Secret(msgspec.Struct, frozen=True):
    """One secret; `until` is when it ends, None for the newest one."""

    secret: str
    until: dt.datetime | None = None

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Secret(until={self.until})"


def make_secret(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A new secret, as both sides write it."""
    return PREFIX + base64.b64encode(random(_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that sign. Raises `InvalidInput` for what is no secret."""
    text = secret.strip().removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("the secret is not base64; leave the one that was made") from None
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise InvalidInput(f"the secret holds {len(key)} bytes; it needs {_SHORTEST} to {_LONGEST}")
    return key


def encode_secrets(kept: list[Secret]) -> str:
    """What `Account.token` holds: a `Grant` of the newest secret, with those before it and when they end."""
    newest, *before = kept
    if not before:
        return newest.secret
    return Grant(newest.secret, more={one.secret: one.until.isoformat() for one in before if one.until}).encode()


def decode_secrets(token: str) -> list[Secret]:
    """The secrets of a token, the newest first; none for a token that is not ours."""
    grant = Grant.decode(token)
    if not grant.access.startswith(PREFIX):
        return []
    try:
        before = [Secret(secret, dt.datetime.fromisoformat(until)) for secret, until in grant.more.items()]
    except ValueError:
        before = []
    return [Secret(grant.access), *before]


def newest_secret(token: str) -> str:
    """The secret to give to who sends; "" where there is none."""
    return next((one.secret for one in decode_secrets(token)), "")


def rotate(token: str, now: dt.datetime) -> str:
    """A token with a new secret; the one before stays valid for `OVERLAP`."""
    kept = [
        Secret(one.secret, one.until or now + OVERLAP)
        for one in decode_secrets(token)
        if one.until is None or one.until > now
    ]
    return encode_secrets([Secret(make_secret()), *kept][:_MOST])


def valid_keys(token: str, now: dt.datetime) -> list[bytes]:
    """The bytes of every secret that is valid now."""
    return [key_of(one.secret) for one in decode_secrets(token) if one.until is None or one.until > now]
