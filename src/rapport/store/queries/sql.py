"""Multi-row SQL for the hot path, in the one dialect that SQLite and PostgreSQL share.

The ORM serves everything else; here a row costs 3 to 4 times less (architecture.md, "hot-path writes").
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection

#: parameters in one statement; SQLite's own limit is 32,766
MAX_PARAMETERS = 30_000


def adapt(moment: dt.datetime | None) -> Any:
    """An aware time in the form in which the database's driver takes it."""
    return None if moment is None else connection.ops.adapt_datetimefield_value(moment)


def insert_rows(
    table: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    conflict: str = "",
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert all rows in as few statements as fit; `conflict` is the ON CONFLICT clause.

    Returns the `returning` columns of the rows that were written, in no particular order.
    """
    found: list[tuple[Any, ...]] = []
    one = "(" + ",".join(["%s"] * len(columns)) + ")"
    head = f"INSERT INTO {table} ({','.join(columns)}) VALUES "  # noqa: S608  (names are ours, values are parameters)
    tail = f" {conflict}" + (f" RETURNING {','.join(returning)}" if returning else "")
    with connection.cursor() as cursor:
        for part in chunks(rows, MAX_PARAMETERS // len(columns)):
            statement = head + ",".join([one] * len(part)) + tail
            cursor.execute(statement, [value for row in part for value in row])
            if returning:
                found.extend(cursor.fetchall())
    return found


def select_in(statement: str, before: Sequence[Any], keys: Sequence[Any], after: Sequence[Any] = ()) -> Iterator[Any]:
    """Run `statement`, whose `{keys}` stands for a list of keys, in parts that fit; yield every row."""
    with connection.cursor() as cursor:
        for part in chunks(keys, 5_000):
            marks = ",".join(["%s"] * len(part))
            cursor.execute(statement.replace("{keys}", marks), [*before, *part, *after])
            yield from cursor.fetchall()


def chunks(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    """Consecutive slices of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))


def moment(value: Any) -> dt.datetime:
    """A time as it came out of raw SQL (text on SQLite, a datetime on PostgreSQL), aware, in UTC."""
    found = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    assert isinstance(found, dt.datetime)
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
