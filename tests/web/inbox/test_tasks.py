"""Tasks, tickets and ideas: made by hand, seen by those whom they concern."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone

from rapport.actions import tasks
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.pipeline.notice_words import words_of
from rapport.store.models import Basket, Task
from rapport.store.queries.tasks import read_tasks, visible_tasks

pytestmark = pytest.mark.django_db
HERE = "/w/fernway/tasks/"


def test_a_promise_to_come_back_is_written_down_on_the_conversation(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    due = (timezone.now() + dt.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    asked = {"title": "Call back about the refund", "due": due, "assignee": str(cast.amir.pk), "kind": "task"}
    assert client.post(f"/w/fernway/c/{complaint.pk}/tasks", asked).status_code == 303
    task = Task.objects.get()
    assert (task.conversation, task.person, task.basket, task.assignee) == (
        complaint, complaint.person, complaint.basket, cast.amir,
    )  # fmt: skip
    assert "Call back about the refund" in client.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    assert "Call back about the refund" in client.get(HERE).content.decode()
    client.post(f"/w/fernway/c/{complaint.pk}/tasks/{task.pk}")
    task.refresh_from_db()
    assert task.done_by == cast.amir
    client.post(f"/w/fernway/c/{complaint.pk}/tasks/{task.pk}", {"how": "again"})
    task.refresh_from_db()
    assert task.done_at is None


def test_each_tab_shows_its_own(cast: Any, enter: Any, now: dt.datetime) -> None:
    basket = Basket.objects.of(cast.workspace).get(slug="care")
    tasks.make_task(cast.amir, "My call", now=now)
    tasks.make_task(cast.lea, "Anybody's call", basket=basket, now=now)
    tasks.make_task(cast.lea, "Broken wheel", kind="ticket", basket=basket, now=now)
    tasks.make_task(cast.lea, "Dark mode", kind="idea", basket=basket, now=now)
    done = tasks.make_task(cast.amir, "Old call", now=now)
    tasks.finish_task(cast.amir, done, now=now)
    client = enter(cast.amir)
    told = {tab: client.get(f"{HERE}?tab={tab}").content.decode() for tab in ("mine", "team", "ticket", "idea", "done")}
    wanted = {
        "mine": "My call", "team": "Anybody&#x27;s call", "ticket": "Broken wheel", "idea": "Dark mode",
        "done": "Old call",
    }  # fmt: skip
    for tab, page in told.items():
        assert {title for title in wanted.values() if title in page} == {wanted[tab]}


def test_people_below_lead_see_their_own_and_those_of_their_baskets(cast: Any, now: dt.datetime) -> None:
    baskets = {basket.slug: basket for basket in Basket.objects.of(cast.workspace)}
    tasks.make_task(cast.lea, "Care", basket=baskets["care"], now=now)
    tasks.make_task(cast.lea, "Sales", basket=baskets["sales"], now=now)
    tasks.make_task(cast.lea, "Lea's own", now=now)
    tasks.make_task(cast.lea, "For Amir", basket=baskets["sales"], assignee=cast.amir, now=now)
    assert {task.title for task in visible_tasks(cast.amir)} == {"Care", "For Amir"}
    assert {task.title for task in visible_tasks(cast.rita)} == {"Care"}
    assert visible_tasks(cast.lea).count() == 4
    assert not visible_tasks(cast.charlie).exists()


def test_a_task_of_another_basket_cannot_be_touched(cast: Any, enter: Any, now: dt.datetime) -> None:
    sales = Basket.objects.of(cast.workspace).get(slug="sales")
    task = tasks.make_task(cast.lea, "Sales", basket=sales, now=now)
    client = enter(cast.amir)
    assert client.get(f"{HERE}{task.pk}/").status_code == 404
    assert client.post(f"{HERE}{task.pk}/settle", {"how": "done"}).status_code == 404
    with pytest.raises(NotAllowed):
        tasks.finish_task(cast.amir, task, now=now)


def test_it_is_changed_dropped_with_a_reason_and_opened_again(cast: Any, enter: Any, now: dt.datetime) -> None:
    task = tasks.make_task(cast.amir, "Call", now=now)
    client = enter(cast.amir)
    page = client.post(f"{HERE}{task.pk}/", {"title": "Ring", "assignee": str(cast.lea.pk), "due": ""})
    assert page.status_code == 303
    task.refresh_from_db()
    assert (task.title, task.assignee) == ("Ring", cast.lea)
    client.post(f"{HERE}{task.pk}/settle", {"how": "drop", "reason": " "})
    task.refresh_from_db()
    assert task.done_at is None
    client.post(f"{HERE}{task.pk}/settle", {"how": "drop", "reason": "They found it"})
    task.refresh_from_db()
    assert task.dropped == "They found it"
    client.post(f"{HERE}{task.pk}/settle", {"how": "again", "back": "//evil.example/"})
    task.refresh_from_db()
    assert (task.done_at, task.dropped) == (None, "")


def test_what_makes_no_sense_is_refused_with_the_remedy(cast: Any, enter: Any, now: dt.datetime) -> None:
    for wrong in (
        {"title": " "}, {"title": "x" * 301}, {"title": "x", "kind": "wish"},
        {"title": "x", "due_at": now - dt.timedelta(hours=1)}, {"title": "x", "due_at": now + dt.timedelta(days=2000)},
        {"title": "x", "assignee": cast.vera},
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            tasks.make_task(cast.amir, now=now, **wrong)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        tasks.make_task(cast.amir, "x", assignee=cast.charlie, now=now)
    with pytest.raises(NotAllowed):
        tasks.make_task(cast.vera, "x", now=now)
    typed = {"title": "", "kind": "idea", "due": "2030-01-02T03:04", "assignee": cast.lea.pk, "basket": "care"}
    answer = enter(cast.amir).post(f"{HERE}new", typed)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "few words" in shown
    assert 'value="2030-01-02T03:04"' in shown
    for value in ("idea", cast.lea.pk, "care"):
        assert f'<option value="{value}" selected>' in shown


def test_a_change_that_is_refused_keeps_what_was_typed(cast: Any, enter: Any, now: dt.datetime) -> None:
    task = tasks.make_task(cast.amir, "Call Nadia", now=now)
    typed = {"title": "Call them all", "due": "2199-01-02T03:04", "assignee": cast.amir.pk}
    answer = enter(cast.amir).post(f"{HERE}{task.pk}/", typed)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Call them all"' in shown
    assert 'value="2199-01-02T03:04"' in shown


def test_a_change_takes_back_nothing_that_a_colleague_changed_meanwhile(
    cast: Any, enter: Any, now: dt.datetime
) -> None:
    task = tasks.make_task(cast.amir, "Call Nadia", due_at=now + dt.timedelta(days=1, seconds=7), now=now)
    client = enter(cast.amir)
    page = client.get(f"{HERE}{task.pk}/").content.decode()
    was = dict(re.findall(r'name="(was-[a-z]+)" value="([^"]*)"', page))
    seen = {name.removeprefix("was-"): value for name, value in was.items()}
    later = now + dt.timedelta(days=2)
    tasks.change_task(cast.lea, task, "Call Nadia and Olga", assignee=cast.amir, due_at=later, now=now)
    # another field than the colleague changed
    assert client.post(f"{HERE}{task.pk}/", was | seen | {"assignee": cast.lea.pk}).status_code == 303
    task.refresh_from_db()
    assert (task.title, task.assignee, task.due_at) == ("Call Nadia and Olga", cast.lea, later)
    # the same field
    answer = client.post(f"{HERE}{task.pk}/", was | seen | {"title": "Call nobody"})
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "It stands as: Call Nadia and Olga" in shown
    assert 'value="Call nobody"' in shown
    task.refresh_from_db()
    assert task.title == "Call Nadia and Olga"
    # knowing that
    fields = dict(re.findall(r'name="(was-[a-z]+)" value="([^"]*)"', shown))
    again = seen | {"title": "Call nobody", "due": fields["was-due"]}
    assert client.post(f"{HERE}{task.pk}/", fields | again).status_code == 303
    task.refresh_from_db()
    assert task.title == "Call nobody"


def test_an_outsourced_agent_does_not_learn_from_the_page_who_works_here(cast: Any, enter: Any) -> None:
    assert "Lea" not in enter(cast.rita).get(HERE).content.decode()
    assert "Lea" in enter(cast.amir).get(HERE).content.decode()


def test_a_page_of_a_hundred_takes_as_many_queries_as_a_page_of_one(
    cast: Any, now: dt.datetime, django_assert_num_queries: Any
) -> None:
    for number in range(120):
        tasks.make_task(cast.amir, f"Call {number}", due_at=now + dt.timedelta(hours=number), now=now)
    with django_assert_num_queries(3):
        page = read_tasks(cast.amir, "mine", now)
    assert (len(page.tasks), page.more, page.counts["mine"]) == (100, True, 120)
    assert page.tasks[0].title == "Call 0"


def test_whoever_is_meant_is_told_once_that_it_is_due(cast: Any, now: dt.datetime) -> None:
    from rapport.store.models import Notification

    care = Basket.objects.of(cast.workspace).get(slug="care")
    tasks.make_task(cast.lea, "Call", assignee=cast.amir, due_at=now, now=now)
    tasks.make_task(cast.lea, "Anybody", basket=care, due_at=now, now=now)
    tasks.make_task(cast.lea, "Later", assignee=cast.amir, due_at=now + dt.timedelta(days=1), now=now)
    assert tasks.remind_of_tasks(cast.workspace, now=now) == 2
    assert tasks.remind_of_tasks(cast.workspace, now=now) == 0
    told = {(notice.membership_id, words_of(notice.text)) for notice in Notification.objects.filter(event="task")}
    assert (cast.amir.pk, "Due now: Call") in told
    assert (cast.rita.pk, "Due now: Anybody") in told
    assert not any("Later" in text for _, text in told)


def test_a_task_whose_title_is_changed_while_the_clock_tells_of_it_is_told_of_once(cast: Any, now: dt.datetime) -> None:
    seen = tasks.make_task(cast.amir, "Call", due_at=now, now=now)
    assert tasks.remind_of_tasks(cast.workspace, now=now) == 1
    tasks.change_task(cast.amir, seen, "Call Nadia", assignee=cast.amir, due_at=now, now=now)
    assert tasks.remind_of_tasks(cast.workspace, now=now) == 0


def test_a_task_that_gets_another_date_is_told_of_again(cast: Any, now: dt.datetime) -> None:
    task = tasks.make_task(cast.amir, "Call", due_at=now, now=now)
    tasks.remind_of_tasks(cast.workspace, now=now)
    task.refresh_from_db()
    later = now + dt.timedelta(hours=1)
    tasks.change_task(cast.amir, task, "Call", assignee=cast.amir, due_at=later, now=now)
    assert tasks.remind_of_tasks(cast.workspace, now=now) == 0
    assert tasks.remind_of_tasks(cast.workspace, now=later) == 1
