"""Reading a WebSocket through the guarded door.

    with open_websocket("wss://jetstream.example/subscribe", session) as line:
        for message in line.messages(pulse=1.0):
            ...

The connection is one of `GuardedSession.dial`, so its address was resolved, checked and pinned; redirects are not
followed, no proxy is used, and a plain ws:// address is called only on a server that the session was explicitly allowed
to call. What goes wrong is a `NetworkError`, typed by what to do next.
"""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections.abc import Generator, Mapping
from types import TracebackType
from urllib.parse import urlsplit

from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.sync.client import ClientConnection, connect

from rapport.core.errors import AddressRefused, GiveUp, NetworkError, Reauthorise, RetryLater
from rapport.networks.addresses import check_url, origin
from rapport.networks.http import USER_AGENT, GuardedSession, parse_retry_after

SILENCE = 50.0  # seconds; with the wait for a pong, a half-open line is noticed within a minute
LONGEST_MESSAGE = 1_000_000  # bytes after decompression
_TOO_BIG = 1009  # close code of RFC 6455, 7.4.1
_CLOSING = 2.0  # seconds that a farewell may take


class WebSocket:
    """One open line; made by `open_websocket`. Leaving the `with` block hangs up."""

    def __init__(self, connection: ClientConnection, host: str) -> None:
        self._connection, self._host = connection, host

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def messages(self, pulse: float | None = None) -> Generator[str | bytes | None, None, None]:
        """What the server says, as it says it: a text as str, a binary message as bytes.

        With `pulse`, None is yielded whenever nothing came for so many seconds, so that the reader can do other things.
        Ends when the server ends the line in good order. Raises `RetryLater` when it breaks or falls silent, `GiveUp`
        for a message that is too large.
        """
        try:
            while True:
                try:
                    message: str | bytes | None = self._connection.recv(timeout=pulse)
                except TimeoutError:
                    message = None
                yield message
        except ConnectionClosedOK:
            return
        except ConnectionClosed as error:
            raise _ended(self._host, error) from error

    def send(self, message: str | bytes) -> None:
        """Say something. Raises `RetryLater` when the line is broken."""
        try:
            self._connection.send(message)
        except (ConnectionClosed, OSError) as error:
            raise RetryLater(f"the line to {self._host} broke: {error}") from error

    def close(self) -> None:
        """Hang up; never raises, and waits two seconds for the other side at most."""
        self._connection.close()


def open_websocket(
    url: str,
    session: GuardedSession,
    headers: Mapping[str, str] | None = None,
    silence: float = SILENCE,
    longest_message: int = LONGEST_MESSAGE,
) -> WebSocket:
    """Connect to a ws:// or wss:// address.

    `silence`: seconds without any sign of life, a pong counts, after which the line is broken.
    Opening takes `session.limits.total` seconds at most. Raises `AddressRefused`; `RetryLater` when the server cannot
    be reached, is busy or breaks off; `Reauthorise` when it says that we may not; `GiveUp` for any other refusal.
    """
    host, port, secure = _where(url, session)
    seconds = session.limits.total
    began = time.monotonic()
    sock = session.dial(host, port, seconds)
    sock.settimeout(None)  # from here on the time-outs are those of the connection
    try:
        connection = connect(
            url,
            sock=sock,
            ssl=_context(session) if secure else None,
            additional_headers=dict(headers or {}),
            user_agent_header=USER_AGENT,
            proxy=None,
            open_timeout=max(seconds - (time.monotonic() - began), 0.1),
            ping_interval=silence / 2,
            ping_timeout=silence / 2,
            close_timeout=_CLOSING,
            max_size=longest_message,
            legacy=True,
        )
    except InvalidStatus as error:
        sock.close()
        raise _refused(host, error) from error
    except ssl.SSLError as error:  # before ValueError, which a bad certificate is as well
        sock.close()
        raise RetryLater(f"no safe connection to {host}: {error}") from error
    except (InvalidURI, InvalidMessage, InvalidHandshake, ValueError) as error:  # ValueError: a redirect
        sock.close()
        raise GiveUp(f"{host} does not answer like a WebSocket server: {error}") from error
    except (WebSocketException, OSError, EOFError) as error:
        sock.close()
        raise RetryLater(f"no line to {host}: {error or 'no answer in time'}") from error
    return WebSocket(connection, host)


def _where(url: str, session: GuardedSession) -> tuple[str, int, bool]:
    """Host, port, and whether it is encrypted; checked as far as it can be without resolving the name."""
    scheme, _, rest = url.partition("://")
    if scheme not in {"ws", "wss"}:
        raise AddressRefused(f"{scheme[:20] or 'no scheme'}: a live line needs an address that begins with wss://")
    plain = f"{'https' if scheme == 'wss' else 'http'}://{rest}"
    _, host, port = origin(check_url(plain))
    if scheme == "ws" and not session.is_allowed(plain):
        raise AddressRefused(f"{host}: a line that is not encrypted is only opened to servers that are allowed by name")
    return host, port, scheme == "wss"


def _context(session: GuardedSession) -> ssl.SSLContext:
    """Certificates are checked as for requests: against those of the system, or the file that the session names."""
    return ssl.create_default_context(cafile=session.verify if isinstance(session.verify, str) else None)


def _refused(host: str, error: InvalidStatus) -> NetworkError:
    response = error.response
    status = response.status_code
    words = " ".join(bytes(response.body or b"").decode("utf-8", "replace").split())[:200]
    said = f"{host} answered {status}{': ' + words if words else ''}"
    if status in {408, 425, 429} or status >= 500:
        headers = dict(response.headers.raw_items())
        return RetryLater(said, parse_retry_after(headers, dt.datetime.now(dt.UTC)))
    if status in {401, 403}:
        return Reauthorise(said)
    if 300 <= status < 400:
        target = urlsplit(response.headers.get("Location", "")).hostname or "another address"
        return GiveUp(f"{said}; it seems to have moved to {target}")
    return GiveUp(said)


def _ended(host: str, error: ConnectionClosed) -> NetworkError:
    code = error.sent.code if error.sent is not None else None
    if code == _TOO_BIG:
        return GiveUp(f"{host} sent a message that is too large")
    return RetryLater(f"the line to {host} broke: {error}")


__all__ = ["LONGEST_MESSAGE", "SILENCE", "WebSocket", "open_websocket"]
