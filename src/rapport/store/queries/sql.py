"""SQL over many rows for the hot path, each statement in the form that its database takes fastest.

SQLite prepares a statement once and binds it row by row. PostgreSQL takes rows that cannot be there yet by COPY, and
others as one JSON parameter of which it reads the types from the table: binding every value in the client cost it
several times as much. The ORM serves everything else (architecture.md, "hot-path writes").
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from django.db import connection, transaction

_encode = msgspec.json.Encoder().encode
#: how a stored value and a new one become one
Combine = Literal["replace", "least", "greatest", "add"]
_SQLITE = {"replace": "{new}", "least": "min({old}, {new})", "greatest": "max({old}, {new})", "add": "{old} + {new}"}
_POSTGRESQL = _SQLITE | {"least": "LEAST({old}, {new})", "greatest": "GREATEST({old}, {new})"}


@contextlib.contextmanager
def open_cursor() -> Iterator[Any]:
    """A cursor of the driver. On PostgreSQL its parameters travel beside the statement: Django writes them into it, and
    half a megabyte of JSON takes the client and the server longer to quote and unquote than to store.
    """
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            yield cursor
        return
    from psycopg import Cursor

    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        yield cursor


def adapt(moment: dt.datetime | None) -> Any:
    """An aware time in the form in which the database's driver takes it: text on SQLite."""
    if moment is None or connection.vendor == "postgresql":
        return moment
    return (moment if moment.tzinfo is dt.UTC else moment.astimezone(dt.UTC)).replace(tzinfo=None).isoformat(" ")


def reserve_ids(table: str, count: int) -> list[int]:
    """Ids for rows that are about to be inserted, rising; nobody else gets them. Only inside a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                # the inner SELECT looks the sequence up once, not for every id
                "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id'))::regclass) FROM generate_series(1, %s)",
                [table, count],
            )
            return sorted(row[0] for row in cursor.fetchall())
        # the transaction holds the only write lock, and AUTOINCREMENT never goes back below what was used
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
    last = found[0] if found else 0
    return list(range(last + 1, last + 1 + count))


def insert_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], conflict: str = "") -> int:
    """Insert all rows; `conflict` is the ON CONFLICT clause. Returns how many were written.

    Values are those of JSON, and times (`adapt`).
    """
    if not rows:
        return 0
    names = ",".join(columns)
    with open_cursor() as cursor:
        if connection.vendor == "postgresql" and not conflict:
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        elif connection.vendor == "postgresql":
            statement = f"INSERT INTO {table} ({names}) SELECT {names} FROM {_records(table)} {conflict}"  # noqa: S608  (our names)
            cursor.execute(statement, [_as_json(columns, rows)])
        else:
            marks = ",".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}", rows)  # noqa: S608  (our names)
        return int(cursor.rowcount)


def insert_new(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], unique: Sequence[str]
) -> Collection[int]:
    """Insert rows that begin with a reserved id, leaving out those whose `unique` columns are taken already.

    Returns the ids of those that were written.
    """
    ids = [row[0] for row in rows]
    if insert_rows(table, columns, rows, f"ON CONFLICT ({','.join(unique)}) DO NOTHING") == len(ids):
        return set(ids)
    return {row[0] for row in select_in(f"SELECT id FROM {table} WHERE id {{among}}", [], ids)}  # noqa: S608  (our names)


def update_rows(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], combine: Mapping[str, Combine] | None = None
) -> None:
    """Update rows by id: `rows` hold the values of `columns`, then the id. `combine`: columns that are not replaced."""
    if not rows:
        return
    on_server = connection.vendor == "postgresql"
    old, new = ("t.{name}", "v.{name}") if on_server else ("{name}", "%s")
    forms = _POSTGRESQL if on_server else _SQLITE
    sets = [
        f"{name} = " + forms[(combine or {}).get(name, "replace")].format(old=old, new=new).format(name=name)
        for name in columns
    ]
    with open_cursor() as cursor:
        if on_server:
            statement = f"UPDATE {table} t SET {', '.join(sets)} FROM {_records(table)} v WHERE t.id = v.id"  # noqa: S608  (our names)
            cursor.execute(statement, [_as_json((*columns, "id"), rows)])
        else:
            cursor.executemany(f"UPDATE {table} SET {', '.join(sets)} WHERE id = %s", rows)  # noqa: S608  (our names)


def _records(table: str) -> str:
    return f"json_populate_recordset(NULL::{table}, %s::json)"


def _as_json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    return _encode([dict(zip(columns, row, strict=True)) for row in rows]).decode()


def select_in(statement: str, before: Sequence[Any], keys: Sequence[Any], after: Sequence[Any] = ()) -> Iterator[Any]:
    """Run `statement`, whose `{among}` stands for a test of being one of `keys`, all texts or all whole numbers; yield
    every row.
    """
    if not keys:
        return
    # one parameter, so that one prepared statement serves lists of every length
    listed: Any = list(keys)
    if connection.vendor == "postgresql":
        among = f"= ANY(%s::{'bigint' if isinstance(keys[0], int) else 'text'}[])"
    else:
        among, listed = "IN (SELECT value FROM json_each(%s))", _encode(listed).decode()
    with open_cursor() as cursor:
        cursor.execute(statement.replace("{among}", among), [*before, listed, *after])
        yield from cursor.fetchall()


@contextlib.contextmanager
def redone_if_lost() -> Iterator[None]:
    """A transaction that is whole or not there at all, as any, but may be lost when the power fails just after it.

    For work that is then simply done again. It waits for no disk; every later transaction that does makes it last too.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute("SET LOCAL synchronous_commit = off")
                yield
            return
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            with transaction.atomic():
                yield
        finally:
            if connection.connection is not None:
                cursor.execute("PRAGMA synchronous=FULL")


@contextlib.contextmanager
def passing_over() -> Iterator[None]:
    """For a pass over far more rows than the cache holds: on SQLite it stays small, so that it stays in the processor's
    and no page is kept that nobody asks for again.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA cache_size")
        [[size]] = cursor.fetchall()
        cursor.execute("PRAGMA cache_size=-2048")
    try:
        yield
    finally:
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA cache_size={size:d}")


def chunks(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    """Consecutive slices of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))


def moment(value: Any) -> dt.datetime:
    """A time as it came out of raw SQL (text on SQLite, a datetime on PostgreSQL), aware, in UTC."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    assert isinstance(value, dt.datetime)
    if value.tzinfo is dt.UTC:
        return value
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
