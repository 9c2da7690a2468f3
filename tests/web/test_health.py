"""What whoever watches over the process asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client


def test_the_process_says_that_it_is_up_without_asking_the_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "up"}


@pytest.mark.django_db
def test_ready_means_that_the_database_answers_and_has_its_tables(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "database": "answers", "migrations": 0})


@pytest.mark.django_db
def test_a_migration_that_waits_makes_it_not_ready(client: Client) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder(connection).migration_qs.filter(app="store").delete()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"] >= 1


@pytest.mark.django_db
def test_a_database_that_does_not_answer_makes_it_not_ready(client: Client) -> None:
    def broken(*_args: Any) -> Any:
        raise OperationalError("gone")

    with connection.execute_wrapper(broken):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "does not answer"
