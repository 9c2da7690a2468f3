"""Pages for what went wrong: in our look, in the reader's theme, with what to do."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client


def test_a_page_that_does_not_exist_says_so_in_the_theme_of_the_reader(cast: Any, enter: Any) -> None:
    cast.amir.user.theme = "dark"
    cast.amir.user.save()
    answer = enter(cast.amir).get("/nowhere")
    assert answer.status_code == 404
    assert 'data-theme="dark"' in answer.content.decode()
    assert "There is nothing here" in answer.content.decode()


def test_htmx_gets_the_sentence_alone(cast: Any, enter: Any) -> None:
    answer = enter(cast.amir).get("/w/fernway/settings/team/", headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == "Your role in this workspace does not include this. Ask Alice or Ben for help."


def test_a_broken_database_gives_our_page_and_tells_nothing_of_the_inside(cast: Any) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.lea.user)

    def broken(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "store_topic" in sql:
            raise OperationalError("secret path")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(broken):
        answer = client.get("/w/fernway/settings/topics/")
    assert answer.status_code == 500
    assert "The desk made a mistake" in answer.content.decode()
    assert "secret path" not in answer.content.decode()


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_refused_without_a_trace(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["desk.example"]
    answer = client.get("/account/login/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.content.decode()


@pytest.mark.parametrize(
    "said",
    [
        "database or disk is full",  # SQLite; tests/faults/disk.py makes it say so
        'could not extend file "base/16384/16421": No space left on device',  # PostgreSQL
    ],
)
def test_a_full_disk_is_called_so_with_what_to_do(cast: Any, said: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.lea.user)

    def full(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("INSERT"):
            raise OperationalError(said)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        answer = client.post("/w/fernway/settings/topics/new/", {"name": "Parcels", "query": "parcel", "active": "on"})
    page = answer.content.decode()
    assert answer.status_code == 507
    assert "The disk is full" in page
    assert "Nothing you wrote was sent." in page
    assert said not in page
