"""The page of absences: one's own for everybody, those of all for leads."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from rapport.actions import desk
from rapport.store.models import Absence, Conversation

BASE = "/w/fernway/settings/absences/"


def at(days: float) -> str:
    return (timezone.now() + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def test_somebody_says_that_they_are_away_and_that_they_are_back(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    filled = {"since": at(-1), "until": at(3), "deputy": str(cast.rita.pk), "note": "Ill"}
    assert client.post(BASE, filled).status_code == 302
    absence = Absence.objects.get()
    assert (absence.membership, absence.deputy, absence.note) == (cast.amir, cast.rita, "Ill")
    assert "Rita stands in" in client.get(BASE).content.decode()
    client.post(f"{BASE}{absence.pk}/end/")
    absence.refresh_from_db()
    assert absence.until is not None
    assert absence.until <= timezone.now()


def test_a_lead_says_it_for_others_and_nobody_else_does(cast: Any, enter: Any) -> None:
    filled = {"member": str(cast.amir.pk), "since": at(1)}
    assert enter(cast.lea).post(BASE, filled).status_code == 302
    assert Absence.objects.get().membership == cast.amir
    assert enter(cast.rita).post(BASE, filled).status_code == 400  # a field that her form does not have
    assert "Amir" not in enter(cast.rita).get(BASE).content.decode().partition("<main")[2].partition("<form")[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"until": at(-2)}, "end must lie after"),
        ({"deputy": "own"}, "Select a valid choice"),
        ({"since": "x"}, "valid"),
        ({"since": "0001-01-01T00:00"}, "within ten years"),
        ({"until": "9999-12-31T23:59"}, "within ten years"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, str], told: str, cast: Any, enter: Any) -> None:
    given = {"since": at(-1), **{key: str(cast.amir.pk) if value == "own" else value for key, value in change.items()}}
    answer = enter(cast.amir).post(BASE, given)
    assert (answer.status_code, told in answer.content.decode()) == (422, True)


def test_what_is_open_is_handed_to_who_stands_in(cast: Any, enter: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("My parcel is broken, @fernway!"))
    talk = Conversation.objects.get()
    desk.assign(cast.lea, talk, cast.amir, now=timezone.now())
    client = enter(cast.amir)
    client.post(BASE, {"since": at(-1), "deputy": str(cast.rita.pk)})
    assert "1 open conversation" in client.get(BASE).content.decode()
    client.post(f"{BASE}{Absence.objects.get().pk}/hand-over/")
    talk.refresh_from_db()
    assert talk.assignee == cast.rita
