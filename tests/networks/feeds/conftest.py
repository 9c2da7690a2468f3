"""A site on this machine that serves feeds, and a reader of them whose clock a test can move."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from feed_site import Site, entry, feed_site
from rapport.core.post import Post
from rapport.networks.base import Account, Page
from rapport.networks.feeds.hosts import Hosts
from rapport.networks.feeds.network import Feeds
from rapport.networks.http import GuardedSession, Limits

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


class Reader:
    """Reads as the listener does: keeps the cursor of each page that it was given."""

    def __init__(self, session: GuardedSession) -> None:
        self.session = session
        self.now = NOON
        self.network = Feeds(clock=lambda: self.now, hosts=Hosts(clock=self._seconds))
        self.cursors: dict[str, str] = {}

    def _seconds(self) -> float:
        return self.now.timestamp()

    def account(self, *addresses: str, **settings: Any) -> Account:
        return Account(1, "", "parcel.example", "feeds-1", "", {"feeds": list(addresses), "every": "5", **settings})

    def pages(self, *addresses: str, **settings: Any) -> list[Page]:
        """One look at every feed. Errors pass through, after their page."""
        account = self.account(*addresses, **settings)
        found = []
        for stream in self.network.streams(account):
            for page in self.network.pull(account, stream, self.cursors.get(stream, ""), self.session):
                self.cursors[stream] = page.cursor
                found.append(page)
        return found

    def posts(self, *addresses: str) -> list[Post]:
        return [post for page in self.pages(*addresses) for post in page.posts]

    def titles(self, *addresses: str) -> list[str]:
        return [post.text.partition("\n")[0] for post in self.posts(*addresses)]

    def later(self, **delta: float) -> None:
        self.now += dt.timedelta(**(delta or {"hours": 1}))


@pytest.fixture
def site() -> Iterator[Site]:
    with feed_site() as served:
        yield served


@pytest.fixture
def session(site: Site) -> Iterator[GuardedSession]:
    with GuardedSession(allow={site.authority}, limits=Limits(total=20.0)) as guarded:
        yield guarded


@pytest.fixture
def reader(session: GuardedSession) -> Reader:
    return Reader(session)


@pytest.fixture
def write_entry() -> Any:
    return entry
