"""Requests to API v2, with errors typed by their cause.

X answers a refusal with problem details (RFC 9457: type, title, detail) or, for authorisation, with the error object of
OAuth. Limits are told for each endpoint by `x-rate-limit-*` and for a day by `x-user-limit-24hour-*` and
`x-app-limit-24hour-*`; all three name the second since 1970 at which the count begins anew.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import msgspec

from rapport.core.errors import AccessEnded, GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession, Response, parse_retry_after

SERVER = "https://api.x.com"
_LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
_LIMIT_WAIT = 60.0  # seconds; a refusal that names no time: the documented first wait
_MONEY_WAIT = 3_600.0  # seconds; credits are bought by a person
_LONGEST_WAIT = 86_400.0
#: words of a 403 -> what it means and what to do; the first row that fits counts
_FORBIDDEN: tuple[tuple[tuple[str, ...], type[NetworkError], str], ...] = (
    (
        ("your account is suspended",),
        AccessEnded,
        "Sign in to X with this account, see what X wants, then connect it again.",
    ),
    (
        ("temporarily locked", "account is locked"),
        Reauthorise,
        "Sign in to X with this account, see what X wants, then connect it again.",
    ),
    (
        ("mentioned or otherwise engaged", "reply to this conversation is not allowed", "not allowed to reply"),
        GiveUp,
        "X lets programs answer only those who mentioned or quoted us: open the post on X and answer there.",
    ),
    (
        ("duplicate",),
        GiveUp,
        "This account has posted the same text a short while ago: change the wording.",
    ),
    (
        ("oauth1-permissions", "unsupported-authentication", "not permitted by your scopes", "missing scope"),
        Reauthorise,
        "The access lacks a right; connect the account again and allow all that is asked for.",
    ),
    (
        ("client-forbidden", "client-not-enrolled", "official-client-forbidden"),
        GiveUp,
        "The plan of the application does not include this; look at it in X's console.",
    ),
    (("protected",), GiveUp, "The person shows their posts to followers only."),
)


class Limited(RetryLater):
    """The limit of an endpoint is used up (429)."""


class Refused(RetryLater):
    """X answered, and could not serve (5xx, 402)."""


class NotThere(GiveUp):
    """What was asked for is not there (404)."""


def app_token_of(account: Account) -> str:
    """The token by which the application speaks for itself, "" where none was given."""
    return Grant.decode(account.token).more.get("app_token", "")


class Problem(msgspec.Struct):
    """A refusal, of a whole request or of a part of an answer."""

    type: str | None = None
    title: str | None = None
    detail: str | None = None
    error: str | None = None
    error_description: str | None = None
    message: str | None = None
    reason: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    parameter: str | None = None
    value: Any = None
    errors: list[dict[str, Any]] | None = None

    def words(self) -> str:
        """What X says, shortened."""
        inner = next((str(each.get("message") or each.get("detail") or "") for each in self.errors or ()), "")
        told = self.detail or self.error_description or self.message or inner or self.title or self.error
        return (told or "no reason given")[:300]

    @property
    def kind(self) -> str:
        """The last word of its type: "usage-capped"."""
        return (self.type or "").rpartition("/")[2]


class Wire:
    """The requests of one account."""

    def __init__(self, server: str, session: GuardedSession, token: str = "", app_token: str = "") -> None:
        self.server = server.rstrip("/")
        self._session, self._token, self._app_token = session, token, app_token

    @classmethod
    def of(cls, account: Account, session: GuardedSession) -> Wire:
        grant = Grant.decode(account.token)
        return cls(account.server, session, grant.access, grant.more.get("app_token", ""))

    @property
    def has_app_token(self) -> bool:
        """Whether the endpoints that speak for the application (streams) can be called."""
        return bool(self._app_token)

    def read(self, path: str, params: Mapping[str, Any], *, as_app: bool = False) -> Response:
        """A GET. Raises any `NetworkError` but `Unconfirmed`."""
        return self._request("GET", path, self._app_token if as_app else self._token, params=_flat(params))

    def write(self, path: str, body: Any, *, as_app: bool = False) -> bytes:
        """A POST of JSON -> the body of the answer."""
        headers = {"Content-Type": "application/json"}
        token = self._app_token if as_app else self._token
        return self._request("POST", path, token, data=msgspec.json.encode(body), headers=headers).content

    def start(self, path: str) -> bytes:
        """A POST without a body, where X describes none -> the body of the answer."""
        return self._request("POST", path, self._token).content

    def send_file(self, path: str, fields: Mapping[str, str], file: tuple[str, bytes, str]) -> bytes:
        """A form with a file (name, content, type), whose field is called `media` -> the body of the answer."""
        return self._request("POST", path, self._token, data=dict(fields), files={"media": file}).content

    def delete(self, path: str) -> None:
        """A DELETE. Raises `NotThere` for what is gone."""
        self._request("DELETE", path, self._token)

    def open_stream(self, path: str, params: Mapping[str, Any], silence: float) -> Response:
        """A stream of the application, to be read with `read_lines`; broken off after `silence` seconds of nothing."""
        headers = {"Accept-Encoding": "identity"}
        kwargs: dict[str, Any] = {
            "params": _flat(params),
            "headers": headers,
            "stream": True,
            "timeout": (10.0, silence),
        }
        return self._request("GET", path, self._app_token, **kwargs)

    def submit(self, path: str, form: Mapping[str, str], client_id: str, client_secret: str) -> dict[str, Any]:
        """A form for the token endpoint -> the JSON object that answers it. Refusals are `Reauthorise`."""
        headers = {}
        if client_secret:
            pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        response = self._session.request("POST", self.server + path, data=dict(form), headers=headers)
        if response.status_code in {400, 401, 403}:
            raise Reauthorise(f"X did not accept it ({_problem(response).words()}). Connect the account again.")
        check_answer(response, dt.datetime.now(dt.UTC))
        try:
            return msgspec.json.decode(response.content, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise GiveUp("X gave an answer to the sign-in that cannot be read") from None

    def _request(self, method: str, path: str, token: str, **kwargs: Any) -> Response:
        headers = {"Authorization": f"Bearer {token}", **kwargs.pop("headers", {})}
        response = self._session.request(method, self.server + path, headers=headers, **kwargs)
        try:
            check_answer(response, dt.datetime.now(dt.UTC))
        except NetworkError as error:
            response.close()
            if response.status_code == 401 and token == self._token:
                raise AccessEnded(str(error)) from None
            raise
        return response


def check_answer(response: Response, now: dt.datetime) -> None:
    """Pass for a 2xx; raise what the status means otherwise. `now` is for headers that name a moment."""
    status = response.status_code
    if 200 <= status < 300:
        return
    problem = _problem(response)
    said = f"X answered {status}: {problem.words()}"
    if status == 429 or problem.kind == "usage-capped":
        raise Limited(said, _MONEY_WAIT if problem.kind == "usage-capped" else _limit_wait(response.headers, now))
    if status == 402:
        raise Refused(f"{said} The credits of the application are used up; buy more in X's console.", _MONEY_WAIT)
    if status >= 500 or status == 408:
        if response.request.method in {"GET", "HEAD"}:
            raise Refused(said, parse_retry_after(response.headers, now))
        raise Unconfirmed(said)  # X has no key by which a second try would be the same one
    if status == 401:
        raise Reauthorise(f"{said}. The access was withdrawn or has run out; connect the account again.")
    if status == 403:
        raise _forbidden(problem, said)
    if 300 <= status < 400:
        raise GiveUp(f"{said}; X's API seems to have moved")
    if status == 404:
        raise NotThere(f"{said}. It was deleted, or the account may not see it.")
    raise GiveUp(said)


def rest_of_limit(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Seconds until the endpoint may be asked again; None while it still may."""
    for limit in _LIMITS:
        if _number(headers, f"{limit}-remaining") == 0:
            reset = _number(headers, f"{limit}-reset")
            return _LIMIT_WAIT if reset is None else _until(reset, headers, now)
    return None


