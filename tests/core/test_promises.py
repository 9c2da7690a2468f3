"""Promises of time: when they start, pause, warn, run out and end."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core import promises
from rapport.core.errors import InvalidInput
from rapport.core.hours import Hours
from rapport.core.promises import Facts, Kind, Running, Terms, begin, change, check_terms, pause, resume, wanted

#: Monday to Friday, 9:00 to 17:00 in Berlin
OFFICE = Hours("Europe/Berlin", (*(((540, 1020),),) * 5, (), ()))
ALWAYS = Hours()


def berlin(text: str) -> dt.datetime:
    import zoneinfo

    return dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).astimezone(dt.UTC)


#: a Wednesday
SPOKE = berlin("2026-11-25 15:00")
WAITS = Facts("open", waiting_since=SPOKE)


def test_a_promise_runs_over_the_night_and_warns_at_three_quarters() -> None:
    # four hours: two on Wednesday, two on Thursday; three quarters of them are over at 10:00
    promise = begin("first", 240, SPOKE, OFFICE)
    assert promise.due_at == berlin("2026-11-26 11:00")
    assert promise.warn_at == berlin("2026-11-26 10:00")


@pytest.mark.parametrize(("minutes", "warned_after"), [(240, 180), (20, 15), (16, 11), (8, 3), (5, 0), (1, 0)])
def test_people_are_warned_at_least_five_minutes_before(minutes: int, warned_after: float) -> None:
    assert begin("first", minutes, SPOKE, ALWAYS).warn_at == SPOKE + dt.timedelta(minutes=warned_after)


def test_the_time_in_which_we_wait_for_them_does_not_count() -> None:
    promise = begin("resolution", 480, SPOKE, OFFICE)
    waiting = pause(promise, berlin("2026-11-25 16:00"), OFFICE)
    assert (waiting.used, waiting.due_at, waiting.warn_at) == (60, None, None)
    assert pause(waiting, berlin("2026-11-27 12:00"), OFFICE) == waiting
    # they speak a week later: seven hours are left, six of Wednesday (from 11:00) and one of Thursday
    again = resume(waiting, berlin("2026-12-02 11:00"), OFFICE)
    assert again.due_at == berlin("2026-12-03 10:00")
    assert resume(again, berlin("2026-12-02 12:00"), OFFICE) == again


def test_what_another_basket_promises_counts_from_then_on_and_what_was_used_stays_used() -> None:
    promise = begin("first", 240, SPOKE, OFFICE)
    moved = change(promise, 600, berlin("2026-11-25 16:30"), OFFICE, ALWAYS)
    assert moved.used == 90
    assert moved.due_at == berlin("2026-11-26 01:00")  # 510 minutes round the clock
    # a shorter one may be late at once
    assert change(promise, 60, berlin("2026-11-25 16:30"), OFFICE, OFFICE).due_at == berlin("2026-11-25 16:30")


def test_a_promise_that_never_runs_out_has_no_end() -> None:
    promise = begin("first", 30, SPOKE, Hours(week=((),) * 7))
    assert (promise.due_at, promise.warn_at) == (None, None)


def test_how_late_it_is_is_told_in_staffed_minutes() -> None:
    promise = begin("first", 60, SPOKE, OFFICE)
    assert promises.overdue(promise, berlin("2026-11-25 15:59"), OFFICE) == 0
    assert promises.overdue(promise, berlin("2026-11-26 09:30"), OFFICE) == 90


@pytest.mark.parametrize(
    ("kind", "facts", "exists", "expected"),
    [
        ("first", WAITS, False, "run"),
        ("next", WAITS, False, None),
        ("resolution", WAITS, False, "run"),
        # the second time they wait it is the next answer that is promised
        ("first", Facts("open", waiting_since=SPOKE, answered_before=True), False, None),
        ("next", Facts("open", waiting_since=SPOKE, answered_before=True), False, "run"),
        # answered elsewhere, and they had spoken again when we heard of it: the first answer was given
        ("first", Facts("open", waiting_since=SPOKE, answered_before=True), True, "done"),
        # snoozed: they wait all the same
        ("first", Facts("snoozed", waiting_since=SPOKE), True, "run"),
        # answered: the answer is given, and we wait for them
        ("first", Facts("pending", answered_before=True), True, "done"),
        ("resolution", Facts("pending", answered_before=True), True, "pause"),
        ("resolution", Facts("pending", answered_before=True), False, None),
        # the reply went out, and the conversation does not show it yet
        ("first", Facts("open", waiting_since=SPOKE, answered_at=SPOKE + dt.timedelta(1)), True, "done"),
        ("next", Facts("open", waiting_since=SPOKE, answered_at=SPOKE + dt.timedelta(1)), False, None),
        ("resolution", Facts("open", waiting_since=SPOKE, answered_at=SPOKE + dt.timedelta(1)), True, "pause"),
        # an answer to what they said before is none to what they say now
        ("next", Facts("open", 1, SPOKE, SPOKE - dt.timedelta(1), answered_before=True), False, "run"),
        # reopened by hand: nobody waits for an answer, yet it is to be resolved
        ("resolution", Facts("open"), True, "run"),
        ("first", Facts("open"), False, None),
        # resolved: with and without a word
        ("resolution", Facts("resolved"), True, "done"),
        ("resolution", Facts("resolved"), False, None),
        ("first", Facts("resolved"), True, "given-up"),
        # put aside, folded, merged: nothing is promised there
        ("first", Facts("quarantined", waiting_since=SPOKE), True, "given-up"),
        ("first", Facts("quarantined", waiting_since=SPOKE), False, None),
        ("resolution", Facts("merged"), True, "given-up"),
        ("resolution", Facts("folded", waiting_since=SPOKE), False, None),
        ("first", Facts("unopened"), False, None),
    ],
)
def test_what_a_promise_does_follows_from_where_the_conversation_stands(
    kind: Kind, facts: Facts, exists: bool, expected: str | None
) -> None:
    assert wanted(kind, facts, exists=exists) == expected


@settings(max_examples=150)
@given(
    st.integers(1, 3000),
    st.lists(st.tuples(st.sampled_from(["pause", "resume"]), st.integers(0, 2000)), max_size=8),
)
def test_used_and_left_always_make_up_what_was_promised(minutes: int, steps: list[tuple[str, int]]) -> None:
    promise, at, ran = begin("resolution", minutes, SPOKE, OFFICE), SPOKE, 0.0
    for step, later in steps:
        before, at = at, at + dt.timedelta(minutes=later)
        ran += OFFICE.minutes_between(before, at) if promise.running_since else 0
        promise = pause(promise, at, OFFICE) if step == "pause" else resume(promise, at, OFFICE)
        assert promises.used_by(promise, at, OFFICE) == pytest.approx(ran)
        if promise.running_since is not None and ran < minutes:
            assert promise.due_at is not None
            assert OFFICE.minutes_between(at, promise.due_at) == pytest.approx(minutes - ran)


def test_terms_name_a_time_by_priority() -> None:
    terms = Terms(first=(0, 240, 120, 30))
    assert [terms.minutes("first", each) for each in range(4)] == [0, 240, 120, 30]
    assert not terms.empty
    assert Terms().empty
    check_terms(terms)


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (Terms(first=(60, 30, 45, 10)), "more urgent"),
        (Terms(next=(0, 0, 0, -1)), "between a minute and a year"),
        (Terms(resolution=(1, 2, 3)), "one time for each"),  # type: ignore[arg-type]
    ],
)
def test_terms_that_make_no_sense_are_refused_with_a_sentence(terms: Terms, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        check_terms(terms)


def test_the_end_keeps_what_was_used() -> None:
    ended = promises.end(begin("first", 60, SPOKE, OFFICE), berlin("2026-11-25 15:45"), OFFICE, done=True)
    assert ended == Running("first", 60, SPOKE, used=45, ended_at=berlin("2026-11-25 15:45"), done=True)
