"""The one outgoing HTTP client. No other module of Rapport opens a connection to the outside.

    s = GuardedSession(allow={"localhost:3000"})
    s.get("https://mastodon.social/api/v2/instance").json()

What it adds to a `requests.Session`, on each hop of each request:
- it resolves the host itself, refuses it when any of its addresses is not public (`addresses`), and connects to the
  very address that was checked; Host, SNI and the certificate stay those of the name;
- what is no HTTP gets a checked connection from `dial`;
- only GET and HEAD follow redirects, at most five; credentials never leave the origin that they were meant for;
- a whole exchange has `Limits.total` seconds and `Limits.body` bytes (after decompression);
- no proxies, no .netrc, no cookies, no way to switch the certificate check off;
- what goes wrong is a `NetworkError`: `AddressRefused`; `RetryLater` when nothing can have taken effect;
  `Unconfirmed` when a request that changes something went out and no whole answer came back; `GiveUp` for an answer
  that is too large or redirects in circles.

Resolving runs in the C library and is bounded by its own time-outs, not by `Limits.total`.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import socket
import time
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import msgspec
import requests
import urllib3
from requests import Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from rapport import __version__
from rapport.core.errors import AddressRefused, GiveUp, NetworkError, RetryLater, Unconfirmed
from rapport.networks.addresses import check_address, check_url, origin

USER_AGENT = f"Rapport/{__version__}"

_SAFE = frozenset({"GET", "HEAD"})
_ONE_ATTEMPT = 5.0  # seconds for one of several addresses, so that a dead IPv6 route leaves time for IPv4
_MOST_ADDRESSES = 6
_LONGEST_WAIT = 86_400.0  # seconds; a server that asks for more than a day has its clock or its units wrong
_LONGEST_LINE = 1_000_000  # bytes of one line of an event stream


class Limits(msgspec.Struct, frozen=True):
    """How much one exchange may take, redirects included."""

    #: seconds
    total: float = 10.0
    #: bytes of one body after decompression
    body: int = 5_000_000


class _Exchange:
    """One call of the session: its deadline, and whether every hop so far went to an allowed private server."""

    def __init__(self, seconds: float) -> None:
        self.deadline: float | None = time.monotonic() + seconds
        self.idle = seconds
        self.allowed = True

    def left(self) -> float:
        """Seconds that the next read or write may take. Raises `TimeoutError` when there are none."""
        if self.deadline is None:
            return self.idle
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole exchange is over")
        return min(left, self.idle)

    def keep_open(self, idle: float) -> None:
        """From now on there is no deadline, only a longest silence of `idle` seconds."""
        self.deadline, self.idle = None, idle


_exchange: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)


def _current() -> _Exchange:
    exchange = _exchange.get()
    assert exchange is not None, "connections are opened by GuardedSession.send only"
    return exchange


class GuardedSession(requests.Session):
    """See the module. `allow` lists "host:port" of servers on a private network that may be called all the same.

    An allowed server is reached directly or by a redirect from another allowed one, never by a redirect from outside.
    `resolve` and `dial` are the wire: `socket.getaddrinfo` and `socket.create_connection`.
    """

    def __init__(
        self,
        allow: Collection[str] = (),
        limits: Limits | None = None,
        resolve: Callable[..., Any] = socket.getaddrinfo,
        dial: Callable[..., socket.socket] = socket.create_connection,
    ) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 5
        self.limits = limits or Limits()
        #: how many exchanges were begun, so that whoever looks often can see what a look costs
        self.exchanges = 0
        self.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"})
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._door = _Door(frozenset(re.sub(r"[\[\]]", "", entry).lower() for entry in allow), resolve, dial)
        adapter = _GuardedAdapter(self._door, self.limits.body)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def is_allowed(self, url: str) -> bool:
        """Whether the host and port of this URL are on the list of allowed private servers."""
        return self._door.is_allowed(*origin(check_url(url))[1:])

    def dial(self, host: str, port: int, seconds: float | None = None) -> socket.socket:
        """A plain connection through the same door, for what is no HTTP: mail, a WebSocket that brings its own client.

        The address is resolved, checked and connected to as for a request, within `seconds` (None: `Limits.total`),
        which also become the time-out of the socket. TLS, with `server_hostname=host`, is the caller's.
        Raises `AddressRefused`, `RetryLater`.
        """
        exchange = _Exchange(self.limits.total if seconds is None else seconds)
        sock = self._door.open(host, port, exchange)
        sock.settimeout(exchange.idle)
        return sock

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """The request as it will be sent. Raises `AddressRefused` when no request can be made of it."""
        try:
            return super().prepare_request(request)
        except (requests.RequestException, ValueError) as error:
            raise AddressRefused(f"this is no request that can be sent: {error}") from error

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> Response:
        """One hop, or the first of several. Raises `NetworkError` and nothing of `requests`."""
        parts = check_url(request.url or "")
        outer = _exchange.get()
        exchange = outer or _Exchange(self.limits.total)
        exchange.allowed = exchange.allowed and self._door.is_allowed(*origin(parts)[1:])
        kwargs |= {"proxies": {}, "verify": self.verify or True}
        if outer is not None:
            return super().send(request, **kwargs)
        if request.method not in _SAFE:
            kwargs["allow_redirects"] = False
        token = _exchange.set(exchange)
        self.exchanges += 1
        try:
            response = super().send(request, **kwargs)
        except requests.TooManyRedirects:
            raise GiveUp(f"{parts.hostname} redirects more than {self.max_redirects} times") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _lost(request, str(error)) from error  # a ValueError is a redirect to something that is no address
        finally:
            _exchange.reset(token)
        if kwargs.get("stream"):
            exchange.keep_open(_idle(kwargs.get("timeout"), self.limits.total))
        return response

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """Credentials stay within one origin; an upgrade from http to https is another origin."""
        try:
            return origin(check_url(old_url)) != origin(check_url(new_url))
        except AddressRefused:
            return True


def read_lines(response: Response) -> Generator[str, None, None]:
    """The lines of an event stream that was opened with `stream=True`, without their ends, as they arrive.

    Ends when the server ends the stream. Raises `RetryLater` when the line breaks or stays silent for longer than
    the read time-out, `GiveUp` for a line of more than a megabyte. Closes the response in every case.
    """
    rest = b""
    try:
        while part := response.raw.read1(65_536):
            *lines, rest = (rest + part).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                raise GiveUp("a line of the event stream is longer than a megabyte")
            for line in lines:
                yield line.rstrip(b"\r").decode("utf-8", "replace")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise RetryLater(f"the event stream broke: {error}") from error
    finally:
        response.close()


def parse_retry_after(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Seconds to wait by the headers of a refusal; None when they name no time. Never negative, a day at most.

    Understands `Retry-After` in seconds and as a date (RFC 9110, 10.2.3), and `X-RateLimit-Reset` as an ISO date
    (Mastodon) or in seconds since 1970 (GoToSocial, X). A moment is measured from the server's own `Date` where it
    sends one, else from `now` (aware), so that a wrong clock on either side does no harm.
    """
    known = {name.lower(): value.strip() for name, value in headers.items()}
    clock = _moment(known.get("date", "")) or now
    after = known.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]+)?", after):
        return min(float(after), _LONGEST_WAIT)
    until = _moment(after) or _moment(known.get("x-ratelimit-reset", ""))
    if until is None:
        return None
    return min(max((until - clock).total_seconds(), 0.0), _LONGEST_WAIT)


