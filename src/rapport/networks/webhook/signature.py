"""Standard Webhooks 1.0.0: is this delivery from who knows the secret, now, and unchanged?

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
Signed is `{webhook-id}.{webhook-timestamp}.{raw body}`, with HMAC-SHA256, written `v1,` and base64.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from rapport.core.errors import InvalidInput

TOLERANCE = 300  # seconds, both ways
_MOST_SIGNATURES = 20
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNED = "v1"


def check_signature(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: dt.datetime) -> str:
    """Pass and return the id of the delivery, or raise `InvalidInput` with the reason. Header names in lower case.

    The reason tells nothing about the secret. Each signature is compared with each key, in constant time.
    """
    delivery = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not (delivery and timestamp and headers.get("webhook-signature")):
        raise InvalidInput("the headers webhook-id, webhook-timestamp and webhook-signature are needed")
    if not _ID.fullmatch(delivery):
        raise InvalidInput("webhook-id must be 1 to 200 printable letters without blanks")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise InvalidInput("webhook-timestamp must be whole seconds since 1970")
    age = now.timestamp() - int(timestamp)
    if abs(age) > TOLERANCE:
        when = "old" if age > 0 else "far in the future"
        raise InvalidInput(f"webhook-timestamp is too {when}: at most {TOLERANCE} seconds are allowed; check the clock")
    signed = b".".join((delivery.encode(), timestamp.encode(), body))
    given = _signatures(headers["webhook-signature"])
    expected = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    # every pair is compared, so that the time tells nothing about which one fits
    if not sum(hmac.compare_digest(one, other) for one in expected for other in given):
        raise InvalidInput("no signature fits: sign `id.timestamp.body` with the secret of this channel, as v1")
    return delivery


def sign(key: bytes, delivery: str, timestamp: int, body: bytes) -> str:
    """The value of the header webhook-signature."""
    digest = hmac.new(key, f"{delivery}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"{_SIGNED},{base64.b64encode(digest).decode()}"


def _signatures(header: str) -> list[bytes]:
    """The signatures of version 1 in the header; those of other versions, and what is none, are passed by."""
    found = []
    for one in header.split(" ")[:_MOST_SIGNATURES]:
        version, comma, value = one.partition(",")
        if comma and version == _SIGNED:
            try:
                found.append(base64.b64decode(value, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found
