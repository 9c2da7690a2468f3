"""Live lines: one thread an account that streams, so that a word reaches the desk when it is said.

The polls of the listener go on beside it; whatever both of them bring is stored once.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
from collections.abc import Callable

import msgspec
from django.db import close_old_connections, connections

from rapport.actions import listening
from rapport.core.errors import GiveUp, NetworkError, Reauthorise
from rapport.networks.base import Account, Page
from rapport.networks.contract import Network
from rapport.networks.http import GuardedSession
from rapport.store.models import Channel, Cursor

log = logging.getLogger(__name__)

REST = dt.timedelta(seconds=30)


class Hangup(Exception):  # not an error: the way out of a blocking generator
    """Raised inside a live line when it shall end."""


class LiveLine(msgspec.Struct):
    """A running thread and what it was started for."""

    thread: threading.Thread
    stop: threading.Event
    #: what the line depends on; when it changes the line is opened anew
    made_for: tuple[object, ...]


class LiveLines:
    """Keeps one live line for every connected account whose network streams."""

    def __init__(
        self,
        network_of: Callable[[Channel], Network],
        account_of: Callable[[Channel], Account],
        session: Callable[[], GuardedSession],
        store: Callable[[Channel, Page], int],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self.network_of = network_of
        self.account_of = account_of
        self.session = session
        self.store = store
        self.clock = clock
        self.lines: dict[int, LiveLine] = {}
        #: accounts whose server offers no stream, as they were when it said so
        self.silent: dict[int, tuple[object, ...]] = {}
        #: accounts whose line broke in a way that its network did not mend by itself -> when it is opened again
        self.resting: dict[int, dt.datetime] = {}

    def mind(self, channels: list[Channel]) -> None:
        """Open the lines that are missing, end those that nobody needs any more."""
        now = self.clock()
        wanted = {
            row.pk: row
            for row in channels
            if self.network_of(row).capabilities.streaming
            # a line that was opened with a token that has run out would be told that it is dead
            and (row.token_expires_at is None or row.token_expires_at > now)
        }
        for pk, line in list(self.lines.items()):
            row = wanted.get(pk)
            if row is None or line.made_for != _made_for(row) or not line.thread.is_alive():
                line.stop.set()
                del self.lines[pk]
        for pk, row in wanted.items():
            rests = pk in self.resting and self.resting[pk] > now
            if pk not in self.lines and not rests and self.silent.get(pk) != _made_for(row):
                self.lines[pk] = self._open(row)

    def end(self) -> None:
        """Hang up everywhere. A thread that waits for a silent server ends with the process."""
        for line in self.lines.values():
            line.stop.set()
        for line in self.lines.values():
            line.thread.join(timeout=1.0)
        self.lines.clear()

    def _open(self, row: Channel) -> LiveLine:
        stop = threading.Event()
        thread = threading.Thread(target=self._follow, args=(row, stop), name=f"live-{row.slug}", daemon=True)
        thread.start()
        return LiveLine(thread, stop, _made_for(row))

    def _follow(self, row: Channel, stop: threading.Event) -> None:
        def pause(seconds: float) -> None:
            # jitter: after a restart of a server not everybody comes back in the same second
            if stop.wait(seconds * random.uniform(0.8, 1.3)):  # noqa: S311  # nothing secret hangs on it
                raise Hangup

        try:
            account = self.account_of(row)
            network = self.network_of(row)
            known = dict(Cursor.objects.of(row.workspace_id).filter(channel=row).values_list("stream", "value"))
            cursors = {stream: known.get(stream, "") for stream in network.streams(account)}
            for page in network.stream(account, cursors, self.session(), pause):
                close_old_connections()
                if stop.is_set():
                    return
                self.store(row, page)
        except Hangup:
            return
        except GiveUp as error:
            log.info("channel %s: no live line (%s); it is read every few seconds instead", row.slug, error)
            self.silent[row.pk] = _made_for(row)
        except Reauthorise as error:
            listening.ask_to_reconnect(row, error, now=self.clock())
        except NetworkError as error:
            log.warning("channel %s: the live line ended: %s", row.slug, error)
            self.resting[row.pk] = self.clock() + REST
        except Exception:
            # polls go on beside it; the line is opened again, not in a circle
            log.exception("channel %s: the live line broke", row.slug)
            self.resting[row.pk] = self.clock() + REST
        finally:
            connections.close_all()


def _made_for(row: Channel) -> tuple[object, ...]:
    return (bytes(row.token), row.server, repr(sorted(row.settings.items())))
