"""The live line of a mailbox: IDLE on its first folder. The other folders are read by the polls that go on beside it.

IDLE is issued anew every minute, long before the 29 minutes after which a server may hang up (RFC 2177): the answer
also shows that the connection is still one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from rapport.core.errors import GiveUp, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.mail.account import FOLDER, folders_of, open_imap
from rapport.networks.mail.imap import Imap
from rapport.networks.mail.pull import decode_cursor, read_folder

ANEW = 50.0  # seconds after which IDLE is issued again
_GLANCE = 1.0  # seconds between two questions whether to go on
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0


def listen(
    account: Account,
    cursors: Mapping[str, str],
    session: GuardedSession,
    pause: Callable[[float], None],
    anew: float = ANEW,
) -> Iterator[Page]:
    """See `Network.stream`. `pause` is called with 0 every second, so that it can raise to end the line."""
    folder = folders_of(account)[0]
    line = _Line(account, folder, cursors.get(f"{FOLDER}{folder}", ""), anew)
    wait = _FIRST_WAIT
    while True:
        began = time.monotonic()
        try:
            with open_imap(account, session) as imap:
                if not imap.can("IDLE"):
                    raise GiveUp(f"{imap.server} does not tell of new mails by itself (it has no IDLE)")
                yield from line.follow(imap, pause)
        except RetryLater as error:
            if time.monotonic() - began > _LONGEST_WAIT:  # a line that held is no reason to wait long for the next
                wait = _FIRST_WAIT
            pause(max(wait, error.after or 0.0))
            wait = min(wait * 2, _LONGEST_WAIT)


class _Line:
    """One folder that is listened to; its cursor moves with every page that is given out."""

    def __init__(self, account: Account, folder: str, cursor: str, anew: float) -> None:
        self._account, self._folder, self._cursor, self._anew = account, folder, cursor, anew

    def follow(self, imap: Imap, pause: Callable[[float], None]) -> Iterator[Page]:
        """One connection, until it breaks: first what was missed, then what comes."""
        while True:
            yield from self._read(imap)
            while not self._sleep(imap, pause):
                pass

    def _read(self, imap: Imap) -> Iterator[Page]:
        grown = True
        while grown:
            folder = imap.open(self._folder)
            for page in read_folder(
                imap, self._account, f"{FOLDER}{self._folder}", folder, decode_cursor(self._cursor)
            ):
                self._cursor = page.cursor
                if page.posts or page.rejected or page.gap:
                    yield page
            grown = imap.has_grown(folder)  # told between two answers: IDLE would not tell it again

    def _sleep(self, imap: Imap, pause: Callable[[float], None]) -> bool:
        """One IDLE; whether something came."""
        tag, happened = imap.begin_idle()
        until = time.monotonic() + self._anew
        while not happened and time.monotonic() < until:
            pause(0.0)
            happened = imap.wait(min(_GLANCE, self._anew))
        return imap.end_idle(tag) or happened
