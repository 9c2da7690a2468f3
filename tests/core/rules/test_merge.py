"""A draft is brought up to date: nobody's change is lost, and where two changed the same lines nothing is guessed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.rules.merge import merge

BASE = "one\ntwo\nthree\nfour\nfive\n"
texts = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=8).map("".join)


def test_changes_in_different_places_come_together() -> None:
    theirs = BASE.replace("two", "2").replace("five\n", "five\nsix\n")
    ours = "zero\n" + BASE.replace("four\n", "")
    assert merge(BASE, theirs, ours).text == "zero\none\n2\nthree\nfive\nsix\n"


def test_the_same_change_on_both_sides_is_one() -> None:
    changed = BASE.replace("three", "3")
    assert merge(BASE, changed, changed).text == changed


def test_two_changes_of_the_same_lines_are_named_and_not_merged() -> None:
    found = merge(BASE, BASE.replace("three", "drei"), "head\n" + BASE.replace("three", "trois"))
    assert (found.text, found.conflicts) == (None, (4,))


@settings(max_examples=60)
@given(texts, texts)
def test_where_one_side_changed_nothing_the_other_stands(base: str, other: str) -> None:
    assert merge(base, other, base).text == other
    assert merge(base, base, other).text == other


@settings(max_examples=60)
@given(texts, texts, texts)
def test_who_is_ours_and_who_is_theirs_makes_no_difference(base: str, one: str, two: str) -> None:
    assert merge(base, one, two).text == merge(base, two, one).text
