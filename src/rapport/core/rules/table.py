"""Conditions without expressions: rows of field, comparison and value, and tables of rules that ask the same.

A condition that is simple enough is taken apart into a `Form` and written again from it; what goes beyond says why. A
decision table is several such rules side by side: a column is what they ask (`complaint >=`), a cell the value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from rapport.core.rules.check import check_condition, type_of
from rapport.core.rules.fields import FIELDS, Type
from rapport.core.rules.syntax import (
    AllOf,
    AnyOf,
    Call,
    Compare,
    Fault,
    Has,
    Inside,
    Items,
    Matches,
    Name,
    Node,
    Not,
    Number,
    Span,
    Text,
    Truth,
    parse,
)

Comparison = Literal[
    ">=", ">", "<=", "<", "==", "!=", "in", "not in", "matches", "not matches", "has", "lacks", "is"
]  # fmt: skip
Join = Literal["all", "any"]

#: type of what is asked -> the comparisons that it can stand in, the usual one first
FITTING: dict[Type, tuple[Comparison, ...]] = {
    "number": (">=", ">", "<=", "<", "==", "!=", "in", "not in"),
    "text": ("==", "!=", "in", "not in", "matches", "not matches"),
    "bool": ("is",),
    "time": (">", "<", ">=", "<="),
    "texts": ("has", "lacks"),
    "duration": (),
    "numbers": (),
    "times": (),
}
_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,40})?\Z")


class TooComplex(ValueError):
    """The condition says more than rows can; the message says what."""


class BadRow(ValueError):
    """What stands in a row makes no condition; the message says how to mend it."""

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        #: which row, from 0, counted through the groups
        self.row = row


class Row(msgspec.Struct, frozen=True):
    """One comparison."""

    #: what is asked, as an expression: "complaint", "count(person.negative, 30 days)"
    subject: str
    comparison: Comparison
    #: as a person writes it: "0.7", "mail, message", "refund|money back"; "true" or "false" for `is`
    value: str


class Group(msgspec.Struct, frozen=True):
    """Rows of which all, or any, must hold."""

    join: Join
    rows: tuple[Row, ...]


class Form(msgspec.Struct, frozen=True):
    """A whole condition; without parts it always holds. A group is joined the other way than the form."""

    join: Join = "all"
    parts: tuple[Row | Group, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows in order, those of groups among them."""
        return tuple(row for part in self.parts for row in (part.rows if isinstance(part, Group) else (part,)))


# ---------------------------------------------------------------- from a condition to rows


def read_form(when: str) -> Form:
    """A condition -> its rows. Raises `TooComplex` for one that rows cannot say, `Fault` for one that is none."""
    node = parse(when)
    check_condition(node)
    if isinstance(node, Truth) and node.value:
        return Form()
    outer: Join = "any" if isinstance(node, AnyOf) else "all"
    parts = node.parts if isinstance(node, AllOf | AnyOf) else (node,)
    inner: Join = "all" if outer == "any" else "any"
    return Form(outer, tuple(_part(part, inner) for part in parts))


def _part(node: Node, join: Join) -> Row | Group:
    if isinstance(node, AllOf | AnyOf):
        if any(isinstance(part, AllOf | AnyOf) for part in node.parts):
            raise TooComplex("It has groups inside groups.")
        return Group(join, tuple(_row(part) for part in node.parts))
    return _row(node)


def _row(node: Node) -> Row:  # noqa: PLR0911 - one line for each kind of comparison
    match node:
        case Not(inner=Name() | Call() as inner):
            return _asked(inner, "is", "false")
        case Not(inner=Inside() as inner):
            return _inside(inner, "not in", "lacks")
        case Not(inner=Matches(left=left, right=Text(value=value))):
            return _asked(left, "not matches", value)
        case Not(inner=Has(left=left, right=Text(value=value))):
            return _asked(left, "lacks", value)
        case Not():
            raise TooComplex("It has a “not” in front of a comparison or a group.")
        case Inside():
            return _inside(node, "in", "has")
        case Matches(left=left, right=Text(value=value)):
            return _asked(left, "matches", value)
        case Has(left=left, right=Text(value=value)):
            return _asked(left, "has", value)
        case Name() | Call():
            return _asked(node, "is", "true")
        case Compare():
            return _compare(node)
    raise TooComplex("It holds always or never in one of its parts.")


def _asked(subject: Node, comparison: Comparison, value: str) -> Row:
    """A row that `write_form` writes as it was read. Raises `TooComplex` where there is none."""
    if comparison not in FITTING[type_of(subject)]:
        raise TooComplex("It compares in a way that rows do not offer.")
    if not value.strip():
        raise TooComplex("It looks for an empty text.")  # in a row or a cell, nothing means that nothing is asked
    return Row(write_node(subject), comparison, value)


