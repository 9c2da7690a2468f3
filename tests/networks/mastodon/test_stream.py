"""The live stream of a real Mastodon API server, and of servers that fall silent."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from rapport.core.errors import GiveUp, Reauthorise
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.pull import pull_pages
from rapport.networks.mastodon.stream import listen
from servers import MastodonServer
from wires import Caller, byte_server


class Stopped(Exception):
    """What `pause` raises to end a stream."""


def stop(seconds: float) -> None:
    if seconds:  # 0 is the question at every line whether to go on
        raise Stopped


def go_on(_seconds: float) -> None:
    time.sleep(0.01)


def newest(account: Account, session: GuardedSession, *streams: str) -> dict[str, str]:
    return {stream: list(pull_pages(account, stream, "", session))[-1].cursor for stream in streams}


class Listener:
    """A stream that is listened to in a thread; `pages` is what came, `error` how it ended."""

    def __init__(self, pages: Iterator[Page]) -> None:
        self.pages: list[Page] = []
        self.error: Exception | None = None
        threading.Thread(target=self._run, args=(pages,), daemon=True).start()

    def _run(self, pages: Iterator[Page]) -> None:
        try:
            for page in pages:
                self.pages.append(page)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            self.error = error

    def texts(self) -> list[str]:
        return [post.text for page in list(self.pages) for post in page.posts]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def cuttable(mastodon: MastodonServer) -> Iterator[tuple[str, list[Caller]]]:
    """A line to the streaming of the server that can be cut: an address, and the connections over it."""
    open_lines: list[Caller] = []

    def forward(caller: Caller) -> None:
        host, port = mastodon.authority.split(":")
        with socket.create_connection((host, int(port))) as onward:
            onward.sendall(caller.head.encode() + b"\r\n\r\n" + caller.body)
            open_lines.append(caller)
            while part := onward.recv(65_536):
                caller.socket.sendall(part)

    with byte_server(forward) as line:
        yield line.url, open_lines


def test_what_was_missed_comes_first_and_then_everything_as_it_happens(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    cursors = newest(brand, session, "notifications", "own")
    mastodon.post("ann", "@brand while you were away")
    heard = Listener(listen(brand, cursors, session, stop))
    assert until(lambda: heard.texts() == ["@brand while you were away"])
    for number in range(5):
        mastodon.post("ben", f"@brand live {number}")
    assert until(lambda: heard.texts()[1:] == [f"@brand live {number}" for number in range(5)]), heard.texts()
    mastodon.post("brand", "said on the phone")
    assert until(lambda: heard.texts()[-1] == "said on the phone")
    assert heard.pages[-1].stream == "own"
    assert heard.error is None


def test_the_cursor_of_every_page_is_where_a_restart_goes_on(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    heard = Listener(listen(brand, newest(brand, session, "notifications"), session, stop))
    mastodon.post("ann", "@brand one")
    assert until(lambda: heard.texts() == ["@brand one"])
    mastodon.post("ann", "@brand two")
    assert until(lambda: heard.texts() == ["@brand one", "@brand two"])
    rest = pull_pages(brand, "notifications", heard.pages[0].cursor, session)
    assert [post.text for page in rest for post in page.posts] == ["@brand two"]


def test_deletions_are_told(mastodon: MastodonServer, brand: Account, session: GuardedSession) -> None:
    heard = Listener(listen(brand, newest(brand, session, "notifications"), session, stop))
    own = mastodon.post("brand", "a mistake")
    time.sleep(0.5)  # the stream must be open: what was deleted before is not told
    mastodon.call("DELETE", f"/api/v1/statuses/{own['id']}", "brand")
    assert until(lambda: any(page.deleted == (own["id"],) for page in heard.pages))


def test_a_line_that_was_cut_is_opened_again_and_the_gap_is_filled(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    cursors = newest(brand, session, "notifications")
    away = threading.Event()
    waits: list[float] = []

    def pause(seconds: float) -> None:
        if not seconds:
            return
        waits.append(seconds)
        assert away.wait(10)

    with cuttable(mastodon) as (address, lines):
        account = msgspec.structs.replace(brand, settings=brand.settings | {"streaming": address})
        allowed = GuardedSession(allow={mastodon.authority, address.removeprefix("http://")})
        heard = Listener(listen(account, cursors, allowed, pause))
        assert until(lambda: len(lines) == 1)
        mastodon.post("ann", "@brand before")
        assert until(lambda: heard.texts() == ["@brand before"])
        lines[0].socket.shutdown(socket.SHUT_RDWR)
        assert until(lambda: bool(waits))
        for number in range(3):
            mastodon.post("ann", f"@brand gap {number}")
        away.set()
        assert until(lambda: len(heard.texts()) == 4)
        assert heard.texts() == ["@brand before", "@brand gap 0", "@brand gap 1", "@brand gap 2"]
        mastodon.post("ann", "@brand after")
        assert until(lambda: heard.texts()[-1] == "@brand after")


# ---------------------------------------------------------------- servers that behave badly


def fall_silent(_caller: Caller) -> None:
    time.sleep(5)


def streaming(hello: bytes, then: Callable[[Caller], None] = fall_silent) -> Callable[[Caller], None]:
    """A server whose lists are empty and whose stream says `hello`."""

    def answer(caller: Caller) -> None:
        if "/streaming/" in caller.path:
            caller.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + hello)
            then(caller)
            caller.socket.close()
        else:
            caller.send("200 OK", b"[]")

    return answer


def on(authority: str, **settings: Any) -> Account:
    server = f"http://{authority}"
    return Account(channel=1, server=server, handle="brand", account_id="1", token="t", settings=settings)


def test_a_half_open_line_is_noticed_by_its_silence() -> None:
    with byte_server(streaming(b":connected\n\n")) as server, GuardedSession(allow={server.authority}) as session:
        start = time.monotonic()
        with pytest.raises(Stopped):
            list(listen(on(server.authority), {"notifications": '{"id":"1"}'}, session, stop, silence=0.5))
        assert 0.4 < time.monotonic() - start < 3
        paths = [caller.path.partition("?")[0] for caller in server.callers]
        assert paths == ["/api/v1/streaming/user", "/api/v1/notifications"]


def test_heartbeats_keep_a_quiet_line_open() -> None:
    def beat(caller: Caller) -> None:
        for _ in range(5):
            time.sleep(0.3)
            caller.socket.sendall(b":thump\n\n")

    start = time.monotonic()
    with (
        byte_server(streaming(b":connected\n\n", then=beat)) as server,
        GuardedSession(allow={server.authority}) as session,
        pytest.raises(Stopped),
    ):
        list(listen(on(server.authority), {}, session, stop, silence=1.0))
    assert time.monotonic() - start > 1.4


def test_waits_double_up_to_a_minute_and_start_anew_after_news() -> None:
    waits: list[float] = []
    quiet = True

    def pause(seconds: float) -> None:
        if not seconds:
            return
        nonlocal quiet
        waits.append(seconds)
        quiet = len(waits) != 9
        if len(waits) == 12:
            raise Stopped

    def answer(caller: Caller) -> None:
        body = b"HTTP/1.1 200 OK\r\n\r\n" if quiet else b"HTTP/1.1 200 OK\r\n\r\nevent: delete\ndata: 5\n\n"
        caller.socket.sendall(body)
        caller.socket.close()

    with byte_server(answer) as server, GuardedSession(allow={server.authority}) as session, pytest.raises(Stopped):
        list(listen(on(server.authority), {}, session, pause))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 1, 2, 4]


def test_a_server_that_asks_for_patience_gets_it() -> None:
    waits: list[float] = []

    def pause(seconds: float) -> None:
        if not seconds:
            return
        waits.append(seconds)
        raise Stopped

    with (
        byte_server(lambda caller: caller.send("429 x", b"", "Retry-After: 33")) as server,
        GuardedSession(allow={server.authority}) as session,
        pytest.raises(Stopped),
    ):
        list(listen(on(server.authority), {}, session, pause))
    assert waits == [33]


@pytest.mark.parametrize(("status", "error"), [("404 x", GiveUp), ("401 x", Reauthorise)])
def test_no_streaming_and_no_right_to_it_are_told(status: str, error: type[Exception]) -> None:
    with (
        byte_server(lambda caller: caller.send(status)) as server,
        GuardedSession(allow={server.authority}) as session,
        pytest.raises(error),
    ):
        list(listen(on(server.authority), {}, session, go_on))


def test_a_streaming_address_that_nobody_reaches_falls_back_to_the_server() -> None:
    with (
        byte_server(streaming(b"event: delete\ndata: 5\n\n")) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        for told in ("wss://127.0.0.1:1", "nonsense", "file:///etc/passwd"):
            page = next(iter(listen(on(server.authority, streaming=told), {}, session, go_on)))
            assert page.deleted == ("5",)


def test_edits_that_speak_to_us_come_in_and_others_do_not() -> None:
    def edit(identifier: str, mentioned: str) -> bytes:
        status = {
            "id": identifier, "created_at": "2026-11-21T10:00:00Z", "edited_at": "2026-11-21T11:00:00Z",
            "content": "<p>mended</p>", "account": {"id": "9", "acct": "ann"}, "mentions": [{"acct": mentioned}],
        }  # fmt: skip
        return b"event: status.update\ndata: " + json.dumps(status).encode() + b"\n\n"

    events = edit("1", "somebody") + b"event: status.update\ndata: {}\n\n" + edit("2", "brand")
    with byte_server(streaming(events)) as server, GuardedSession(allow={server.authority}) as session:
        pages = listen(on(server.authority), {"notifications": '{"id":"1"}'}, session, stop, silence=0.5)
        refused, mended = next(pages), next(pages)
        with pytest.raises(Stopped):
            next(pages)
    assert refused.rejected
    assert [(post.id, post.text) for post in mended.posts] == [("2", "mended")]
    assert mended.cursor == '{"id":"1"}'


def test_a_stream_ends_at_the_next_heartbeat_when_nobody_listens_any_more(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    done = threading.Event()

    def pause(seconds: float) -> None:
        if done.is_set():
            raise Stopped

    heard = Listener(listen(brand, {}, session, pause))
    time.sleep(0.5)
    assert heard.error is None
    done.set()
    assert until(lambda: isinstance(heard.error, Stopped), 5.0)
