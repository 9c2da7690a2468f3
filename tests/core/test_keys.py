"""Keys of one's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.keys import SHIPPED, InvalidKeys, OwnKeys, check_keys


def test_every_shipped_key_does_one_thing() -> None:
    assert len(set(SHIPPED.values())) == len(SHIPPED)
    assert check_keys(SHIPPED) == {}
    assert OwnKeys().pressed() == {}


def test_a_key_that_was_moved_does_its_act_and_the_old_one_does_nothing() -> None:
    own = OwnKeys(check_keys({"resolve": "h", "next": " J ", "like": ""}))
    assert own.kept == {"resolve": "h", "next": "J", "like": ""}
    assert own.pressed() == {"h": "e", "J": "j", "e": "", "j": "", "l": ""}
    assert (own.in_place_of("e"), own.in_place_of("l"), own.in_place_of("k"), own.in_place_of("F1")) == (
        "h", "", "k", "F1",
    )  # fmt: skip


def test_two_acts_may_change_places() -> None:
    assert OwnKeys(check_keys({"next": "k", "previous": "j"})).pressed() == {"k": "j", "j": "k"}


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"reply": "e"}, {"reply": "resolve", "resolve": "reply"}),
        ({"reply": "Tab"}, {"reply": None}),
        ({"reply": " "}, {"reply": None}),
        ({"reply": "\x1b"}, {"reply": None}),
        ({"reply": "1", "note": "1"}, {"reply": "note", "note": "reply"}),
    ],
)
def test_what_cannot_be_is_said_at_both_places(chosen: dict[str, str], named: dict[str, str | None]) -> None:
    with pytest.raises(InvalidKeys) as refused:
        check_keys(chosen)
    assert refused.value.problems == named


@given(st.dictionaries(st.sampled_from(sorted(SHIPPED)), st.sampled_from([*"abcdefghijklmnopqrstuvwxyz?/1", ""])))
def test_each_pressed_key_leads_to_the_act_that_holds_it(chosen: dict[str, str]) -> None:
    try:
        own = OwnKeys(check_keys(chosen))
    except InvalidKeys:
        return
    pressed = own.pressed()
    for name, shipped in SHIPPED.items():
        key = own.of(name)
        assert not key or pressed.get(key, key) == shipped
    held = {own.of(name) for name in SHIPPED}
    assert all(pressed.get(key, key) == "" for key in SHIPPED.values() if key not in held)
