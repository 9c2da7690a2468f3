from __future__ import annotations

from collections.abc import Iterator

import pytest

from graph_server import account_on, graph_server
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from stand_in import StandIn


@pytest.fixture
def graph() -> Iterator[StandIn]:
    with graph_server() as server:
        yield server


@pytest.fixture
def session(graph: StandIn) -> Iterator[GuardedSession]:
    with graph.session() as guarded:
        yield guarded


@pytest.fixture
def brand(graph: StandIn) -> Account:
    return account_on(graph, "instagram")
