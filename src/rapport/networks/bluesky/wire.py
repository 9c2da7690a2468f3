"""The calls (XRPC) of one account to its data server: JSON over the guarded session, errors typed by their cause.

Plain calls instead of the package `atproto`, because that opens its own connections.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession, Response, parse_retry_after
from rapport.networks.payload import read_object, take

T = TypeVar("T")
Parameters = Mapping[str, str | int | Sequence[str]]

#: what the token is to blame for, in the words of the protocol -> what to tell the person
_TOKEN_ERRORS = {
    "ExpiredToken": "the session has run out",
    "InvalidToken": "the server does not know this session (any more)",
    "AuthMissing": "the server asks for a session",
    "AuthenticationRequired": "the server does not accept the sign-in",
    "AuthFactorTokenRequired": "the server asks for a code that was sent by mail",
}
#: the same for our own account: with status 401; with 400 they speak of the account that was asked about
_ACCOUNT_ERRORS = {
    "AccountTakedown": "the account was taken down",
    "AccountDeactivated": "the account is deactivated",
    "AccountSuspended": "the account is suspended",
}
_RENEWED_SOON = 20.0  # seconds; the listener renews a session before it runs out, so this is the exception


class Refused(GiveUp):
    """The server said no for good; `error` is its word for why."""

    def __init__(self, message: str, error: str) -> None:
        super().__init__(message)
        self.error = error


class SignedOut(Reauthorise):
    """The session, or the sign-in, is not accepted; `error` is the server's word for why."""

    def __init__(self, message: str, error: str) -> None:
        super().__init__(message)
        self.error = error


class Wire:
    """The calls of one account, or, without a token, of nobody, to one server."""

    def __init__(self, server: str, grant: Grant, session: GuardedSession) -> None:
        self.server = server.rstrip("/")
        self._grant, self._session = grant, session
        #: what the last answer said of the limit: (calls left, the moment of the reset)
        self._limit: tuple[int, dt.datetime] | None = None

    @classmethod
    def of(cls, account: Account, session: GuardedSession) -> Wire:
        return cls(account.server, Grant.decode(account.token), session)

    @property
    def host(self) -> str:
        return urlsplit(self.server).hostname or self.server

    def query(self, method: str, parameters: Parameters | None = None) -> dict[str, Any]:
        """A reading call -> the JSON object. Raises any `NetworkError` but `Unconfirmed`."""
        response = self._call("GET", method, self._grant.access, params=dict(parameters or {}))
        return self._object(response)

    def read(self, kind: type[T], method: str, parameters: Parameters | None = None) -> T:
        """As `query`, as a struct."""
        try:
            return take(self.query(method, parameters), kind)
        except InvalidPost as error:
            raise RetryLater(f"{self.host} gave no readable answer to {method}: {error}") from None

    def procedure(self, method: str, body: object = None, token: str | None = None) -> dict[str, Any]:
        """A call that changes something -> the JSON object, {} where it says nothing. `token` replaces the session's.

        Raises `Unconfirmed` when it may have taken effect.
        """
        sent: dict[str, Any] = {}
        if body is not None:
            sent = {"data": msgspec.json.encode(body), "headers": {"Content-Type": "application/json"}}
        response = self._call("POST", method, self._grant.access if token is None else token, **sent)
        return self._object(response, is_write=True) if response.content else {}

    def upload(self, method: str, content: bytes, kind: str) -> dict[str, Any]:
        """A call that hands over a file -> the JSON object. Raises `Unconfirmed` when it may have been taken."""
        response = self._call("POST", method, self._grant.access, data=content, headers={"Content-Type": kind})
        return self._object(response, is_write=True)

    def breath(self, wish: float) -> float:
        """Seconds until the next call of a series: `wish`, or longer where the limit of the server comes near."""
        if self._limit is None:
            return wish
        left, reset = self._limit
        seconds = (reset - dt.datetime.now(dt.UTC)).total_seconds()
        # half of what is left is kept for other work of this account and this machine
        return max(wish, seconds / max(left / 2, 1.0)) if seconds > 0 else wish

    def _call(self, verb: str, method: str, token: str, **sent: Any) -> Response:
        self._respect_limit()
        headers = dict(sent.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        response = self._session.request(verb, f"{self.server}/xrpc/{method}", headers=headers, **sent)
        self._limit = _limit_of(response.headers)
        check_answer(response, can_renew=bool(self._grant.refresh), now=dt.datetime.now(dt.UTC))
        return response

    def _respect_limit(self) -> None:
        """Raise `RetryLater` instead of making a call that the server has announced to refuse."""
        if self._limit is None or self._limit[0] > 0:
            return
        seconds = (self._limit[1] - dt.datetime.now(dt.UTC)).total_seconds()
        if seconds > 0:
            raise RetryLater(f"{self.host} takes no more calls for {seconds:.0f} seconds", seconds)

    def _object(self, response: Response, is_write: bool = False) -> dict[str, Any]:
        try:
            return read_object(response.content)
        except InvalidPost as error:
            said = f"{self.host} gave no readable answer: {error}"
            raise (Unconfirmed(said) if is_write else RetryLater(said)) from None


def check_answer(response: Response, can_renew: bool, now: dt.datetime) -> None:
    """Pass for a 2xx; raise what the answer means otherwise."""
    status = response.status_code
    if 200 <= status < 300:
        return
    error, words = _error_of(response)
    host = urlsplit(response.url).hostname
    said = f"{host} answered {status} {error}: {words}".replace(" : ", ": ")
    raise _meaning(status, error, said, response, can_renew, now)


def _meaning(status: int, error: str, said: str, response: Response, can_renew: bool, now: dt.datetime) -> NetworkError:
    after = parse_retry_after(_with_common_name(response.headers), now)
    reads = response.request.method in {"GET", "HEAD"}
    if error == "ExpiredToken" and can_renew:
        return RetryLater(f"{said}; it is renewed by itself", _RENEWED_SOON)
    if error in _TOKEN_ERRORS or status == 401:
        reason = (_TOKEN_ERRORS | _ACCOUNT_ERRORS).get(error, "the server does not accept the session")
        return SignedOut(f"{reason} ({said}). Make a new app password and connect the account again.", error)
    if status in {408, 425, 429, 503} or (status >= 500 and reads):
        return RetryLater(said, after)
    if status >= 500:
        return Unconfirmed(said)
    if 300 <= status < 400:
        return GiveUp(f"{said}; the data server seems to have moved: connect the account again")
    return Refused(said, error)


def _error_of(response: Response) -> tuple[str, str]:
    """The word and the sentence of a refusal, shortened."""
    try:
        found = read_object(response.content)
    except InvalidPost:
        found = {}
    return str(found.get("error") or "")[:60], str(found.get("message") or response.reason or "no reason given")[:300]


def _with_common_name(headers: Mapping[str, str]) -> dict[str, str]:
    """Bluesky says `RateLimit-Reset` where others say `X-RateLimit-Reset`."""
    known = {name.lower(): value for name, value in headers.items()}
    if "ratelimit-reset" in known:
        known.setdefault("x-ratelimit-reset", known["ratelimit-reset"])
    return known


def _limit_of(headers: Mapping[str, str]) -> tuple[int, dt.datetime] | None:
    left = headers.get("ratelimit-remaining", "")
    now = dt.datetime.now(dt.UTC)
    seconds = parse_retry_after({"x-ratelimit-reset": headers.get("ratelimit-reset", "")}, now)
    if not left.isdecimal() or seconds is None:
        return None
    return int(left[:9]), now + dt.timedelta(seconds=seconds)
