"""Where something is wrong, and what changed."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rapport.web.settings.excerpt import compare, mark_line, mark_position

TEXTS = st.text(alphabet="ab\t\n'=", max_size=80)


def test_the_caret_stands_under_the_place() -> None:
    found = mark_position("one\ntwo three\nfour", 8)
    assert (found.line, found.column) == (2, 5)
    assert [(line.number, line.marked, line.caret) for line in found.lines] == [
        (1, False, ""),
        (2, True, "    ^"),
        (3, False, ""),
    ]


def test_a_tab_before_the_place_stays_a_tab() -> None:
    assert mark_line("\t\tx = 1", 1, 3).lines[0].caret == "\t\t^"


@given(TEXTS, st.integers(-5, 100))
def test_any_position_is_drawn_into_the_text(text: str, position: int) -> None:
    found = mark_position(text, position)
    lines = text.split("\n")
    assert 1 <= found.line <= len(lines)
    assert 1 <= found.column <= len(lines[found.line - 1]) + 1
    if 0 <= position <= len(text):
        assert "\n".join([*lines[: found.line - 1], lines[found.line - 1][: found.column - 1]]) == text[:position]


@given(TEXTS, TEXTS)
def test_a_comparison_holds_every_changed_line_once(old: str, new: str) -> None:
    changes = compare(old, new, around=100)
    assert [change.text for change in changes if change.kind in {"same", "removed"}] == (
        old.splitlines() if changes else []
    )
    assert [change.text for change in changes if change.kind in {"same", "added"}] == (
        new.splitlines() if changes else []
    )
    assert bool(changes) == (old.splitlines() != new.splitlines())


def test_a_change_in_each_of_two_thousand_rules_is_shown_in_no_time() -> None:
    rule = '[[rule]]\nname = "r{}"\nwhen = "complaint >= {}"\nthen = ["basket:care"]\n\n'
    old, new = ("".join(rule.format(n, bound) for n in range(2000)) for bound in (0.5, 0.6))
    found = compare(old, new)
    assert Counter(each.kind for each in found if each.kind != "same") == {"removed": 2000, "added": 2000}
