"""Waking a browser: Web Push (RFC 8030), encrypted for that browser alone (RFC 8291), signed by this desk (RFC 8292).

A push service learns whom we wake and when, never what we say.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rapport.core.errors import AddressRefused, GiveUp, RetryLater
from rapport.networks.http import GuardedSession, parse_retry_after

#: seconds that a push service keeps a message for a device that is off
KEPT = 12 * 3600
#: how long a signature is good for; services refuse more than a day
SIGNED_FOR = dt.timedelta(hours=12)
#: bytes of one record; a message is one record, and services must take 4096 bytes in all
RECORD = 4096
MOST_BYTES = 3_000


class Gone(GiveUp):
    """The browser is not subscribed any more: forget it."""


class Target(msgspec.Struct, frozen=True):
    """A browser, as `PushSubscription.toJSON` in it says."""

    endpoint: str
    #: base64url without padding: its public key (65 bytes, uncompressed P-256) and its secret (16 bytes)
    p256dh: str
    auth: str


def make_key() -> str:
    """A new key to sign with: the private P-256 number, base64url."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return encode(number.to_bytes(32, "big"))


def load_key(key: str) -> ec.EllipticCurvePrivateKey:
    """The key of `make_key`. Raises `ValueError`."""
    return ec.derive_private_key(int.from_bytes(decode(key), "big"), ec.SECP256R1())


def public_key(key: str) -> str:
    """What browsers ask for when they subscribe (`applicationServerKey`): base64url of the uncompressed point."""
    return encode(_point(load_key(key).public_key()))


def push(session: GuardedSession, target: Target, payload: bytes, key: str, contact: str, *, now: dt.datetime) -> None:
    """Hand one message to the push service of a browser.

    contact: a mailto: or https: address of whoever runs this desk, which the standard asks for.
    Raises `Gone`, `AddressRefused`, `RetryLater` (nothing was taken), `Unconfirmed` (it may have been), `GiveUp`.
    """
    if urlsplit(target.endpoint).scheme != "https" and not session.is_allowed(target.endpoint):
        raise AddressRefused("push services are reached over https only")
    try:
        body = encrypt(payload, target, ec.generate_private_key(ec.SECP256R1()), os.urandom(16))
    except (ValueError, InvalidKey, UnsupportedAlgorithm) as error:
        raise Gone(f"the keys of this browser cannot be used: {error}") from error
    answer = session.post(
        target.endpoint,
        data=body,
        headers={
            "Authorization": authorization(target.endpoint, key, contact, now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT),
            "Urgency": "high",
        },
        allow_redirects=False,
    )
    if answer.status_code in {404, 410}:
        raise Gone("the browser is not subscribed any more")
    if answer.status_code == 429 or answer.status_code >= 500:
        after = parse_retry_after(answer.headers, now)
        raise RetryLater(f"the push service answers {answer.status_code}", after)
    if answer.status_code >= 300:
        raise GiveUp(f"the push service answers {answer.status_code}: {answer.text[:200]}")


def encrypt(payload: bytes, target: Target, ours: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """`payload` for the eyes of one browser: the body of the request (RFC 8291, section 3, and RFC 8188).

    ours: a key made for this message alone; salt: 16 random bytes. Raises `ValueError` for keys that are none.
    """
    if len(payload) > MOST_BYTES:
        raise ValueError(f"at most {MOST_BYTES} bytes fit")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(target.p256dh))
    mine = _point(ours.public_key())
    shared = ours.exchange(ec.ECDH(), theirs)
    info = b"WebPush: info\x00" + _point(theirs) + mine
    secret = _derive(shared, decode(target.auth), info, 32)
    content_key = _derive(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\x00", 12)
    # 2 marks the last record, and there is only one
    sealed = AESGCM(content_key).encrypt(nonce, payload + b"\x02", None)
    return salt + RECORD.to_bytes(4, "big") + bytes([len(mine)]) + mine + sealed


def authorization(endpoint: str, key: str, contact: str, now: dt.datetime) -> str:
    """The header by which a push service knows us (RFC 8292): a JWT signed with ES256, and our public key."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((now + SIGNED_FOR).timestamp()),
        "sub": contact,
    }
    head = encode(json.dumps({"typ": "JWT", "alg": "ES256"}).encode())
    said = f"{head}.{encode(json.dumps(claims).encode())}"
    private = load_key(key)
    r, s = utils.decode_dss_signature(private.sign(said.encode(), ec.ECDSA(hashes.SHA256())))
    signature = encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={said}.{signature}, k={encode(_point(private.public_key()))}"


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encode(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The reverse. Raises `ValueError`."""
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
