"""Reading queries: what they mean, and how bad ones are refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rapport.core.errors import InvalidQuery
from rapport.core.post import MAX_TEXT
from rapport.core.query import Query, highlight, parse
from rapport.core.query.nodes import And, Near, Not, Or, Phrase, Word
from rapport.core.query.view import View


def attempt(text: str) -> Query | InvalidQuery:
    try:
        return parse(text)
    except InvalidQuery as refusal:
        return refusal


A, B, C, D = (Word(letter) for letter in "abcd")


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("a b", And((A, B))),
        ("a AND b c", And((A, B, C))),
        ("a OR b AND c OR d", Or((A, And((B, C)), D))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a NOT b OR c", Or((And((A, Not(B))), C))),
        ("a NOT b NEAR/3 c d", None),
        ("a b NEAR/3 c d", And((A, Near(B, C, 3, ordered=False), D))),
        ("a NOT (b ONEAR/3 c)", And((A, Not(Near(B, C, 3, ordered=True))))),
        ("NOT NOT a", A),
        ("((a))", A),
        ("(a b) (c d)", And((A, B, C, D))),
        ('"a b" "c"', And((Phrase((A, B)), C))),
        ("（a OR b） “c d”", And((Or((A, B)), Phrase((C, D))))),
        ("a and or not b", And((A, Word("and"), Word("or"), Word("not"), B))),
        ('"a AND b"', Phrase((A, Word("and"), B))),
        ("a,b", Phrase((A, B))),
    ],
)
def test_operators_bind_as_the_reference_says(text: str, root: object) -> None:
    if root is None:
        with pytest.raises(InvalidQuery, match="NOT \\(a NEAR/5 b\\)"):
            parse(text)
    else:
        assert parse(text).root == root


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "()",
        "a ()",
        '""',
        "NOT a NOT b",
        "NOT (a OR b)",
        "a OR OR b",
        "a AND",
        "NEAR/5 b",
        "a NEAR b",
        "a NEAR/x b",
        "a NEAR/0 b",
        "a NEAR/99999 b",
        "a NEAR/5 raw:b",
        "a NEAR/5 (b c)",
        "a && b",
        "a || b",
        "!a b",
        '"a b"~3',
        "raw:",
        'raw:""',
        "author:ann*",
        "#",
        "@",
        "*",
        "**a",
        "?????",
        "ab@cde*",
        '"c?ncel it"',
        "link:///",
        "verified:maybe",
        "rating:>>3",
        "followers:" + "9" * 400,
        'raw:"a\\"',
        "\ud800",
        "\0",
    ],
)
def test_what_cannot_be_read_is_refused_with_a_place_and_what_was_expected(text: str) -> None:
    with pytest.raises(InvalidQuery) as refusal:
        parse(text)
    assert 0 <= refusal.value.position <= len(text)
    assert refusal.value.expected


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_000 + "a" + ")" * 1_000,
        "(a NOT " * 1_000 + "b" + ")" * 1_000,
        "a " * 50_000,
        "a" * 100_000,
        "a OR " * 1_500 + "a",
        '"' + "a " * 9_000 + '" ' + "b " * 900,
        "NOT " * 4_999 + "a",
        "(a+)+$",
        "a*" * 9_000,
        "(" * 100_000,
        '"' * 100_001,
        "\\" * 19_999 + '"',
        'x:"' + "\\" * 10_000,
        "*" * 20_000 + "abc",
    ],
)
def test_huge_deep_and_repetitive_queries_are_settled_quickly(text: str) -> None:
    start = time.perf_counter()
    outcome = attempt(text)
    if isinstance(outcome, Query):
        outcome.root.holds(View.of_text("a b c " * 1_000))
    else:
        assert len(str(outcome)) < 500
    assert time.perf_counter() - start < 5


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([*"ab()\"“”:*?#@~-!'\\ ", "AND", "OR", "NOT", "NEAR/2", " ", "has:", "航"])).map("".join)
)
@example('a"')
@example("A:")
def test_any_text_is_read_or_refused_and_what_is_read_can_be_asked(text: str) -> None:
    outcome = attempt(text)
    if isinstance(outcome, InvalidQuery):
        assert 0 <= outcome.position <= len(text)
    else:
        assert outcome.root.holds(View.of_text(text)) in {True, False}
        assert all(start < end for start, end in highlight(outcome, text))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("a NEAR/1 zzz OR b NEAR/1 zzz", "a b " * 25_000),
        ('"a a a a a a a a b" OR (a NEAR/1000 "a a a c")', "a " * 50_000),
        ("a*b*c*d*e*f*g*h*z OR *aaa*aaa*aaa*aaa*z", "a" * MAX_TEXT),
        ("*abc*abc?*abcz", "abc" * 33_000),
        ("航航航航航航航航航班", "航" * MAX_TEXT),
        ('"航 航 航 航 班"', "航" * MAX_TEXT),
        ("link:example.com OR has:link", "http://" * 14_000),
        ("a NEAR/1 zzz OR has:question", "#a@a'" * 20_000),
    ],
)
def test_hostile_texts_are_answered_quickly(query: str, text: str) -> None:
    parsed = parse(query)
    start = time.perf_counter()
    parsed.root.holds(View.of_text(text))
    highlight(parsed, text)
    assert time.perf_counter() - start < 5
