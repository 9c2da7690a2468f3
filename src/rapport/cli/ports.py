"""The address that the web pages listen on."""

from __future__ import annotations

import argparse
import errno
import socket

from rapport.core.errors import InvalidInput

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  (compared with, not listened on)


def add_address_options(parser: argparse.ArgumentParser) -> None:
    """--host and --port."""
    parser.add_argument("--host", help=f"address to listen on (default {DEFAULT_HOST}: this machine only)")
    parser.add_argument("--port", type=_port, help=f"port to listen on (default {DEFAULT_PORT})")


def _port(text: str) -> int:
    """0 (any free one) to 65535."""
    value = int(text)
    if not 0 <= value <= 65535:
        raise ValueError
    return value


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on the address. Raises `InvalidInput` that says what to do when it cannot."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise InvalidInput(f"--host {host!r}: this machine knows no such address") from None
    listening = socket.socket(family, kind, protocol)
    try:
        # a desk that has just stopped leaves its port waiting: that must not keep the next one from starting
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise InvalidInput(_cannot_bind(host, port, error)) from None
    return listening


def _cannot_bind(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken; stop what uses it, or choose another with --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used by this user; choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror}"
