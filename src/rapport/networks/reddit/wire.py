"""Requests to Reddit's OAuth API, with errors typed by their cause.

Reddit drops clients with a plain user agent, so each request names the application and the account behind it. Its
limits come as `x-ratelimit-remaining` (a float) and `x-ratelimit-reset` (seconds to wait, not a moment).
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from rapport import __version__
from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession, Response, parse_retry_after

SERVER = "https://oauth.reddit.com"
_LIMIT_WAIT = 60.0  # seconds; a refusal that names no time
_LONGEST_WAIT = 86_400.0
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
#: "you are doing that too much. try again in 9 minutes."
_TOO_MUCH = re.compile(r"(\d{1,4}) (millisecond|second|minute|hour)s?")
_SECONDS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0}
#: errors of /api/comment and /api/compose that are the account's, not the text's
_ACCOUNT = {"USER_REQUIRED", "WRONG_PASSWORD", "ACCOUNT_SUSPENDED", "UNVERIFIED"}
_REMEDIES = {
    "THREAD_LOCKED": "The thread is locked: nobody can answer there any more.",
    "TOO_OLD": "The post is archived: nobody can answer there any more.",
    "DELETED_COMMENT": "The comment was deleted.",
    "DELETED_LINK": "The post was deleted.",
    "NO_TEXT": "The text is empty.",
    "TOO_LONG": "The text is too long for Reddit: shorten it.",
    "SUBREDDIT_BANNED": "The account is banned from this subreddit.",
    "USER_BLOCKED": "This person has blocked the account.",
    "USER_BLOCKED_MESSAGE": "This person has blocked the account.",
    "NOT_WHITELISTED_BY_USER_MESSAGE": "This person takes private messages only from people they chose.",
    "SOMETHING_IS_BROKEN_TRY_AGAIN": "Reddit could not take it.",
}


class _Told(msgspec.Struct):
    message: Any = None
    error: Any = None
    reason: str | None = None
    explanation: str | None = None


def user_agent(account: str) -> str:
    """As Reddit's rules ask for it: platform, application, version, and whom to write to."""
    return f"server:rapport-desk:{__version__} (by /u/{_NOT_A_NAME.sub('', account)[:40] or 'unknown'})"


