from __future__ import annotations

import datetime as dt

import pytest

from rapport.core.tasks import TaskAsked, read_task

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
