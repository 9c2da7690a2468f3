"""The search box: what is read, and that every mistake says where it is and how to mend it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.search import OPERATORS, SearchProblem, Term, parse_search, read_day

TODAY = dt.date(2026, 11, 22)


def read(text: str) -> list[tuple[str, str, bool, bool]]:
    return [(term.name, term.value, term.without, term.phrase) for term in parse_search(text).terms]


def test_words_phrases_and_operators_are_told_apart() -> None:
    assert read('parcel "left in the rain" -refund -"no answer" tag:Late -in:sales from:"Nadia Okafor" is:OPEN') == [
        ("", "parcel", False, False), ("", "left in the rain", False, True), ("", "refund", True, False),
        ("", "no answer", True, True), ("tag", "Late", False, False), ("in", "sales", True, False),
        ("from", "Nadia Okafor", False, False), ("is", "open", False, False),
    ]  # fmt: skip
    asked = parse_search('a "b c" d -e tag:f')
    assert (asked.words, asked.phrases, asked.unwanted) == ("a d", ("b c",), ("e",))
    assert [term.value for term in asked.of("tag")] == ["f"]


@pytest.mark.parametrize(
    "text", ["re:invent", "https://a.example/from:b", "16:30", "re-fund", "o'neill", '5"', "a:b*", "@nadia", "-", "#x"]
)
def test_what_only_looks_like_an_operator_is_a_word(text: str) -> None:
    assert [term.name for term in parse_search(text).terms] == [""]


@pytest.mark.parametrize(
    ("text", "position", "remedy"),
    [
        ("late tag:", 5, "tag:late-delivery"), ("form:nadia", 0, "from:nadia"), ("x befor:2026", 2, "before:"),
        ('late "no end', 5, "closed"), ("is:opn", 0, "is:open"), ("has:complain", 0, "has:complaint"),
        ("is:score__gt", 0, "resolved"), ("a " * 40, 48, "at most"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_place_and_its_remedy(text: str, position: int, remedy: str) -> None:
    with pytest.raises(SearchProblem) as caught:
        parse_search(text)
    assert caught.value.position == position
    assert remedy in str(caught.value)


def test_every_mistake_of_a_search_is_named_in_its_order() -> None:
    with pytest.raises(SearchProblem) as caught:
        parse_search('form:nadia is:opn rain tag: has:joy "no end')
    assert [problem.position for problem in caught.value.all] == [0, 11, 23, 28, 36]
    assert caught.value is caught.value.all[0]


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-11-30", dt.date(2026, 11, 30)), ("2026-02", dt.date(2026, 2, 1)), ("2026", dt.date(2026, 1, 1)),
        ("today", TODAY), ("yesterday", dt.date(2026, 11, 21)), ("7d", dt.date(2026, 11, 15)),
        ("2w", dt.date(2026, 11, 8)),
    ],
)  # fmt: skip
def test_days_are_said_in_several_ways(value: str, day: dt.date) -> None:
    assert read_day(Term("before", value), TODAY) == day


@pytest.mark.parametrize("value", ["2026-13", "2026-02-30", "soon", "20261130", "30.11.2026", "²026", "2026-", "9999"])
def test_what_is_no_day_is_said_so(value: str) -> None:
    with pytest.raises(SearchProblem, match="2026-11-30"):
        read_day(Term("before", value), TODAY)


@given(st.text(alphabet='ab "-:\t' + "tagfromin" + "荷é\x00", max_size=40) | st.text(max_size=40))
def test_anything_is_read_or_refused_in_words(text: str) -> None:
    problem: SearchProblem | None = None
    terms: tuple[Term, ...] = ()
    try:
        terms = parse_search(text).terms
    except SearchProblem as caught:
        problem = caught
    assert problem is None or 0 <= problem.position <= len(text)
    assert all(term.value for term in terms)
    assert {term.name for term in terms} <= {"", *OPERATORS}
