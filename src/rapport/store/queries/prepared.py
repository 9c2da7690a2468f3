"""Queries that are compiled once: Django's way from a queryset to SQL costs a page more than the database's answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection

Value = int | dt.datetime


Made = tuple[str, list[tuple[int | None, Any]]]


class _Compiled:
    """SQL for each kind of database, and its parameters with the number of a value for each that is one."""

    def __init__(self, build: Callable[..., Any], *kinds: type[Value]) -> None:
        self._build = build
        self._kinds = kinds
        self._made: dict[str, Made] = {}

    def _find(self, values: Sequence[Value]) -> Sequence[tuple[Any, ...]] | None:
        """What the database answers; None for a condition that nothing can meet."""
        made = self._made.get(connection.vendor)
        if made is None:
            stand_ins = [_stand_in(kind, place) for place, kind in enumerate(self._kinds)]
            known = {_as_parameter(each): place for place, each in enumerate(stand_ins)}
            try:
                sql, parameters = self._compile(stand_ins)
            except EmptyResultSet:
                return None
            places = [(known.get(each) if type(each) in _KINDS else None, each) for each in parameters]
            made = self._made[connection.vendor] = (sql, places)
        sql, places = made
        given = [_as_parameter(value) for value in values]
        with connection.cursor() as cursor:
            cursor.execute(sql, [other if place is None else given[place] for place, other in places])
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _compile(self, stand_ins: Sequence[Value]) -> tuple[str, Sequence[Any]]:
        raise NotImplementedError


class Prepared(_Compiled):
    """One query for ever new values.

    `build` makes the queryset, of rows of plain numbers (`values_list`), from as many values as `kinds` names. What it
    makes may not depend on them: neither a list of its own length, nor another condition for None.
    """

    def rows(self, *values: Value) -> list[tuple[Any, ...]]:
        """What the query finds with these values, as the database gives it (on SQLite a truth is 0 or 1)."""
        return list(self._find(values) or ())

    def _compile(self, stand_ins: Sequence[Value]) -> tuple[str, Sequence[Any]]:
        sql, parameters = self._build(*stand_ins).query.sql_with_params()
        return sql, parameters


class PreparedCounts(_Compiled):
    """As `Prepared`, for what is counted over a queryset: `build` makes the queryset and the counts (`aggregate`)."""

    def counts(self, *values: Value) -> dict[str, Any]:
        """What `aggregate` answers, but whole numbers alone are as it gives them. Raises `EmptyResultSet`."""
        found = self._find(values)
        if not found:
            raise EmptyResultSet
        return dict(zip(self._names, found[0], strict=True))

    def _compile(self, stand_ins: Sequence[Value]) -> tuple[str, Sequence[Any]]:
        rows, counted = self._build(*stand_ins)
        asked: list[tuple[str, Sequence[Any]]] = []

        def note(execute: Callable[..., Any], sql: str, parameters: Sequence[Any], *rest: Any) -> Any:
            asked.append((sql, parameters))
            return execute(sql, parameters, *rest)

        # Django has no word for the SQL of an aggregate: it is asked once, about what is not there
        with connection.execute_wrapper(note):
            self._names = list(rows.aggregate(**counted))
        if not asked:
            raise EmptyResultSet
        return asked[0]


#: of what kind a parameter is that stands for a value
_KINDS = (int, str, dt.datetime)


def _stand_in(kind: type[Value], place: int) -> Value:
    """A value that no query names by itself."""
    return 7_000_000_000_000_000_000 + place if kind is int else dt.datetime(9_000 + place, 1, 1, tzinfo=dt.UTC)


def _as_parameter(value: Value) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value
