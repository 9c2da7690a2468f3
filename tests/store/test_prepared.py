"""Queries that are compiled once answer as the same querysets do."""

import datetime as dt
from typing import Any

import pytest

from rapport.store.queries.prepared import Prepared, PreparedCounts

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def workspaces() -> list[Any]:
    from rapport.store.models import Workspace

    rows = [Workspace.objects.create(slug=f"w{each}", name=f"W {each}", timezone="UTC") for each in range(3)]
    for number, row in enumerate(rows[:2]):
        row.held_at = NOON + dt.timedelta(hours=number)
        row.save()
    return rows


def test_each_value_stands_in_its_own_place(workspaces: list[Any]) -> None:
    from rapport.store.models import Workspace

    def build(first: int, since: dt.datetime, second: int) -> Any:
        rows = Workspace.objects.filter(pk__gte=first, held_at__gte=since).exclude(pk=second).order_by("pk")
        return rows.values_list("pk", "slug")

    query = Prepared(build, int, dt.datetime, int)
    first, second, third = (row.pk for row in workspaces)
    for values in (
        (first, NOON, third),
        (first, NOON, first),
        (first, NOON + dt.timedelta(minutes=1), third),
        (second, NOON, third),
        (first, NOON + dt.timedelta(hours=3), third),
    ):
        assert query.rows(*values) == list(build(*values))


def test_it_is_compiled_once(workspaces: list[Any]) -> None:
    from rapport.store.models import Workspace

    built = []

    def build(pk: int) -> Any:
        built.append(pk)
        return Workspace.objects.filter(pk=pk).values_list("slug")

    query = Prepared(build, int)
    assert [query.rows(row.pk) for row in workspaces] == [[("w0",)], [("w1",)], [("w2",)]]
    assert len(built) == 1


def test_times_of_every_zone_are_the_same_moment(workspaces: list[Any]) -> None:
    from rapport.store.models import Workspace

    query = Prepared(lambda at: Workspace.objects.filter(held_at=at).values_list("slug"), dt.datetime)
    elsewhere = NOON.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30)))
    assert query.rows(NOON) == query.rows(elsewhere) == [("w0",)]


def test_a_condition_that_nothing_can_meet_finds_nothing(workspaces: list[Any]) -> None:
    from rapport.store.models import Workspace

    query = Prepared(lambda pk: Workspace.objects.filter(pk=pk, slug__in=[]).values_list("slug"), int)
    assert query.rows(workspaces[0].pk) == []


def test_what_is_counted_is_compiled_once_and_as_aggregate_gives_it(workspaces: list[Any]) -> None:
    from django.db.models import Count, Max, Q

    from rapport.store.models import Workspace

    built = []

    def build(least: int, since: dt.datetime) -> Any:
        built.append(least)
        held = Count("pk", filter=Q(held_at__gte=since))
        rows = Workspace.objects.filter(pk__gte=least).order_by("pk")[:2]
        return rows, {"held": held, "all": Count("pk"), "last": Max("pk"), "others": Count("pk", filter=Q(slug="x"))}

    query = PreparedCounts(build, int, dt.datetime)
    first, second, third = (row.pk for row in workspaces)
    for least, since in ((first, NOON), (second, NOON), (third, NOON), (first, NOON + dt.timedelta(minutes=1))):
        rows, counted = build(least, since)
        assert query.counts(least, since) == rows.aggregate(**counted)
    assert len(built) == 5
    assert query.counts(third + 1, NOON) == {"held": 0, "all": 0, "last": None, "others": 0}


def test_a_count_of_what_cannot_be_says_so() -> None:
    from django.core.exceptions import EmptyResultSet
    from django.db.models import Count

    from rapport.store.models import Workspace

    query = PreparedCounts(lambda pk: (Workspace.objects.filter(pk=pk, pk__in=[]), {"all": Count("pk")}), int)
    with pytest.raises(EmptyResultSet):
        query.counts(1)
