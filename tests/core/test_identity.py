"""What is known of people: put together, changed by hand, taken apart in any order."""

from __future__ import annotations

import datetime as dt

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.identity import Held, Known, carry_strictness, combine, rebase

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
times = st.integers(0, 500).map(lambda hours: NOON - dt.timedelta(hours=hours))
knowns = st.builds(
    Known, first_seen=times, last_seen=times, name=st.sampled_from(["", "Ann", "Bo"]),
    about=st.sampled_from(["", "likes trains", "from Rome"]), relationship=st.sampled_from(["", "customer", "partner"]),
    ignored=st.booleans(), suppressed_reason=st.sampled_from(["", "asked us to stop"]),
    known_to=st.sampled_from([None, 1, 2]),
    values=st.dictionaries(st.integers(1, 3), st.sampled_from(["42", "Rome"]), max_size=3).map(
        lambda values: tuple(Held(field, values[field], None, NOON) for field in sorted(values))
    ),
)  # fmt: skip


@given(knowns, knowns)
def test_who_must_be_left_alone_is_so_after_a_join(kept: Known, joined: Known) -> None:
    both = combine(kept, joined)
    assert both.ignored is (kept.ignored or joined.ignored)
    assert bool(both.suppressed_reason) is bool(kept.suppressed_reason or joined.suppressed_reason)


@given(knowns, knowns)
def test_a_join_loses_no_word_and_narrows_no_time(kept: Known, joined: Known) -> None:
    both = combine(kept, joined)
    assert kept.about in both.about
    assert joined.about in both.about
    assert both.first_seen <= min(kept.first_seen, joined.first_seen)
    assert both.last_seen >= max(kept.last_seen, joined.last_seen)
    for name in ("name", "relationship", "known_to"):
        assert getattr(both, name) == (getattr(kept, name) or getattr(joined, name))
    assert {held.field for held in both.values} == {held.field for held in (*kept.values, *joined.values)}
    assert set(kept.values) <= set(both.values)


@given(knowns, knowns)
def test_what_stands_on_nothing_else_goes_back_exactly(old: Known, new: Known) -> None:
    assert rebase(old, old, new) == new


@given(knowns, knowns, st.sampled_from(["", "journalist"]))
def test_what_a_person_decided_since_stays(old: Known, new: Known, decided: str) -> None:
    now = msgspec.structs.replace(old, relationship="advocate", about=decided + "!")
    gone = rebase(now, old, new)
    assert (gone.relationship, gone.about, gone.name) == ("advocate", decided + "!", new.name)


@given(knowns, knowns)
def test_a_stop_that_came_while_they_were_one_holds_for_both(kept: Known, joined: Known) -> None:
    old = combine(kept, joined)
    now = msgspec.structs.replace(old, ignored=True, suppressed_reason="asked us to stop, again")
    returning = carry_strictness(joined, now, old)
    assert returning.suppressed_reason
    assert returning.ignored is (joined.ignored or not kept.ignored)
    assert carry_strictness(joined, old, old) == joined
