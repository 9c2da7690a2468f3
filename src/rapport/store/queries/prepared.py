"""Queries that are compiled once: Django's way from a queryset to SQL costs a page more than the database's answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

Value = int | dt.datetime


class Prepared:
    """One query for ever new values.

    `build` makes the queryset, of rows of plain numbers (`values_list`), from as many values as `kinds` names. What it
    makes may not depend on them: neither a list of its own length, nor another condition for None.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *kinds: type[Value]) -> None:
        self._build = build
        self._kinds = kinds
        #: kind of database -> the SQL, and its parameters with the number of a value for each that is one
        self._made: dict[str, tuple[str, list[tuple[int | None, Any]]]] = {}

    def rows(self, *values: Value) -> list[tuple[Any, ...]]:
        """What the query finds with these values, as the database gives it (on SQLite a truth is 0 or 1)."""
        made = self._made.get(connection.vendor)
        if made is None:
            try:
                made = self._made[connection.vendor] = self._compile()
            except EmptyResultSet:  # a condition that nothing can meet
                return []
        sql, places = made
        given = [_as_parameter(value) for value in values]
        with connection.cursor() as cursor:
            cursor.execute(sql, [other if place is None else given[place] for place, other in places])
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return list(found)

    def _compile(self) -> tuple[str, list[tuple[int | None, Any]]]:
        stand_ins = [_stand_in(kind, place) for place, kind in enumerate(self._kinds)]
        known = {_as_parameter(each): place for place, each in enumerate(stand_ins)}
        sql, parameters = self._build(*stand_ins).query.sql_with_params()
        return sql, [(known.get(each) if type(each) in _KINDS else None, each) for each in parameters]


#: of what kind a parameter is that stands for a value
_KINDS = (int, str, dt.datetime)


def _stand_in(kind: type[Value], place: int) -> Value:
    """A value that no query names by itself."""
    return 7_000_000_000_000_000_000 + place if kind is int else dt.datetime(9_000 + place, 1, 1, tzinfo=dt.UTC)


def _as_parameter(value: Value) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value
