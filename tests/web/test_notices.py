"""The bell, the page behind it, and how somebody is told."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from rapport.actions.accounts import change_member
from rapport.actions.desk import assign
from rapport.actions.notices import notify
from rapport.store.models import (
    Basket,
    Conversation,
    DeskEvent,
    Membership,
    Notification,
    NotificationSettings,
    PushSubscription,
)
from rapport.web.inbox.events import scope_of, told

pytestmark = pytest.mark.django_db

ROOT = "/w/fernway/notices/"


@pytest.fixture
def talk(cast: Any, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Conversation:
    hear(make_post("My parcel is broken, @fernway!"))
    return Conversation.objects.get()


def text(client: Client, address: str = ROOT) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_bell_counts_what_was_not_looked_at_and_the_notice_leads_there(
    cast: Any, enter: Callable[[Any], Client], talk: Conversation, now: dt.datetime
) -> None:
    assign(cast.lea, talk, cast.amir, now=now)
    amir = enter(cast.amir)
    page = text(amir)
    assert '<span class="count new">1<' in page
    assert "Lea gave you Nadia in Care" in page
    notice = Notification.objects.get()
    answer = amir.get(f"{ROOT}{notice.pk}/")
    assert answer.headers["Location"] == f"/w/fernway/c/{talk.pk}/"
    assert "count new" not in text(amir)
    assert "count new" not in text(enter(cast.lea))


def test_opening_the_conversation_is_looking_at_its_notice(
    cast: Any, enter: Callable[[Any], Client], talk: Conversation, now: dt.datetime
) -> None:
    assign(cast.lea, talk, cast.amir, now=now)
    enter(cast.lea).get(f"/w/fernway/c/{talk.pk}/")
    assert Notification.objects.get().read_at is None
    page = text(enter(cast.amir), f"/w/fernway/c/{talk.pk}/")
    assert "count new" not in page
    assert Notification.objects.get().read_at is not None


def test_what_stands_for_many_leads_to_their_basket(
    cast: Any, enter: Callable[[Any], Client], talk: Conversation, now: dt.datetime
) -> None:
    notify(cast.workspace, [cast.amir], "rule", bundle="rule:x", text="x", now=now, conversation=talk, count=12)
    amir = enter(cast.amir)
    assert "x, and 11 more" in text(amir)
    notice = Notification.objects.get()
    assert amir.get(f"{ROOT}{notice.pk}/").headers["Location"] == "/w/fernway/b/care/"


def test_everything_can_be_marked_as_read_at_once_and_only_ones_own(
    cast: Any, enter: Callable[[Any], Client], now: dt.datetime
) -> None:
    notify(cast.workspace, [cast.amir, cast.lea], "task", text="Call back", now=now)
    enter(cast.amir).post(f"{ROOT}read/")
    left = Notification.objects.filter(read_at=None)
    assert [row.membership for row in left] == [cast.lea]


def test_only_the_pages_of_those_who_are_told_hear_of_it(cast: Any, now: dt.datetime) -> None:
    notify(cast.workspace, [cast.amir], "task", text="Call back", now=now)
    event = DeskEvent.objects.latest("pk")
    assert told(event, scope_of(cast.amir)) == {"kind": "notices"}
    assert told(event, scope_of(cast.lea)) is None
    assert told(event, scope_of(cast.rita)) is None
    assert told(event, scope_of(cast.charlie)) is None


def test_a_notice_leaves_the_list_when_its_conversation_leaves_ones_sight(
    cast: Any, enter: Callable[[Any], Client], talk: Conversation, now: dt.datetime
) -> None:
    notify(cast.workspace, [cast.rita, cast.lea], "rule", text="Nadia rages", now=now, conversation=talk)
    assert "Nadia rages" in text(enter(cast.rita))
    Conversation.objects.update(basket=Basket.objects.of(cast.workspace).get(slug="sales"))
    page = text(enter(cast.rita))
    assert "Nadia rages" not in page
    assert "count new" not in page
    own = Notification.objects.get(membership=cast.rita)
    assert enter(cast.rita).get(f"{ROOT}{own.pk}/").status_code == 404
    assert "Nadia rages" in text(enter(cast.lea))


def test_an_event_that_is_off_at_the_desk_does_not_ring_the_bell(
    cast: Any, enter: Callable[[Any], Client], now: dt.datetime
) -> None:
    amir = enter(cast.amir)
    amir.post(f"{ROOT}settings/", {"way-task": ["mail"]})
    notify(cast.workspace, [cast.amir], "task", text="Call back", now=now)
    notify(cast.workspace, [cast.amir], "rule", text="A rule", now=now)
    page = text(amir)
    assert "Call back" not in page
    assert "A rule" not in page, "of an event with every way off nothing is kept at all"
    assert list(Notification.objects.values_list("event", "mail_at")) == [("task", now + dt.timedelta(minutes=5))]


def test_the_ways_of_each_event_and_quiet_hours_are_kept(cast: Any, enter: Callable[[Any], Client]) -> None:
    amir = enter(cast.amir)
    form = {"way-breach": ["desk", "push"], "begins": "22:00", "ends": "07:30", "days": ["5", "6"], "urgent": "on"}
    assert amir.post(f"{ROOT}settings/", form).status_code == 302
    kept = NotificationSettings.objects.get()
    assert kept.membership == cast.amir
    assert kept.ways["breach"] == ["desk", "push"]
    assert kept.ways["assigned"] == []
    assert kept.quiet == {"begins": 1320, "ends": 450, "days": [5, 6], "urgent": True}
    page = text(amir, f"{ROOT}settings/")
    assert 'name="begins" value="22:00' in page
    assert page.count(" checked") == 2 + 2 + 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"begins": "22:00"}, "Quiet hours need a beginning and an end"),
        ({"days": [str(day) for day in range(7)]}, "At least one day of the week must not be quiet"),
        ({"begins": "25:00", "ends": "7:00"}, ""),
    ],
)
def test_quiet_hours_that_cannot_be_meant_are_refused(
    form: dict[str, Any], words: str, cast: Any, enter: Callable[[Any], Client]
) -> None:
    answer = enter(cast.amir).post(f"{ROOT}settings/", {"way-task": ["push"], **form})
    assert answer.status_code == 422
    assert 'name="way-task" value="push" checked' in answer.content.decode()
    assert 'name="way-task" value="mail" checked' not in answer.content.decode()
    assert words in answer.content.decode()
    assert not NotificationSettings.objects.exists()


def test_the_link_below_a_mail_turns_mail_off_with_one_button_and_leaves_the_rest(
    cast: Any, enter: Callable[[Any], Client]
) -> None:
    amir = enter(cast.amir)
    assert "Turn mail off" in text(amir, f"{ROOT}off/mail/")
    assert not NotificationSettings.objects.exists()
    amir.post(f"{ROOT}off/mail/")
    ways = NotificationSettings.objects.get(membership=cast.amir).ways
    assert all("mail" not in chosen for chosen in ways.values())
    assert ways["breach"] == ["desk", "push"]
    assert amir.get(f"{ROOT}off/desk/").status_code == 404


def test_a_browser_is_added_once_and_its_owner_alone_removes_it(cast: Any, enter: Callable[[Any], Client]) -> None:
    amir, told = enter(cast.amir), {"endpoint": "https://push.example/abc", "p256dh": "BKey", "auth": "secret"}
    for _ in range(2):
        answer = amir.post(f"{ROOT}devices/add/", {**told, "device": "Firefox · Linux"})
        assert json.loads(answer.content) == {"devices": 1}
    device = PushSubscription.objects.get()
    assert "Firefox · Linux" in text(amir, f"{ROOT}settings/")
    assert enter(cast.lea).post(f"{ROOT}devices/{device.pk}/remove/").status_code == 404
    assert amir.post(f"{ROOT}devices/{device.pk}/remove/").status_code == 302
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("endpoint", ["http://push.example/abc", "javascript:alert(1)", "", "https://"])
def test_an_address_that_is_no_push_service_is_refused(
    endpoint: str, cast: Any, enter: Callable[[Any], Client]
) -> None:
    told = {"endpoint": endpoint, "p256dh": "BKey", "auth": "secret"}
    assert enter(cast.amir).post(f"{ROOT}devices/add/", told).status_code == 400
    assert not PushSubscription.objects.exists()


def test_the_page_costs_the_same_for_many(
    cast: Any, enter: Callable[[Any], Client], talk: Conversation, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        notify(cast.workspace, [cast.amir], "rule", bundle=str(number), text="x", now=now, conversation=talk)
    amir = enter(cast.amir)
    with django_assert_max_num_queries(16):
        assert text(amir).count("notice-line") == 60


def test_somebody_who_left_sees_none_and_is_told_none(
    cast: Any, enter: Callable[[Any], Client], now: dt.datetime
) -> None:
    notify(cast.workspace, [cast.amir], "task", text="Call back", now=now)
    amir = enter(cast.amir)
    change_member(cast.alice, Membership.objects.get(pk=cast.amir.pk), role="agent", active=False, baskets=[], now=now)
    assert amir.get(ROOT).status_code == 404
