"""Colleagues at one conversation: who is shown, who holds the pen, and what a late reply is told."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

pytestmark = pytest.mark.django_db


def here(row: Any, act: str = "here") -> str:
    return f"/w/fernway/c/{row.pk}/{act}"


def beat(client: Client, row: Any, token: str = "a1", **fields: str) -> Any:
    return client.post(here(row), {"token": token, **fields})


def form(page: str, **fields: Any) -> dict[str, Any]:
    """The reply form as it stands in the page."""
    found = {
        name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("version", "seen", "target", "channel")
    }
    return {name: match[1] for name, match in found.items() if match} | fields


def test_who_looks_and_who_writes_is_shown_to_colleagues_and_not_to_oneself(
    cast: Any, enter: Any, complaint: Any
) -> None:
    ben, lea = enter(cast.ben), enter(cast.lea)
    beat(ben, complaint)
    faces = lea.get("/w/fernway/here").json()["faces"][str(complaint.pk)]
    assert "Ben is looking" in faces
    beat(ben, complaint, writing="1")
    assert "Ben is writing" in lea.get("/w/fernway/here").json()["faces"][str(complaint.pk)]
    assert ben.get("/w/fernway/here").json()["faces"] == {}


def test_who_writes_first_holds_the_pen_and_others_see_their_words_until_they_take_over(
    cast: Any, enter: Any, complaint: Any
) -> None:
    ben, lea = enter(cast.ben), enter(cast.lea)
    beat(ben, complaint, "b1", writing="1")
    ben.post(here(complaint, "draft"), {"text": "We are <b>sorry</b>"})
    told = beat(lea, complaint, "c1", writing="1").json()
    assert told["locked"] is True
    assert "Ben is writing here" in told["seat"]
    assert "We are &lt;b&gt;sorry&lt;/b&gt;" in told["seat"]
    assert beat(ben, complaint, "b1", writing="1").json()["locked"] is False
    lea.post(here(complaint, "take-over"), {"token": "c1"})
    assert beat(lea, complaint, "c1").json()["locked"] is False
    assert "Lea is writing here" in beat(ben, complaint, "b1", writing="1").json()["seat"]


def test_a_reply_from_who_does_not_hold_the_pen_is_not_sent_and_its_words_are_kept(
    cast: Any, enter: Any, complaint: Any
) -> None:
    from rapport.store.models import Delivery

    ben, lea = enter(cast.ben), enter(cast.lea)
    page = lea.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    beat(ben, complaint, writing="1")
    answer = lea.post(here(complaint, "send"), form(page, text="Two answers cross"))
    assert answer.status_code == 409
    assert "Ben is writing here" in answer.content.decode()
    assert "Two answers cross" in answer.content.decode()
    assert not Delivery.objects.exists()
    # without scripts too, the way to take over stands beside it, and the words are kept on it
    assert f'formaction="{here(complaint, "take-over")}"' in answer.content.decode()
    taken = lea.post(here(complaint, "take-over"), form(page, text="Two answers cross"), follow=True)
    assert "Two answers cross" in taken.content.decode()
    assert beat(ben, complaint).json()["locked"] is True
    lea.post(here(complaint), {"token": "form", "gone": "1"})
    beat(ben, complaint, gone="1")
    lea.post(here(complaint, "send"), form(page, text="Two answers cross"))
    assert Delivery.objects.count() == 1


def test_the_pen_and_the_face_of_who_left_are_gone_at_once(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.actions.accounts import change_member

    amir, lea = enter(cast.amir), enter(cast.lea)
    beat(amir, complaint, writing="1")
    assert beat(lea, complaint).json()["locked"] is True
    change_member(cast.alice, cast.amir, role="agent", active=False, baskets=[complaint.basket], now=timezone.now())
    told = beat(lea, complaint).json()
    assert told["locked"] is False
    assert told["faces"] == {}
    assert beat(amir, complaint).status_code == 404
    # and the pen can be had although its time is not over
    beat(lea, complaint, "c1", writing="1")
    assert beat(enter(cast.ben), complaint).json()["locked"] is True


def test_nobody_is_shown_where_one_may_not_look(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import Basket, Conversation

    sales = Basket.objects.of(cast.workspace).exclude(slug="care").first()
    beat(enter(cast.ben), complaint, writing="1")
    Conversation.objects.filter(pk=complaint.pk).update(basket=sales, assignee=None)
    rita = enter(cast.rita)
    assert rita.get("/w/fernway/here").json()["faces"] == {}
    assert rita.get(f"/w/fernway/here?c={complaint.pk}").status_code == 404
    assert beat(rita, complaint).status_code == 404
    assert rita.post(here(complaint, "take-over"), {"token": "c1"}).status_code == 404


def test_a_beat_that_says_nothing_new_writes_nothing(cast: Any, complaint: Any) -> None:
    from rapport.actions.presence import look_at
    from rapport.store.models import DeskEvent, Presence

    noon = timezone.now()
    look_at(cast.ben, complaint, writing=False, token="a1", now=noon)
    events = DeskEvent.objects.count()
    look_at(cast.ben, complaint, writing=False, token="a1", now=noon + dt.timedelta(seconds=10))
    assert Presence.objects.get().seen_at == noon
    look_at(cast.ben, complaint, writing=False, token="a1", now=noon + dt.timedelta(seconds=20))
    assert Presence.objects.get().seen_at == noon + dt.timedelta(seconds=20)
    assert DeskEvent.objects.count() == events


def test_silence_ends_the_turn(cast: Any, complaint: Any) -> None:
    from rapport.actions.presence import look_at
    from rapport.store.queries.presence import claim_of, present_now

    noon = timezone.now()
    look_at(cast.ben, complaint, writing=True, token="a1", now=noon)
    assert claim_of(complaint, noon + dt.timedelta(seconds=59)) is not None
    assert claim_of(complaint, noon + dt.timedelta(seconds=61)) is None
    assert present_now(cast.lea, noon + dt.timedelta(seconds=39)) != []
    assert present_now(cast.lea, noon + dt.timedelta(seconds=41)) == []


def test_a_late_reply_is_told_what_is_new_and_goes_out_at_the_second_press(
    cast: Any, enter: Any, complaint: Any
) -> None:
    from rapport.store.models import Delivery

    ben, lea = enter(cast.ben), enter(cast.lea)
    page = lea.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    first = ben.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    ben.post(here(complaint, "send"), form(first, text="A new parcel leaves today, Nadia."))
    ben.post(here(complaint, "note"), {"note": "carrier <i>changed</i>"})
    late = lea.post(here(complaint, "send"), form(page, text="We look into it at once."))
    words = late.content.decode()
    assert late.status_code == 409
    news = words[words.index('class="news"') :].split("</ul>")[0]
    assert "Ben answered:" in news
    assert "A new parcel leaves today" in news
    assert "carrier &lt;i&gt;changed" in news
    assert "We look into it at once." in words
    lea.post(here(complaint, "send"), form(words, text="We look into it at once."))
    assert Delivery.objects.count() == 2


def test_a_reply_to_what_a_colleague_resolved_meanwhile_asks_once_more(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import Delivery

    ben, lea = enter(cast.ben), enter(cast.lea)
    page = lea.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    ben.post(here(complaint, "resolve"))
    late = lea.post(here(complaint, "send"), form(page, text="On its way."))
    assert late.status_code == 409
    assert "Ben resolved this." in late.content.decode()
    assert not Delivery.objects.exists()
    lea.post(here(complaint, "send"), form(late.content.decode(), text="On its way."))
    assert Delivery.objects.count() == 1


def test_who_leaves_the_house_is_gone_at_once_with_their_pen_and_open_pages_are_told(
    cast: Any, enter: Any, complaint: Any
) -> None:
    from rapport.actions.accounts import change_member
    from rapport.store.models import DeskEvent

    amir, lea = enter(cast.amir), enter(cast.lea)
    beat(amir, complaint, "b1", writing="1")
    assert beat(lea, complaint, "c1").json()["locked"] is True
    last = DeskEvent.objects.order_by("-pk")[0].pk
    change_member(cast.alice, cast.amir, role="agent", active=False, baskets=[], now=timezone.now())
    told = DeskEvent.objects.get(pk__gt=last, kind="presence")
    assert told.payload["conversations"] == [complaint.pk]
    seen = beat(lea, complaint, "c1", writing="1").json()
    assert (seen["faces"], seen["locked"], seen["seat"]) == ({}, False, "")
    assert beat(amir, complaint, "b1", writing="1").status_code == 404


def test_two_windows_of_one_person_know_of_each_other_and_none_waits(cast: Any, enter: Any, complaint: Any) -> None:
    amir = enter(cast.amir)
    assert beat(amir, complaint, "w1", writing="1").json()["seat"] == ""
    told = beat(amir, complaint, "w2").json()
    assert "another window" in told["seat"]
    assert told["locked"] is False
    assert beat(amir, complaint, "w2", writing="1").json()["seat"] == ""
    assert "another window" in beat(amir, complaint, "w1").json()["seat"]
