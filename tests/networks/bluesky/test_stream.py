"""The live line: over a Jetstream that tells what the real data server says, without one, and over hostile ones."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.sync.server import ServerConnection, serve

from bluesky import BlueskyAccount, BlueskyNetwork, until
from rapport.core.errors import Reauthorise
from rapport.networks.base import Account, Page
from rapport.networks.bluesky import jetstream
from rapport.networks.bluesky.jetstream import LOOKBACK, microseconds_of
from rapport.networks.bluesky.pull import LIVE, streams_of
from rapport.networks.bluesky.stream import Pace, listen
from rapport.networks.bluesky.syntax import encode_tid
from rapport.networks.http import GuardedSession, Limits
from wires import Caller, byte_server

US, ANN = "did:plc:us", "did:plc:ann"
QUICK = Pace(poll=0.05, lists=0.2, look=30.0, save=0.3, pulse=0.05, silence=5.0, first_wait=0.1, longest_wait=0.4)
#: the lists are read so seldom that what is heard was heard on the Jetstream
JETSTREAM_ONLY = msgspec.structs.replace(QUICK, poll=1000.0, lists=1000.0, look=1000.0)


class Stopped(Exception):
    """What `pause` raises to end a stream."""


class Listener:
    """A stream that is listened to in a thread, until the end of its `with` block."""

    def __init__(
        self,
        account: Account,
        allow: set[str],
        cursors: dict[str, str] | None = None,
        pace: Pace = QUICK,
        seconds: float = 10.0,
    ) -> None:
        self.pages: list[Page] = []
        self.error: BaseException | None = None
        self.waits: list[float] = []
        self._stop = threading.Event()
        self._session = GuardedSession(allow=allow, limits=Limits(total=seconds))
        known = cursors or {}
        started = {stream: known.get(stream, "") for stream in streams_of(account)}
        self._pages = listen(account, started, self._session, self._pause, pace)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _pause(self, seconds: float) -> None:
        if seconds:
            self.waits.append(seconds)
        if self._stop.wait(seconds):
            raise Stopped

    def _run(self) -> None:
        try:
            for page in self._pages:
                self.pages.append(page)
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            self.error = error

    def posts(self) -> list[str]:
        return [post.id for page in list(self.pages) for post in page.posts]

    def texts(self) -> list[str]:
        return [post.text for page in list(self.pages) for post in page.posts]

    def deleted(self) -> list[str]:
        return [each for page in list(self.pages) for each in page.deleted]

    def cursor(self) -> str:
        """Where the live stream has got to."""
        until(lambda: any(page.stream == LIVE for page in list(self.pages)))
        return [page.cursor for page in list(self.pages) if page.stream == LIVE][-1]


def wait_until_open(heard: Listener, account: BlueskyAccount) -> None:
    """Until something said now is heard live."""
    opened = account.post("@brand.test are you listening?")
    until(lambda: opened["uri"] in heard.posts(), f"the line never opened: {heard.error!r}")


# ---------------------------------------------------------------- the real network


def test_a_mention_is_heard_by_the_live_line(bluesky: BlueskyNetwork, signed_in: Account, ann: BlueskyAccount) -> None:
    with Listener(signed_in, bluesky.allowed, pace=JETSTREAM_ONLY) as heard:
        wait_until_open(heard, ann)
        waits = []
        for number in range(5):
            said = ann.post(f"@brand.test live {number}")
            began = time.monotonic()
            until(lambda uri=said["uri"]: uri in heard.posts())  # type: ignore[misc]
            waits.append(time.monotonic() - began)
        assert min(waits) < 10.0  # the others on this machine may have their turn in between
        (post,) = [post for page in heard.pages for post in page.posts if post.id == said["uri"]]
        assert (post.author.handle, post.author.name, post.mentions) == ("ann.test", "Ann", ("brand.test",))


def test_what_is_ours_is_picked_out_of_everything_that_is_said(
    bluesky: BlueskyNetwork, signed_in: Account, brand: BlueskyAccount, ann: BlueskyAccount, ben: BlueskyAccount
) -> None:
    settings = signed_in.settings | {"searches": ["lost luggage", '"gate closed" rome'], "hashtags": ["strike"]}
    account = msgspec.structs.replace(signed_in, settings=settings)
    with Listener(account, bluesky.allowed, pace=JETSTREAM_ONLY) as heard:
        wait_until_open(heard, ann)
        ours = brand.post("our own words")
        until(lambda: bluesky.shows(ours["uri"], brand))
        quote = {"$type": "app.bsky.embed.record", "record": {"uri": ours["uri"], "cid": ours["cid"]}}
        wanted = [
            ours,
            ben.post("an answer", to=ours),
            ben.post("a quote", embed=quote),
            ann.post("they LOST my Luggage"),
            ann.post("In Rome: gate closed!"),
            ann.post("no trains, #Strike."),
        ]
        for text in ("lost my way", "luggagelost", "the gate was closed in Rome", "striking", "hello"):
            ann.post(text)
        last = ann.post("@brand.test that was all")
        until(lambda: last["uri"] in heard.posts())
        assert heard.posts()[-7:] == [each["uri"] for each in (*wanted, last)]


def test_deletions_are_heard_of_those_whom_we_have_heard_and_of_nobody_else(
    bluesky: BlueskyNetwork, signed_in: Account, ann: BlueskyAccount
) -> None:
    stranger = bluesky.account("stranger")
    with Listener(signed_in, bluesky.allowed, pace=JETSTREAM_ONLY) as heard:
        wait_until_open(heard, ann)
        said = ann.post("@brand.test a mistake")
        unheard = stranger.post("nobody heard this")
        until(lambda: said["uri"] in heard.posts())
        stranger.delete(unheard)
        ann.delete(said)
        until(lambda: said["uri"] in heard.deleted())
        assert unheard["uri"] not in heard.deleted()
        cursor = heard.cursor()
    before = ann.post("nothing to do with us")
    ann.delete(before)
    with Listener(signed_in, bluesky.allowed, {LIVE: cursor}, JETSTREAM_ONLY) as again:
        until(lambda: before["uri"] in again.deleted(), "whom we know was forgotten at the restart")


def test_an_account_that_is_taken_down_and_comes_back_is_told(
    bluesky: BlueskyNetwork, signed_in: Account, ann: BlueskyAccount
) -> None:
    troll = bluesky.account("troll")
    quiet = bluesky.account("quiet")

    def told(kind: str) -> list[str]:
        return [each for page in list(heard.pages) for each in getattr(page, kind)]

    with Listener(signed_in, bluesky.allowed, pace=JETSTREAM_ONLY) as heard:
        wait_until_open(heard, ann)
        said = troll.post("@brand.test boo")
        until(lambda: said["uri"] in heard.posts())
        bluesky.take_down(quiet)
        bluesky.take_down(troll)
        until(lambda: told("suspended") == [troll.did])
        bluesky.take_down(troll, applied=False)
        until(lambda: troll.did in told("restored"))
        troll.call("com.atproto.server.deactivateAccount", {})
        until(lambda: told("suspended") == [troll.did, troll.did])
        assert quiet.did not in told("suspended")
    bluesky.take_down(quiet, applied=False)


def test_what_was_said_while_the_line_was_down_is_replayed_from_the_cursor(
    bluesky: BlueskyNetwork, signed_in: Account, ann: BlueskyAccount
) -> None:
    with Listener(signed_in, bluesky.allowed, pace=JETSTREAM_ONLY) as heard:
        wait_until_open(heard, ann)
        cursor = heard.cursor()
    missed = [ann.post(f"@brand.test while you were away {number}")["uri"] for number in range(3)]
    ann.delete({"uri": missed[1]})
    with Listener(signed_in, bluesky.allowed, {LIVE: cursor}, JETSTREAM_ONLY) as again:
        until(lambda: set(missed) <= set(again.posts()) and missed[1] in again.deleted())
        assert len(again.posts()) == len(set(again.posts()))


def test_without_a_jetstream_mentions_are_looked_for_and_heard_by_the_live_line(
    bluesky: BlueskyNetwork, signed_in: Account, ann: BlueskyAccount
) -> None:
    off = msgspec.structs.replace(signed_in, settings={"jetstream": "off"})
    with Listener(off, bluesky.allowed, pace=Pace()) as heard:
        wait_until_open(heard, ann)
        waits = []
        for number in range(3):
            said = ann.post(f"@brand.test without a stream {number}")
            began = time.monotonic()
            until(lambda uri=said["uri"]: uri in heard.posts())  # type: ignore[misc]
            waits.append(time.monotonic() - began)
        assert min(waits) < 10.0
        assert {page.stream for page in heard.pages} <= {"notifications", "own"}


def test_while_the_jetstream_is_down_mentions_come_all_the_same_and_the_line_returns(
    bluesky: BlueskyNetwork, signed_in: Account, ann: BlueskyAccount
) -> None:
    with gate(bluesky.jetstream) as door:
        account = msgspec.structs.replace(signed_in, settings={"jetstream": door.url})
        slow_lists = msgspec.structs.replace(QUICK, look=1000.0)
        with Listener(account, bluesky.allowed | {door.authority}, pace=slow_lists) as heard:
            wait_until_open(heard, ann)
            until(lambda: heard.pages[-1].stream == LIVE)
            door.shut()
            said = ann.post("@brand.test in the dark")
            until(lambda: said["uri"] in heard.posts())
            (page,) = [page for page in heard.pages if said["uri"] in [post.id for post in page.posts]]
            assert page.stream == "notifications"
            door.open()
            until(lambda: door.connections >= 2)
            gone = ann.post("@brand.test and back")
            until(lambda: gone["uri"] in heard.posts())
            ann.delete(gone)
            until(lambda: gone["uri"] in heard.deleted(), "the Jetstream never came back")
            assert heard.posts().count(said["uri"]) == 1


def test_a_dead_token_ends_the_line(bluesky: BlueskyNetwork, signed_in: Account) -> None:
    dead = msgspec.structs.replace(signed_in, token="dead")
    with Listener(dead, bluesky.allowed) as heard:
        until(lambda: heard.error is not None)
    assert isinstance(heard.error, Reauthorise)


# ---------------------------------------------------------------- Jetstreams of our own making


class Gate:
    """A line to a Jetstream that can be cut."""

    def __init__(self) -> None:
        self.authority = self.url = ""
        self.connections = 0
        self.is_open = True
        self.lines: list[Connection] = []

    def shut(self) -> None:
        self.is_open = False
        for line in self.lines:
            with contextlib.suppress(OSError):
                line.socket.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        self.is_open = True


@contextlib.contextmanager
def gate(target: str) -> Iterator[Gate]:
    door = Gate()

    def forward(line: ServerConnection) -> None:
        if not door.is_open or line.request is None:
            return
        with connect(target + line.request.path, legacy=True) as onward:
            door.connections += 1
            door.lines += [line, onward]
            for message in onward:
                line.send(message)

    with talking(forward) as authority:
        door.authority, door.url = authority, f"ws://{authority}"
        try:
            yield door
        finally:
            door.shut()


@contextlib.contextmanager
def talking(talk: Callable[[ServerConnection], None]) -> Iterator[str]:
    """A WebSocket server; yields its "host:port"."""

    def safely(line: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            talk(line)

    with serve(safely, "127.0.0.1", 0, close_timeout=0.2) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{running.socket.getsockname()[1]}"
        finally:
            running.shutdown()
            thread.join(5)


def quiet_server(caller: Caller) -> None:
    """A data server on which nothing is new."""
    if "getProfile" in caller.path:
        caller.send("200 OK", json.dumps({"did": ANN, "handle": "ann.test"}).encode())
    else:
        caller.send("200 OK", b'{"notifications":[],"feed":[],"posts":[]}')


def event(text: str, at: dt.datetime, number: int = 1) -> str:
    record = {
        "text": text,
        "createdAt": at.isoformat(),
        "facets": [{"index": {"byteStart": 0, "byteEnd": 1}, "features": [{"did": US}]}],
    }
    commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": str(number), "record": record}
    return json.dumps({"did": ANN, "time_us": microseconds_of(at), "kind": "commit", "commit": commit})


@contextlib.contextmanager
def hearing(
    talk: Callable[[ServerConnection], None],
    cursor: str = "",
    lists: Callable[[Caller], None] = quiet_server,
    pace: Pace = QUICK,
) -> Iterator[Listener]:
    with talking(talk) as jet, byte_server(lists) as server:
        account = Account(1, server.url, "us.test", US, "t", {"jetstream": f"ws://{jet}"})
        with Listener(account, {jet, server.authority}, {LIVE: cursor}, pace, seconds=2.0) as heard:
            yield heard


def keep_open(line: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        line.recv(timeout=10)


def test_the_cursor_rewinds_a_few_seconds_so_that_nothing_falls_between_two_servers() -> None:
    now = dt.datetime.now(dt.UTC)
    asked: list[str] = []

    def talk(line: ServerConnection) -> None:
        assert line.request is not None
        asked.append(line.request.path)
        line.send(event("again", now - dt.timedelta(seconds=2)))
        line.send(event("new", now, 2))
        if len(asked) > 1:
            keep_open(line)

    start = microseconds_of(now - dt.timedelta(seconds=10))
    with hearing(talk, json.dumps({"us": start})) as heard:
        until(lambda: len(asked) >= 2)
    assert f"cursor={start - 5_000_000}" in asked[0]
    assert "wantedCollections=app.bsky.feed.post" in asked[0]
    assert f"cursor={microseconds_of(now) - 5_000_000}" in asked[1]
    assert heard.texts() == ["again", "new"]  # what was given out once is not given out again


def test_deletions_of_everybody_are_handed_on_together_and_heard_again_after_a_crash_in_between() -> None:
    now = dt.datetime.now(dt.UTC)
    old, young = (encode_tid(microseconds_of(now - dt.timedelta(minutes=ago)), 1) for ago in (90, 5))

    def deletion(key: str, at: dt.datetime) -> str:
        commit = {"operation": "delete", "collection": "app.bsky.feed.post", "rkey": key}
        return json.dumps(
            {"did": "did:plc:stranger", "time_us": microseconds_of(at), "kind": "commit", "commit": commit}
        )

    def talk(line: ServerConnection) -> None:
        line.send(deletion(old, now))
        line.send(deletion(young, now + dt.timedelta(milliseconds=1)))
        line.send(event("new", now + dt.timedelta(milliseconds=2), 2))
        keep_open(line)

    pace = msgspec.structs.replace(QUICK, deletions=1.0)
    start = microseconds_of(now - dt.timedelta(seconds=10))
    with hearing(talk, json.dumps({"us": start}), pace=pace) as heard:
        until(lambda: any(page.known_only for page in heard.pages))
    told = [page for page in heard.pages if page.known_only]
    assert [page.deleted for page in told] == [
        tuple(f"at://did:plc:stranger/app.bsky.feed.post/{key}" for key in (old, young))
    ]
    assert told[0].young == told[0].deleted[1:]
    before = [page for page in heard.pages if page.posts and page.stream == LIVE]
    assert [json.loads(page.cursor)["us"] for page in before] == [microseconds_of(now) - 1]
    assert json.loads(told[0].cursor)["us"] >= microseconds_of(now)


def test_an_account_that_is_new_begins_now() -> None:
    asked: list[str] = []

    def talk(line: ServerConnection) -> None:
        assert line.request is not None
        asked.append(line.request.path)
        keep_open(line)

    with hearing(talk) as heard:
        until(lambda: bool(asked) and bool(heard.pages))
        assert "cursor" not in asked[0]
        age = time.time() - json.loads(heard.cursor())["us"] / 1e6
        assert 0 <= age < 60


@pytest.mark.parametrize(
    ("cursor", "words"),
    [
        (dt.timedelta(hours=-50), "36 hours"),
        (dt.timedelta(days=2), "future"),
        ("{", "not readable"),
        ('{"us":-5}', "not readable"),
        ('{"us":"x"}', "not readable"),
    ],
    ids=["too old", "in the future", "no JSON", "negative", "no number"],
)
def test_a_stretch_that_cannot_be_heard_any_more_is_named_once(cursor: str | dt.timedelta, words: str) -> None:
    if isinstance(cursor, dt.timedelta):
        cursor = json.dumps({"us": microseconds_of(dt.datetime.now(dt.UTC) + cursor)})
    asked: list[str] = []

    def talk(line: ServerConnection) -> None:
        assert line.request is not None
        asked.append(line.request.path)
        if len(asked) > 1:
            keep_open(line)

    with hearing(talk, cursor) as heard:
        until(lambda: len(asked) >= 2)
    gaps = [page.gap for page in heard.pages if page.gap is not None]
    assert len(gaps) == 1
    assert words in gaps[0].reason
    if words == "36 hours":
        assert gaps[0].since is not None
        assert gaps[0].until is not None
        assert gaps[0].until - gaps[0].since == pytest.approx(
            dt.timedelta(hours=50) - LOOKBACK, abs=dt.timedelta(minutes=10)
        )
        begin = int(asked[0].rpartition("=")[2])
        assert abs(time.time() - 36 * 3600 + 300 - begin / 1e6) < 60


def test_a_public_server_that_begins_later_than_it_was_asked_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime.now(dt.UTC)

    def talk(line: ServerConnection) -> None:
        line.send(event("much later", now))
        keep_open(line)

    with talking(talk) as jet, byte_server(quiet_server) as server:
        monkeypatch.setattr(jetstream, "PUBLIC", (f"ws://{jet}",))
        account = Account(1, server.url, "us.test", US, "t")
        cursor = json.dumps({"us": microseconds_of(now - dt.timedelta(hours=5))})
        with Listener(account, {jet, server.authority}, {LIVE: cursor}) as heard:
            until(lambda: "much later" in heard.texts())
    (gap,) = [page.gap for page in heard.pages if page.gap is not None]
    assert "far enough" in gap.reason


def test_the_next_public_server_is_tried_when_one_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(keep_open) as jet, byte_server(quiet_server) as server:
        monkeypatch.setattr(jetstream, "PUBLIC", ("ws://127.0.0.1:1", f"ws://{jet}"))
        account = Account(1, server.url, "us.test", US, "t")
        with Listener(account, {jet, server.authority, "127.0.0.1:1"}) as heard:
            until(lambda: any(page.stream == LIVE for page in heard.pages))


def test_whatever_a_jetstream_says_the_line_holds() -> None:
    now = dt.datetime.now(dt.UTC)
    hostile: list[str | bytes] = [
        "", "null", "[]", "{}", "nonsense", b"\xff\xfe", '{"did":5,"time_us":"x"}', '{"did":"x","time_us":-1}',
        json.dumps({"did": ANN, "time_us": 2**70, "kind": "commit"}),
        json.dumps({"did": ANN, "time_us": microseconds_of(now), "kind": "commit"}),
        json.dumps({"did": ANN, "time_us": microseconds_of(now), "kind": "account", "account": None}),
        event("x", now).replace('"rkey": "1"', '"rkey": "a/../b"'),
        event("x", now).replace(f'"did": "{ANN}"', '"did": "nobody"'),
        event("x", now, 7).replace('"createdAt"', '"created"').replace('"text": "x"', '"text": 7'),
        event("\u0000 hello", now, 8),
        '{"$type":"error","error":"ConsumerTooSlow","message":"..."}',
    ]  # fmt: skip

    def talk(line: ServerConnection) -> None:
        for message in hostile:
            line.send(message)
        line.send(event("the last", now, 9))
        keep_open(line)

    with hearing(talk) as heard:
        until(lambda: "the last" in heard.texts())
        assert heard.error is None


@pytest.mark.parametrize("message", ["x" * 600_000, b"\x00" * 600_000])
def test_a_message_that_is_too_large_does_not_end_the_line(message: str | bytes) -> None:
    lines: list[str] = []

    def talk(line: ServerConnection) -> None:
        assert line.request is not None
        lines.append(line.request.path)
        line.send(message if len(lines) == 1 else event("small again", dt.datetime.now(dt.UTC)))
        keep_open(line)

    with hearing(talk) as heard:
        until(lambda: "small again" in heard.texts())
        assert heard.error is None
    assert "maxMessageSizeBytes=499999" in lines[0]


@pytest.mark.parametrize(
    ("status", "body"),
    [("502 x", b""), ("400 x", b'{"error":"AccountTakedown"}'), ("400 x", b'{"error":"AccountDeactivated"}')],
)
def test_a_profile_that_cannot_be_had_does_not_hold_a_post_back(status: str, body: bytes) -> None:
    def no_profiles(caller: Caller) -> None:
        if "getProfile" in caller.path:
            caller.send(status, body)
        else:
            quiet_server(caller)

    def talk(line: ServerConnection) -> None:
        line.send(event("who am I?", dt.datetime.now(dt.UTC)))
        keep_open(line)

    with hearing(talk, lists=no_profiles) as heard:
        until(lambda: "who am I?" in heard.texts())
    (post,) = [post for page in heard.pages for post in page.posts]
    assert (post.author.id, post.author.handle) == (ANN, ANN)


def test_a_refusal_by_the_jetstream_is_no_refusal_of_our_account() -> None:
    with byte_server(lambda caller: caller.send("401 x")) as jet, byte_server(quiet_server) as server:
        account = Account(1, server.url, "us.test", US, "t", {"jetstream": f"ws://{jet.authority}"})
        with Listener(account, {jet.authority, server.authority}) as heard:
            until(lambda: len(jet.callers) >= 3)
            assert heard.error is None
            assert any("listNotifications" in caller.path for caller in server.callers)


def test_a_limit_that_comes_near_slows_the_looks_down_and_one_that_is_reached_stops_them() -> None:
    left = iter(range(3, -1, -1))
    reset = int(time.time()) + 3600

    def limited(caller: Caller) -> None:
        remaining = next(left, 0)
        headers = (f"RateLimit-Remaining: {remaining}", f"RateLimit-Reset: {reset}")
        caller.send("200 OK", b'{"notifications":[],"feed":[]}', *headers)

    with byte_server(limited) as server:
        account = Account(1, server.url, "us.test", US, "t", {"jetstream": "off"})
        with Listener(account, {server.authority}) as heard:
            until(lambda: bool(heard.waits))
            time.sleep(0.3)
            assert heard.waits[0] > 1000
            assert len(server.callers) == 2


def test_a_search_that_the_server_refuses_does_not_end_the_line() -> None:
    def refusing(caller: Caller) -> None:
        if "searchPosts" in caller.path:
            caller.send("400 x", b'{"error":"BadQueryString"}')
        else:
            quiet_server(caller)

    def talk(line: ServerConnection) -> None:
        line.send(event("still here", dt.datetime.now(dt.UTC)))
        keep_open(line)

    with talking(talk) as jet, byte_server(refusing) as server:
        settings: dict[str, Any] = {"jetstream": f"ws://{jet}", "searches": ["a b"]}
        with Listener(Account(1, server.url, "us.test", US, "t", settings), {jet, server.authority}) as heard:
            until(lambda: "still here" in heard.texts())


def test_a_quiet_line_still_says_that_it_lives() -> None:
    with hearing(keep_open) as heard:
        until(lambda: len([page for page in heard.pages if page.stream == LIVE]) >= 3)
        assert heard.posts() == []
