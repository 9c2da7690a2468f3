"""A forum for each test, and our account on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from discourse import KEY, Forum, forum
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Limits


@pytest.fixture
def server() -> Iterator[Forum]:
    with forum() as running:
        yield running


@pytest.fixture
def session(server: Forum) -> Iterator[GuardedSession]:
    with GuardedSession(allow={server.host}, limits=Limits(total=5.0)) as guarded:
        yield guarded


@pytest.fixture
def brand(server: Forum) -> Account:
    return account_on(server)


def account_on(server: Forum, **settings: str | bool | list[str]) -> Account:
    return Account(
        channel=1, server=server.url, handle=f"brand@{server.host}", account_id="2", token=KEY, settings=dict(settings)
    )
