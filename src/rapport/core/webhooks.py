"""Calls of other programs, signed as Standard Webhooks 1.0 says (standardwebhooks.com, specification of 2023)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from rapport.core.errors import InvalidInput

PREFIX = "whsec_"
#: what a receiver finds in `type` when a rule told it of a conversation
RULE_FIRED = "rule.fired"
#: bytes of a secret; the specification asks for 24 to 64
SECRET_BYTES = 32


def write_secret(raw: bytes) -> str:
    """Random bytes as the text that is shown to a person."""
    return PREFIX + base64.b64encode(raw).decode("ascii")


def read_secret(secret: str) -> bytes:
    """The key behind the text. Raises `InvalidInput`."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("This is no secret of a webhook.") from None


def sign(secret: str, key: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of one try. `key`: the same on every try; `at`: seconds since 1970 of this try."""
    signed = f"{key}.{at}.".encode() + body
    digest = hmac.new(read_secret(secret), signed, hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode("ascii")
    return {"webhook-id": key, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


#: seconds before each further try, as the specification recommends; three days in all
WAITS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)


def wait_before(tries: int, chance: float) -> float | None:
    """Seconds until the next try after `tries` failed ones; None when it is given up.

    `chance` (0..1) spreads the tries by a tenth to both sides, so that a receiver that comes back is not met by all.
    """
    if tries > len(WAITS):
        return None
    return WAITS[tries - 1] * (0.9 + 0.2 * chance)
