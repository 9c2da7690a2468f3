"""The listener: reads every connected account in turn, holds its live line, and loses nothing between two looks."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from threading import Event

from django.db.models import QuerySet

from rapport.actions import listening
from rapport.bus.base import Bus
from rapport.core.errors import InvalidPost, NetworkError, Reauthorise, RetryLater
from rapport.core.post import Post, admit
from rapport.networks.base import Network, Page
from rapport.networks.http import GuardedSession
from rapport.pipeline.live import LiveLines
from rapport.pipeline.loop import keep_going
from rapport.pipeline.sender import account_of
from rapport.store.models import Channel, Cursor

log = logging.getLogger(__name__)

GLANCE = 0.5  # seconds between two looks at which accounts are due


class Listener:
    """Polls accounts and keeps their live lines; each page is stored with its cursor in one transaction."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        session: Callable[[], GuardedSession],
        bus: Bus,
        clock: Callable[[], dt.datetime],
        every: dt.timedelta,
    ) -> None:
        self.networks = networks
        self.session = session
        self.bus = bus
        self.clock = clock
        self.every = every
        self.lines = LiveLines(lambda channel: networks[channel.network], account_of, session, self.store, clock)

    def run_forever(self, stop: Event) -> None:
        """Listen until `stop` is set."""
        keep_going(stop, lambda: self.look_around(stop))
        self.lines.end()

    def look_around(self, stop: Event) -> float:
        """Read every account that is due and mind the live lines; returns the seconds until the next look."""
        for channel in self.due():
            if stop.is_set():
                break
            self.pull(channel)
        self.lines.mind(list(self._connected()))
        return GLANCE

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

    def pull(self, channel: Channel) -> int:
        """Read every stream of one account to its end; returns the number of new posts."""
        network = self.networks[channel.network]
        new = 0
        try:
            account = account_of(channel)
            for stream in network.streams(account):
                cursor = Cursor.objects.of(channel.workspace_id).filter(channel=channel, stream=stream).first()
                for page in network.pull(account, stream, cursor.value if cursor else "", self.session()):
                    new += self.store(channel, page)
        except Reauthorise as error:
            listening.ask_to_reconnect(channel, str(error), now=self.clock())
        except RetryLater as error:
            wait = dt.timedelta(seconds=error.after if error.after is not None else 30.0)
            listening.pause_channel(channel, self.clock() + wait, str(error), now=self.clock())
        except NetworkError as error:
            log.warning("channel %s: %s", channel.slug, error)
            listening.pause_channel(channel, self.clock() + dt.timedelta(seconds=60), str(error), now=self.clock())
        Channel.objects.filter(pk=channel.pk).update(last_pull_at=self.clock())
        return new

    def store(self, channel: Channel, page: Page) -> int:
        """One page and its cursor, in one transaction."""
        now = self.clock()
        posts = [post for post in map(self._admitted, page.posts) if post is not None]
        for line in page.rejected:
            log.warning("channel %s: %s", channel.slug, line)
        heard = listening.hear(
            channel, posts, self.bus, now=now, stream=page.stream, cursor=page.cursor, gap=page.gap or ""
        )
        if page.deleted:
            listening.take_down(channel, page.deleted, now=now)
        return heard.new

    def _admitted(self, post: Post) -> Post | None:
        try:
            return admit(post, self.clock())
        except InvalidPost as error:
            log.warning("%s %s: %s", post.network, post.id, error)
            return None
