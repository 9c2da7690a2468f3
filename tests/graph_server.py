"""What stands in for Meta's Graph API: it knows its tokens, wants the proof of each, and serves one version."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from rapport.networks.base import Account, Grant, Incoming
from stand_in import Call, StandIn, stand_in

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
PAGE, IG, ANN, BOB = "111222333444555", "17841400000000001", "7700000000000001", "7700000000000002"
APP, SECRET = "990000000000001", "0123456789abcdef0123456789abcdef"
USER_TOKEN, LONG_TOKEN, PAGE_TOKEN = "EAAshort", "EAAlong", "EAApage"
V = "/v24.0"


def proof(token: str) -> str:
    return hmac.new(SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()


def check(call: Call) -> str | None:
    """What Meta itself refuses: another version, an unknown token, a missing or wrong proof, a token in the address."""
    if not call.path.startswith(f"{V}/"):
        return "not this version"
    if "access_token" in call.query:
        return "the token travels in the address"
    if call.path == f"{V}/oauth/access_token":
        return None if call.method == "POST" and call.form.get("client_secret") == SECRET else "no secret"
    token = call.headers.get("authorization", "").removeprefix("Bearer ")
    if token not in {LONG_TOKEN, PAGE_TOKEN}:
        return f"token {token!r}"
    return None if call.said.get("appsecret_proof") == proof(token) else "the proof is not that of the token"


@contextlib.contextmanager
def graph_server() -> Iterator[StandIn]:
    with stand_in(check) as server:
        yield server


def account_on(server: StandIn, kind: str, **settings: str | bool) -> Account:
    token = Grant(PAGE_TOKEN, LONG_TOKEN, None, {"app_id": APP, "app_secret": SECRET, "page_id": PAGE}).encode()
    if kind == "facebook":
        return Account(1, server.url, "fernway", PAGE, token, {"verify_token": "meatyhamhock1", **settings})
    kept = {"verify_token": "meatyhamhock1", "page_id": PAGE, **settings}
    return Account(1, server.url, "fernway", IG, token, kept)


def signed(payload: Any, **headers: str) -> Incoming:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return Incoming("POST", {}, {"x-hub-signature-256": signature, **headers}, body, NOON)


def asked(query: Mapping[str, str]) -> Incoming:
    return Incoming("GET", query, {}, b"", NOON)


def listing(*items: Any, after: str = "") -> dict[str, Any]:
    """A list as the Graph API gives it; `next` holds a token, as Meta's does, and must never be followed."""
    paging: dict[str, Any] = {"cursors": {"before": "b", "after": after or "end"}}
    if after:
        paging["next"] = f"http://127.0.0.1:9/steal?access_token=x&after={after}"
    return {"data": list(items), "paging": paging}


def error(code: int, subcode: int = 0, message: str = "no", **more: Any) -> dict[str, Any]:
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Axyz", **more}
    return {"error": told | ({"error_subcode": subcode} if subcode else {})}


def at(minutes: float) -> str:
    """A time as Meta writes it, so many minutes before noon."""
    return (NOON - dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S+0000")


def seconds(minutes: float) -> int:
    return int((NOON - dt.timedelta(minutes=minutes)).timestamp())
