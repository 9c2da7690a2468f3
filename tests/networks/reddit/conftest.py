"""The fixed cast of the tests of Reddit: a small one on loopback, our account on it, a session that may call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Limits
from reddit_server import FakeReddit, account_at, reddit_server


@pytest.fixture
def reddit() -> Iterator[FakeReddit]:
    with reddit_server() as fake:
        yield fake


@pytest.fixture
def session(reddit: FakeReddit) -> Iterator[GuardedSession]:
    with GuardedSession(allow={reddit.authority}, limits=Limits(total=5.0)) as guarded:
        yield guarded


@pytest.fixture
def brand(reddit: FakeReddit) -> Account:
    return account_at(reddit.url, subreddits=["trains"], queries=["late train"])
