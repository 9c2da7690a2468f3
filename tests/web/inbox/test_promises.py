"""What people see of promises: the chip in a list, the order, the page of those that broke."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import timezone

from rapport.store.models import Basket, Conversation, Promise
from rapport.web.templatetags.promise_words import staffed

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("minutes", "shown", "tone"),
    [(40, "due in 40 min", "ask"), (125, "due in 2 h", '""'), (-130, "2 h late", "care"), (-0.5, "late", "care")],
)
def test_a_chip_says_when_it_is_due_in_words_with_the_exact_time(minutes: float, shown: str, tone: str) -> None:
    when = NOW + dt.timedelta(minutes=minutes)
    with timezone.override("Europe/Berlin"):
        chip = Template("{% load promise_words %}{% due when %}").render(Context({"when": when, "now": NOW}))
    assert f">{shown}</time>" in chip
    assert tone.strip('"') in chip
    assert "promised until 21 November 2026" in chip
    assert "(CET)" in chip


def test_nothing_is_said_where_nothing_is_promised() -> None:
    assert Template("{% load promise_words %}{% due when %}").render(Context({"when": None})) == ""


@pytest.mark.parametrize(("minutes", "shown"), [(0, "0 min"), (45.4, "45 min"), (120, "2 h"), (90, "1 h 30 min")])
def test_staffed_time_is_told_in_hours_and_minutes(minutes: float, shown: str) -> None:
    assert staffed(minutes) == shown


@pytest.fixture
def late(cast: Any, hear: Any, make_post: Any) -> Conversation:
    """A conversation in Care whose promise broke an hour ago, and one without a promise that presses more."""
    hear(make_post("My parcel is broken, @fernway!"), make_post("It is broken and I am furious!!", author="omar"))
    talk = Conversation.objects.get(person__name="Nadia")
    now = timezone.now()
    Conversation.objects.filter(pk=talk.pk).update(due_at=now - dt.timedelta(hours=1))
    Conversation.objects.exclude(pk=talk.pk).update(score=100, priority=3, basket=talk.basket)
    Promise.objects.create(
        workspace=cast.workspace, conversation=talk, basket=talk.basket, kind="first", minutes=30, used=30,
        started_at=now - dt.timedelta(hours=2), running_since=now - dt.timedelta(hours=1),
        due_at=now - dt.timedelta(hours=1), broken_at=now - dt.timedelta(hours=1),
    )  # fmt: skip
    return talk


def test_a_list_can_begin_with_what_is_due(late: Conversation, cast: Any, enter: Any) -> None:
    assert late.basket is not None
    client = enter(cast.lea)
    page = client.get(f"/w/fernway/b/{late.basket.slug}/?sort=due").content.decode()
    rows = [part.partition('"')[0] for part in page.split('<li id="row-')[1:]]
    assert rows[0] == str(late.pk)
    assert "1 h late" in page
    assert client.get(f"/w/fernway/b/{late.basket.slug}/").content.decode().index("furious") > 0


def test_the_page_says_what_broke_by_how_much_and_who_had_it(late: Conversation, cast: Any, enter: Any) -> None:
    Conversation.objects.filter(pk=late.pk).update(assignee=cast.amir)
    page = enter(cast.lea).get("/w/fernway/promises/").content.decode()
    assert "first answer late by 1 h" in page
    assert "promised within 30 min" in page
    assert "Amir" in page
    assert "still open" in page


def test_people_see_the_breaks_of_their_own_baskets_alone(late: Conversation, cast: Any, enter: Any) -> None:
    sales = Basket.objects.of(cast.workspace).get(slug="sales")
    Conversation.objects.filter(pk=late.pk).update(basket=sales)
    Promise.objects.update(basket=sales)
    assert "Nadia" not in enter(cast.amir).get("/w/fernway/promises/").content.decode()
    assert "Nadia" in enter(cast.lea).get("/w/fernway/promises/").content.decode()
    assert enter(cast.amir).get("/w/fernway/promises/?basket=sales").status_code == 404


def test_what_broke_is_told_page_by_page_and_each_promise_once(late: Conversation, cast: Any, enter: Any) -> None:
    row = Promise.objects.get()
    for minutes in range(120):  # three in each minute, so that a page ends between two of one moment
        late.pk = None
        late.save(force_insert=True)
        row.conversation = late
        row.pk, row.broken_at = (
            None,
            timezone.now().replace(second=0, microsecond=0) - dt.timedelta(minutes=60 + minutes // 3),
        )
        row.minutes = 1000 + minutes
        row.save(force_insert=True)
    client, address, told = enter(cast.lea), "?days=7", list[str]()
    while address:
        page = client.get(f"/w/fernway/promises/{address}").content.decode()
        told += re.findall(r"promised within ([^<]+)", page)
        more = re.search(r'href="(\?days=7&amp;after=\d+)"', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert (len(told), len(set(told))) == (121, 121)
    assert client.get("/w/fernway/promises/?after=999999").status_code == 404


def test_a_conversation_shows_its_clocks_and_why_it_was_given(late: Conversation, cast: Any, enter: Any) -> None:
    from rapport.actions.audit import write_audit

    now = timezone.now()
    Promise.objects.create(
        workspace=cast.workspace, conversation=late, basket=late.basket, kind="resolution", minutes=240, used=90,
        started_at=now,
    )  # fmt: skip
    Conversation.objects.filter(pk=late.pk).update(touched_at=now)
    write_audit(cast.workspace, None, "conversation.give", late, now, to=cast.amir.pk, reason="next in turn")
    page = enter(cast.lea).get(f"/w/fernway/c/{late.pk}/").content.decode()
    assert "1 h late" in page
    assert "stands still, 1 h 30 min of 4 h used" in page
    assert "given out: next in turn" in page
