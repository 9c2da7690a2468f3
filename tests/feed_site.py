"""A site on loopback that serves feeds over real HTTP: conditional requests, redirects, whatever a test gives it."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """Paths and what they answer; a real HTTP server."""

    url: str = ""
    #: path -> (status, headers, body)
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    #: (path, headers of the request), in order
    asked: list[tuple[str, Message]] = field(default_factory=list)

    @property
    def authority(self) -> str:
        return self.url.removeprefix("http://")

    def put(self, path: str, body: str | bytes, status: int = 200, **headers: str) -> str:
        """Serve this; returns its address. Headers are given with underscores."""
        raw = body.encode() if isinstance(body, str) else body
        self.pages[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)
        return self.url + path

    def feed(self, path: str, *items: str, older: str = "", **headers: str) -> str:
        """Serve an Atom feed of `items` (of `entry`), the newest first."""
        link = f'<link rel="prev-archive" href="{older}"/>' if older else ""
        body = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>The Daily Parcel</title>{link}{"".join(items)}</feed>'
        return self.put(path, body, Content_Type="application/atom+xml", **headers)


def entry(number: int, words: str = "", *, guid: str | None = None, at: dt.datetime | None = None) -> str:
    """One entry; number n was written n minutes after ten o'clock."""
    moment = at or dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC) + dt.timedelta(minutes=number)
    return (
        f"<entry><id>{guid or f'tag:parcel.example,2026:{number}'}</id><title>Story {number}</title>"
        f'<link href="https://parcel.example/{number}"/><author><name>Nadia</name></author>'
        f"<published>{moment.isoformat()}</published>"
        f'<content type="html">&lt;p&gt;{words or f"Words of story {number}."}&lt;/p&gt;</content></entry>'
    )


@contextlib.contextmanager
def feed_site() -> Iterator[Site]:
    """A site without pages, running."""
    served = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.asked.append((self.path, self.headers))
            status, headers, body = served.pages.get(self.path, (404, {}, b"not here"))
            etag, since = headers.get("ETag"), headers.get("Last-Modified")
            if (etag and self.headers["If-None-Match"] == etag) or (
                not etag and since and self.headers["If-Modified-Since"] == since
            ):
                status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Tests say what happened themselves."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a reader that hangs up is part of the tests
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()
