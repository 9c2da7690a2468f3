"""One Matrix homeserver: requests of the client-server API, with errors typed by their cause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession, Response, parse_retry_after
from rapport.networks.payload import read_json, take

T = TypeVar("T")

_API = "/_matrix/client/v3"
#: codes of a refusal that mean the account or its token, where others mean this one request
_DEAD = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED", "M_USER_SUSPENDED"})


class Refusal(msgspec.Struct):
    """The standard error of Matrix."""

    errcode: str = ""
    error: str = ""
    retry_after_ms: float | None = None


class Refused(GiveUp):
    """A refusal with its code, for those who can do something about it."""

    def __init__(self, message: str, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Wire:
    """The requests of one account (or, without a token, of nobody) to one homeserver."""

    def __init__(self, server: str, token: str, session: GuardedSession) -> None:
        self.server = server.rstrip("/")
        self.host = urlsplit(self.server).hostname or self.server
        self._grant, self._session = Grant.decode(token), session

    @classmethod
    def of(cls, account: Account, session: GuardedSession) -> Wire:
        return cls(account.server, account.token, session)

    @property
    def patience(self) -> float:
        """Seconds that one exchange may take."""
        return self._session.limits.total

    def read(self, path: str, shape: type[T], params: Mapping[str, Any] | None = None) -> T:
        """The answer to a GET; `path` from behind the version. Raises any `NetworkError` but `Unconfirmed`."""
        response = self.request("GET", _API + path, params=params)
        try:
            return take(read_json(response.content), shape)
        except InvalidPost as error:
            raise RetryLater(f"{self.host} gave an answer that cannot be read ({error})") from None

    def write(self, method: str, path: str, body: Mapping[str, Any], shape: type[T]) -> T:
        """The answer to a PUT or POST. An answer that cannot be read is `Unconfirmed`: it was accepted."""
        response = self.request(method, _API + path, json=body)
        try:
            return take(read_json(response.content), shape)
        except InvalidPost as error:
            raise Unconfirmed(f"{self.host} accepted the request and gave no readable answer ({error})") from None

    def request(self, method: str, path: str, **kwargs: Any) -> Response:
        """One request. Raises a `NetworkError` for every answer but a 2xx."""
        headers = {"Authorization": f"Bearer {self._grant.access}"} if self._grant.access else {}
        headers |= kwargs.pop("headers", {})
        response = self._session.request(method, self.server + path, headers=headers, **kwargs)
        self._check(response, dt.datetime.now(dt.UTC))
        return response

    def _check(self, response: Response, now: dt.datetime) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        refusal = _refusal(response)
        said = f"{self.host} answered {status}: {refusal.error or refusal.errcode or response.reason or 'no reason'}"
        reads = response.request.method == "GET"
        if status in {408, 425, 429, 503} or (status >= 500 and reads):
            after = parse_retry_after(response.headers, now)
            if after is None and refusal.retry_after_ms is not None:
                after = min(max(refusal.retry_after_ms, 0.0) / 1000, 86_400.0)
            raise RetryLater(said, after)
        if status >= 500:
            raise Unconfirmed(said)
        if status == 401 or refusal.errcode in _DEAD:
            expires = self._grant.expires_at
            if self._grant.refresh and expires is not None and expires <= now:
                raise RetryLater(f"{said}; the token has expired and is being renewed", 10.0)
            raise Reauthorise(f"{said}; connect the account again")
        raise Refused(said, status, refusal.errcode)


def segment(identifier: str) -> str:
    """An id as one part of a path."""
    return quote(identifier, safe="")


def _refusal(response: Response) -> Refusal:
    try:
        found = msgspec.json.decode(response.content, type=Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Refusal()
    return Refusal(found.errcode[:100], found.error[:300], found.retry_after_ms)
