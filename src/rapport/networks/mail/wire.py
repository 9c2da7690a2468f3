"""A connection to a mail server: through the guarded door, over TLS, with a deadline for every exchange.

The socket comes from `GuardedSession.dial`, so only addresses that may be called are called. A password travels in
the clear only to a server on a private network that the operator allowed by name.
"""

from __future__ import annotations

import ssl
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal

import certifi
import msgspec

from rapport.core.errors import GiveUp, RetryLater
from rapport.networks.http import GuardedSession

Security = Literal["tls", "starttls", "plain"]
SECURITIES: tuple[Security, ...] = ("tls", "starttls", "plain")

LONGEST_LINE = 8_000_000  # bytes of one line or literal from a server
_MOST_BYTES = 64_000_000  # bytes of the answers to one command


class Server(msgspec.Struct, frozen=True):
    """Where a mail server is, and how it is spoken to."""

    host: str
    port: int
    security: Security = "tls"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@lru_cache(maxsize=4)
def _context(cafile: str | None) -> ssl.SSLContext:
    """Certificates and host names are checked; beside the roots of the system those of certifi are trusted."""
    context = ssl.create_default_context(cafile=cafile)
    if cafile is None:
        context.load_verify_locations(cafile=certifi.where())
    return context


class Wire:
    """One open connection, with the little of a socket and of a file that imaplib and smtplib ask for.

    Reads and writes raise `TimeoutError` when the time of the exchange is over, however slowly the other side drips.
    """

    def __init__(self, server: Server, session: GuardedSession, seconds: float | None = None) -> None:
        if server.security == "plain" and not session.is_allowed(f"http://{server.host}:{server.port}"):
            raise GiveUp(f"{server.host} is not on the list of allowed private servers: choose TLS or STARTTLS")
        self.server = server
        self.seconds = session.limits.total if seconds is None else seconds
        self._cafile = session.verify if isinstance(session.verify, str) else None
        self._rest = bytearray()
        self._read = 0
        self._sock: Any = session.dial(server.host, server.port, self.seconds)
        self.restart()
        if server.security == "tls":
            self.secure()

    def restart(self, seconds: float | None = None) -> None:
        """A new exchange begins: it may take `seconds` (None: the usual time)."""
        self._deadline = time.monotonic() + (self.seconds if seconds is None else seconds)
        self._read = 0

    def secure(self) -> None:
        """TLS from here on. Raises `RetryLater` when it cannot be had."""
        if self._rest:
            self.close()
            raise RetryLater(f"{self.server} spoke before the connection was secure: somebody may be in between")
        try:
            self._sock.settimeout(self._left())
            secured = _context(self._cafile).wrap_socket(self._sock, server_hostname=self.server.host)
        except ssl.SSLCertVerificationError as error:
            self.close()
            why = error.verify_message
            raise RetryLater(f"the certificate of {self.server} does not hold for it: {why}") from error
        except (OSError, ValueError) as error:
            self.close()
            raise RetryLater(f"no secure connection to {self.server}: {error}") from error
        self._sock = secured

    def sendall(self, raw: bytes) -> None:
        """Send all of it."""
        self._sock.settimeout(self._left())
        self._sock.sendall(raw)

    def readline(self, limit: int = -1) -> bytes:
        """A line with its end; b"" when the other side hung up."""
        most = LONGEST_LINE if limit < 0 else limit
        seen = 0
        while True:
            end = self._rest.find(b"\n", seen)
            if end >= 0:
                return self._take(end + 1)
            if len(self._rest) >= most:
                if limit < 0:
                    raise OSError(f"a line of more than {most:,} bytes")
                return self._take(most)
            seen = len(self._rest)
            if not self._receive():
                return self._take(len(self._rest))

    def read(self, size: int = -1) -> bytes:
        """So many bytes; fewer when the other side hung up."""
        if not 0 <= size <= LONGEST_LINE:
            raise OSError(f"the server announced {size:,} bytes at once; at most {LONGEST_LINE:,} are taken")
        while len(self._rest) < size and self._receive():
            pass
        return self._take(min(size, len(self._rest)))

    def wait(self, seconds: float) -> bool:
        """True when there is something to read, the end included; False when there is nothing for so long."""
        if self._rest:
            return True
        self.restart(seconds)
        try:
            self._receive()
        except TimeoutError:
            return False
        return True

    def makefile(self, *_args: Any, **_kwargs: Any) -> Wire:
        """Itself: it reads as a file does."""
        return self

    def close(self) -> None:
        """Hang up. Never raises."""
        with suppress(OSError):
            self._sock.close()

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no whole answer in time")
        return left

    def _receive(self) -> bool:
        self._sock.settimeout(self._left())
        part = self._sock.recv(65_536)
        self._rest += part
        self._read += len(part)
        if self._read > _MOST_BYTES:
            raise OSError(f"an answer of more than {_MOST_BYTES:,} bytes")
        return bool(part)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._rest[:size])
        del self._rest[:size]
        return taken
