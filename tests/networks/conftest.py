"""The fixed cast of the network tests: a server, our account on it, and a session that may call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Limits
from servers import MastodonServer, mastodon_server


@pytest.fixture(scope="session")
def running_mastodon() -> Iterator[MastodonServer]:
    with mastodon_server() as server:
        yield server


@pytest.fixture
def mastodon(running_mastodon: MastodonServer) -> Iterator[MastodonServer]:
    """The server without the faults of the test before. Its posts stay: tests start from a cursor of their own."""
    running_mastodon.clear_faults()
    yield running_mastodon
    running_mastodon.clear_faults()


@pytest.fixture
def session(mastodon: MastodonServer) -> Iterator[GuardedSession]:
    with GuardedSession(allow={mastodon.authority}, limits=Limits(total=5.0)) as guarded:
        yield guarded


@pytest.fixture
def brand(mastodon: MastodonServer) -> Account:
    return account_on(mastodon)


def account_on(server: MastodonServer, **settings: str | list[str]) -> Account:
    return Account(
        channel=1,
        server=server.url,
        handle=f"brand@{server.authority}",
        account_id=server.ids["brand"],
        token=server.tokens["brand"],
        settings={"domain": server.authority, **settings},
    )
