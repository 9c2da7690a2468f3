"""One Mastodon server: reading JSON from it, and Mastodon.py for writing to it, with errors typed by their cause.

What Mastodon.py is used for and what not, with the reasons:
- writing a status and asking who a token belongs to go through it; it is given this `Wire` as its session, so that
  every request is one of the guarded client, and every refusal is typed here, where the headers still are;
- its own waiting on rate limits is off ("throw"), and so is its check of versions (a request before each first one);
- it never sees the rate-limit and deprecation headers: it raises over one that it cannot read, after the status has
  been posted, and a deprecation warning is an error where warnings are errors;
- tokens and client ids are never given to its constructor or its login: it opens a file of that name if there is
  one, and the names come from the server;
- reading goes around it: its return types cost 2 ms a status (ours 0.03), turn ids into numbers, and quietly empty
  what they cannot read, where we want to say so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import mastodon
import msgspec

from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account
from rapport.networks.http import USER_AGENT, GuardedSession, Response, parse_retry_after

_KEPT_FROM_MASTODON_PY = ("Deprecation", "Link", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
#: words in a 403 that mean "this token", where other 403s mean "this post"
_TOKEN_WORDS = ("scope", "login")


class Refused(GiveUp):
    """A refusal with its status, for those who can do something about it."""

    def __init__(self, message: str, status: int, in_words: bool = False) -> None:
        super().__init__(message)
        self.status = status
        #: said by the API itself, and not by something that stands before it
        self.in_words = in_words


class Wire:
    """The requests of one account (or, without a token, of nobody) to one server."""

    def __init__(self, server: str, token: str, session: GuardedSession) -> None:
        self.server = server.rstrip("/")
        self._token, self._session = token, session

    @classmethod
    def of(cls, account: Account, session: GuardedSession) -> Wire:
        return cls(account.server, account.token, session)

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """The body of a GET. Raises any `NetworkError` but `Unconfirmed`."""
        response = self.request("GET", self.server + path, params=params, headers=self._headers())
        return response.content

    def submit(self, path: str, form: Mapping[str, str]) -> Any:
        """The JSON object that answers a form, posted without a token."""
        response = self.request("POST", self.server + path, data=form)
        try:
            return msgspec.json.decode(response.content, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise GiveUp(f"{urlsplit(self.server).hostname} does not answer like a Mastodon server") from None

    def write(self, method: str, path: str, form: Sequence[tuple[str, str]] = ()) -> bytes:
        """The body that answers a POST, PUT or DELETE. Raises any `NetworkError`."""
        return self.request(method, self.server + path, data=list(form), headers=self._headers()).content

    def send_file(self, path: str, fields: Mapping[str, str], file: tuple[str, bytes, str]) -> bytes:
        """The body that answers a form with a file (name, content, type). Raises any `NetworkError`."""
        url, files = self.server + path, {"file": file}
        return self.request("POST", url, data=dict(fields), files=files, headers=self._headers()).content

    def open_stream(self, base: str, path: str, silence: float) -> Response:
        """An event stream, to be read with `read_lines`, broken off after `silence` seconds without a byte."""
        headers = self._headers() | {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        return self.request("GET", base + path, headers=headers, stream=True, timeout=(10.0, silence))

    def client(self) -> mastodon.Mastodon:
        """Mastodon.py on this wire."""
        client = mastodon.Mastodon(
            api_base_url=self.server,
            session=self,  # type: ignore[arg-type]  # all that it calls is `request`
            ratelimit_method="throw",
            version_check_mode="none",
            request_timeout=10,
            user_agent=USER_AGENT,
        )
        client.access_token = self._token
        return client

    def request(self, method: str, url: str, **kwargs: Any) -> Response:
        """One request, for us and for Mastodon.py. Raises a `NetworkError` for every answer but a 2xx."""
        response = self._session.request(method, url, **kwargs)
        try:
            check_answer(response, dt.datetime.now(dt.UTC))
        except NetworkError:
            response.close()
            raise
        for name in _KEPT_FROM_MASTODON_PY:
            response.headers.pop(name, None)
        return response

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}


def check_answer(response: Response, now: dt.datetime) -> None:
    """Pass for a 2xx; raise what the status means otherwise. `now` is for headers that name a moment."""
    status = response.status_code
    if 200 <= status < 300:
        return
    words, in_words = _message(response)
    said = f"{urlsplit(response.url).hostname} answered {status}: {words}"
    after = parse_retry_after(response.headers, now)
    reads = response.request.method in {"GET", "HEAD"}
    if status in {408, 425, 429, 503} or (status >= 500 and reads):
        raise RetryLater(said, after)
    if status >= 500:
        raise Unconfirmed(said)
    if status == 401 or (status == 403 and any(word in words.lower() for word in _TOKEN_WORDS)):
        raise Reauthorise(said)
    if 300 <= status < 400:
        raise GiveUp(f"{said}; the server seems to have moved: connect the account at its new address")
    raise Refused(said, status, in_words)


def cause(error: mastodon.MastodonError) -> NetworkError:
    """What Mastodon.py raised while it was writing -> what it means.

    A refusal was raised by the `Wire` and comes wrapped. Anything else is Mastodon.py not understanding an answer
    that says 2xx: the status is very likely there.
    """
    inner = error.__context__
    if isinstance(inner, NetworkError):
        return inner
    return Unconfirmed(f"the server accepted the request and answered in a way that could not be read: {error}")


def _message(response: Response) -> tuple[str, bool]:
    """The server's words, shortened, and whether they are its own."""
    try:
        found = msgspec.json.decode(response.content, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        found = {}
    told = found.get("error_description") or found.get("error")
    return str(told or response.reason or "no reason given")[:300], bool(told)
