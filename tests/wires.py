"""A server of a few lines that answers exactly the bytes a test gives it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import requests

Answer = Callable[["Caller"], None]
#: what `losing_answers` passes on of a request besides its words
_PASSED_ON = ("Authorization", "Content-Type", "Idempotency-Key", "Api-Key", "Api-Username")


@dataclass
class Caller:
    """One request on one connection, as the server sees it."""

    socket: socket.socket
    head: str
    body: bytes
    sni: str | None = None

    @property
    def line(self) -> str:
        return self.head.partition("\r\n")[0]

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    def header(self, name: str) -> str | None:
        found = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return next((value.strip() for key, _, value in found if key.lower() == name.lower()), None)

    def send(self, status: str, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)


@dataclass
class ByteServer:
    port: int
    callers: list[Caller] = field(default_factory=list)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"


@contextlib.contextmanager
def byte_server(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[ByteServer]:
    """`answer` is called for every request; a connection is kept until it ends or the server stops."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = ByteServer(listener.getsockname()[1])
    open_sockets: list[socket.socket] = []
    sni: list[str | None] = [None]
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: sni.__setitem__(0, name)

    def serve_one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            secured = tls.wrap_socket(connection, server_side=True) if tls else connection
            open_sockets.append(secured)
            while (caller := _read_request(secured)) is not None:
                caller.sni = sni[0]
                server.callers.append(caller)
                answer(caller)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_sockets.append(connection)
                threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@contextlib.contextmanager
def losing_answers(url: str, path: str) -> Iterator[ByteServer]:
    """A line to the server at `url` that hangs up where it should bring back the answer of a write to `path`."""

    def forward(caller: Caller) -> None:
        headers = {name: value for name in _PASSED_ON if (value := caller.header(name))}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(caller.method, url + caller.path, data=caller.body, headers=headers, timeout=10)
        if caller.method != "GET" and path in caller.path:
            assert answer.ok, answer.text
            caller.socket.close()
        else:
            kind = answer.headers.get("Content-Type", "")
            caller.send(f"{answer.status_code} x", answer.content, f"Content-Type: {kind}")

    with byte_server(forward) as line:
        yield line


def drip(connection: socket.socket, piece: bytes, every: float, times: int = 1000) -> None:
    """Send a piece again and again, slowly."""
    with contextlib.suppress(OSError):
        for _ in range(times):
            connection.sendall(piece)
            time.sleep(every)


def _read_request(connection: socket.socket) -> Caller | None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        if not part:
            return None
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    caller = Caller(connection, head.decode("latin-1"), body)
    while len(caller.body) < int(caller.header("Content-Length") or 0):
        caller.body += connection.recv(65_536)
    return caller
