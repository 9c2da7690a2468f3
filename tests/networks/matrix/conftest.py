"""A real homeserver for a session of tests, and our account on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Limits
from synapse import MISSING, PYTHON, Synapse, mxid, synapse


@pytest.fixture(scope="session")
def homeserver() -> Iterator[Synapse]:
    if not PYTHON.exists():
        pytest.skip(MISSING)
    with synapse() as server:
        yield server


@pytest.fixture
def session(homeserver: Synapse) -> Iterator[GuardedSession]:
    with GuardedSession(allow={homeserver.authority}, limits=Limits(total=6.0)) as guarded:
        yield guarded


@pytest.fixture
def brand(homeserver: Synapse) -> Account:
    return account_on(homeserver)


@pytest.fixture
def room(homeserver: Synapse) -> str:
    """A fresh room of Ann's that we are in."""
    return homeserver.create_room("ann", join=["brand"], name="Support", preset="public_chat")


def account_on(server: Synapse, **settings: str | bool | list[str]) -> Account:
    return Account(
        channel=1,
        server=server.url,
        handle=mxid("brand").removeprefix("@"),
        account_id=mxid("brand"),
        token=server.tokens["brand"],
        settings=dict(settings),
    )
