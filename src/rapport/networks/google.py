"""What YouTube and Google Business share: Google's OAuth, requests with its bearer tokens, and its error bodies.

Sources: "Using OAuth 2.0 for Web Server Applications" (offline access, PKCE, refresh), "YouTube Data API: Errors"
(reasons, quota that returns at midnight Pacific time), "Google API design guide: Errors" (status and details).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Field, Grant, Handshake, Step
from rapport.networks.http import GuardedSession, Response, parse_retry_after
from rapport.networks.payload import read_json, read_object, take

_SIGN_IN = "https://accounts.google.com/o/oauth2/v2/auth"
_TOKENS = "https://oauth2.googleapis.com/token"
_CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{5,200}\.apps\.googleusercontent\.com")
_SECRET = re.compile(r"[\x21-\x7e]{10,200}")
_PACIFIC = ZoneInfo("America/Los_Angeles")
_ONE_HOUR = 3600
_RENEWING = 30.0  # seconds in which an expired token is renewed
_DAILY = {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"}
_PACED = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"}
_SCOPE = {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
_SWITCHED_OFF = {"accessNotConfigured", "SERVICE_DISABLED"}

CLIENT_FIELDS = (
    Field(name="client_id", label="Client ID", help="Of an OAuth client of the type Web application."),
    Field(name="client_secret", label="Client secret", kind="secret", help="From the same page as the client id."),
)


def client_steps(api: str, library: str, network: str) -> tuple[Step, ...]:
    """The steps for a Google API: its name, its page in the console, and the word in our callback address."""
    return (
        Step("Make a project in the Google Cloud console.", "https://console.cloud.google.com/projectcreate"),
        Step(f"Turn on the {api} for it.", library),
        Step(
            "Set up the OAuth consent screen and publish it: in the state Testing every sign-in ends after 7 days.",
            "https://console.cloud.google.com/auth/overview",
        ),
        Step(
            "Make an OAuth client of the type Web application, and copy its id and secret into this form. Its "
            f"authorised redirect URI is the address of your desk, followed by /connect/{network}/callback/.",
            "https://console.cloud.google.com/auth/clients",
        ),
    )


class Missing(GiveUp):
    """What was asked for is not there (404, 410): deleted, or never there."""


class Google:
    """The requests of one account to the APIs of Google; a `server` that is not Google's stands in for all of them."""

    def __init__(self, server: str, grant: Grant, session: GuardedSession, now: dt.datetime) -> None:
        self._server, self._grant, self._session, self._now = server.rstrip("/"), grant, session, now

    @classmethod
    def of(cls, account: Account, session: GuardedSession, now: dt.datetime) -> Google:
        """The wire of a connected account; `Account.token` is a `Grant`."""
        return cls(account.server, Grant.decode(account.token), session, now)

    def read(self, url: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object that answers a GET. Raises any `NetworkError` but `Unconfirmed`."""
        return self.read_if_changed(url, params, "")[0] or {}

    def read_if_changed(
        self, url: str, params: Mapping[str, Any] | None, etag: str
    ) -> tuple[dict[str, Any] | None, str]:
        """As `read`, with the answer's etag; (None, etag) when it is still the one of `etag`."""
        headers = {"If-None-Match": etag} if etag else {}
        response = self._ask("GET", url, params=params, headers=headers)
        told = response.headers.get("ETag", "")[:200]
        if response.status_code == 304:
            return None, told or etag
        try:
            return read_object(response.content), told
        except InvalidPost as error:
            raise RetryLater(f"Google gave no readable answer: {error}") from None

    def write(self, method: str, url: str, params: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that answers a POST or PUT of JSON. Raises any `NetworkError`."""
        response = self._ask(method, url, params=params, json=body, headers={})
        try:
            return read_object(response.content)
        except InvalidPost as error:
            raise Unconfirmed(f"Google accepted it and answered in a way that could not be read: {error}") from None

    def delete(self, url: str, params: Mapping[str, Any]) -> None:
        """Take something away; what is answered does not matter. Raises any `NetworkError`."""
        self._ask("DELETE", url, params=params, headers={})

    def _ask(self, method: str, url: str, headers: dict[str, str], **kwargs: Any) -> Response:
        headers["Authorization"] = f"Bearer {self._grant.access}"
        response = self._session.request(method, place(self._server, url), headers=headers, **kwargs)
        if 200 <= response.status_code < 300 or (response.status_code == 304 and method == "GET"):
            return response
        expires = self._grant.expires_at
        expired = expires is not None and expires <= self._now
        error = cause(response, self._now)
        response.close()
        if isinstance(error, Reauthorise) and response.status_code == 401 and expired and self._grant.refresh:
            raise RetryLater("the access has run out and is being renewed", _RENEWING)
        raise error


def place(server: str, url: str) -> str:
    """A URL of Google's, moved to the server that stands in for Google where one does."""
    if server.endswith(".googleapis.com"):
        return url
    return f"{server}/{url.split('/', 3)[3]}"


def until_midnight(now: dt.datetime) -> float:
    """Seconds until the day ends in Pacific time, where quotas of a day return. `now` is aware."""
    local = now.astimezone(_PACIFIC)
    tomorrow = (local + dt.timedelta(days=1)).date()
    midnight = dt.datetime.combine(tomorrow, dt.time(), _PACIFIC)
    return (midnight.astimezone(dt.UTC) - now).total_seconds()


def pacific_day(now: dt.datetime) -> str:
    """The day in Pacific time, as ISO text."""
    return now.astimezone(_PACIFIC).date().isoformat()


def cause(response: Response, now: dt.datetime) -> NetworkError:
    """A refusal of Google's -> what to do next."""
    status = response.status_code
    words, reasons, zero = _told(response)
    said = f"Google answered {status}{f' {min(reasons)}' if reasons else ''}: {words}"
    after = parse_retry_after(response.headers, now)
    reads = response.request.method in {"GET", "HEAD"}
    kind: type[NetworkError] = GiveUp
    if reasons & _DAILY:
        kind, said = RetryLater, f"{said}. The quota of the day is used up; it returns at midnight Pacific time"
        after = until_midnight(now)
    elif zero:
        said = f"{said}. Google has granted this project no calls yet: ask for access to the API first"
    elif status == 429 or reasons & _PACED:
        kind = RetryLater
    elif status == 401 or reasons & _SCOPE:
        kind, said = Reauthorise, f"{said}. Connect the account again and allow all that is asked"
    elif reasons & _SWITCHED_OFF:
        said = f"{said}. Turn the API on for the project in the Google Cloud console"
    elif status in {404, 410}:
        kind = Missing
    elif status >= 500 or status in {408, 409}:
        kind = RetryLater if reads else Unconfirmed
    return RetryLater(said, after) if kind is RetryLater else kind(said)


def _told(response: Response) -> tuple[str, set[str], bool]:
    """The words, the machine-readable reasons, and whether the quota that was passed is one of zero."""
    try:
        found = read_json(response.content)
    except InvalidPost:
        found = None
    error = found.get("error") if isinstance(found, dict) else None
    if isinstance(error, str):  # of the token endpoint
        words = found.get("error_description") if isinstance(found, dict) else None
        return str(words or error)[:300], {error}, False
    if not isinstance(error, dict):
        return str(response.reason or "no reason given")[:300], set(), False
    details = [entry for entry in _list(error.get("details")) if isinstance(entry, dict)]
    entries = [entry for entry in _list(error.get("errors")) if isinstance(entry, dict)] + details
    reasons = {str(entry["reason"])[:60] for entry in entries if entry.get("reason")}
    metadata = [entry["metadata"] for entry in details if isinstance(entry.get("metadata"), dict)]
    zero = any(str(each.get("quota_limit_value")) == "0" for each in metadata)
    return str(error.get("message") or response.reason or "no reason given")[:300], reasons, zero


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


# ---------------------------------------------------------------- OAuth


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int | None = None
    refresh_token: str | None = None
    scope: str | None = None


def begin(
    fields: Mapping[str, str], redirect_uri: str, state: str, scopes: Mapping[str, str], session: GuardedSession
) -> Handshake:
    """See `Network.authorize_url`. Asks for lasting access; `scopes` are the rights, each with its reason."""
    client_id, secret = fields.get("client_id", "").strip(), fields.get("client_secret", "").strip()
    if not _CLIENT_ID.fullmatch(client_id):
        raise InvalidInput("The client id ends with .apps.googleusercontent.com; copy it from the Clients page.")
    if not _SECRET.fullmatch(secret):
        raise InvalidInput("The client secret has at least ten characters and no blanks; copy it from the same page.")
    named = fields.get("server", "").rstrip("/")
    server = named if named and session.is_allowed(named) else ""
    verifier = secrets.token_urlsafe(48)
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(scopes),
        "access_type": "offline",
        "prompt": "consent",  # without it Google gives what renews the access only the first time
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    kept = {
        "server": server,
        "client_id": client_id,
        "client_secret": secret,
        "redirect_uri": redirect_uri,
        "verifier": verifier,
    }
    sign_in = place(server, _SIGN_IN) if server else _SIGN_IN
    return Handshake(f"{sign_in}?{urlencode(query)}", kept)


def trade_code(
    kept: Mapping[str, str], code: str, scopes: Mapping[str, str], session: GuardedSession, now: dt.datetime
) -> Grant:
    """The code that came back -> a grant with what renews it. Raises `Reauthorise` when something is missing."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": kept["redirect_uri"],
        "code_verifier": kept["verifier"],
    }
    token = _ask_token(kept["server"], kept["client_id"], kept["client_secret"], form, session, now)
    given = set((token.scope or "").split())
    missing = [f"{scope} ({reason})" for scope, reason in scopes.items() if given and scope not in given]
    if missing:
        raise Reauthorise(f"These rights were not granted: {'; '.join(missing)}. Connect again and tick all of them.")
    if not token.refresh_token:
        raise Reauthorise(
            "Google gave no lasting access. Remove this app at https://myaccount.google.com/connections and connect "
            "again."
        )
    more = {"client_id": kept["client_id"], "client_secret": kept["client_secret"]}
    return Grant(token.access_token, token.refresh_token, _expiry(token, now), more)


def renew(account: Account, session: GuardedSession, now: dt.datetime) -> tuple[str, dt.datetime | None]:
    """See `Network.renew`. What renews the access stays the same unless Google gives a new one."""
    old = Grant.decode(account.token)
    if not old.refresh:
        raise Reauthorise("This account was connected without what renews its access. Connect it again.")
    form = {"grant_type": "refresh_token", "refresh_token": old.refresh}
    try:
        token = _ask_token(
            account.server, old.more.get("client_id", ""), old.more.get("client_secret", ""), form, session, now
        )
    except Unconfirmed as error:
        raise RetryLater(str(error)) from error  # asking twice does no harm
    grant = Grant(token.access_token, token.refresh_token or old.refresh, _expiry(token, now), old.more)
    return grant.encode(), grant.expires_at


def _expiry(token: _Token, now: dt.datetime) -> dt.datetime:
    seconds = token.expires_in if token.expires_in and 0 < token.expires_in < 10**8 else _ONE_HOUR
    return now + dt.timedelta(seconds=seconds)


def _ask_token(
    server: str, client_id: str, client_secret: str, form: Mapping[str, str], session: GuardedSession, now: dt.datetime
) -> _Token:
    url = place(server, _TOKENS) if server else _TOKENS
    body = {**form, "client_id": client_id, "client_secret": client_secret}
    response = session.request("POST", url, data=body)
    if response.status_code >= 300:
        error, reasons = cause(response, now), _told(response)[1]
        if "invalid_grant" in reasons:
            raise Reauthorise(f"Google does not accept the access any more: {_told(response)[0]}. Connect it again.")
        if reasons & {"invalid_client", "unauthorized_client"}:
            raise Reauthorise(f"Google does not know the client id and secret: {_told(response)[0]}. Connect it again.")
        raise RetryLater(str(error)) if isinstance(error, Unconfirmed) else error
    try:
        return take(read_object(response.content), _Token)
    except InvalidPost as error:
        raise GiveUp(f"Google's answer has no usable token: {error}") from None
