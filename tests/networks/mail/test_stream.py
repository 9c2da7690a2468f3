"""The live line of a real mailbox, and of servers that have none, fall silent or hang up."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from dovecot import MailServer
from rapport.core.errors import GiveUp, Reauthorise, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession, Limits
from rapport.networks.mail.pull import pull_pages
from rapport.networks.mail.stream import listen

INBOX = "folder:INBOX"


class Stopped(Exception):
    """What `pause` raises to end a stream."""


def give_in(seconds: float) -> None:
    """A `pause` that waits for nothing."""
    if seconds:
        raise Stopped


class Line:
    """A live line that is listened to in a thread; `pages` is what came, `error` how it ended."""

    def __init__(self, account: Account, session: GuardedSession, anew: float = 50.0) -> None:
        self.pages: list[Page] = []
        self.pauses: list[float] = []
        self.error: Exception | None = None
        self.stopped = threading.Event()
        cursor = list(pull_pages(account, INBOX, "", session))[-1].cursor
        pages = listen(account, {INBOX: cursor}, session, self.pause, anew)
        self.thread = threading.Thread(target=self.run, args=(pages,), daemon=True)
        self.thread.start()

    def pause(self, seconds: float) -> None:
        if seconds:
            self.pauses.append(seconds)
        if self.stopped.wait(min(seconds, 0.05)):
            raise Stopped

    def run(self, pages: Iterator[Page]) -> None:
        try:
            for page in pages:
                self.pages.append(page)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            self.error = error

    def ids(self) -> list[str]:
        return [post.id for page in list(self.pages) for post in page.posts]


@contextlib.contextmanager
def line(account: Account, session: GuardedSession, anew: float = 50.0) -> Iterator[Line]:
    opened = Line(account, session, anew)
    try:
        yield opened
    finally:
        opened.stopped.set()
        opened.thread.join(timeout=5)


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("security", ["plain", "tls"])
def test_a_mail_is_seen_by_the_live_line(mail: MailServer, guarded: GuardedSession, security: str) -> None:
    account = mail.account(security=security)
    with line(account, guarded) as live:
        time.sleep(0.5)  # the line is idle now
        for number in range(3):
            said = mail.say(f"number {number}", account.handle)
            assert until(lambda said=said: said in live.ids(), 10.0)  # type: ignore[misc]
    assert len(live.ids()) == 3


def test_what_was_missed_before_the_line_and_between_two_idles_comes_too(
    mail: MailServer, guarded: GuardedSession
) -> None:
    account = mail.account()
    with line(account, guarded, anew=0.2) as live:  # idle is issued anew five times a second
        said = [mail.say(f"number {number}", account.handle) for number in range(25)]
        assert until(lambda: len(live.ids()) >= 25)
        # each of them once; a busy mail server may lay them down in another order
        assert sorted(live.ids()) == sorted(said)
        assert live.pauses == []


def test_a_line_that_is_cut_is_opened_again_and_its_gap_filled(mail: MailServer, guarded: GuardedSession) -> None:
    account = mail.account()
    with cuttable(mail.imap) as (port, cut), GuardedSession(allow={f"127.0.0.1:{port}", *mail.allowed}) as session:
        through = msgspec.structs.replace(account, server=f"imap://127.0.0.1:{port}")
        with line(through, session) as live:
            time.sleep(0.5)
            cut()
            said = mail.say("while it was down", account.handle)
            assert until(lambda: said in live.ids())
            assert live.pauses


def test_a_line_ends_soon_after_it_is_told_to(mail: MailServer, support: Account, guarded: GuardedSession) -> None:
    with line(support, guarded) as live:
        time.sleep(0.3)
        live.stopped.set()
        assert until(lambda: isinstance(live.error, Stopped), 3.0)


def test_a_dead_password_ends_the_line(support: Account, guarded: GuardedSession) -> None:
    dead = msgspec.structs.replace(support, token="dead")
    with pytest.raises(Reauthorise):
        next(listen(dead, {INBOX: ""}, guarded, give_in))


@contextlib.contextmanager
def cuttable(port: int) -> Iterator[tuple[int, Callable[[], None]]]:
    """A line to a server that can be cut: its port, and what cuts every connection over it."""
    listener = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = []

    def carry(from_: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := from_.recv(65_536):
                to.sendall(part)
        for end in (from_, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", port))
                ends.extend((near, far))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

    def cut() -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1], cut
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        cut()
        for end in ends:
            end.close()


# ---------------------------------------------------------------- servers of a few lines


@contextlib.contextmanager
def scripted(answers: dict[str, bytes], greeting: bytes = b"* OK hello\r\n") -> Iterator[int]:
    """An IMAP server that answers each command with fixed bytes, `TAG` in them replaced; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    usual = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n",
        "LOGIN": b"TAG OK done\r\n",
        "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 2]\r\nTAG OK done\r\n",
        "LOGOUT": b"* BYE\r\nTAG OK done\r\n",
    } | answers

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            connection.sendall(greeting)
            for asked in lines:
                tag, _, rest = asked.partition(b" ")
                verb = rest.split()[0].decode().upper() if rest.split() else ""
                verb = f"UID {rest.split()[1].decode().upper()}" if verb == "UID" else verb
                connection.sendall(usual.get(verb, b"TAG OK done\r\n").replace(b"TAG", tag.strip()))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def account_on(port: int) -> Account:
    return Account(
        channel=1, server=f"imap://127.0.0.1:{port}", handle="support@fernway.example",
        account_id="support@fernway.example", token="x", settings={"imap_security": "plain"},
    )  # fmt: skip


