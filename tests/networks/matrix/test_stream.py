"""The live line to a real homeserver."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from rapport.core.errors import InvalidInput, Reauthorise
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.pull import FIRST_PULL, pull_pages
from rapport.networks.matrix.stream import listen
from synapse import Synapse


class Stopped(Exception):
    """What `pause` raises to end a line."""


class Listener:
    """A line that is listened to in a thread; `pages` is what came, `error` how it ended."""

    def __init__(self, account: Account, cursor: str, session: GuardedSession) -> None:
        self.pages: list[Page] = []
        self.waits: list[float] = []
        self.error: Exception | None = None
        self.done = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(listen(account, {"rooms": cursor}, session, self._pause),), daemon=True
        )
        self._thread.start()

    def _pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.done.wait(min(seconds, 0.2)):
            raise Stopped

    def _run(self, pages: Iterator[Page]) -> None:
        try:
            for page in pages:
                self.pages.append(page)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            self.error = error

    def texts(self) -> list[str]:
        return [post.text for page in list(self.pages) for post in page.posts]

    def end(self) -> None:
        self.done.set()
        self._thread.join(10)
        assert isinstance(self.error, Stopped)


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def newest(account: Account, session: GuardedSession) -> str:
    return list(pull_pages(account, "rooms", "", session))[-1].cursor


def test_posts_edits_and_redactions_come_by_the_live_line(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    heard = Listener(brand, newest(brand, session), session)
    took: list[float] = []
    for number in range(3):
        began = time.monotonic()
        said = homeserver.say("ann", room, f"hello live {number}")
        assert until(lambda text=f"hello live {number}": heard.texts()[-1:] == [text])  # type: ignore[misc]
        homeserver.edit("ann", room, said, f"hello again {number}")
        assert until(lambda text=f"hello again {number}": heard.texts()[-1:] == [text])  # type: ignore[misc]
        homeserver.redact("ann", room, said)
        assert until(lambda place=f"{room}/{said}": any(place in page.deleted for page in list(heard.pages)))  # type: ignore[misc]
        took.append(time.monotonic() - began)
    assert min(took) < 10.0  # all three together; the best of several, because the machine may be busy
    time.sleep(2.5)  # longer than the server holds a request: the line is asked again
    homeserver.say("ann", room, "after a silence")
    assert until(lambda: heard.texts()[-1] == "after a silence")
    heard.end()


@pytest.mark.slow
def test_two_restarts_of_the_server_and_what_was_missed_are_filled(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    heard = Listener(brand, newest(brand, session), session)
    said: list[str] = []
    for turn in range(2):
        homeserver.restart()
        for number in range(30):
            said.append(f"turn {turn} number {number}")
            homeserver.say("ann", room, said[-1])
        assert until(lambda: heard.texts() == said), heard.texts()
    assert any(wait >= 1 for wait in heard.waits)  # it did notice that the server was away
    heard.end()


def test_a_line_that_begins_late_brings_everything_first(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    homeserver.say("ann", room, "known")
    cursor = newest(brand, session)
    wanted = [f"missed {number}" for number in range(FIRST_PULL + 30)]
    for text in wanted:
        homeserver.say("ann", room, text)
    heard = Listener(brand, cursor, session)
    homeserver.say("ann", room, "live")
    assert until(lambda: heard.texts() == [*wanted, "live"])
    first = heard.pages[0]
    rest = [post.text for page in pull_pages(brand, "rooms", first.cursor, session) for post in page.posts]
    assert [post.text for post in first.posts] + rest == [*wanted, "live"]
    heard.end()


def test_a_dead_token_ends_the_line(homeserver: Synapse, brand: Account, session: GuardedSession) -> None:
    dead = msgspec.structs.replace(brand, token="dead")
    with pytest.raises(Reauthorise):
        next(iter(listen(dead, {"rooms": ""}, session, lambda _seconds: None)))


def test_a_line_without_a_cursor_for_its_stream_is_refused(brand: Account, session: GuardedSession) -> None:
    with pytest.raises(InvalidInput):
        next(iter(listen(brand, {}, session, lambda _seconds: None)))
