"""One comparison, compiled: its answer, its line in the trace, and what it says to a person.

`test` runs for every post on each rule that `index` cannot rule out; `say` and `phrase` only where somebody reads them:
for the rules that matched, and when a decision is explained.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import msgspec

from rapport.core.rules import words
from rapport.core.rules.check import compile_pattern, field_of
from rapport.core.rules.cut import at_least
from rapport.core.rules.fields import Case, fold
from rapport.core.rules.syntax import (
    Arithmetic,
    Call,
    Compare,
    Has,
    Inside,
    Items,
    Matches,
    Name,
    Node,
    Operator,
    Span,
    Truth,
)
from rapport.core.rules.values import Read, constant_of, encoding, folding, is_constant, reader, sought_in, told

Test = Callable[[Case], bool]
Say = Callable[[Case], str]


class Leaf(msgspec.Struct, frozen=True):
    """One comparison."""

    test: Test
    #: a true statement about the case, for the trace: "complaint 0.93 >= 0.7", "complaint 0.1 < 0.7"
    say: Say
    #: the same for a person, "" where it explains nothing: "complaint 0.93"
    phrase: Say


OPERATORS: dict[Operator, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: Tests against a constant, with the operator in the bytecode: a third faster than a call of `operator.ge`.
_TESTS: dict[Operator, Callable[[Read, Any], Test]] = {
    "==": lambda read, fixed: lambda case: (value := read(case)) is not None and value == fixed,
    "!=": lambda read, fixed: lambda case: (value := read(case)) is not None and value != fixed,
    "<": lambda read, fixed: lambda case: (value := read(case)) is not None and value < fixed,
    "<=": lambda read, fixed: lambda case: (value := read(case)) is not None and value <= fixed,
    ">": lambda read, fixed: lambda case: (value := read(case)) is not None and value > fixed,
    ">=": lambda read, fixed: lambda case: (value := read(case)) is not None and value >= fixed,
}
MIRRORED: dict[Operator, Operator] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compile_leaf(node: Node) -> Leaf:  # noqa: PLR0911 - one line for each kind of comparison
    """A comparison that `check_condition` has accepted -> its compiled form."""
    match node:
        case Compare():
            return _compare(node)
        case Inside():
            return _inside(node)
        case Matches():
            return _matches(node)
        case Has():
            return _has(node)
        case Truth():
            constant, word = node.value, words.show(node.value)
            return Leaf(lambda case: constant, lambda case: word, lambda case: "")
        case Call(function="any_of" | "all_of" | "none_of"):
            return _listed(node)
        case _:
            return _truth(node)


def _truth(node: Node) -> Leaf:
    """A yes-or-no field, or `known(...)`."""
    read = reader(node)
    name = node.name if isinstance(node, Name) else ""
    yes, no = f"{told(node)} is true", f"{told(node)} is false"
    return Leaf(
        read,
        lambda case: yes if read(case) else no,
        lambda case: words.say_truth(name, read(case)) if name else "",
    )


def _compare(node: Compare) -> Leaf:
    left, right, sign = node.left, node.right, node.operator
    if is_constant(left):  # 0.7 <= complaint reads in the trace as complaint >= 0.7
        left, right, sign = right, left, MIRRORED[sign]
    fields = (field_of(left), field_of(right))
    folded = any(field is not None and field.folded for field in fields)
    read = folding(reader(left)) if folded else reader(left)
    if is_constant(right):
        fixed = fold(constant_of(right)) if folded else constant_of(right)
        test = _TESTS[sign](read, fixed)
        say = _say_constant(told(left), read, sign, fixed, told(right), at_least(left))
        return Leaf(test, say, _compare_phrase(left, sign, test, read))
    other = folding(reader(right)) if folded else reader(right)
    holds = OPERATORS[sign]

    def test_both(case: Case) -> bool:
        one, two = read(case), other(case)
        return one is not None and two is not None and holds(one, two)

    say = _say_both(told(left), read, sign, other, told(right))
    return Leaf(test_both, say, _compare_phrase(left, sign, test_both, read))


def _more(value: Any, least: float | None, case: Case) -> str:
    """What is added to a number that may be larger than what a cut history tells (`cut.at_least`)."""
    return " or more" if least is not None and case.person.cut and value >= least else ""


def _say_constant(name: str, read: Read, sign: Operator, fixed: Any, shown: str, least: float | None) -> Say:
    holds = OPERATORS[sign]
    true, false = f" {sign} {shown}", f" {words.OPPOSITE[sign]} {shown}"

    def say(case: Case) -> str:
        value = read(case)
        if value is None:
            return f"{name} unknown"
        found = f"{name} {words.show_beside(value, fixed)}{_more(value, least, case)}"
        return found + (true if holds(value, fixed) else false)

    return say


def _say_both(name: str, read: Read, sign: Operator, other: Read, other_name: str) -> Say:
    holds = OPERATORS[sign]

    def say(case: Case) -> str:
        one, two = read(case), other(case)
        if one is None or two is None:
            return f"{name if one is None else other_name} unknown"
        found = sign if holds(one, two) else words.OPPOSITE[sign]
        return f"{name} {words.show_beside(one, two)} {found} {other_name} {words.show_beside(two, one)}"

    return say


def _compare_phrase(subject: Node, sign: Operator, test: Test, read: Read) -> Say:
    """What a comparison that holds says to a person. One that does not hold, or an inequality, says nothing."""
    least = at_least(subject)

    def phrase(case: Case) -> str:  # noqa: PLR0911 - one line for each kind of subject
        if not test(case):
            return ""
        value = read(case)
        match subject:
            case Call(function="count"):
                within = subject.arguments[1].written if isinstance(subject.arguments[-1], Span) else ""  # type: ignore[attr-defined]
                return words.say_count(told(subject.arguments[0]), value, within, case)
            case Call(function="minutes_since" | "hours_since" | "days_since" | "hours_until" as function):
                return words.say_since(told(subject.arguments[0]), value, function)
            case Call(function="length" | "words" as function):
                return words.say_size(function, told(subject.arguments[0]), value)
            case Call() | Arithmetic() if isinstance(value, int | float):
                return f"{told(subject)} {words.show(value)}{_more(value, least, case)}"
            case Name() if isinstance(value, bool):
                return words.say_truth(subject.name, value)
            case Name() if isinstance(value, int | float):
                return words.say_number(subject.name, value)
            case Name() if isinstance(value, str) and sign == "==":
                return words.say_text(subject.name, value)
        return ""

    return phrase


def _inside(node: Inside) -> Leaf:
    fields = (field_of(node.left), field_of(node.right))
    folded = any(field is not None and field.folded for field in fields)
    read = folding(reader(node.left)) if folded else reader(node.left)
    if isinstance(node.right, Items):
        plain = (constant_of(value) for value in node.right.values)
        values = frozenset(fold(value) if folded else value for value in plain)
        holder: Read = lambda case: values  # noqa: E731 - the counterpart of reader() below
    else:
        holder = reader(node.right)
    fixed = is_constant(node.left)
    name, unknown, listed = told(node.left), f"{told(node.left)} unknown", told(node.right)
    least = at_least(node.left)

    def test(case: Case) -> bool:
        value = read(case)
        return value is not None and value in holder(case)

    def say(case: Case) -> str:
        value = read(case)
        if value is None:
            return unknown
        found = name if fixed else f"{name} {words.show(value)}{_more(value, least, case)}"
        return f"{found} {'in' if value in holder(case) else 'not in'} {listed}"

    def phrase(case: Case) -> str:
        value = read(case)
        if not test(case) or not isinstance(node.left, Name):
            return ""
        return words.say_text(name, value) if isinstance(value, str) else words.say_number(name, value)

    return Leaf(test, say, phrase)


def _matches(node: Matches) -> Leaf:
    pattern = constant_of(node.right)
    search = compile_pattern(pattern, node.right.at).search
    name, shown = told(node.left), words.shorten(pattern)
    key = (name, pattern)
    read = encoding(node.left)
    miss, unknown, start = f'{name} does not match "{shown}"', f"{name} unknown", f'{name} matches "{shown}": '
    if node.written:
        miss, start = f"{node.written} is false", f"{node.written}: "

    def find(case: Case) -> str | None:
        """What was found, None for nothing; one search a case however many rules ask for it."""
        if key in case.found:
            return case.found[key]
        text = read(case)
        hit = None if text is None else search(text)
        found = case.found[key] = None if hit is None else str(hit.group(), "utf-8", "replace")
        return found

    def say(case: Case) -> str:
        found = find(case)
        if found is None:
            return unknown if read(case) is None else miss
        return start + words.show(found)

    def phrase(case: Case) -> str:
        found = find(case)
        who = "" if name == "text" else f"{name.rpartition('.')[2]} "
        return f'{who}says "{words.shorten(found)}"' if found else ""

    return Leaf(lambda case: find(case) is not None, say, phrase)


def _listed(node: Call) -> Leaf:
    """`any_of`, `all_of`, `none_of`: what of the list was found, or was not."""
    field, sought = node.arguments[0], sought_in(node)
    test, read, name = reader(node), reader(field), told(field)
    singular, written = name.removesuffix("s"), told(node.arguments[1])

    def found(case: Case) -> list[str]:
        return sorted(sought.intersection(read(case)))

    def say(case: Case) -> str:
        held = test(case)
        if node.function == "all_of":
            lacking = sorted(sought.difference(read(case)))
            return f"{name} has all of {written}" if held else f"{name} lacks {words.show(lacking[0])}"
        if held == (node.function == "none_of"):
            return f"{name} has none of {written}"
        return f"{name} has {words.show(found(case)[0])}"

    def phrase(case: Case) -> str:
        if node.function == "none_of" or not test(case):
            return ""
        return f"{singular} {words.shorten(words.listed(found(case)))}"

    return Leaf(test, say, phrase)


def _has(node: Has) -> Leaf:
    read, name, wanted = reader(node.left), told(node.left), constant_of(node.right)
    field = field_of(node.left)
    key = fold(wanted) if field is not None and field.folded else wanted
    yes, no = f"{name} has {words.show(wanted)}", f"{name} lacks {words.show(wanted)}"
    said = f"{name.removesuffix('s')} {words.shorten(wanted)}"

    def test(case: Case) -> bool:
        return key in read(case)

    return Leaf(test, lambda case: yes if test(case) else no, lambda case: said if test(case) else "")
