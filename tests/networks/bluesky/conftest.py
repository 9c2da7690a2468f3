"""The cast of the Bluesky tests: one network a run, `brand` is ours, `ann` and `ben` are people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bluesky import BlueskyAccount, BlueskyNetwork, bluesky_network, missing
from rapport.networks.base import Account
from rapport.networks.bluesky.network import Bluesky
from rapport.networks.http import GuardedSession, Limits


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The network takes seconds to start: what needs it is not part of `make check`."""
    for item in items:
        if "bluesky" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def bluesky() -> Iterator[BlueskyNetwork]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    with bluesky_network() as network:
        yield network


@pytest.fixture
def ann(bluesky: BlueskyNetwork) -> BlueskyAccount:
    return bluesky.account("ann")


@pytest.fixture
def ben(bluesky: BlueskyNetwork) -> BlueskyAccount:
    return bluesky.account("ben")


@pytest.fixture
def brand(bluesky: BlueskyNetwork) -> BlueskyAccount:
    return bluesky.account("brand")


@pytest.fixture
def session(bluesky: BlueskyNetwork) -> Iterator[GuardedSession]:
    with GuardedSession(allow=bluesky.allowed, limits=Limits(total=10.0)) as guarded:
        yield guarded


@pytest.fixture(scope="session")
def signed_in(bluesky: BlueskyNetwork) -> Account:
    """Our account as the form connects it, once: sessions are what data servers are most stingy with."""
    brand = bluesky.account("brand")
    with GuardedSession(allow=bluesky.allowed) as guarded:
        fields = {"handle": brand.handle, "password": brand.app_password, "server": bluesky.pds}
        connected = Bluesky().connect(fields, guarded)
    return Account(
        channel=1,
        server=connected.server,
        handle=connected.identity.handle,
        account_id=connected.identity.account_id,
        token=connected.token,
        settings={"jetstream": bluesky.jetstream},
    )