def _moment(value: str) -> dt.datetime | None:
    """An HTTP date, an ISO date or seconds since 1970 -> a moment; None for anything else."""
    with suppress(ValueError, TypeError, OverflowError, OSError):
        if re.fullmatch(r"[0-9]{9,11}", value):
            return dt.datetime.fromtimestamp(int(value), dt.UTC)
        moment = dt.datetime.fromisoformat(value) if value[:4].isdigit() else parsedate_to_datetime(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return None


def _idle(timeout: Any, default: float) -> float:
    """The read part of a time-out as `requests` takes it."""
    read = timeout[1] if isinstance(timeout, tuple) else timeout
    return float(read) if isinstance(read, int | float) else default


def _lost(request: requests.PreparedRequest, reason: str) -> NetworkError:
    """No whole answer came: harmless for a reading request, unknown for one that changes something."""
    host = check_url(request.url or "").hostname
    if request.method in _SAFE:
        return RetryLater(f"{host} did not answer: {reason}")
    return Unconfirmed(f"{host} got the request and gave no answer: {reason}")


class _Door:
    """Resolves, checks, connects."""

    def __init__(self, allow: frozenset[str], resolve: Callable[..., Any], dial: Callable[..., socket.socket]) -> None:
        self._allow, self._resolve, self._dial = allow, resolve, dial

    def is_allowed(self, host: str, port: int) -> bool:
        return f"{host.strip('[]').lower()}:{port}" in self._allow

    def open(self, host: str, port: int, exchange: _Exchange) -> socket.socket:
        """A connection to an address that was checked; the name is not looked up again."""
        host = host.strip("[]")
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise RetryLater(f"the name {host} cannot be resolved: {error}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not (exchange.allowed and self.is_allowed(host, port)):
            for address in addresses:
                check_address(address)
        failure: Exception = OSError("the name has no address")
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                return self._dial((address, port), timeout=min(exchange.left(), _ONE_ATTEMPT))
            except OSError as error:
                failure = error
        raise RetryLater(f"{host} cannot be reached: {failure}") from failure


class _TimedSocket:
    """A socket on which every read and write ends with the exchange, however slowly the other side drips."""

    def __init__(self, sock: Any, exchange: _Exchange) -> None:
        self._sock = sock
        self.exchange = exchange

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, *args: Any) -> None:
        self._sock.settimeout(self.exchange.left())
        self._sock.sendall(*args)

    def makefile(self, *_args: Any, **_kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self.exchange))


