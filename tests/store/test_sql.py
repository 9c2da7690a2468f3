"""Many rows in one statement: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction

from rapport.store.models import Handle, Person
from rapport.store.queries.sql import (
    adapt,
    insert_new,
    insert_rows,
    redone_if_lost,
    reserve_ids,
    select_in,
    update_rows,
)

COLUMNS = (
    "id", "workspace_id", "name", "about", "relationship", "first_seen", "last_seen", "ignored", "suppressed_reason",
)  # fmt: skip
HANDLE = ("id", "workspace_id", "person_id", "network", "external_id", "handle", "name", "url", "bio", "verified",
          "bot", "ours")  # fmt: skip


def add_people(workspace: int, names: list[str], now: dt.datetime) -> list[int]:
    ids = reserve_ids("store_person", len(names))
    insert_rows(
        "store_person",
        COLUMNS,
        [
            (row, workspace, name, "", "", adapt(now), adapt(now), False, "")
            for row, name in zip(ids, names, strict=True)
        ],
    )
    return ids


@pytest.mark.django_db
def test_rows_keep_the_ids_that_were_reserved_and_any_text(alice: Any, now: dt.datetime) -> None:
    names = ["plain", "", "tab\tand\nline\\N", "quote ' \" {x} %s", "日本 \U0001f600", "null"]
    ids = add_people(alice.workspace_id, names, now)
    assert ids == sorted(ids)
    assert [Person.objects.get(pk=row).name for row in ids] == names
    assert Person.objects.get(pk=ids[0]).first_seen == now
    later = Person.objects.create(workspace=alice.workspace, first_seen=now, last_seen=now)
    assert later.pk > ids[-1]
    assert reserve_ids("store_person", 1)[0] > later.pk


@pytest.mark.django_db
def test_rows_whose_key_is_taken_are_left_out_and_told(alice: Any, now: dt.datetime) -> None:
    person = add_people(alice.workspace_id, ["Nadia"], now)[0]

    def add(*keys: str) -> list[bool]:
        ids = reserve_ids("store_handle", len(keys))
        rows = [
            (row, alice.workspace_id, person, "x", key, key, "", "", "", False, False, False)
            for row, key in zip(ids, keys, strict=True)
        ]
        written = insert_new("store_handle", HANDLE, rows, ("workspace_id", "network", "external_id"))
        return [row in written for row in ids]

    assert add("a", "b") == [True, True]
    assert add("c", "a", "d") == [True, False, True]
    assert Handle.objects.count() == 4


@pytest.mark.django_db
def test_updates_replace_widen_and_add(alice: Any, now: dt.datetime) -> None:
    day = dt.timedelta(days=1)
    one, two = add_people(alice.workspace_id, ["one", "two"], now)
    update_rows(
        "store_person",
        ("name", "first_seen", "last_seen"),
        [("first", adapt(now - day), adapt(now - day), one), ("second", adapt(now + day), adapt(now + day), two)],
        {"first_seen": "least", "last_seen": "greatest"},
    )
    found = {row.name: (row.first_seen, row.last_seen) for row in Person.objects.all()}
    assert found == {"first": (now - day, now), "second": (now, now + day)}


@pytest.mark.django_db
def test_lists_of_texts_and_of_numbers_are_found_in_any_length(alice: Any, now: dt.datetime) -> None:
    ids = add_people(alice.workspace_id, [f"it's {number}" for number in range(40)], now)
    by_id = "SELECT name FROM store_person WHERE workspace_id = %s AND id {among}"
    by_name = "SELECT id FROM store_person WHERE name {among} AND workspace_id = %s"
    assert list(select_in(by_id, [alice.workspace_id], [])) == []
    assert {row[0] for row in select_in(by_id, [alice.workspace_id], [*ids[:3], 2**40])} == {
        "it's 0", "it's 1", "it's 2",
    }  # fmt: skip
    assert {row[0] for row in select_in(by_name, [], ["it's 7", "x", '"'], [alice.workspace_id])} == {ids[7]}


@pytest.mark.django_db(transaction=True)
def test_only_the_work_that_is_redone_waits_for_no_disk(alice: Any) -> None:
    on_server = connection.vendor == "postgresql"
    question = "SHOW synchronous_commit" if on_server else "PRAGMA synchronous"

    def safety() -> str:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return str(cursor.fetchone()[0])

    strict, loose = ("on", "off") if on_server else ("2", "1")
    assert safety() == strict
    with redone_if_lost():
        assert safety() == loose
    assert safety() == strict
    with pytest.raises(ZeroDivisionError), redone_if_lost():
        _ = 1 / 0
    assert safety() == strict
    # inside somebody's transaction the outer one decides
    with transaction.atomic(), redone_if_lost():
        assert safety() == strict
