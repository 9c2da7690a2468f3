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


def test_more_requests_at_one_instant_than_a_database_has_connections(cast: Any) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a database in a file has no limit of connections")
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.test import Client

    from rapport.config.asgi import ACTS, LOOKS, Turns
    from rapport.web.connections import close_after_requests

    client = Client()
    client.force_login(cast.alice.user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]
    desk = Turns(get_asgi_application())
    close_after_requests()
    answers: list[int] = []
    most = 0

    async def ask() -> None:
        body_is_there = False

        async def receive() -> dict[str, Any]:
            nonlocal body_is_there
            if body_is_there:
                await asyncio.sleep(3_600)  # nobody hangs up
            body_is_there = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answers.append(message["status"])

        scope = {
            "type": "http", "method": "GET", "path": "/w/fernway/tasks/", "raw_path": b"/w/fernway/tasks/",
            "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http",
            "asgi": {"version": "3.0"},
        }  # fmt: skip
        await desk(scope, receive, send)

    async def crowd() -> None:
        nonlocal most
        asked = [asyncio.ensure_future(ask()) for _ in range(150)]
        while not all(each.done() for each in asked):
            most = max(most, await sync_to_async(open_connections)())
            await asyncio.sleep(0.02)
        await asyncio.gather(*asked)

    asyncio.run(crowd())
    assert answers == [200] * 150
    assert LOOKS // 2 < most <= LOOKS + ACTS  # those of the test beside them


def open_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
