"""The database goes away at the very commit that says "it was sent": the reply has left once, and is known once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from pipeline.test_sender import Desk, house
from rapport.actions import delivery
from rapport.actions.ledger_check import verify
from rapport.store.models import Attempt, AuditEntry, BusMessage, Delivery, Post

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["house"]  # a fixture


def end_session() -> None:
    """PostgreSQL ends our session, as it does when another server takes over."""
    import psycopg

    parameters = connection.get_connection_params()
    kept = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if name in parameters}
    with psycopg.connect(**kept, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_database_that_fails_over_at_the_commit_of_what_was_sent_loses_and_doubles_nothing(
    house: Desk, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """`before`: nothing of it was written; `after`: all of it was, and only the answer to COMMIT is missing."""
    armed: list[bool] = []
    settle, commit = delivery.settle_sent, BaseDatabaseWrapper._commit

    def arm_then_settle(*arguments: Any, **named: Any) -> bool:
        armed.append(True)
        return settle(*arguments, **named)

    def cut(self: Any) -> Any:
        if not armed:
            return commit(self)
        armed.clear()
        done = commit(self) if when == "after" else None
        if connection.vendor == "postgresql":
            end_session()
            if when == "before":
                return commit(self)  # it is psycopg that notices
        raise OperationalError(f"the server went away {when} the commit: {done}")

    house.answer("@nadia one")
    waiting = BusMessage.objects.count()
    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_commit", cut)
        patch.setattr(delivery, "settle_sent", arm_then_settle)
        with pytest.raises(OperationalError):
            house.send()
    assert not armed
    connection.close()  # as the loop of every part does it
    assert house.states() == ["sending" if when == "before" else "sent"]
    assert Delivery.objects.get().pushed_at is not None
    for _ in range(4):  # another sender, after the lease
        house.send(minutes=2)
    assert (house.texts(), house.states()) == (["@nadia one"], ["sent"])
    assert Delivery.objects.get().external_id == "s1"
    ours = Post.objects.filter(ours=True)
    assert [post.external_id for post in ours] == ["s1"]
    assert BusMessage.objects.count() == waiting + 1
    ends = Attempt.objects.filter(step__in=["sent", "reconciled"]).values_list("step", flat=True)
    assert list(ends) == ["reconciled" if when == "before" else "sent"]
    assert AuditEntry.objects.filter(verb__in=["delivery.sent", "delivery.reconciled"]).count() == 1
    assert verify(house.by.workspace).sequence is None


def test_a_database_that_goes_away_before_the_request_lets_nothing_leave(
    house: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.answer("@nadia one")
    commit, count = BaseDatabaseWrapper._commit, [0]

    def cut(self: Any) -> Any:
        count[0] += 1
        if count[0] == 2:  # the claim is written; that the request leaves now is not
            if connection.vendor == "postgresql":
                end_session()
                return commit(self)
            raise OperationalError("the server went away")
        return commit(self)

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_commit", cut)
        with pytest.raises(OperationalError):
            house.send()
    connection.close()
    assert (house.texts(), Delivery.objects.get().pushed_at) == ([], None)
    house.now += dt.timedelta(minutes=2)
    house.send()
    assert (house.texts(), house.states()) == (["@nadia one"], ["sent"])
