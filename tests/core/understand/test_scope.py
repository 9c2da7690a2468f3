"""Which words of a text are about the target."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.understand.scope import MARK, OTHER, Names, Scope, look_from


def look(text: str, name: str, *others: str) -> Scope:
    places = [found.span() for found in re.finditer(re.escape(name), text)]
    return look_from(text, places, [found.span() for other in others for found in re.finditer(other, text)])


def test_each_brand_has_the_clauses_that_name_it() -> None:
    text = "Acme kept me on hold for an hour, Globex answered at once."
    assert look(text, "Acme").own == f"{MARK} kept me on hold for an hour"
    assert look(text, "Acme").rest.startswith(f"{OTHER} answered")
    assert look(text, "Globex").own.startswith(f"{MARK} answered")


def test_a_clause_that_names_nobody_is_about_who_was_named_last() -> None:
    text = "Acme lost my bag. Nobody picks up the phone. Globex was kind."
    assert "Nobody picks up" in look(text, "Acme").own
    assert "Nobody picks up" not in look(text, "Globex").own


def test_what_is_said_before_anybody_is_named_is_about_the_first() -> None:
    assert "Three hours" in look("Three hours in the rain, thanks to Acme. Globex was kind.", "Acme").own


def test_a_text_that_names_nobody_else_has_no_rest() -> None:
    scope = look("Acme is slow, but the people are lovely. I will be back.", "Acme")
    assert (scope.others, scope.rest, scope.side) == (False, "", 0)


@pytest.mark.parametrize(
    "text",
    [
        "Globex is better than Acme",
        "I would take Globex over Acme",
        "Unlike Acme, Globex is quick",
        "Globex is quick, unlike Acme",
        "Get Globex instead of Acme",
        "Switched from Acme to Globex",
        "Leaving Acme for Globex",
        "I prefer Globex to Acme",
        "Globex beats Acme",
        "Compared to Acme, Globex is quick",
    ],
)
def test_a_comparison_holds_one_up_against_the_other(text: str) -> None:
    assert look(text, "Acme").side == -1
    assert look(text, "Globex").side == 1


def test_two_who_are_named_together_are_not_held_against_each_other() -> None:
    scope = look("Acme and Globex both lied to us", "Acme")
    assert (scope.side, scope.rest) == (0, "")


def test_names_without_a_capital_are_found_where_they_are_told() -> None:
    text = "acme is slow, globex is quick"
    assert look(text, "acme").rest == ""
    assert look(text, "acme", "globex").rest == f"{OTHER} is quick"


def test_capitals_tell_nothing_in_a_text_of_capitals() -> None:
    assert not look("WHY IS Acme SO SLOW TODAY PLEASE HELP", "Acme").others


@given(st.text(max_size=200), st.integers(0, 200), st.integers(1, 20), st.sampled_from(["all", "subjects", "none"]))
def test_any_text_can_be_looked_at_from_anywhere(text: str, start: int, length: int, names: Names) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    spans = [(start, end)] if end > start else []
    scope = look_from(text, spans, names=names)
    assert scope.whole == (text[:start] + MARK + text[end:] if spans else text)
    assert scope.side in (-1, 0, 1)
    assert bool(scope.compared) == bool(scope.side)
