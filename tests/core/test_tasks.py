from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from rapport.core.tasks import TaskAsked, due_after, read_task

DAYS = dt.timedelta(days=2)


@pytest.mark.parametrize(
    ("argument", "asked"),
    [
        ("2 days:Call them back", TaskAsked("Call them back", DAYS)),
        ("within 2 days: call back", TaskAsked("call back", DAYS)),
        ("1 hour:Look", TaskAsked("Look", dt.timedelta(hours=1))),
        ("3 weeks : ask: did it arrive?", TaskAsked("ask: did it arrive?", dt.timedelta(weeks=3))),
        ("Call them back", TaskAsked("Call them back")),
        ("2 days:", TaskAsked("2 days:")),
        ("ask: when?", TaskAsked("ask: when?")),
    ],
)
def test_a_task_has_a_title_and_a_time_where_one_stands_in_front(argument: str, asked: TaskAsked) -> None:
    assert read_task(argument) == asked


def test_a_long_title_is_cut_to_what_its_row_holds() -> None:
    assert len(read_task("1 day:" + "x" * 1000).title) == 300


@pytest.mark.parametrize(
    ("began", "within", "due"),
    [
        # Berlin goes back to winter time in the night to 25 October 2026, and forward in that to 29 March
        ("2026-10-24T07:30Z", dt.timedelta(days=1), "2026-10-25T08:30Z"),
        ("2026-10-24T07:30Z", dt.timedelta(weeks=1), "2026-10-31T08:30Z"),
        ("2026-10-24T07:30Z", dt.timedelta(hours=26), "2026-10-25T09:30Z"),
        ("2026-03-28T08:30Z", dt.timedelta(days=1), "2026-03-29T07:30Z"),
        # half past two is not there that night: it is half past three
        ("2026-03-28T01:30Z", dt.timedelta(days=1), "2026-03-29T01:30Z"),
        ("2026-11-23T08:30Z", dt.timedelta(days=30), "2026-12-23T08:30Z"),
        ("2026-11-23T08:30Z", dt.timedelta(), "2026-11-23T08:30Z"),
    ],
)
def test_days_keep_the_hour_of_the_day_where_the_clocks_change(began: str, within: dt.timedelta, due: str) -> None:
    found = due_after(dt.datetime.fromisoformat(began), within, ZoneInfo("Europe/Berlin"))
    assert found == dt.datetime.fromisoformat(due)
    assert found.utcoffset() == dt.timedelta()
