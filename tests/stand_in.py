"""A loopback server that stands in for a vendor's API: it answers what a test says, and only what was asked rightly.

    with stand_in(check) as server:
        server.say("GET", "/v24.0/me", {"id": "1"})

`check` looks at every request (authorisation, parameters, signature) and returns what is wrong with it. A request
that nobody announced, or that is wrong, is answered with 599 and fails the test when the server is left.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rapport.networks.http import GuardedSession, Limits


@dataclass
class Call:
    """One request, as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def said(self) -> dict[str, str]:
        """The parameters, wherever they travel."""
        is_form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return self.query | (self.form if is_form else {})


@dataclass
class Told:
    """An answer that is more than a JSON object with status 200. `hang_up`: the answer is lost on its way."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


Reply = dict[str, Any] | Told | Callable[[Call], dict[str, Any] | Told]


class StandIn:
    def __init__(self, port: int, check: Callable[[Call], str | None]) -> None:
        self.authority = f"127.0.0.1:{port}"
        self.url = f"http://{self.authority}"
        self.check = check
        self.calls: list[Call] = []
        self.wrong: list[str] = []
        #: answers every request, for servers that remember and look at the path themselves
        self.always: Callable[[Call], dict[str, Any] | Told] | None = None
        #: what such a server holds, for those who look at it
        self.kept: dict[str, Any] = {}
        self._answers: dict[tuple[str, str], list[Reply]] = {}

    def say(self, method: str, path: str, *answers: Reply) -> None:
        """Answers to this request, one after the other; the last one stays."""
        self._answers[method, path] = list(answers)

    def answer(self, call: Call) -> Told:
        self.calls.append(call)
        answers = [self.always] if self.always else self._answers.get((call.method, call.path))
        problem = self.check(call) if answers else "nobody announced this request"
        if problem or not answers:
            self.wrong.append(f"{call.method} {call.path} {call.said}: {problem}")
            return Told(599, {"wrong": problem})
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        found = found(call) if callable(found) else found
        return found if isinstance(found, Told) else Told(body=found)

    def asked(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if (call.method, call.path) == (method, path)]

    def session(self) -> GuardedSession:
        return GuardedSession(allow={self.authority}, limits=Limits(total=5.0))


@contextlib.contextmanager
def stand_in(check: Callable[[Call], str | None] = lambda _: None) -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes: the second would wait 40 ms for an ACK

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            call = Call(
                self.command,
                parts.path,
                {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(size),
            )
            told = server.answer(call)
            if told.hang_up:
                self.close_connection = True
                self.connection.close()
                return
            body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            if told.status == 304:
                body = b""
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A caller that hung up, or that we hung up on."""

    httpd = Quiet(("127.0.0.1", 0), Handler)
    server = StandIn(httpd.server_address[1], check)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
    assert server.wrong == []
