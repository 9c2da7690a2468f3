"""What stands in for Google's APIs: it holds requests to Google's own descriptions, and knows one token."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from rapport.networks.base import Account, Grant
from stand_in import Call, StandIn, Told, stand_in

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
CLIENT, SECRET = "1234567890-abc.apps.googleusercontent.com", "GOCSPX-made-up-secret"
ACCESS, REFRESH = "ya29.made-up", "1//made-up"


@contextlib.contextmanager
def google_server(described: Callable[[Call], str | None]) -> Iterator[StandIn]:
    """`described` judges a request to an API; the token endpoint is judged here."""

    def check(call: Call) -> str | None:
        if call.path == "/token":
            wanted = {"client_id": CLIENT, "client_secret": SECRET}
            return None if wanted.items() <= call.form.items() else "the client is not named"
        if call.headers.get("authorization") != f"Bearer {ACCESS}":
            return "no bearer token"
        return described(call)

    with stand_in(check) as server:
        yield server


def grant_of(expires: dt.datetime | None = None) -> Grant:
    expires = expires or NOON + dt.timedelta(minutes=50)
    return Grant(ACCESS, REFRESH, expires, {"client_id": CLIENT, "client_secret": SECRET})


def account_on(server: StandIn, account_id: str, **settings: Any) -> Account:
    return Account(1, server.url, "fernway", account_id, grant_of().encode(), settings)


def refused(status: int, reason: str = "", message: str = "no", **more: Any) -> Told:
    """An error body as Google writes it, in the old and the new shape at once, as YouTube does."""
    error: dict[str, Any] = {"code": status, "message": message, **more}
    if reason:
        error["errors"] = [{"message": message, "domain": "youtube.quota", "reason": reason}]
    return Told(status, {"error": error})


def at(minutes: float) -> str:
    """A time as Google writes it, so many minutes before noon."""
    return (NOON - dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def tokens(call: Call) -> dict[str, Any] | Told:
    """The token endpoint."""
    if call.form.get("grant_type") == "refresh_token":
        if call.form["refresh_token"] != REFRESH:
            return Told(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        return {"access_token": ACCESS, "expires_in": 3599, "token_type": "Bearer"}
    if call.form.get("code") != "good" or not call.form.get("code_verifier"):
        return Told(400, {"error": "invalid_grant", "error_description": "Malformed auth code."})
    return {"access_token": ACCESS, "expires_in": 3599, "refresh_token": REFRESH, "token_type": "Bearer"}
