from __future__ import annotations

from collections.abc import Iterator

import pytest

from discovery import Described
from google_server import account_on, google_server
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from stand_in import StandIn
from youtube_payloads import CHANNEL


@pytest.fixture(scope="session")
def described() -> Described:
    return Described("youtube.v3")


@pytest.fixture
def youtube(described: Described) -> Iterator[StandIn]:
    with google_server(described.check) as server:
        yield server


@pytest.fixture
def session(youtube: StandIn) -> Iterator[GuardedSession]:
    with youtube.session() as guarded:
        yield guarded


@pytest.fixture
def brand(youtube: StandIn) -> Account:
    return account_on(youtube, CHANNEL)
