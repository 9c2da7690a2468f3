"""Requests to the Trustpilot API: tokens by client credentials, and errors typed by what to do next.

Source: developers.trustpilot.com, "Authentication, Client credentials": the token lives 100 hours and is not refreshed
but asked for anew with the API key and secret.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession, Response, parse_retry_after
from rapport.networks.payload import read_object, take

SERVER = "https://api.trustpilot.com"
_TOKEN = "/v1/oauth/oauth-business-users-for-applications/accesstoken"  # noqa: S105  # a path
_LIFE = 100 * 3600  # seconds
_RENEWING = 30.0  # seconds in which an expired token is renewed


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int | None = None


class Missing(GiveUp):
    """The review is not there (404, 410): deleted, or never there."""


class Trust:
    """The requests of one account."""

    def __init__(self, server: str, grant: Grant, session: GuardedSession, now: dt.datetime) -> None:
        self._server, self._grant, self._session, self._now = server.rstrip("/"), grant, session, now

    @classmethod
    def of(cls, account: Account, session: GuardedSession, now: dt.datetime) -> Trust:
        """The wire of a connected account; `Account.token` is a `Grant`."""
        return cls(account.server, Grant.decode(account.token), session, now)

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object that answers a GET. Raises any `NetworkError` but `Unconfirmed`."""
        response = self._ask("GET", path, params=params)
        try:
            return read_object(response.content)
        except InvalidPost as error:
            raise RetryLater(f"Trustpilot gave no readable answer: {error}") from None

    def write(self, path: str, body: Mapping[str, str]) -> None:
        """POST a JSON object; what is answered does not matter. Raises any `NetworkError`."""
        self._ask("POST", path, json=body)

    def delete(self, path: str) -> None:
        """Take something away; what is answered does not matter. Raises any `NetworkError`."""
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **kwargs: Any) -> Response:
        headers = {"Authorization": f"Bearer {self._grant.access}", "apikey": self._grant.more.get("api_key", "")}
        response = self._session.request(method, self._server + path, headers=headers, **kwargs)
        if 200 <= response.status_code < 300:
            return response
        error = cause(response, self._now)
        response.close()
        expires = self._grant.expires_at
        if isinstance(error, Reauthorise) and expires is not None and expires <= self._now:
            raise RetryLater("the access has run out and is being renewed", _RENEWING)
        raise error


def ask_token(server: str, key: str, secret: str, session: GuardedSession, now: dt.datetime) -> Grant:
    """The API key and secret -> a grant. Raises `Reauthorise` when they are no good."""
    try:
        response = session.request(
            "POST", server + _TOKEN, data={"grant_type": "client_credentials"}, auth=(key, secret)
        )
    except Unconfirmed as error:
        raise RetryLater(str(error)) from error  # asking twice does no harm
    if response.status_code in {400, 401, 403}:
        raise Reauthorise(f"Trustpilot does not accept the API key and secret: {_words(response)}")
    if response.status_code >= 300:
        raise RetryLater(f"Trustpilot answered {response.status_code}", parse_retry_after(response.headers, now))
    try:
        token = take(read_object(response.content), _Token)
    except InvalidPost as error:
        raise GiveUp(f"Trustpilot's answer has no usable token: {error}") from None
    seconds = token.expires_in if token.expires_in and 0 < token.expires_in < 10**8 else _LIFE
    more = {"api_key": key, "api_secret": secret}
    return Grant(token.access_token, "", now + dt.timedelta(seconds=seconds), more)


def cause(response: Response, now: dt.datetime) -> NetworkError:
    """A refusal of Trustpilot's -> what to do next."""
    status = response.status_code
    said = f"Trustpilot answered {status}: {_words(response)}"
    after = parse_retry_after(response.headers, now)
    if status == 429:
        return RetryLater(said, after)
    if status == 401:
        return Reauthorise(f"{said}. Connect the account again with its API key and secret")
    if status == 403:
        return GiveUp(f"{said}. See that the API key belongs to this business and that its plan includes the API")
    if status in {404, 410}:
        return Missing(said)
    if status >= 500 or status == 408:
        reads = response.request.method in {"GET", "HEAD"}
        return RetryLater(said, after) if reads else Unconfirmed(said)
    return GiveUp(said)


def _words(response: Response) -> str:
    """The server's own words: the API and the gateway before it have each their own shape."""
    try:
        found = read_object(response.content)
    except InvalidPost:
        found = {}
    fault = found.get("fault")
    told = fault.get("faultstring") if isinstance(fault, dict) else None
    return str(told or found.get("details") or found.get("message") or response.reason or "no reason given")[:300]
