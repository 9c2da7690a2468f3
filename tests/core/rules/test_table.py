"""Rows and tables say exactly what the expression says, or say why they cannot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.rules import default_document
from rapport.core.rules.check import check_condition
from rapport.core.rules.edit import pieces
from rapport.core.rules.syntax import Fault, parse
from rapport.core.rules.table import (
    FITTING,
    BadRow,
    Column,
    Form,
    Group,
    Row,
    TooComplex,
    columns_of,
    common_columns,
    read_form,
    read_table,
    subjects,
    write_cells,
    write_form,
)

WORDS = st.text(st.sampled_from(list("ab'\"\\ .|")), min_size=1, max_size=6).filter(lambda text: text.strip() == text)
PATTERNS = st.sampled_from(["refund|money back", "it's", 'say "no"', "a.c", r"\bno\b"])
CHOSEN = [("kind", "text"), ("author.name", "text"), ("text", "text"), ("complaint", "number"), ("topics", "texts"),
          ("created_at", "time"),
          ("author.bot", "bool"), ("count(person.negative, 30 days)", "number"), ("known(rating)", "bool"),
          ("hours_since(person.last_seen)", "number")]  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> Row:
    subject, kind = draw(st.sampled_from(CHOSEN))
    comparison = draw(st.sampled_from(FITTING[kind]))  # type: ignore[index]
    if subject == "kind" and comparison not in ("matches", "not matches"):
        value = draw(st.sampled_from(["mail", "message"]))
    elif comparison in ("matches", "not matches"):
        value = draw(PATTERNS)
    elif kind == "number":
        numbers = ["0.7", "5", "-1", "5000", "0.00000000000000001", "9007199254740992"]
        few = draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=3))
        value = ", ".join(few) if comparison in ("in", "not in") else few[0]
    elif kind == "time":
        value = "2026-11-21T10:00:00Z"
    elif kind == "bool":
        value = draw(st.sampled_from(["true", "false"]))
    elif comparison in ("in", "not in"):
        value = ", ".join(draw(st.lists(st.sampled_from(["Ann", "Bo 2"]), min_size=1, max_size=3)))
    else:
        value = draw(WORDS)
    return Row(subject, comparison, value)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    join = draw(st.sampled_from(["all", "any"]))
    other = "any" if join == "all" else "all"
    group = st.lists(rows(), min_size=2, max_size=3).map(lambda found: Group(other, tuple(found)))  # type: ignore[arg-type]
    parts = draw(st.lists(st.one_of(rows(), group), min_size=1, max_size=4))
    if len(parts) == 1:  # one part alone is joined with nothing; one group alone is the whole form
        return Form("all", tuple(part for part in parts if isinstance(part, Row)) or (Row("complaint", ">=", "0.5"),))
    return Form(join, tuple(parts))  # type: ignore[arg-type]


@settings(max_examples=150)
@given(forms())
def test_rows_that_are_written_are_read_again(form: Form) -> None:
    try:
        when = write_form(form)
    except BadRow as bad:
        # a lone backslash at the end or before a quote is the one thing that the language cannot write
        if "\\" in form.rows[bad.row].value:
            return
        raise
    check_condition(parse(when))
    assert read_form(when) == form


def test_every_shipped_rule_is_a_form_that_writes_the_same_text() -> None:
    for piece in pieces(default_document()):
        assert write_form(read_form(piece.values["when"])) == piece.values["when"]


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("not (complaint >= 0.5 and author.bot)", "not"),
        ("not author.followers > 100", "not"),
        ("(a.b or c) and (x or (y and z))", ""),
        ("author.bot and (score > 1 or (score > 2 and score > 3))", "groups inside groups"),
        ("likes > reposts", "two fields"),
        ("author.handle in mentions", "two fields"),
        ("author.bot or true", "always or never"),
        ('author.name in ["a, b"]', "comma"),
        ('author.name in ["a", ""]', "empty"),
        ('person.relationship == ""', "empty"),
        ('author.bot and topics has " "', "empty"),
        ('created_at == time("2026-11-21T10:00:00Z")', "do not offer"),
    ],
)
def test_what_rows_cannot_say_is_refused_with_its_reason(when: str, reason: str) -> None:
    with pytest.raises((TooComplex, Fault)) as refused:
        read_form(when)
    assert reason in str(refused.value)


def test_a_comparison_that_begins_with_its_value_is_turned_round() -> None:
    assert read_form("0.5 <= complaint").parts == (Row("complaint", ">=", "0.5"),)
    assert read_form("author.bot == false").parts == (Row("author.bot", "is", "false"),)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row("complaint", ">=", "much"), "no number"),
        (Row("complaint", "matches", "x"), "choose one of >="),
        (Row("", ">=", "1"), "choose what is asked"),
        (Row("complant", ">=", "1"), "complant"),
        (Row("kind", "==", ""), "empty"),
        (Row("kind", "in", " , "), "commas"),
        (Row("text", "matches", "line\nbreak"), "one line"),
        (Row("author.bot", "is", "no"), "yes or no"),
        (Row("author.bot or author.verified", "is", "true"), "one field"),
        (Row("not author.bot", "is", "false"), "one field"),
        (Row("likes + 1", ">", "3"), "one field"),
        (Row("rating", "in", "1, two"), "no number"),
        (Row("author.name", "==", "  "), "empty"),
    ],
)
def test_a_row_that_makes_no_condition_says_how_to_mend_it(row: Row, message: str) -> None:
    with pytest.raises(BadRow) as refused:
        write_form(Form("all", (Row("score", ">", "1"), row)))
    assert message in str(refused.value)
    assert refused.value.row == 1


def test_numbers_are_taken_as_people_write_them() -> None:
    assert write_form(Form("all", (Row("author.followers", ">", "5 000"),))) == "author.followers > 5000"


def test_everything_that_rows_offer_is_a_condition() -> None:
    values = {"number": "1", "bool": "true", "time": "2026-11-21T10:00:00Z", "text": "x", "texts": "x"}
    for subject, kind in subjects():
        for comparison in FITTING[kind]:
            value = "post" if subject == "kind" else "public" if subject == "visibility" else values[kind]
            if subject.endswith("sentiment"):
                value = "negative"
            try:
                check_condition(parse(write_form(Form("all", (Row(subject, comparison, value),)))))
            except Fault as fault:  # a field with a fixed set of values is not any text
                if "is never" not in fault.message:
                    raise


def test_a_table_holds_the_rules_that_ask_nothing_beyond_its_columns() -> None:
    asks, urgent, bot = Column("complaint", ">="), Column("urgency", ">="), Column("author.bot", "is")
    rules = [
        ("A", "complaint >= 0.5 and urgency >= 0.6", ["basket:care"], True),
        ("B", "complaint >= 0.5 or urgency >= 0.6", ["basket:care"], True),
        ("C", "complaint >= 0.7", ["tag:x"], False),
        ("D", "author.bot", ["tag:bot"], False),
        ("E", "true", ["basket:care"], False),
    ]
    table = read_table(rules, [asks, urgent])
    assert [(line.name, line.cells) for line in table.lines] == [
        ("A", ("0.5", "0.6")),
        ("C", ("0.7", "")),
        ("E", ("", "")),
    ]
    assert [line.name for line in read_table(rules, [bot]).lines] == ["D", "E"]
    assert common_columns([when for _, when, _, _ in rules], most=2) == (asks, urgent)


def test_a_cell_that_is_edited_changes_its_comparison_alone() -> None:
    columns = (Column("complaint", ">="), Column("urgency", ">="))
    when = "urgency >= 0.60 and complaint >= 0.5"
    assert write_cells(when, columns, ("0.5", "0.6")) == when
    assert write_cells(when, columns, ("0.8", "0.6")) == "urgency >= 0.6 and complaint >= 0.8"
    assert write_cells(when, columns, ("", "0.6")) == "urgency >= 0.6"
    assert write_cells(when, columns, ("", "")) == "true"
    assert columns_of("complaint >= 0.5 and complaint >= 0.6") is None


def test_a_cell_that_nobody_edits_never_takes_a_condition_away() -> None:
    """In a cell nothing means that nothing is asked, so a rule that asks for an empty text stands in no table."""
    assert columns_of('person.relationship == "" and complaint >= 0.5') is None


VALUES = ["complaint", "author.bot", "text", "topics", "created_at", "rating", "person.relationship", "0.5", "true",
          '""', '"x"', '" "', '["a", "b"]', '["a", ""]', "[1, 2]", 'time("2026-11-21T10:00:00Z")',
          "count(person.posts, 2 days)", "contains(text, 'a\\b')"]  # fmt: skip
conditions = st.recursive(
    st.one_of(
        st.sampled_from(VALUES),
        st.tuples(
            st.sampled_from(VALUES),
            st.sampled_from(["==", "!=", "<", ">=", "in", "not in", "has", "matches"]),
            st.sampled_from(VALUES),
        ).map(" ".join),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda found: f"({''.join(found)})"),
        inner.map("not ({})".format),
    ),
    max_leaves=4,
)


@settings(max_examples=300)
@given(conditions)
def test_whatever_is_read_as_rows_is_written_as_the_same_rows(when: str) -> None:
    try:
        form = read_form(when)
    except (TooComplex, Fault):
        return
    assert read_form(write_form(form)) == form


def test_a_long_set_of_rules_that_ask_the_same_finds_its_columns_at_once() -> None:
    conditions = [f"{first} > 1 and {second} > 1" for first in ("likes", "score") for second in ("reposts", "replies")]
    assert common_columns(conditions * 50, most=2) == common_columns(conditions, most=2)