def read(port: int, cursor: str = "") -> list[Page]:
    with GuardedSession(allow={f"127.0.0.1:{port}"}, limits=Limits(total=1.0)) as session:
        return list(pull_pages(account_on(port), INBOX, cursor, session))


def test_a_connection_that_died_in_silence_is_noticed() -> None:
    answers = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK done\r\n",
        "EXAMINE": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 1]\r\nTAG OK done\r\n",
        "IDLE": b"+ idling\r\n",
        "": b"",  # DONE is never answered
    }
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        if seconds:
            pauses.append(seconds)
            raise Stopped

    with scripted(answers) as port:
        limits = Limits(total=1.0)
        with GuardedSession(allow={f"127.0.0.1:{port}"}, limits=limits) as session, pytest.raises(Stopped):
            next(listen(account_on(port), {INBOX: ""}, session, pause, anew=0.3))
    assert pauses == [1.0]


def test_a_server_without_idle_says_that_it_is_polled() -> None:
    with (
        scripted({}) as port,
        GuardedSession(allow={f"127.0.0.1:{port}"}) as session,
        pytest.raises(GiveUp, match="no IDLE"),
    ):
        next(listen(account_on(port), {INBOX: ""}, session, give_in))


ONE = (
    b'* 1 FETCH (UID 1 INTERNALDATE "21-Nov-2026 10:00:00 +0000" BODYSTRUCTURE %s BODY[HEADER]<0> {%d}\r\n%s)\r\n'
    b"TAG OK done\r\n"
)
HEAD = b"From: ann@customer.example\r\nSubject: x\r\nMessage-ID: <one@customer.example>\r\n\r\n"


@pytest.mark.parametrize(
    "answers",
    [
        {"FETCH": b"TAG NO not now\r\n"},
        {"FETCH": b"* 1 FETCH (UID 1)\r\nTAG OK done\r\n", "UID FETCH": b"TAG NO [SERVERBUG] broken\r\n"},
        {"EXAMINE": b"TAG NO [UNAVAILABLE] later\r\n"},
        {"EXAMINE": b"* BYE we go\r\n"},
        {"FETCH": b"* 1 FETCH (UID {99999999999}\r\n"},
        {"FETCH": b"* 1 FETCH (UID 1"},
        {"CAPABILITY": b"\xff\xfe\r\n"},
        {"LOGIN": b"TAG NO [UNAVAILABLE] try again\r\n"},
    ],
    ids=lambda answers: next(iter(answers.values()))[:30].decode("latin-1"),
)
def test_a_server_that_is_out_of_order_is_asked_again_later(answers: dict[str, bytes]) -> None:
    with scripted(answers) as port, pytest.raises(RetryLater):
        read(port)


@pytest.mark.parametrize(
    "greeting", [b"* BYE too many connections\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"", b"* OK" + b"x" * 100]
)
def test_what_is_no_imap_server_is_asked_again_later(greeting: bytes) -> None:
    with scripted({}, greeting) as port, pytest.raises(RetryLater):
        read(port)


def test_a_structure_that_cannot_be_read_is_made_up_for_by_reading_the_mail() -> None:
    whole = HEAD + b"the words\r\n"
    deep = b"(" * 90 + b'"text" "plain"' + b")" * 90
    answers = {
        "FETCH": b"* 1 FETCH (UID 1)\r\nTAG OK done\r\n",
        "UID FETCH": ONE % (deep, len(HEAD), HEAD + b" BODY[]<0> {%d}\r\n%s" % (len(whole), whole)),
    }
    with scripted(answers) as port:
        (page,) = read(port)
    assert [post.text for post in page.posts] == ["x\n\nthe words"]


def test_a_mail_that_the_server_does_not_hand_out_is_named_and_stays_behind() -> None:
    answers = {
        "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 2]\r\nTAG OK done\r\n",
        "FETCH": b"* 1 FETCH (UID 1)\r\nTAG OK done\r\n",
        "UID FETCH": b'* 1 FETCH (UID 1 INTERNALDATE "21-Nov-2026 10:00:00 +0000")\r\nTAG OK done\r\n',
    }
    with scripted(answers) as port:
        (page,) = read(port)
    assert page.posts == ()
    assert page.rejected == ("mail 1: mail: the server did not hand out its head",)


def test_a_server_that_drips_is_left_in_time() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                for _ in range(50):
                    connection.sendall(b"*")
                    time.sleep(0.1)

    threading.Thread(target=drip, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(RetryLater):
        read(listener.getsockname()[1])
    listener.close()
    assert time.monotonic() - began < 5.0
