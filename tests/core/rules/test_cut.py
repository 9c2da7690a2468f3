"""A long history is cut, and a rule set is decided from it where it comes out as it did with the whole one."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from rapport.core.decision import MOST_KEPT, Decision, PersonFacts, Score, Step
from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.core.rules import Circumstances, RuleSet, compile_rules
from rapport.core.rules.cut import asked_beyond, cut_history, falls_short

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
POST = Post("mastodon", "1", "hello", NOW, Author("7", "nadia"))


def one_rule(when: str) -> RuleSet:
    return compile_rules(f'[[rule]]\nname = "One"\nwhen = {json.dumps(when)}\nthen = ["tag:yes"]\n')


def beyond(rules: RuleSet) -> dict[str, dt.timedelta | None]:
    return dict(asked_beyond(rule.node for rule in rules.rules))


def decide(rules: RuleSet, facts: PersonFacts) -> Decision:
    return rules.decide(POST, Reading("mastodon", "1"), Score(), facts, (), Circumstances(NOW))


def explain(when: str, facts: PersonFacts) -> Step:
    (step,) = one_rule(when).explain(POST, Reading("mastodon", "1"), Score(), facts, (), Circumstances(NOW))
    return step


def moments(number: int, hours: float = 1) -> tuple[dt.datetime, ...]:
    return tuple(NOW - dt.timedelta(hours=hours * back) for back in range(number, 0, -1))


# ------------------------------------------------------------------ against the whole history
LISTS = st.sampled_from(["person.posts", "person.negative", "person.positive", "person.answers"])
SPANS = st.sampled_from(["1 day", "7 days", "30 days", "90 days"])
NUMBERS = st.sampled_from([0, 1, 5, 50, 99, 99.5, 100, 100.5, 101, 150, 200, 201, 300])
COUNTS = st.one_of(LISTS.map("count({})".format), st.builds("count({}, {})".format, LISTS, SPANS))


def _larger(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, part, st.sampled_from("+-"), part),
        st.builds("({} {} {})".format, part, st.sampled_from("+-*"), NUMBERS),
        st.builds("({} / {})".format, part, NUMBERS.filter(bool)),
        st.builds("({} {} {})".format, NUMBERS, st.sampled_from("+-*/"), part),
        st.builds("{}({}, {})".format, st.sampled_from(["max", "min"]), part, part),
    )


VALUES = st.recursive(COUNTS | st.just("person.conversations"), _larger, max_leaves=3)
SIGNS = st.sampled_from(["<", "<=", "==", "!=", ">=", ">"])
COMPARISONS = st.one_of(
    st.builds("{} {} {}".format, VALUES, SIGNS, NUMBERS),
    st.builds("{} {} {}".format, NUMBERS, SIGNS, VALUES),
    st.builds("{} {} {}".format, VALUES, SIGNS, VALUES),
    st.builds("{} in [{}, {}]".format, VALUES, NUMBERS, NUMBERS),
    st.builds("hours_since(last({})) < {}".format, LISTS, NUMBERS),
    st.builds("known({})".format, LISTS),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda part: st.one_of(
        part.map("not ({})".format), st.builds("({} {} {})".format, part, st.sampled_from(["and", "or"]), part)
    ),
    max_leaves=3,
)


@st.composite
def histories(draw: st.DrawFn) -> PersonFacts:
    def some() -> tuple[dt.datetime, ...]:
        number = draw(st.sampled_from([0, 3, 99, 100, 101, 120, 150, 201, 260, 1_050]))
        found = moments(number, draw(st.sampled_from([0.1, 1.0, 6.0])))
        return (*found[5:], *found[:5]) if draw(st.booleans()) else found  # one batch came out of order

    return PersonFacts(posts=some(), negative=some(), positive=some(), answers=some(), conversations=int(draw(NUMBERS)))


@given(CONDITIONS, histories())
@example("count(person.posts) >= 100", PersonFacts(posts=moments(500)))
@example("count(person.posts) * 2 <= 199", PersonFacts(posts=moments(100), negative=moments(101)))
@example("count(person.posts, 1 day) > 20 and count(person.posts, 1 day) < 300", PersonFacts(posts=moments(500)))
def test_what_a_cut_history_can_answer_comes_out_as_with_the_whole_one(when: str, whole: PersonFacts) -> None:
    rules, cut = one_rule(when), cut_history(whole)
    if not falls_short(cut, beyond(rules), NOW):
        assert decide(rules, cut).tags == decide(rules, whole).tags


@pytest.mark.parametrize(
    "when",
    [
        "count(person.posts, 30 days) >= 100",
        "count(person.posts, 30 days) < 100",
        "count(person.posts, 30 days) > 99",
        "99 >= count(person.posts)",
        "count(person.posts) == 99",
        "count(person.posts) in [0, 1, 99]",
        "count(person.posts) + count(person.negative, 30 days) >= 100",
        "count(person.posts) + 20 >= 120",
        "count(person.posts) * 3 >= 300",
        "count(person.posts) / 2 >= 100 / 2",
        "count(person.posts) - 10 < 90",
        "max(count(person.posts), person.conversations) >= 100",
        "min(count(person.posts), count(person.answers)) >= 100",
        "hours_since(last(person.posts)) < 4",
        "now - last(person.answers) > 3 days and known(person.posts)",
        "count(conversation.posts) > 100",
        "count(person.escalations, 90 days) > 200",
        "person.conversations > 400",
    ],
)
def test_few_rules_ask_more_than_is_kept(when: str) -> None:
    assert beyond(one_rule(when)) == {}


@pytest.mark.parametrize(
    ("when", "lists"),
    [
        ("count(person.posts, 30 days) > 100", {"posts": dt.timedelta(days=30)}),
        ("100 < count(person.posts, 30 days)", {"posts": dt.timedelta(days=30)}),
        ("count(person.posts) == 100", {"posts": None}),
        ("count(person.posts) in [0, 100]", {"posts": None}),
        ("count(person.posts, 7 days) >= 101 or count(person.posts, 1 day) >= 300", {"posts": dt.timedelta(days=7)}),
        ("count(person.posts, 7 days) >= 101 or not count(person.posts) < 200", {"posts": None}),
        ("count(person.posts) - count(person.negative) >= 5", {"posts": None, "negative": None}),
        ("count(person.negative) / count(person.posts) > 0.5", {"posts": None, "negative": None}),
        ("count(person.answers) >= person.conversations", {"answers": None}),
        ("count(person.posts) + person.conversations >= 50", {"posts": None}),
        ("count(person.posts) * 2 > 250", {"posts": None}),
        ("200 - count(person.positive) > 3", {"positive": None}),
    ],
)
def test_what_asks_more_names_its_lists_and_how_far_back(when: str, lists: dict[str, Any]) -> None:
    assert beyond(one_rule(when)) == lists


def test_a_rule_that_is_switched_off_asks_nothing() -> None:
    rules = compile_rules(
        '[[rule]]\nname = "One"\nwhen = "count(person.posts) > 500"\nthen = ["tag:yes"]\nenabled = false\n'
    )
    assert beyond(rules) == {}


def test_a_cut_history_falls_short_only_where_what_is_left_does_not_reach_far_enough() -> None:
    rules = one_rule("count(person.posts, 7 days) > 300")
    often, seldom = (cut_history(PersonFacts(posts=moments(400, hours))) for hours in (1, 6))
    assert falls_short(often, beyond(rules), NOW)
    assert not falls_short(seldom, beyond(rules), NOW)  # a hundred posts are 25 days
    assert not falls_short(often, beyond(one_rule("count(person.negative, 7 days) > 300")), NOW)
    assert not falls_short(PersonFacts(posts=moments(100)), beyond(rules), NOW)


# ------------------------------------------------------------------ what is kept
def test_a_short_history_is_kept_as_it_is() -> None:
    facts = PersonFacts(posts=moments(MOST_KEPT), answers=moments(MOST_KEPT))
    assert cut_history(facts) is facts


def test_the_newest_moments_of_a_long_one_are_kept_in_whatever_order_they_came() -> None:
    heard = moments(150)
    cut = cut_history(PersonFacts(id=3, posts=(*heard[10:], *heard[:10]), negative=heard[:20], relationship="customer"))
    assert cut == PersonFacts(id=3, posts=heard[50:], negative=heard[:20], relationship="customer", cut=True)


# ------------------------------------------------------------------ in words
@pytest.mark.parametrize(
    ("when", "because"),
    [
        ("count(person.posts, 30 days) >= 5", "count(person.posts, 30 days) 100 or more >= 5"),
        ("count(person.posts) < 100", "count(person.posts) 100 or more >= 100"),
        ("count(person.posts) in [1, 2]", "count(person.posts) 100 or more not in [1, 2]"),
        ("count(person.negative) < 5", "count(person.negative) 7 >= 5"),
        ("count(person.posts, 1 day) > 20", "count(person.posts, 1 day) 23 > 20"),
        (
            "count(person.posts) + count(person.negative) >= 100",
            "count(person.posts) + count(person.negative) 107 or more >= 100",
        ),
    ],
)
def test_a_number_that_may_be_larger_is_told_as_such(when: str, because: str) -> None:
    facts = PersonFacts(posts=moments(300), negative=moments(7))
    assert explain(when, cut_history(facts)).because == (because,)
    assert "or more" not in explain(when, facts).because[0]


def test_the_reason_of_a_decision_tells_it_too() -> None:
    rules = compile_rules('[[rule]]\nname = "One"\nwhen = "count(person.posts) > 50"\nthen = ["basket:care"]\n')
    facts = PersonFacts(posts=moments(300))
    assert decide(rules, facts).why == "301st post"
    assert decide(rules, cut_history(facts)).why == "100 or more earlier posts"