def server_clock(headers: Mapping[str, str], now: dt.datetime) -> dt.datetime:
    """X's own time where it tells it, else ours."""
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return now
    return told if told.tzinfo else told.replace(tzinfo=dt.UTC)


def _forbidden(problem: Problem, said: str) -> NetworkError:
    words = f"{problem.words()} {problem.reason or ''} {problem.kind}".lower()
    for told, error, remedy in _FORBIDDEN:
        if any(word in words for word in told):
            return error(f"{said} {remedy}")
    return GiveUp(said)


def _limit_wait(headers: Mapping[str, str], now: dt.datetime) -> float:
    after = parse_retry_after({name: headers[name] for name in headers if name.lower() in {"retry-after", "date"}}, now)
    if after is not None:
        return after
    rest = rest_of_limit(headers, now)
    if rest is not None:
        return rest
    reset = _number(headers, "x-rate-limit-reset")
    return _LIMIT_WAIT if reset is None else _until(reset, headers, now)


def _until(reset: int, headers: Mapping[str, str], now: dt.datetime) -> float:
    """From the server's own clock where it tells it, at least a second, at most a day."""
    stamped = {"x-ratelimit-reset": str(reset), "date": headers.get("date", "")}
    wait = parse_retry_after(stamped, now)
    return min(max(_LIMIT_WAIT if wait is None else wait, 1.0), _LONGEST_WAIT)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def _problem(response: Response) -> Problem:
    try:
        return msgspec.json.decode(response.content, type=Problem, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Problem(detail=response.reason or None)


def _flat(params: Mapping[str, Any]) -> dict[str, Any]:
    """Lists as X wants them: one parameter, separated by commas."""
    return {name: ",".join(value) if isinstance(value, list | tuple) else value for name, value in params.items()}
