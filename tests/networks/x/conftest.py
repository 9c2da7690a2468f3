"""The fixed cast of the tests of X: a small X on loopback, our account on it, and a session that may call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Limits
from x_server import FakeX, account_at, x_server


@pytest.fixture
def x() -> Iterator[FakeX]:
    with x_server() as fake:
        yield fake


@pytest.fixture
def session(x: FakeX) -> Iterator[GuardedSession]:
    with GuardedSession(allow={x.authority}, limits=Limits(total=5.0)) as guarded:
        yield guarded


@pytest.fixture
def brand(x: FakeX) -> Account:
    return account_at(x.url)