def _inside(node: Inside, listed: Comparison, held: Comparison) -> Row:
    if isinstance(node.right, Items):
        values = [_plain(value) for value in node.right.values]
        if not isinstance(node.left, Name | Call):
            raise TooComplex("It looks for a fixed value in a list.")
        if any("," in value or value != value.strip() or not value for value in values):
            raise TooComplex("It has a list with a comma inside one of its texts, or with an empty one.")
        return _asked(node.left, listed, ", ".join(values))
    if isinstance(node.left, Text):
        return _asked(node.right, held, node.left.value)
    raise TooComplex("It compares two fields with each other.")


def _compare(node: Compare) -> Row:
    left, right, sign = node.left, node.right, node.operator
    if _is_fixed(left):
        turned: dict[str, Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
        left, right = right, left
        comparison: Comparison = turned.get(sign, sign)
    else:
        comparison = sign
    if not isinstance(left, Name | Call) or not _is_fixed(right):
        raise TooComplex("It compares two fields with each other, or calculates.")
    if isinstance(right, Truth):
        if comparison not in ("==", "!="):
            raise TooComplex("It compares true and false by their order.")
        return _asked(left, "is", "true" if right.value is (comparison == "==") else "false")
    return _asked(left, comparison, _plain(right))


def _is_fixed(node: Node) -> bool:
    return isinstance(node, Number | Text | Truth) or (isinstance(node, Call) and node.function == "time")


def _plain(node: Node) -> str:
    """A fixed value as a person writes it in a row."""
    match node:
        case Number():
            return _number(node.value)
        case Text():
            return node.value
        case Call(function="time", arguments=(Text(value=value),)):
            return value
    raise TooComplex("It has a list of something else than texts and numbers.")


def write_node(node: Node) -> str:  # noqa: PLR0911 - one line for each kind of value
    """The subject of a comparison as it is written. Raises `TooComplex` for anything but names, calls and values."""
    match node:
        case Name():
            return node.name
        case Call():
            return f"{node.function}({', '.join(write_node(each) for each in node.arguments)})"
        case Span():
            return node.written
        case Number():
            return _number(node.value)
        case Text():
            return _quoted(node.value)
        case Truth():
            return "true" if node.value else "false"
        case Items():
            return f"[{', '.join(write_node(each) for each in node.values)}]"
    raise TooComplex("It calculates.")


def _number(value: float | int) -> str:
    return format(Decimal(repr(value)), "f")  # the language knows no exponents


# ---------------------------------------------------------------- from rows to a condition


def write_form(form: Form) -> str:
    """The condition of these rows. Raises `BadRow` for one that says nothing or not what the field needs."""
    texts: list[str] = []
    at = 0
    for part in form.parts:
        rows = part.rows if isinstance(part, Group) else (part,)
        inner = [_write_row(row, at + number) for number, row in enumerate(rows)]
        at += len(rows)
        if len(inner) == 1:
            texts += inner
        elif inner:
            texts.append(f"({f' {_WORD[_other(form.join)]} '.join(inner)})")
    return f" {_WORD[form.join]} ".join(texts) if texts else "true"


_WORD: dict[Join, str] = {"all": "and", "any": "or"}


def _other(join: Join) -> Join:
    return "any" if join == "all" else "all"


def _write_row(row: Row, number: int) -> str:
    try:
        subject = parse(row.subject) if row.subject.strip() else None
        found = type_of(subject) if subject is not None else None
    except Fault as fault:
        raise BadRow(f"{row.subject}: {fault.message}", number) from None
    if subject is None or found is None:
        raise BadRow("choose what is asked", number)
    if not isinstance(subject, Name | Call):  # brackets would be missing around it
        raise BadRow(f"{row.subject}: ask one field or function", number)
    if row.comparison not in FITTING[found]:
        fitting = ", ".join(FITTING[found])
        raise BadRow(f"{row.subject} cannot be asked with {row.comparison}; choose one of {fitting}", number)
    name, value = row.subject.strip(), row.value.strip() if found in ("number", "time", "bool") else row.value
    match row.comparison:
        case "is":
            if value not in ("true", "false"):
                raise BadRow("choose yes or no", number)
            return name if value == "true" else f"not {name}"
        case "in" | "not in":
            parts = [part.strip() for part in row.value.split(",") if part.strip()]
            if not parts:
                raise BadRow("write the values with commas between them", number)
            return f"{name} {row.comparison} [{', '.join(_fixed(part, found, number) for part in parts)}]"
        case "matches" | "has":
            return f"{name} {row.comparison} {_text(value, number)}"
        case "not matches":
            return f"not {name} matches {_text(value, number)}"
        case "lacks":
            return f"not {name} has {_text(value, number)}"
    return f"{name} {row.comparison} {_fixed(value, found, number)}"


def _fixed(value: str, wanted: Type, number: int) -> str:
    if wanted == "number":
        plain = value.replace(" ", "").replace("_", "").replace("\u00a0", "")
        if not _NUMBER.match(plain):
            raise BadRow(f"{value[:60] or 'nothing'} is no number; write it like 0.7 or 5000", number)
        return plain
    if wanted == "time":
        return f"time({_text(value, number)})"
    return _text(value, number)


def _text(value: str, number: int) -> str:
    if not value.strip():
        raise BadRow("the value is empty", number)
    written = _quoted(value)
    try:
        read = parse(f"text == {written}")
    except Fault:
        read = None
    if not isinstance(read, Compare) or not isinstance(read.right, Text) or read.right.value != value:
        raise BadRow("this text cannot be written on one line; leave the line break or the last backslash out", number)
    return written


def _quoted(value: str) -> str:
    return f"'{value}'" if '"' in value and "'" not in value else '"' + value.replace('"', '\\"') + '"'


# ---------------------------------------------------------------- tables


class Column(msgspec.Struct, frozen=True):
    """What the rules of a table ask: `complaint >=`."""

    subject: str
    comparison: Comparison


class Line(msgspec.Struct, frozen=True):
    """One rule in a table."""

    #: its place among the rules of the document, from 0
    number: int
    name: str
    #: column -> value, "" where the rule does not ask
    cells: tuple[str, ...]
    then: tuple[str, ...]
    stop: bool


class Table(msgspec.Struct, frozen=True):
    """Rules that ask nothing beyond these columns, in the order of the document."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def columns_of(when: str) -> dict[Column, str] | None:
    """What a condition asks, if all of it must hold and each column occurs once; None for any other."""
    try:
        form = read_form(when)
    except (TooComplex, Fault):
        return None
    if (form.join != "all" and len(form.parts) > 1) or any(isinstance(part, Group) for part in form.parts):
        return None
    cells = {Column(row.subject, row.comparison): row.value for row in form.rows}
    return cells if len(cells) == len(form.rows) else None


def common_columns(conditions: Iterable[str], most: int = 5) -> tuple[Column, ...]:
    """The columns that let a table hold as many of these rules as it can; those that most rules ask, first."""
    # how many rules ask just these, because a long set asks few different things; and each column, as they come
    asked: Counter[frozenset[Column]] = Counter()
    times: Counter[Column] = Counter()
    for cells in filter(None, map(columns_of, conditions)):
        asked[frozenset(cells)] += 1
        times.update(list(cells))
    chosen: set[Column] = set()
    while len(chosen) < most:
        # one more rule (or several) for the fewest columns more; the document's order breaks a tie
        gains: dict[frozenset[Column], int] = {}
        for columns in asked:
            missing = frozenset(columns - chosen)
            if missing and len(chosen) + len(missing) <= most:
                wider = chosen | missing
                gains[missing] = sum(rules for other, rules in asked.items() if other <= wider)
        if not gains:
            break
        best = max(gains, key=lambda missing: _worth(missing, gains[missing], times))
        chosen |= best
    order = {column: place for place, column in enumerate(times)}
    return tuple(sorted(chosen, key=lambda column: (-times[column], order[column])))


def _worth(missing: frozenset[Column], gained: int, times: Counter[Column]) -> tuple[float, float]:
    return gained / len(missing), sum(times[column] for column in missing) / len(missing)


def read_table(rules: Sequence[tuple[str, str, Sequence[str], bool]], columns: Sequence[Column]) -> Table:
    """Rules (name, when, then, stop) that fit these columns -> their table."""
    lines = []
    for number, (name, when, then, stop) in enumerate(rules):
        cells = columns_of(when)
        if cells is not None and set(cells) <= set(columns):
            lines.append(Line(number, name, tuple(cells.get(column, "") for column in columns), tuple(then), stop))
    return Table(tuple(columns), tuple(lines))


def write_cells(when: str, columns: Sequence[Column], cells: Sequence[str]) -> str:
    """The condition of a line whose cells were edited; as it was where they say the same. Raises `BadRow`."""
    before = columns_of(when)
    wanted = {column: cell for column, cell in zip(columns, cells, strict=True) if cell.strip()}
    if before == wanted:
        return when
    order = [
        *(column for column in before or () if column in wanted),
        *(each for each in wanted if each not in (before or ())),
    ]
    rows = tuple(Row(column.subject, column.comparison, wanted[column]) for column in order)
    return write_form(Form("all", rows))


def subjects() -> list[tuple[str, Type]]:
    """What a row can ask without an expression: every field, and the usual functions of those that need one."""
    found: list[tuple[str, Type]] = []
    for field in FIELDS.values():
        if field.type == "times":
            found += [(f"count({field.name}, {days})", "number") for days in ("1 day", "7 days", "30 days", "90 days")]
        elif field.type == "time":
            found += [(f"hours_since({field.name})", "number"), (field.name, "time")]
        elif FITTING[field.type]:
            found.append((field.name, field.type))
        if field.type == "texts":
            found.append((f"count({field.name})", "number"))
        if field.unknown:
            found.append((f"known({field.name})", "bool"))
    return found
