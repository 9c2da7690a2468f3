"""The pages of baskets: what people write is what the basket does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.utils import translation

from conftest import NOON
from rapport.actions.baskets import Wish, save_basket
from rapport.core.hours import Hours, Shift, say_length
from rapport.store.models import AuditEntry, Basket, Conversation, Workspace
from rapport.store.queries.load import hours_of, terms_of
from rapport.web.settings.basket_form import country_choices, read_length, read_shifts, write_shifts

BASE = "/w/fernway/settings/baskets/"
FILLED = {
    "name": "Care", "purpose": "Complaints", "tone": "care", "languages": "de, EN", "opening": "week",
    "zone": "Europe/Berlin", "mon": "9-12:30, 13:30-18", "tue": "9:00-17:00", "wed": "9-17", "thu": "9-17",
    "fri": "22-6", "sat": "", "sun": "", "country": "DE", "subdivision": "by", "closed": "2026-12-24",
    "opened": "2026-12-19 10-14", "push": "push", "strategy": "skill", "return_after": "90 min", "overflow": "sales",
    "capacity": "50", "overflow_after": "2 h", "first-low": "1 h", "first-medium": "1 h", "first-high": "30 min",
    "first-urgent": "10", "next-low": "", "next-medium": "", "next-high": "", "next-urgent": "1:30",
    "resolution-low": "", "resolution-medium": "", "resolution-high": "", "resolution-urgent": "",
}  # fmt: skip


@pytest.fixture
def care(cast: Any) -> Basket:
    return Basket.objects.of(cast.workspace).get(slug="care")


@pytest.fixture
def lea(cast: Any, enter: Any) -> Client:
    browser: Client = enter(cast.lea)
    return browser


def test_what_was_written_is_what_the_basket_does(lea: Client, care: Basket, now: dt.datetime) -> None:
    version = Workspace.objects.get(slug="fernway").config_version
    answer = lea.post(f"{BASE}{care.pk}/", FILLED)
    assert answer.status_code == 302, answer.content.decode()
    care.refresh_from_db()
    hours, terms = hours_of(care.hours, now), terms_of(care.promises)
    assert hours.week[0] == ((540, 750), (810, 1080))
    assert hours.week[4] == ((1320, 1800),)
    assert (hours.country, hours.subdivision, hours.closed) == ("DE", "BY", {dt.date(2026, 12, 24)})
    assert hours.opened == ((dt.date(2026, 12, 19), ((600, 840),)),)
    assert (terms.first, terms.next) == ((60, 60, 30, 10), (0, 0, 0, 90))
    assert (care.push, care.strategy, care.languages) == (True, "skill", ["de", "en"])
    assert (care.capacity, care.return_after, care.overflow_after) == (50, 90, 120)
    assert care.overflow is not None
    assert care.overflow.slug == "sales"
    assert Workspace.objects.get(slug="fernway").config_version == version + 1
    page = lea.get(f"{BASE}{care.pk}/").content.decode()
    for shown in (
        'value="9:00-12:30, 13:30-18:00"',
        'value="22:00-6:00"',
        "2026-12-19 10:00-14:00",
        'value="1 h 30 min"',
    ):
        assert shown in page
    assert "Next holidays" in page


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mon": "nine to five"}, "is no shift"),
        ({"mon": "9-25"}, "outside the 24 hours"),
        ({"mon": "9-12, 11-14"}, "overlap"),
        ({"first-low": "soon"}, "is no length of time"),
        ({"first-urgent": "5 h"}, "more urgent cannot be promised later"),
        ({"closed": "24.12.2026"}, "is no date"),
        ({"subdivision": "XX"}, "Not a part of this country"),
        ({"languages": "german"}, "no language code"),
        ({"zone": "Europe/Atlantis"}, "Select a valid choice"),
        ({"overflow": ""}, "which basket takes what does not fit"),
        ({"overflow": "care"}, "Select a valid choice"),
        ({"name": " "}, "required"),
        ({"return_after": "9000 h"}, "between a minute and a year"),
    ],
)
def test_what_makes_no_sense_is_said_beside_it_and_nothing_changes(
    change: dict[str, str], told: str, lea: Client, care: Basket
) -> None:
    answer = lea.post(f"{BASE}{care.pk}/", {**FILLED, **change})
    assert (answer.status_code, told in answer.content.decode()) == (422, True)
    before = care.hours
    care.refresh_from_db()
    assert care.hours == before


def test_a_new_basket_is_there_for_rules_at_once(lea: Client, cast: Any) -> None:
    assert lea.post(f"{BASE}new/", {**FILLED, "name": "Press & Média"}).status_code == 302
    made = Basket.objects.of(cast.workspace).get(name="Press & Média")
    assert made.slug == "press-media"
    assert "basket:press-media" in lea.get(BASE).content.decode()


def test_only_an_admin_says_who_works_in_a_basket(cast: Any, enter: Any, care: Basket) -> None:
    assert enter(cast.lea).post(f"{BASE}{care.pk}/people/", {"people": [cast.amir.pk]}).status_code == 403
    before = list(care.members.order_by("pk"))
    for wrong in (cast.charlie.pk, "x"):
        answer = enter(cast.ben).post(f"{BASE}{care.pk}/people/", {"people": [cast.amir.pk, wrong]})
        assert (answer.status_code, list(care.members.order_by("pk"))) == (404, before)
    assert enter(cast.ben).post(f"{BASE}{care.pk}/people/", {"people": [cast.amir.pk]}).status_code == 302
    assert [row.membership for row in care.members.all()] == [cast.amir]


def test_a_lead_says_what_a_colleague_is_good_at(lea: Client, cast: Any) -> None:
    where = f"{BASE}people/{cast.amir.pk}/"
    assert lea.post(where, {"capacity": "4", "languages": "DE", "skills": "Refunds, parcels"}).status_code == 302
    cast.amir.refresh_from_db()
    assert (cast.amir.capacity, cast.amir.languages, cast.amir.skills) == (4, ["de"], ["refunds", "parcels"])
    assert "cannot be a skill" in lea.post(where, {"capacity": "4", "skills": "später"}).content.decode()


def test_the_list_costs_the_same_for_many(lea: Client, cast: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(8):
        Basket.objects.create(workspace=cast.workspace, slug=f"b{number}", name=f"B{number}")
    lea.get(BASE)
    with django_assert_max_num_queries(17):
        lea.get(BASE)


def test_a_hand_over_carries_a_note(lea: Client, cast: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("My parcel is broken, @fernway!"))
    talk = Conversation.objects.get()
    lea.post(f"/w/fernway/c/{talk.pk}/assign", {"assignee": cast.amir.pk, "note": "She is a regular."})
    lea.post(f"/w/fernway/c/{talk.pk}/move", {"basket": "sales", "note": "She wants ten of them."})
    assert [note.text for note in talk.notes.order_by("pk")] == ["She is a regular.", "She wants ten of them."]


@pytest.mark.parametrize(
    ("text", "shifts"),
    [
        ("", ()),
        ("9-17", ((540, 1020),)),
        ("9:00–12.30; 13:30 - 18", ((540, 750), (810, 1080))),
        ("22-6", ((1320, 1800),)),
        ("0-24", ((0, 1440),)),
        ("18-0", ((1080, 1440),)),
    ],
)
def test_shifts_are_read_as_people_write_them(text: str, shifts: tuple[Shift, ...]) -> None:
    assert read_shifts(text) == shifts
    assert read_shifts(write_shifts(shifts)) == shifts
    Hours(week=(shifts,) * 7)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("", 0),
        ("45", 45),
        ("45 min", 45),
        ("4 h", 240),
        ("1h30", 90),
        ("1:30", 90),
        ("1 h 30 min", 90),
        ("2 hours", 120),
    ],
)
def test_lengths_are_read_as_people_write_them(text: str, minutes: int) -> None:
    assert read_length(text) == minutes
    assert read_length(say_length(minutes)) == minutes


@pytest.mark.parametrize("text", ["-5", "1.5 h", "tomorrow", "5 days"])
def test_a_length_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        read_length(text)


def test_a_basket_is_archived_and_brought_back(lea: Client, cast: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("My parcel is broken, @fernway!"))
    press = save_basket(cast.alice, None, Wish("Press"), now=NOON)
    Conversation.objects.update(basket=press)
    page = f"{BASE}{press.pk}/"
    assert "1 conversation lies here" in lea.get(page).content.decode()
    assert lea.post(f"{page}archive/", {"into": "nowhere"}).status_code == 404
    answer = lea.post(f"{page}archive/", {"into": "care"}, follow=True).content.decode()
    assert "Press is archived; what lay in it lies in Care." in answer
    assert lea.get(page).status_code == 404
    assert Conversation.objects.get().basket.slug == "care"  # type: ignore[union-attr]
    audit = lea.get("/w/fernway/settings/audit/").content.decode()
    assert "archived the basket Press; what lay in it lies in Care" in audit
    assert "overflows" not in audit
    entry = AuditEntry.objects.get(verb="basket.archive")
    assert f"{BASE}archived/{entry.pk}/back/" in answer
    back = lea.post(f"{BASE}archived/{entry.pk}/back/", follow=True).content.decode()
    assert "Press is back" in back
    assert Conversation.objects.get().basket == press
    assert "Archived lately" not in lea.get(BASE).content.decode()


def test_what_names_a_basket_is_listed_with_a_link_and_keeps_it(lea: Client, care: Basket) -> None:
    shown = lea.get(f"{BASE}{care.pk}/").content.decode()
    assert 'href="/w/fernway/settings/rules/edit/rule/?name=Urgent+complaint"' in shown
    assert f"{care.pk}/archive/" not in shown
    answer = lea.post(f"{BASE}{care.pk}/archive/", {"into": "praise"}, follow=True).content.decode()
    assert "still named: " in answer
    assert Basket.objects.filter(pk=care.pk).exists()


def test_countries_have_their_names_in_the_language_of_the_page() -> None:
    with translation.override("de"):
        german = country_choices()
    with translation.override("en"):
        english = country_choices()
    assert dict(german)["AT"] == "Österreich"
    assert dict(english)["AT"] == "Austria"
    assert dict(german).keys() == dict(english).keys()
    names = [name for _code, name in german]
    assert names.index("Norwegen") < names.index("Österreich") < names.index("Pakistan")
