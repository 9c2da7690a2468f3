"""Reading a WebSocket through the guarded door, from real servers on loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from certificates import self_signed
from rapport.core.errors import AddressRefused, GiveUp, Reauthorise, RetryLater
from rapport.networks.http import USER_AGENT, GuardedSession, Limits
from rapport.networks.websocket import open_websocket
from wires import Caller, byte_server

Talk = Callable[[ServerConnection], None]


@contextlib.contextmanager
def server(talk: Talk, tls: ssl.SSLContext | None = None, refuse: Response | None = None) -> Iterator[str]:
    """A WebSocket server; yields its "host:port"."""

    def answer(_connection: ServerConnection, _request: Request) -> Response | None:
        return refuse

    def safely(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            talk(connection)

    with serve(safely, "127.0.0.1", 0, ssl=tls, process_request=answer, close_timeout=0.5) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{running.socket.getsockname()[1]}"
        finally:
            running.shutdown()
            thread.join(5)


def allowed(authority: str, seconds: float = 3.0) -> GuardedSession:
    return GuardedSession(allow={authority}, limits=Limits(total=seconds))


def read(authority: str, **options: float | int) -> list[str | bytes | None]:
    with open_websocket(f"ws://{authority}/feed", allowed(authority), **options) as line:  # type: ignore[arg-type]
        return list(line.messages())


def test_messages_come_as_they_were_sent_and_end_when_the_server_hangs_up() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send("héllo")
        connection.send(b"\x00\xff")
        connection.send("x" * 50_000)

    with server(talk) as authority:
        assert read(authority) == ["héllo", b"\x00\xff", "x" * 50_000]


def test_the_handshake_says_who_calls_and_carries_the_headers_that_were_asked_for() -> None:
    def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        connection.send(f"{connection.request.path} {connection.request.headers['User-Agent']}")
        connection.send(connection.request.headers["Authorization"])

    with (
        server(talk) as authority,
        open_websocket(f"ws://{authority}/a?b=c", allowed(authority), {"Authorization": "Bearer t"}) as line,
    ):
        assert list(line.messages()) == [f"/a?b=c {USER_AGENT}", "Bearer t"]


def test_a_pulse_lets_the_reader_do_other_things_on_a_quiet_line() -> None:
    go_on = threading.Event()

    def talk(connection: ServerConnection) -> None:
        go_on.wait(5)
        connection.send("at last")

    seen: list[str | bytes | None] = []
    with server(talk) as authority, open_websocket(f"ws://{authority}/", allowed(authority)) as line:
        for message in line.messages(pulse=0.02):
            seen.append(message)
            if len(seen) == 3:
                go_on.set()
    assert seen[:3] == [None, None, None]
    assert "at last" in seen


def test_what_the_reader_says_arrives() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send(f"you said {connection.recv()!r}")

    with server(talk) as authority, open_websocket(f"ws://{authority}/", allowed(authority)) as line:
        line.send("hello")
        assert list(line.messages()) == ["you said 'hello'"]
        with pytest.raises(RetryLater):
            line.send("too late")


def test_a_line_that_breaks_is_to_be_opened_again_later() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send("one")
        connection.socket.shutdown(socket.SHUT_RDWR)

    with server(talk) as authority, open_websocket(f"ws://{authority}/", allowed(authority)) as line:
        messages = line.messages()
        assert next(messages) == "one"
        with pytest.raises(RetryLater, match="broke"):
            next(messages)


def test_a_server_that_closes_because_it_is_ill_is_tried_again() -> None:
    with server(lambda connection: connection.close(1011, "ill")) as authority, pytest.raises(RetryLater, match="1011"):
        read(authority)


def test_a_half_open_line_is_noticed_by_its_silence() -> None:
    """The handshake is answered and then nothing at all, not even a ping."""
    import base64
    import hashlib

    def answer(caller: Caller) -> None:
        key = (caller.header("Sec-WebSocket-Key") or "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        head = f"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        caller.socket.sendall(head.encode())
        time.sleep(8)

    start = time.monotonic()
    with byte_server(answer) as mute, pytest.raises(RetryLater):
        read(mute.authority, silence=0.6)
    assert 0.4 < time.monotonic() - start < 6


def test_a_quiet_line_that_answers_pings_stays_open() -> None:
    def talk(connection: ServerConnection) -> None:
        time.sleep(1.0)
        connection.send("still here")

    with server(talk) as authority:
        assert read(authority, silence=0.4) == ["still here"]


def test_a_message_that_is_too_large_is_not_taken_in() -> None:
    with server(lambda connection: connection.send("x" * 5000)) as authority, pytest.raises(GiveUp, match="too large"):
        read(authority, longest_message=1000)


def test_a_small_frame_that_unpacks_into_a_large_message_is_not_taken_in() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send("0" * 20_000_000)

    with server(talk) as authority, pytest.raises(GiveUp, match="too large"):
        read(authority, longest_message=1_000_000)


@pytest.mark.parametrize(
    ("status", "headers", "error", "after"),
    [
        (429, {"Retry-After": "7"}, RetryLater, 7.0),
        (503, {}, RetryLater, None),
        (401, {}, Reauthorise, None),
        (403, {}, Reauthorise, None),
        (400, {}, GiveUp, None),
        (302, {"Location": "ws://127.0.0.1:1/elsewhere"}, GiveUp, None),
    ],
)
def test_a_refusal_is_typed_by_what_to_do_next(
    status: int, headers: dict[str, str], error: type[Exception], after: float | None
) -> None:
    response = Response(status, "no", Headers({**headers, "Content-Length": "7"}), b"because")
    with server(lambda _connection: None, refuse=response) as authority, pytest.raises(error) as caught:
        read(authority)
    assert getattr(caught.value, "after", None) == after


def test_a_server_that_speaks_no_websocket_is_given_up() -> None:
    with byte_server(lambda caller: caller.send("200 OK", b"hello")) as web, pytest.raises(GiveUp):
        read(web.authority)


def test_a_server_that_never_answers_takes_no_longer_than_the_limit() -> None:
    start = time.monotonic()
    with byte_server(lambda _caller: time.sleep(5)) as mute, pytest.raises(RetryLater):
        open_websocket(f"ws://{mute.authority}/", allowed(mute.authority, seconds=0.5))
    assert time.monotonic() - start < 4


def test_a_port_where_nobody_listens_is_tried_again_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        authority = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(RetryLater):
        read(authority)


@pytest.mark.parametrize(
    "url",
    [
        "ws://example.com/",
        "wss://127.0.0.1/",
        "wss://[::ffff:10.0.0.1]/",
        "wss://0x7f000001/",
        "wss://user@example.com/",
        "https://example.com/",
        "file:///etc/passwd",
        "wss://",
        "",
    ],
)
def test_addresses_that_are_never_called(url: str) -> None:
    with pytest.raises(AddressRefused):
        open_websocket(url, GuardedSession())


def test_a_server_that_was_not_allowed_is_not_called() -> None:
    called = threading.Event()
    with server(lambda _connection: called.set()) as authority, pytest.raises(AddressRefused):
        open_websocket(f"ws://{authority}/", GuardedSession())
    assert not called.is_set()


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_that_is_known_is_taken(
    certificate: tuple[Path, Path],
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with server(lambda connection: connection.send("secret"), tls=context) as authority:
        port = authority.partition(":")[2]
        session = allowed(f"localhost:{port}")
        with pytest.raises(RetryLater, match="certificate"):
            open_websocket(f"wss://localhost:{port}/", session)
        session.verify = str(certificate[0])
        with open_websocket(f"wss://localhost:{port}/", session) as line:
            assert list(line.messages()) == ["secret"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_signed("localhost", tmp_path_factory.mktemp("certificate"))