class _TimedReader(io.RawIOBase):
    """The reading side of a `_TimedSocket`. Keeps the socket open while an answer is being read from it."""

    def __init__(self, sock: Any, exchange: _Exchange) -> None:
        self._sock, self._exchange = sock, exchange
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._exchange.left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _GuardedConnection(HTTPConnection):
    """Connects through the door. What fails before the request went out is a `RetryLater`."""

    def __init__(self, *args: Any, door: _Door, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._door = door

    def _new_conn(self) -> socket.socket:
        return self._door.open(self.host, self.port, _current())

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise RetryLater(f"no safe connection to {self.host}: {error}") from error
        self.sock = _TimedSocket(self.sock, _current())

    def request(self, *args: Any, **kwargs: Any) -> None:
        if isinstance(self.sock, _TimedSocket):  # kept alive from an earlier exchange
            self.sock.exchange = _current()
        super().request(*args, **kwargs)


class _GuardedSecureConnection(_GuardedConnection, HTTPSConnection):
    """The same over TLS; `connect` above goes on to the handshake of `HTTPSConnection`."""


class _GuardedAdapter(HTTPAdapter):
    """Gives the pools our connections, and reads bodies up to the limit."""

    def __init__(self, door: _Door, most_bytes: int) -> None:
        self._door, self._most_bytes = door, most_bytes
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_pool, HTTPConnectionPool, _GuardedConnection, self._door),
            "https": partial(_pool, HTTPSConnectionPool, _GuardedSecureConnection, self._door),
        }

    def send(self, request: requests.PreparedRequest, stream: bool = False, **kwargs: Any) -> Response:  # type: ignore[override]
        left = _current().left()
        response = super().send(request, stream=True, **(kwargs | {"timeout": (left, left)}))
        if not stream or response.status_code != 200:
            self._read_body(response, request)
        return response

    def _read_body(self, response: Response, request: requests.PreparedRequest) -> None:
        parts: list[bytes] = []
        size = 0
        try:
            for part in response.raw.stream(65_536, decode_content=True):
                size += len(part)
                if size > self._most_bytes:
                    raise self._too_large(request)
                parts.append(part)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            response.close()
            raise _lost(request, str(error)) from error
        except NetworkError:
            response.close()
            raise
        response._content = b"".join(parts)
        response._content_consumed = True  # type: ignore[attr-defined]  # as Response.content would have set it

    def _too_large(self, request: requests.PreparedRequest) -> NetworkError:
        reason = f"an answer of more than {self._most_bytes:,} bytes"
        return GiveUp(reason) if request.method in _SAFE else _lost(request, reason)


def _pool(
    kind: type[HTTPConnectionPool],
    connection: type[_GuardedConnection],
    door: _Door,
    *args: Any,
    **kwargs: Any,
) -> HTTPConnectionPool:
    pool = kind(*args, **kwargs)
    pool.ConnectionCls = partial(connection, door=door)  # type: ignore[assignment]  # called, never subclassed
    return pool


__all__ = ["USER_AGENT", "GuardedSession", "Limits", "Response", "parse_retry_after", "read_lines"]