class Wire:
    """The requests of one account; `sign_in` is the server of the token endpoint."""

    def __init__(self, server: str, session: GuardedSession, token: str = "", account: str = "") -> None:
        self.server = server.rstrip("/")
        self._session, self._token, self._account = session, token, account

    @classmethod
    def of(cls, account: Account, session: GuardedSession) -> Wire:
        return cls(account.server, session, Grant.decode(account.token).access, account.handle)

    def read(self, path: str, params: Mapping[str, Any]) -> Response:
        """A GET of JSON, with the text unescaped (`raw_json`). Raises any `NetworkError` but `Unconfirmed`."""
        return self._request("GET", self.server + path, params={"raw_json": 1, **params})

    def write(self, path: str, form: Mapping[str, str]) -> bytes:
        """A form -> the body of the answer. Raises for errors that Reddit reports within a 200, too."""
        body = self._request("POST", self.server + path, data={"api_type": "json", "raw_json": "1", **form}).content
        _check_errors(body)
        return body

    def submit(self, url: str, form: Mapping[str, str], client_id: str, client_secret: str) -> dict[str, Any]:
        """A form for the token endpoint -> the JSON object that answers it. Refusals are `Reauthorise`."""
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "User-Agent": user_agent(self._account)}
        response = self._session.request("POST", url, data=dict(form), headers=headers)
        try:
            told = msgspec.json.decode(response.content, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            told = {}
        if response.status_code in {400, 401, 403} or (response.status_code == 200 and told.get("error")):
            reason = told.get("error") or told.get("message") or response.reason
            raise Reauthorise(f"Reddit did not accept it ({str(reason)[:200]}). Connect the account again.")
        check_answer(response, dt.datetime.now(dt.UTC))
        return told

    def _request(self, method: str, url: str, **kwargs: Any) -> Response:
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": user_agent(self._account)}
        response = self._session.request(method, url, headers=headers, **kwargs)
        try:
            check_answer(response, dt.datetime.now(dt.UTC))
        except NetworkError:
            response.close()
            raise
        return response


def check_answer(response: Response, now: dt.datetime) -> None:
    """Pass for a 2xx; raise what the status means otherwise."""
    status = response.status_code
    if 200 <= status < 300:
        return
    words = _words(response)
    said = f"Reddit answered {status}: {words}"
    if status == 429:
        raise RetryLater(said, _limit_wait(response.headers, now))
    if status >= 500 or status == 408:
        if response.request.method in {"GET", "HEAD"}:
            raise RetryLater(said, parse_retry_after(response.headers, now))
        raise Unconfirmed(said)  # Reddit has no key by which a second try would be the same one
    if status == 401:
        raise Reauthorise(f"{said}. The access was withdrawn or has run out; connect the account again.")
    if status == 403 and ("scope" in words.lower() or "suspended" in words.lower()):
        raise Reauthorise(
            f"{said}. Look at the account on Reddit, then connect it again and allow all that is asked for."
        )
    if status == 403:
        raise GiveUp(f"{said}. The subreddit is private, quarantined, or has banned the account.")
    if status == 404:
        raise GiveUp(f"{said}. It does not exist, or was banned.")
    raise GiveUp(said)


def rest_of_limit(headers: Mapping[str, str]) -> float | None:
    """Seconds until Reddit may be asked again; None while it still may."""
    remaining, reset = _number(headers, "x-ratelimit-remaining"), _number(headers, "x-ratelimit-reset")
    if remaining is None or remaining >= 1:
        return None
    return _LIMIT_WAIT if reset is None else min(max(reset, 1.0), _LONGEST_WAIT)


def _limit_wait(headers: Mapping[str, str], now: dt.datetime) -> float:
    named = {name: headers[name] for name in headers if name.lower() in {"retry-after", "date"}}
    after = parse_retry_after(named, now)
    if after is not None:
        return after
    reset = _number(headers, "x-ratelimit-reset")
    return _LIMIT_WAIT if reset is None else min(max(reset, 1.0), _LONGEST_WAIT)


def _check_errors(body: bytes) -> None:
    """A write that Reddit refuses is a 200 with {"json": {"errors": [[code, words, field], ...]}}."""
    try:
        told = msgspec.json.decode(body, type=dict[str, Any]).get("json")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Unconfirmed("Reddit accepted it and answered in a way that could not be read") from None
    errors = told.get("errors") if isinstance(told, dict) else None
    if not isinstance(errors, list) or not errors:
        return
    first = errors[0] if isinstance(errors[0], list) else [errors[0]]
    code, words = str(first[0])[:100], str(first[1])[:300] if len(first) > 1 else ""
    said = f"Reddit answered {code}: {words}"
    if code == "RATELIMIT":
        told_wait = told.get("ratelimit") if isinstance(told, dict) else None
        raise RetryLater(said, _too_much(words, told_wait))
    if code in _ACCOUNT:
        raise Reauthorise(f"{said} Look at the account on Reddit, then connect it again.")
    raise GiveUp(f"{said} {_REMEDIES.get(code, '')}".strip())


def _too_much(words: str, told: Any) -> float:
    if isinstance(told, int | float) and 0 <= told <= _LONGEST_WAIT:
        return float(told)
    match = _TOO_MUCH.search(words)
    return min(int(match[1]) * _SECONDS[match[2]], _LONGEST_WAIT) if match else 600.0


def _number(headers: Mapping[str, str], name: str) -> float | None:
    value = headers.get(name, "")
    return float(value) if re.fullmatch(r"\d{1,10}(\.\d{1,6})?", value) else None


def _words(response: Response) -> str:
    try:
        told = msgspec.json.decode(response.content, type=_Told)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        told = _Told()
    words = told.explanation or told.reason or told.message or told.error or response.reason or "no reason given"
    return str(words)[:300]
