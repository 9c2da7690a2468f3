"""Connections to the database end with the request, and only there."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from rapport.web.connections import close_unused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which connections were closed. (One to a database in memory, as in tests on SQLite, only says that it was.)"""
    kind, names = type(connection._connections[connection._alias]), []  # type: ignore[attr-defined]
    real = kind.close

    def close(self: Any) -> None:
        real(self)
        names.append(self.alias)

    monkeypatch.setattr(kind, "close", close)
    return names


def test_what_a_request_opened_in_its_thread_is_closed(closed: list[str]) -> None:
    connection.ensure_connection()
    close_unused()
    assert closed == ["default"]


def test_the_thread_of_an_event_loop_keeps_what_others_opened_there(closed: list[str]) -> None:
    connection.ensure_connection()

    async def end_of_a_stream() -> None:
        close_unused()

    asyncio.run(end_of_a_stream())
    assert closed == []


def test_a_request_served_by_a_loop_closes_its_own(closed: list[str]) -> None:
    def work() -> None:
        connection.ensure_connection()
        close_unused()

    async def request() -> None:
        await sync_to_async(work)()

    asyncio.run(request())
    assert closed == ["default"]
