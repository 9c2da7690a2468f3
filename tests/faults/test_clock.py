"""Clocks that are wrong, jump or change in the night, and a sender that sleeps: nothing twice, nothing too early."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.test_sender import Desk, house
from rapport.actions.holds import hold_everything, let_through, release_hold
from rapport.actions.steps import begin_plan
from rapport.core.errors import RetryLater, Unconfirmed
from rapport.core.guard.pace import free_at
from rapport.core.guard.policy import Window
from rapport.core.hours import Hours
from rapport.networks.base import Sent
from rapport.pipeline.sender import Sender
from rapport.store.models import Conversation, Delivery, StepPlan, Task, User
from rapport.web.inbox.conversation import snooze_choices

pytestmark = pytest.mark.django_db
__all__ = ["house"]  # a fixture
HOUR = dt.timedelta(hours=1)
LEASE = dt.timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
#: midnight before the nights in which the clocks of Berlin change, and what happens in them
SPRING = dt.datetime(2026, 3, 29, tzinfo=BERLIN)
AUTUMN = dt.datetime(2026, 10, 25, tzinfo=BERLIN)


def another(house: Desk, bus: Any, off: dt.timedelta) -> Sender:
    """A second sender of the same desk whose clock is `off`."""
    made = Sender({"mastodon": house.network}, lambda: None, bus, lambda: house.now + off, LEASE)  # type: ignore[arg-type, return-value]
    made.name = "another"
    return made


# ---------------------------------------------------------------- 5: asleep past the lease


def test_a_sender_that_slept_past_its_lease_sends_nothing_that_another_has_sent(house: Desk, bus: Any) -> None:
    """SIGSTOP and SIGCONT in real processes: tests/faults/matrix; here the very step, without luck."""
    house.answer("@nadia one")
    other = another(house, bus, dt.timedelta())

    def sleep() -> None:
        house.meanwhile = None
        house.now += 2 * LEASE
        assert other.send_once()

    house.meanwhile = sleep
    house.send()
    assert (house.texts(), house.states()) == (["@nadia one"], ["sent"])
    assert Delivery.objects.get().fence == 2


# ---------------------------------------------------------------- 6: a clock that is an hour wrong


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["fast", "slow"])
def test_two_senders_whose_clocks_differ_by_an_hour_never_send_twice(house: Desk, bus: Any, off: dt.timedelta) -> None:
    other = another(house, bus, off)
    house.answer("@nadia one")
    real, calls = house.network.push, []

    def push(*arguments: Any) -> Sent:
        # while the request is on its way the other one looks: by a fast clock this claim has run out
        calls.append(1)
        if len(calls) == 1:
            other.send_once()
        return real(*arguments)

    house.network.push = push  # type: ignore[method-assign]
    house.send()
    for _ in range(20):
        other.send_once()
        house.send(seconds=30)
    assert house.texts() == ["@nadia one"]
    assert Delivery.objects.get().state in {"sent", "unconfirmed"}


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["on", "back"])
def test_a_clock_that_is_set_while_an_answer_is_missing_neither_doubles_nor_forgets(
    house: Desk, off: dt.timedelta, taken: bool
) -> None:
    house.network.faults = [(Unconfirmed("the line broke"), taken)]
    house.answer("@nadia one")
    house.send()
    house.now += off
    house.send(times=3)
    if off < dt.timedelta():  # due by a clock that was ahead: it waits for that moment, and then goes on
        assert house.states() == ["unconfirmed"]
    for _ in range(12):
        house.send(minutes=10)
    row = Delivery.objects.get()
    assert len(house.texts()) == (1 if taken else 0)
    assert row.state == ("sent" if taken else "unconfirmed")
    assert taken or row.unknown_at is not None, "a person is asked"


def test_a_wait_that_a_network_asked_for_is_no_shorter_after_the_clock_was_set_back(house: Desk) -> None:
    house.network.faults = [(RetryLater("slow down", after=600.0), False)]
    house.answer("@nadia one")
    house.send()
    house.now -= HOUR
    house.send(times=3)
    assert house.texts() == []
    house.send(minutes=69)
    assert house.texts() == []
    house.send(minutes=2)
    assert house.texts() == ["@nadia one"]


def test_acts_that_a_clock_put_into_the_future_count_in_the_window() -> None:
    """An account that spent all it may does not get more because the clock was set back."""
    window = Window(2, 3600)
    now = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
    ahead = [(now + HOUR, 1), (now + HOUR, 1)]
    assert free_at(ahead, window, 1, now) == now + 2 * HOUR


def test_a_hold_holds_whatever_clock_began_it_and_lets_out_what_a_person_lets_out(house: Desk) -> None:
    first = house.answer("@nadia one")
    # held by a clock that is ahead: what a person lets through now goes out
    hold_everything(house.by, "storm", now=house.now + HOUR)
    house.send(times=2)
    let_through(house.by, Delivery.objects.get(pk=first.pk), now=house.now)
    house.send()
    assert house.texts() == ["@nadia one"]
    release_hold(house.by, now=house.now)
    # let through by a clock that is ahead, held anew after it was set right: that hold holds
    hold_everything(house.by, "storm", now=house.now)
    second = house.answer("@nadia two")
    house.send()
    let_through(house.by, Delivery.objects.get(pk=second.pk), now=house.now + HOUR)
    release_hold(house.by, now=house.now)
    hold_everything(house.by, "another storm", now=house.now + dt.timedelta(minutes=1))
    house.send(times=3, minutes=2)
    assert house.texts() == ["@nadia one"]
    Delivery.objects.filter(state="queued").update(next_try_at=house.now)
    house.send(times=3)
    assert (house.texts(), house.states()) == (["@nadia one"], ["sent", "held"])


# ---------------------------------------------------------------- 6: the nights in which the clocks change


@pytest.mark.parametrize("night", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_nothing_leaves_early_or_twice_in_the_night_in_which_the_clocks_change(night: dt.datetime, house: Desk) -> None:
    """The same wall time twice, or never: replies go by moments, whatever a wall clock shows."""
    house.now = night.astimezone(dt.UTC) + dt.timedelta(minutes=50)
    for minute in range(0, 200, 40):  # from 0:50 over the change
        house.now = night.astimezone(dt.UTC) + dt.timedelta(minutes=50 + minute)
        Conversation.objects.update(version=Conversation.objects.get().version)
        house.network.faults = [(RetryLater("slow down", after=1800.0), False)]
        house.answer(f"@nadia word {minute} of this night is another one: {'abcdefghij'[minute // 40] * 30}")
        house.send(times=2)
        left = len(house.texts())
        house.send(minutes=29)
        assert len(house.texts()) == left, "before its time"
        house.send(minutes=2)
        house.send()
        assert len(house.texts()) == left + 1
    assert len(set(house.texts())) == len(house.texts()) == 5
    assert set(house.states()) == {"sent"}


@pytest.mark.parametrize("night", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_what_is_snoozed_for_an_hour_sleeps_an_hour_and_until_morning_until_nine(night: dt.datetime) -> None:
    with timezone.override(BERLIN):
        for minute in range(0, 300, 15):
            now = night.astimezone(dt.UTC) + dt.timedelta(minutes=minute)
            choices = {value: when.astimezone(dt.UTC) for value, _label, when in snooze_choices(now)}
            assert choices["hour"] - now == HOUR
            morning = choices["tomorrow"].astimezone(BERLIN)
            assert (morning.hour, morning.minute) == (9, 0)
            assert morning.date() == now.astimezone(BERLIN).date() + dt.timedelta(days=1)


def test_a_time_of_ones_own_is_taken_or_refused_and_never_an_error_of_ours(
    alice: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    hear(make_post("My parcel is broken, @fernway", id="1"))
    talk = Conversation.objects.get()
    never_shown, shown_twice = "2027-03-28T02:30", "2027-10-31T02:30"
    strange = ("2027-02-30T09:00", "9999-12-31T23:59", "0001-01-01T00:00", "2027-03-28T02:30+25:00", "-1", "\x00")
    for zone in ("Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        User.objects.filter(pk=alice.user_id).update(timezone=zone)
        client = Client()
        client.force_login(alice.user)
        for typed in strange:
            assert client.post(f"/w/fernway/c/{talk.pk}/snooze", {"at": typed}).status_code == 400, (zone, typed)
        talk.refresh_from_db()
        assert talk.snoozed_until is None
    User.objects.filter(pk=alice.user_id).update(timezone="Europe/Berlin")
    for typed, meant in ((never_shown, "2027-03-28T01:30"), (shown_twice, "2027-10-31T00:30")):
        assert client.post(f"/w/fernway/c/{talk.pk}/snooze", {"at": typed}).status_code == 303
        talk.refresh_from_db()
        assert talk.snoozed_until == dt.datetime.fromisoformat(f"{meant}+00:00")


def test_steps_over_days_and_promises_keep_their_length_over_the_change(house: Desk) -> None:
    night_shift = Hours("Europe/Berlin", week=(((20 * 60, 32 * 60),),) * 7)
    for night in (SPRING, AUTUMN):
        now = night.astimezone(dt.UTC) - 3 * HOUR  # 21:00, and nobody goes home before 8:00
        assert night_shift.add_minutes(now, 8 * 60) == now + 8 * HOUR
        assert night_shift.minutes_between(now, now + 8 * HOUR) == 8 * 60
    plan = StepPlan.objects.create(
        workspace=house.by.workspace, name="After care", steps=[{"title": "Call", "after": 1}], changed_at=house.now
    )
    now = AUTUMN.astimezone(dt.UTC) - 3 * HOUR
    begin_plan(house.by, Conversation.objects.get(), plan, now=now)
    assert Task.objects.get().due_at == now + dt.timedelta(days=1)
