"""A draft is brought up to date: nobody's change is lost, and where two changed the same lines nothing is guessed."""

from __future__ import annotations

import time

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


def rules(number: int, bounds: dict[int, int], tags: dict[int, str]) -> str:
    """Rules that differ in their names, and otherwise where they are told to."""
    return "\n".join(
        f"[[rule]]\nname = 'Rule {n}'\nwhen = 'score > {bounds.get(n, 50)}'\n\nthen = ['tag:{tags.get(n, 'a')}']\n"
        for n in range(number)
    )


@settings(max_examples=60)
@given(
    st.integers(1, 30),
    st.dictionaries(st.integers(0, 29), st.integers(1, 9)),
    st.dictionaries(st.integers(0, 29), st.sampled_from("bcd")),
)
def test_changes_of_different_lines_come_together_wherever_they_are(
    number: int, bounds: dict[int, int], tags: dict[int, str]
) -> None:
    base, theirs, ours = rules(number, {}, {}), rules(number, bounds, {}), rules(number, {}, tags)
    assert merge(base, theirs, ours).text == rules(number, bounds, tags)


@settings(max_examples=60)
@given(texts, texts, texts)
def test_a_merge_that_succeeds_invents_no_line_and_loses_none_that_all_share(base: str, one: str, two: str) -> None:
    merged = merge(base, one, two).text
    if merged is not None:
        assert set(merged.splitlines()) <= {*one.splitlines(), *two.splitlines()}
        if one == two:
            assert merged == one


def test_long_documents_with_a_change_in_every_rule_are_merged_in_no_time() -> None:
    every = range(2_000)
    before = time.process_time()
    base = rules(2_000, {}, {})
    found = merge(base, rules(2_000, dict.fromkeys(every, 60), {}), rules(2_000, {}, dict.fromkeys(every, "z")))
    assert found.text == rules(2_000, dict.fromkeys(every, 60), dict.fromkeys(every, "z"))
    blank = "\n" * 100_000
    assert merge(f"{blank}a{blank}", f"{blank}b{blank}", f"{blank}c{blank}").conflicts == (100_001,)
    assert time.process_time() - before < 10  # a second; difflib alone takes an hour


def test_a_line_is_what_an_editor_counts_as_one() -> None:
    base = "# a\u2028b\x0cc\nx\ny"
    assert merge(base, base.replace("x", "1"), base.replace("x", "2")).conflicts == (2,)
    assert merge(base, base.replace("y", "y\n"), base.replace("# a", "# b")).text == base.replace("# a", "# b") + "\n"
