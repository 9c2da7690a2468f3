"""Waking a browser: sealed as in the standard's own example, signed, and forgotten where it is gone."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from conftest import NOON
from push_service import Browser
from rapport.core.errors import AddressRefused, GiveUp, RetryLater, Unconfirmed
from rapport.networks.http import GuardedSession
from rapport.networks.web_push import (
    MOST_BYTES,
    Gone,
    Target,
    authorization,
    decode,
    encode,
    encrypt,
    load_key,
    make_key,
    public_key,
    push,
)
from wires import Caller, byte_server

CONTACT = "mailto:desk@fernway.example"


def test_the_example_of_rfc_8291_comes_out_byte_for_byte() -> None:
    target = Target(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
    )
    ours = load_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    sealed = encrypt(b"When I grow up, I want to be a watermelon", target, ours, decode("DGv6ra1nlYgDCS1FRnbzlw"))
    assert encode(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru"
        "3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_a_signature_says_whom_it_is_for_until_when_and_can_be_checked() -> None:
    key = make_key()
    scheme, _, parts = authorization("https://push.example.net:8443/x/y", key, CONTACT, NOON).partition(" ")
    token, shown = (part.partition("=")[2] for part in parts.split(", "))
    head, claims, signature = token.split(".")
    assert scheme == "vapid"
    assert shown == public_key(key)
    assert json.loads(decode(head)) == {"typ": "JWT", "alg": "ES256"}
    until = int((NOON + dt.timedelta(hours=12)).timestamp())
    assert json.loads(decode(claims)) == {"aud": "https://push.example.net:8443", "exp": until, "sub": CONTACT}
    raw = decode(signature)
    numbers = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(shown))
    point.verify(numbers, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))  # raises where it is wrong


def test_the_browser_reads_what_was_said_and_the_service_between_does_not() -> None:
    browser, seen = Browser(), []

    def take(caller: Caller) -> None:
        seen.append(caller)
        caller.send("201 Created")

    with byte_server(take) as server:
        session = GuardedSession(allow=[server.authority])
        push(session, browser.target(f"{server.url}/p/1"), "Größe".encode(), make_key(), CONTACT, now=NOON)
    (caller,) = seen
    assert browser.read(caller.body) == "Größe".encode()
    assert "Größe".encode() not in caller.body
    assert (caller.header("Content-Encoding"), caller.header("TTL")) == ("aes128gcm", "43200")
    assert (caller.header("Authorization") or "").startswith("vapid t=")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("404 Not Found", Gone),
        ("410 Gone", Gone),
        ("429 Too Many Requests", RetryLater),
        ("503 Busy", RetryLater),
        ("403 Forbidden", GiveUp),
        ("307 Elsewhere", GiveUp),
    ],
)
def test_what_a_push_service_answers_says_what_to_do(status: str, error: type[Exception]) -> None:
    def answer(caller: Caller) -> None:
        caller.send(status, b"", "Location: http://127.0.0.1:9/", "Retry-After: 7")

    with byte_server(answer) as server:
        session = GuardedSession(allow=[server.authority])
        with pytest.raises(error) as raised:
            push(session, Browser().target(f"{server.url}/p/1"), b"x", make_key(), CONTACT, now=NOON)
    assert raised.type is error
    if error is RetryLater:
        assert raised.value.after == 7  # type: ignore[attr-defined]


def test_a_service_that_falls_silent_leaves_it_open_whether_it_took_the_message() -> None:
    with byte_server(lambda caller: caller.socket.close()) as server:
        session = GuardedSession(allow=[server.authority])
        with pytest.raises(Unconfirmed):
            push(session, Browser().target(f"{server.url}/p/1"), b"x", make_key(), CONTACT, now=NOON)


@pytest.mark.parametrize(
    "endpoint", ["http://push.example.net/x", "https://127.0.0.1/x", "https://169.254.169.254/x", "https://[::1]/x"]
)
def test_nobody_makes_the_desk_call_an_address_inside_the_house(endpoint: str) -> None:
    with pytest.raises(AddressRefused):
        push(GuardedSession(), Browser().target(endpoint), b"x", make_key(), CONTACT, now=NOON)


@pytest.mark.parametrize("broken", ["", "AAAA", "not base64 at all!", encode(b"\x04" + b"\x01" * 64)])
def test_a_browser_whose_keys_are_none_is_gone(broken: str) -> None:
    target = Target("https://push.example.net/x", broken, encode(b"s" * 16))
    with pytest.raises(Gone):
        push(GuardedSession(), target, b"x", make_key(), CONTACT, now=NOON)


def test_a_message_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="fit"):
        encrypt(b"x" * (MOST_BYTES + 1), Browser().target("https://p.example"), load_key(make_key()), b"s" * 16)
