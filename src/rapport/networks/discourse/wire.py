"""One Discourse forum: requests with an API key, and errors typed by their cause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Response, parse_retry_after
from rapport.networks.payload import read_json, read_object, take

T = TypeVar("T")

_WHO = "/session/current.json"
_LONGEST_WAIT = 86_400.0


class Refused(GiveUp):
    """A refusal with its status, for those who can do something about it."""

    def __init__(self, message: str, status: int, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        #: the forum's word for why: "not_found", "invalid_access"
        self.kind = kind


class _Extras(msgspec.Struct):
    wait_seconds: float | None = None


class _Refusal(msgspec.Struct):
    errors: list[Any] = []
    error: str = ""
    error_type: str = ""
    extras: _Extras | None = None


class Wire:
    """The requests of one account to one forum."""

    def __init__(self, server: str, key: str, username: str, session: GuardedSession) -> None:
        self.server = server.rstrip("/")
        self.host = urlsplit(self.server).hostname or self.server
        # a name in other letters than Latin ones can stand in a header only like this
        name = quote(username, safe="-_.")
        self._headers = {"Api-Key": key, "Api-Username": name, "Accept": "application/json"}
        self._session = session

    @classmethod
    def of(cls, account: Account, session: GuardedSession) -> Wire:
        return cls(account.server, account.token, account.handle.partition("@")[0], session)

    def read(self, path: str, shape: type[T], params: Mapping[str, Any] | None = None) -> T:
        """The answer to a GET. Raises any `NetworkError` but `Unconfirmed`."""
        response = self._session.get(self.server + path, params=params, headers=self._headers)
        self._check(response, path)
        try:
            return take(read_json(response.content), shape)
        except InvalidPost as error:
            raise RetryLater(f"{self.host} gave an answer that cannot be read ({error})") from None

    def write(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a POST. An answer that cannot be read is `Unconfirmed`: it was accepted."""
        response = self._session.post(self.server + path, json=body, headers=self._headers)
        self._check(response, path)
        try:
            return read_object(response.content)
        except InvalidPost as error:
            raise Unconfirmed(f"{self.host} accepted the request and gave no readable answer ({error})") from None

    def change(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        """A POST, PUT or DELETE of which only the status counts."""
        self._check(self._session.request(method, self.server + path, json=dict(body), headers=self._headers), path)

    def send_file(self, path: str, fields: Mapping[str, str], file: tuple[str, bytes, str]) -> dict[str, Any]:
        """The answer to a form with a file (name, content, type). One that cannot be read is `Unconfirmed`."""
        response = self._session.post(
            self.server + path, data=dict(fields), files={"file": file}, headers=self._headers
        )
        self._check(response, path)
        try:
            return read_object(response.content)
        except InvalidPost as error:
            raise Unconfirmed(f"{self.host} accepted the file and gave no readable answer ({error})") from None

    def _check(self, response: Response, path: str) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        words, wait, kind = _refusal(response)
        said = f"{self.host} answered {status}: {words}"
        reads = response.request.method == "GET"
        if status in {408, 425, 429, 503} or (status >= 500 and reads):
            after = parse_retry_after(response.headers, dt.datetime.now(dt.UTC))
            known = [seconds for seconds in (after, wait) if seconds is not None]
            raise RetryLater(said, max(known) if known else None)
        if status >= 500:
            raise Unconfirmed(said)
        if status == 401 or (status == 403 and self._is_dead(path)):
            raise Reauthorise(f"{said}; the API key may be revoked or the account suspended: connect it again")
        raise Refused(said, status, kind)

    def _is_dead(self, path: str) -> bool:
        """A forum says the same to a dead key and to a key that may not see one page, in its own language.

        So the page that any living key may see decides.
        """
        if path == _WHO:
            return True
        try:
            answer = self._session.get(self.server + _WHO, headers=self._headers)
        except NetworkError:
            return False  # the next request will tell
        return answer.status_code in {401, 403, 404}


def who(wire: Wire) -> dict[str, Any]:
    """The user that the key speaks for, as the forum describes it. Raises `Reauthorise` when it is nobody."""
    try:
        found = wire.read(_WHO, dict[str, Any]).get("current_user")
    except Refused as error:
        if error.status == 404:  # what a forum says to somebody who is not signed in
            raise Reauthorise(f"{wire.host} does not know the API key or the user; connect the account again") from None
        raise
    if not isinstance(found, dict):
        raise GiveUp(f"{wire.host} does not say whose key this is; it may be no Discourse forum")
    return found


def _refusal(response: Response) -> tuple[str, float | None, str]:
    """The forum's own words, shortened, the seconds that it asks to wait, and its word for the kind of refusal."""
    try:
        found = take(read_json(response.content), _Refusal)
    except InvalidPost:
        found = _Refusal()
    words = "; ".join(each for each in found.errors if isinstance(each, str)) or found.error or response.reason
    wait = found.extras.wait_seconds if found.extras else None
    usable = wait is not None and wait >= 0
    seconds = min(wait, _LONGEST_WAIT) if wait is not None and usable else None
    return str(words or "no reason given")[:300], seconds, found.error_type
