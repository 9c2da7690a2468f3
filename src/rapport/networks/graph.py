"""What Facebook and Instagram share: requests to Meta's Graph API, paging, proofs, and errors typed by what to do next.

Sources, as of the documentation of Graph API v24.0: "Handle Errors" (codes and subcodes), "Rate Limits" (usage
headers), "Secure Graph API Calls" (appsecret_proof), "Paginated Results", "Messenger Platform error codes".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession, Response, parse_retry_after
from rapport.networks.payload import read_object

#: where the Graph API lives
GRAPH = "https://graph.facebook.com"
VERSION = "v24.0"

#: of one pull: what lies behind them is said to be missing, rather than all that Meta allows in an hour be used
MOST_REQUESTS = 100
_SEGMENT = re.compile(r"[A-Za-z0-9_=:-]{1,400}")
_FULL = 100.0  # percent of what Meta allows within its rolling hour
_REST = 900.0  # seconds to rest when a usage header says that all is used and names no time
_LONGEST = 86_400.0  # seconds
_DEAD_TOKEN = {
    458: "the app was removed from the account",
    459: "the person who connected it must sign in on Facebook and confirm who they are",
    460: "the person who connected it changed their password",
    463: "the token has expired",
    464: "the person who connected it must confirm their account on Facebook",
    467: "the token was withdrawn",
    492: "the person who connected it has no role on the page any more",
}
_LIMITED = {4, 17, 32, 341, 613, *range(80_000, 80_015)}
_DOUBTFUL = {1, 2}
#: a repeat of a comment that is there already: maybe the one that we are sending
_DUPLICATE = 506
_BLOCKED = 368
_NO_OBJECT = (100, 33)
#: (code, subcode) of a message outside the time in which Meta lets pages answer
_CLOSED_WINDOW = {(10, 2018278), (10, 2534022), (100, 2534022)}
#: the words of a message that came too late, here and where we see it before Meta does
WINDOW_CLOSED = (
    "Meta lets a page answer a message only within 24 hours after the person's last word, or 7 days with the human "
    "agent tag. Answer where they wrote in public, or wait until they write again"
)


class NoObject(GiveUp):
    """Meta shows no object of that id: it was deleted, never was, or a right is missing. It does not say which."""


class Usage(msgspec.Struct, frozen=True):
    """How much of an allowance the usage headers of an answer say is used."""

    #: the fullest of all counters
    percent: float = 0.0
    #: until access comes back, None where Meta names no time
    seconds: float | None = None


class Graph:
    """The requests of one token to the Graph API. One object lives as long as one pull or push."""

    def __init__(self, server: str, token: str, secret: str, session: GuardedSession) -> None:
        self.server = server.rstrip("/")
        self._token, self._secret, self._session = token, secret, session
        self._rest: float | None = None
        #: requests so far; whoever reads deeper and deeper stops at `MOST_REQUESTS`
        self.asked = 0

    @classmethod
    def of(cls, account: Account, session: GuardedSession) -> Graph:
        """The wire of a connected account; `Account.token` is a `Grant` with the app's secret in `more`."""
        grant = Grant.decode(account.token)
        return cls(account.server, grant.access, grant.more.get("app_secret", ""), session)

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object that answers a GET. Raises any `NetworkError` but `Unconfirmed`."""
        if self._rest is not None:
            raise RetryLater("all that Meta allows within an hour is used", self._rest)
        response = self._ask("GET", path, params=self._proved(params or {}))
        try:
            return read_object(response.content)
        except InvalidPost as error:
            raise RetryLater(f"Meta gave no readable answer: {error}") from None

    def write(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that answers a POST. Raises any `NetworkError`."""
        response = self._ask("POST", path, data=self._proved(form))
        try:
            return read_object(response.content)
        except InvalidPost as error:
            raise Unconfirmed(f"Meta accepted it and answered in a way that could not be read: {error}") from None

    def delete(self, path: str) -> None:
        """Take an object away. Raises any `NetworkError`; `NoObject` where Meta shows none."""
        self._ask("DELETE", path, params=self._proved({}))

    def pages(self, path: str, params: Mapping[str, Any], most: int) -> Iterator[tuple[list[Any], bool]]:
        """The `data` of one page after the other, `most` at most, each with whether there is more behind it.

        Goes on by the cursor and never by the `next` address of the answer, which holds the token.
        """
        after = ""
        for _ in range(most):
            answer = self.read(path, {**params, **({"after": after} if after else {})})
            items, after = split(answer)
            yield items, bool(after)
            if not after:
                return

    def _ask(self, method: str, path: str, **kwargs: Any) -> Response:
        self.asked += 1
        url = f"{self.server}/{VERSION}/{path.lstrip('/')}"
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        response = self._session.request(method, url, headers=headers, **kwargs)
        usage = read_usage(response.headers)
        try:
            check_answer(response, dt.datetime.now(dt.UTC))
        except NetworkError:
            response.close()
            raise
        if usage.percent >= _FULL:
            self._rest = _REST if usage.seconds is None else usage.seconds
        return response

    def _proved(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters and the proof that whoever holds the token also holds the app's secret."""
        if not (self._secret and self._token):
            return dict(params)
        proof = hmac.new(self._secret.encode(), self._token.encode(), hashlib.sha256).hexdigest()
        return {**params, "appsecret_proof": proof}


def segment(identifier: str) -> str:
    """An id as one part of a path. Raises `GiveUp` for what can be none: it would lead somewhere else."""
    if not _SEGMENT.fullmatch(identifier):
        raise GiveUp(f"{identifier[:40]!r} is no id of Meta's")
    return identifier


def split(answer: object) -> tuple[list[Any], str]:
    """A list as the Graph API gives it, at the top or expanded inside an object -> its items and the cursor behind.

    The cursor is "" on the last page. Anything that is no such list counts as empty.
    """
    if not isinstance(answer, dict):
        return [], ""
    found = answer.get("data")
    paging = answer.get("paging")
    after = ""
    if isinstance(paging, dict) and paging.get("next") and isinstance(paging.get("cursors"), dict):
        after = str(paging["cursors"].get("after") or "")
    return (found if isinstance(found, list) else []), after


def read_usage(headers: Mapping[str, str]) -> Usage:
    """What X-App-Usage, X-Page-Usage and X-Business-Use-Case-Usage say. Never raises."""
    known = {name.lower(): value for name, value in headers.items()}
    percents, minutes = [0.0], [0.0]
    for name in ("x-app-usage", "x-page-usage", "x-business-use-case-usage"):
        try:
            told = msgspec.json.decode(known.get(name, "{}"))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        for counters in _counters(told):
            percents += [_number(counters.get(key)) for key in ("call_count", "total_time", "total_cputime")]
            minutes.append(_number(counters.get("estimated_time_to_regain_access")))
    seconds = max(minutes) * 60
    return Usage(max(percents), min(seconds, _LONGEST) if seconds > 0 else None)


def _counters(told: object) -> Iterator[dict[str, Any]]:
    """The objects with counters: the header itself, or in lists by the id of the business."""
    if isinstance(told, dict):
        if "call_count" in told:
            yield told
        for value in told.values():
            if isinstance(value, list):
                yield from (entry for entry in value if isinstance(entry, dict))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 10**9 else 0.0


def check_answer(response: Response, now: dt.datetime) -> None:
    """Pass for a 2xx without an error object; raise what it means otherwise."""
    status = response.status_code
    error = _error_of(response)
    if 200 <= status < 300 and not error:
        return
    reads = response.request.method in {"GET", "HEAD"}
    usage = read_usage(response.headers)
    after = usage.seconds if usage.seconds is not None else parse_retry_after(response.headers, now)
    if not error:
        raise _without_words(status, reads, after, response.reason or "")
    raise cause(error, reads, after)


def cause(error: Mapping[str, Any], reads: bool, after: float | None = None) -> NetworkError:
    """The `error` object of the Graph API -> what to do next. `after` is from the headers of the answer."""
    code, subcode = int(_number(error.get("code"))), int(_number(error.get("error_subcode")))
    words = str(error.get("error_user_msg") or error.get("message") or "no reason given")[:300]
    said = f"Meta answered with error {code}{f'/{subcode}' if subcode else ''}: {words}"
    kind: type[NetworkError] = GiveUp
    if (code, subcode) in _CLOSED_WINDOW:
        said = f"{WINDOW_CLOSED}. ({said})"
    elif code in {102, 190}:
        why = _DEAD_TOKEN.get(subcode, "the token is not accepted any more")
        kind, said = Reauthorise, f"Facebook access has ended: {why}. Connect the account again. ({said})"
    elif code in _LIMITED:
        kind = RetryLater
    elif code in _DOUBTFUL or error.get("is_transient") is True:
        kind = RetryLater if reads else Unconfirmed
    elif code == _DUPLICATE:
        kind, said = Unconfirmed, f"{said}: it may be the very same reply"
    elif code == 10 or 200 <= code <= 299:
        said = (
            f"{said}. A right is missing: see that the app has it with advanced access, that you have the role on the "
            f"page, and connect again and allow all that is asked"
        )
    elif (code, subcode) == _NO_OBJECT:
        kind = NoObject
    elif code == _BLOCKED:
        said = f"{said}. Meta has blocked this for a while: look at the page's support inbox before you go on"
    return RetryLater(said, after) if kind is RetryLater else kind(said)


def _without_words(status: int, reads: bool, after: float | None, reason: str) -> NetworkError:
    said = f"Meta answered {status}: {reason or 'no reason given'}"[:300]
    if status == 429:
        return RetryLater(said, after)
    if status >= 500:
        return RetryLater(said, after) if reads else Unconfirmed(said)
    return Reauthorise(said) if status == 401 else GiveUp(said)


def _error_of(response: Response) -> dict[str, Any]:
    """The error object of an answer, {} where it has none."""
    try:
        found = read_object(response.content).get("error")
    except InvalidPost:
        return {}
    return found if isinstance(found, dict) else {}
