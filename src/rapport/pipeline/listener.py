"""The listener: reads every connected account, holds its live line, renews its token, loses nothing."""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from django.db import connections
from django.db.models import QuerySet

from rapport.actions import hearing, listening
from rapport.bus.base import Bus
from rapport.core.errors import AddressRefused, GiveUp, NetworkError, Reauthorise, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.contract import Network
from rapport.networks.http import GuardedSession
from rapport.pipeline.live import LiveLines
from rapport.pipeline.loop import keep_going
from rapport.pipeline.recheck import Rechecker
from rapport.pipeline.sender import account_of
from rapport.store.models import Channel, Cursor

log = logging.getLogger(__name__)

GLANCE = 0.5  # seconds between two looks at which accounts are due
READERS = 4  # accounts that are read at the same time, so that a slow server holds up nobody else
#: a token is renewed so long before it expires
RENEW_BEFORE = dt.timedelta(minutes=10)
#: how long one process may take to renew a token before another tries
RENEWAL = dt.timedelta(minutes=2)
FIRST_WAIT, LONGEST_WAIT = 5.0, 900.0  # seconds after a first, and after many failures


class Listener:
    """Polls accounts and keeps their live lines; each page is stored with its cursor in one transaction."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        session: Callable[[], GuardedSession],
        bus: Bus,
        clock: Callable[[], dt.datetime],
        every: dt.timedelta,
        recheck_days: int = 30,
    ) -> None:
        self.networks = networks
        self.session = session
        self.bus = bus
        self.clock = clock
        self.every = every
        self.lines = LiveLines(lambda channel: networks[channel.network], account_of, session, self.store, clock)
        self.rechecker = Rechecker(networks, session, bus, clock, recheck_days)
        self._readers: ThreadPoolExecutor | None = None
        #: (channel id, name of the look) -> the look that runs
        self._running: dict[tuple[int, str], Future[None]] = {}

    def run_forever(self, stop: Event) -> None:
        """Listen until `stop` is set."""
        with ThreadPoolExecutor(READERS, thread_name_prefix="reader") as self._readers:
            keep_going(stop, lambda: self.look_around(stop))
            self._readers.shutdown(cancel_futures=True)
        self._readers = None
        self.lines.end()

    def look_around(self, stop: Event) -> float:
        """Read every account that is due and mind the live lines; returns the seconds until the next look.

        Inside `run_forever` accounts are read beside one another, each by one reader at a time; else one by one.
        """
        for channel in self.due():
            if stop.is_set():
                break
            self._start(self.look_at, channel)
        connected = list(self._connected())
        for channel in filter(self.rechecker.is_watched, connected):
            self._start(self.rechecker.watch, channel)
        self.lines.mind(connected)
        return GLANCE

    def _start(self, look: Callable[[Channel], int], channel: Channel) -> None:
        """Look now, or in a reader's thread unless this look at this account runs already."""
        if self._readers is None:
            look(channel)
            return
        key = (channel.pk, look.__name__)
        if key not in self._running or self._running[key].done():
            self._running[key] = self._readers.submit(self._in_thread, look, channel)

    def due(self) -> list[Channel]:
        """Connected accounts that were not read for `every`, and whose network did not ask for a pause."""
        now = self.clock()
        return [
            row
            for row in self._connected()
            if (row.last_pull_at is None or now - row.last_pull_at >= self.every)
            and (row.paused_until is None or row.paused_until <= now)
        ]

    def _connected(self) -> QuerySet[Channel]:
        return Channel.objects.filter(state=Channel.State.CONNECTED, network__in=list(self.networks)).order_by("pk")

    def _in_thread(self, look: Callable[[Channel], int], channel: Channel) -> None:
        try:
            look(channel)
        except Exception:
            # the account stays due; a fault that lasts is seen in the log and on the page by its age
            log.exception("channel %s: this look failed", channel.slug)
        finally:
            connections.close_all()

    def look_at(self, channel: Channel) -> int:
        """Renew the token where it is time, then read, then look at stored posts; returns the number of new posts."""
        if channel.token_expires_at is not None and not self.renew(channel):
            return 0
        new = self.pull(channel)
        self.rechecker.look_at(channel)
        return new

    def renew(self, channel: Channel) -> bool:
        """Renew the token where it is time; False where it does not hold now."""
        now = self.clock()
        expires = channel.token_expires_at
        if expires is None or expires - now > RENEW_BEFORE:
            return True
        if not listening.claim_renewal(channel, now + RENEWAL, now=now):
            return expires > now
        try:
            token, until = self.networks[channel.network].renew(account_of(channel), self.session())
        except (Reauthorise, GiveUp, AddressRefused) as error:
            listening.ask_to_reconnect(channel, error, now=self.clock())
            return False
        except NetworkError as error:
            # the claim stands: nobody tries again before it ends
            log.warning("channel %s: the token was not renewed: %s", channel.slug, error)
            return expires > now
        listening.keep_token(channel, token, until, now=self.clock())
        return True

    def pull(self, channel: Channel) -> int:
        """Read every stream of one account to its end; returns the number of new posts."""
        network = self.networks[channel.network]
        new = 0
        try:
            account = account_of(channel)
            cursors = {row.stream: row for row in Cursor.objects.of(channel.workspace_id).filter(channel=channel)}
            for stream in network.streams(account):
                new += self._pull_stream(channel, network, account, stream, cursors.get(stream))
        except Reauthorise as error:
            listening.ask_to_reconnect(channel, error, now=self.clock())
        except NetworkError as error:
            self._back_off(channel, error)
        else:
            if channel.failures:
                Channel.objects.filter(pk=channel.pk).update(failures=0, paused_until=None, state_reason="")
        Channel.objects.filter(pk=channel.pk).update(last_pull_at=self.clock())
        return new

    def _pull_stream(
        self, channel: Channel, network: Network, account: Account, stream: str, known: Cursor | None
    ) -> int:
        """One stream. What concerns it alone is kept there; a server that does not answer is the account's matter."""
        if known is not None and known.paused_until is not None and known.paused_until > self.clock():
            return 0
        new = 0
        try:
            for page in network.pull(account, stream, known.value if known else "", self.session()):
                new += self.store(channel, page)
        except RetryLater as error:
            if error.after is None:
                raise
            until = self.clock() + dt.timedelta(seconds=error.after)
            listening.pause_stream(channel, stream, until, str(error), now=self.clock())
        except GiveUp as error:
            log.warning("channel %s, %s: %s", channel.slug, stream, error)
            # said once, not at every look; what was read meanwhile may have wiped it
            said = Cursor.objects.of(channel.workspace_id).filter(channel=channel, stream=stream)
            if not said.filter(error=str(error)[:500]).exists():
                listening.note_stream_error(channel, stream, str(error), now=self.clock())
        return new

    def _back_off(self, channel: Channel, error: NetworkError) -> None:
        """Wait, twice as long after every failure in a row, each account by its own clock."""
        failures = channel.failures + 1
        wait = min(FIRST_WAIT * 2.0 ** min(failures - 1, 20), LONGEST_WAIT)
        wait *= random.uniform(0.8, 1.2)  # noqa: S311  # nothing secret hangs on it
        until = self.clock() + dt.timedelta(seconds=max(wait, getattr(error, "after", None) or 0.0))
        log.warning("channel %s: %s", channel.slug, error)
        listening.pause_channel(channel, until, str(error), now=self.clock(), failures=failures)

    def store(self, channel: Channel, page: Page) -> int:
        """One page and its cursor, in one transaction."""
        return hearing.hear_page(channel, page, self.bus, now=self.clock()).new
