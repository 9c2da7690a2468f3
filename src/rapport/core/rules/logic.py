"""Whether conditions can hold, and whether one holds wherever another does: shown, never guessed.

A condition becomes alternatives of which each is a list of literals that must all hold. A literal is a test of one
subject, and what a subject can be is tried out on points: every value that is mentioned, what lies between and beyond
them, and unknown. Subjects are taken for independent of each other, so "cannot hold" and "holds wherever" are certain
where they are said, and nothing is said of conditions that grow too wide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from rapport.core.rules.check import field_of
from rapport.core.rules.fields import FIELDS, GROUPS, fold
from rapport.core.rules.leaves import MIRRORED, OPERATORS
from rapport.core.rules.syntax import (
    AllOf,
    AnyOf,
    Arithmetic,
    Call,
    Compare,
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
)

#: Alternatives of one condition, and literals of one alternative, that are still taken apart.
MAX_ALTERNATIVES = 32
MAX_LITERALS = 40

_UNKNOWN = None
_OTHER = object()
#: subject -> the least and the largest that it can be; None: without end
_PROBABLE = {
    field.name
    for _, fields in GROUPS
    for field in fields
    if field.type == "number" and field.meaning.rstrip(")").endswith("0 to 1")
}
_RANGES: dict[str, tuple[float, float | None]] = {
    **dict.fromkeys(_PROBABLE, (0.0, 1.0)),
    "score": (0.0, 100.0),
    "rating": (1.0, 5.0),
}
#: calls that never answer less than nothing
_COUNTING = ("count", "length", "words", "minutes_since", "hours_since", "days_since", "hours_until")


class Literal(msgspec.Struct, frozen=True, eq=False):
    """One test of one subject."""

    #: what is asked, and for lists and patterns which item: literals of one subject see the same point
    subject: str
    #: the values that the subject's points are made of
    mentioned: tuple[Any, ...]
    test: Callable[[Any], bool]
    #: number, text, bool, item or leaf (any other comparison: it holds or does not)
    kind: str
    #: it may be unknown, and then no comparison holds
    unknown: bool
    choices: tuple[str, ...] = ()


Alternative = tuple[Literal, ...]
#: the literals of an alternative by their subject
Grouped = dict[str, list[Literal]]


class Logic(msgspec.Struct, frozen=True):
    """A condition, taken apart."""

    alternatives: tuple[Grouped, ...]
    #: it can break on a post that fits it, so that it does not hold everywhere where it should
    fragile: bool


def logic_of(node: Node) -> Logic | None:
    """A checked condition, taken apart, without what cannot hold; None where it is too wide for that."""
    found = _alternatives(node, negated=False)
    if found is None:
        return None
    grouped = [_by_subject(each) for each in found]
    return Logic(tuple(each for each in grouped if _can_hold(each)), _is_fragile(node))


def conflict_of(node: Node) -> str:
    """A subject of which a condition that cannot hold asks the impossible, "" where it is hard to say."""
    for each in _alternatives(node, negated=False) or ():
        for subject, literals in _by_subject(each).items():
            if not any(all(literal.test(point) for literal in literals) for point in _points(literals)):
                return subject.partition(" has ")[0]
    return ""


def covered(one: Logic, other: Logic) -> frozenset[int]:
    """Which alternatives of the first hold nowhere but where the other does; all of them: it holds wherever they do."""
    if other.fragile:
        return frozenset()
    return frozenset(number for number, given in enumerate(one.alternatives) if _is_within(given, other.alternatives))


def _is_within(given: Grouped, goals: Sequence[Grouped]) -> bool:
    # a subject that is asked nothing is rarely bound by what always holds of it: those are looked at last
    return any(goal.keys() <= given.keys() and _follows(given, goal) for goal in goals) or any(
        not goal.keys() <= given.keys() and _is_loose(goal, given) and _follows(given, goal) for goal in goals
    )


def _is_loose(goal: Grouped, given: Grouped) -> bool:
    """Whether what the goal asks beyond the given always holds."""
    return all(
        all(literal.test(point) for literal in wanted for point in _points(wanted))
        for subject, wanted in goal.items()
        if subject not in given
    )


def _follows(given: Grouped, goal: Grouped) -> bool:
    """Whether all literals of the goal hold where all of the given do."""
    for subject, wanted in goal.items():
        held = given.get(subject, [])
        if any(
            all(literal.test(point) for literal in held) and not all(literal.test(point) for literal in wanted)
            for point in _points([*held, *wanted])
        ):
            return False
    return True


def _can_hold(each: Grouped) -> bool:
    return all(
        any(all(literal.test(point) for literal in literals) for point in _points(literals))
        for literals in each.values()
    )


def _by_subject(each: Alternative) -> Grouped:
    found: Grouped = {}
    for literal in each:
        found.setdefault(literal.subject, []).append(literal)
    return found


# ---------------------------------------------------------------- points


def _points(literals: list[Literal]) -> list[Any]:
    """Every way in which these literals can tell values of their subject apart."""
    first = literals[0]
    unknown = [_UNKNOWN] if first.unknown else []
    mentioned = [value for literal in literals for value in literal.mentioned]
    if first.kind == "number":
        return [*_numbers(first.subject, mentioned), *unknown]
    if first.kind == "text":
        others = [each for each in first.choices if each not in mentioned] if first.choices else [_OTHER]
        return [*dict.fromkeys(mentioned), *others, *unknown]
    return [True, False, *unknown]


def _numbers(subject: str, mentioned: list[Any]) -> list[float]:
    low, high = _RANGES.get(subject, (0.0, None) if subject.partition("(")[0] in _COUNTING else (None, None))
    bounds = sorted({float(value) for value in mentioned} | {bound for bound in (low, high) if bound is not None})
    points = [-math.inf, math.inf, *bounds]
    points += [(one + other) / 2 for one, other in pairwise(bounds)]
    return [point for point in points if (low is None or point >= low) and (high is None or point <= high)]


# ---------------------------------------------------------------- literals


def _alternatives(node: Node, negated: bool) -> list[Alternative] | None:
    match node:
        case Not():
            return _alternatives(node.inner, not negated)
        case AllOf() | AnyOf():
            parts = [_alternatives(part, negated) for part in node.parts]
            if any(part is None for part in parts):
                return None
            known = [part for part in parts if part is not None]
            return _either(known) if isinstance(node, AnyOf) != negated else _both(known)
        case Truth():
            return [()] if node.value != negated else []
    literals = _literals(node)
    if literals is None:
        return None
    # several literals of one comparison are joined by `and`: a list that has all of these
    return [(_negated(each),) for each in literals] if negated else [tuple(literals)]


def _either(parts: list[list[Alternative]]) -> list[Alternative] | None:
    found = [each for part in parts for each in part]
    return found if len(found) <= MAX_ALTERNATIVES else None


def _both(parts: list[list[Alternative]]) -> list[Alternative] | None:
    found: list[Alternative] = [()]
    for part in parts:
        found = [(*one, *other) for one in found for other in part]
        if len(found) > MAX_ALTERNATIVES or any(len(each) > MAX_LITERALS for each in found):
            return None
    return found


def _negated(literal: Literal) -> Literal:
    test = literal.test
    return msgspec.structs.replace(literal, test=lambda point: not test(point))


def _literals(node: Node) -> list[Literal] | None:
    match node:
        case Compare():
            return [_compare(node)]
        case Inside(left=Name() | Call() as left, right=Items(values=values)):
            return [_among(left, [_constant(value) for value in values], node)]
        case Inside(left=Text(value=item), right=Name() as held) | Has(left=Name() as held, right=Text(value=item)):
            return [_item(held, item)]
        case Call(function="all_of", arguments=(Name() as held, Items(values=values))):
            return [_item(held, str(_constant(value))) for value in values]
        case Name() | Call():
            return [_leaf(written(node), _may_be_unknown(node))]
    return [_leaf(written(node), unknown=False)]


def _compare(node: Compare) -> Literal:
    left, right, sign = node.left, node.right, node.operator
    if isinstance(left, Number | Text | Truth):
        left, right, sign = right, left, MIRRORED[sign]
    if not isinstance(left, Name | Call) or not isinstance(right, Number | Text | Truth):
        return _leaf(written(node), unknown=False)
    holds = OPERATORS[sign]
    if isinstance(right, Truth):
        value = right.value
        return Literal(
            written(left), (), lambda point: point is not None and holds(point, value), "bool", _may_be_unknown(left)
        )
    fixed = fold(right.value) if isinstance(right, Text) and _folds(left) else right.value
    kind = "number" if isinstance(right, Number) else "text"
    return _of_subject(left, kind, (fixed,), lambda point: point is not None and holds(point, fixed))


def _among(left: Node, values: list[Any], node: Node) -> Literal:
    kinds = {type(value) for value in values}
    if not values or not (kinds <= {str} or kinds <= {int, float}):
        return _leaf(written(node), unknown=False)
    plain = tuple(fold(value) if isinstance(value, str) and _folds(left) else value for value in values)
    kind = "text" if kinds <= {str} else "number"
    return _of_subject(left, kind, plain, lambda point: point is not None and point in plain)


def _of_subject(left: Node, kind: str, mentioned: tuple[Any, ...], test: Callable[[Any], bool]) -> Literal:
    field = field_of(left)
    choices = field.choices if field is not None and not field.folded else ()
    return Literal(written(left), mentioned, test, kind, _may_be_unknown(left), choices)


def _item(held: Name, item: str) -> Literal:
    key = fold(item) if _folds(held) else item
    return Literal(f"{held.name} has {key!r}", (), bool, "item", unknown=False)


def _leaf(subject: str, unknown: bool) -> Literal:
    return Literal(subject, (), lambda point: point is True, "bool", unknown)


def _may_be_unknown(node: Node) -> bool:
    if isinstance(node, Name):
        return FIELDS[node.name].unknown
    # what a call answers for unknown arguments differs; to take it for possible is safe
    return not (isinstance(node, Call) and node.function in ("known", "count", "any_of", "all_of", "none_of"))


def _folds(node: Node) -> bool:
    field = field_of(node)
    return field is not None and field.folded


def _constant(node: Node) -> Any:
    return node.value if isinstance(node, Number | Text | Truth) else None


def _is_fragile(node: Node) -> bool:
    """Whether it calculates: a division by nothing breaks it."""
    match node:
        case Arithmetic():
            return True
        case AllOf() | AnyOf():
            return any(_is_fragile(part) for part in node.parts)
        case Not():
            return _is_fragile(node.inner)
        case Compare() | Inside() | Matches() | Has():
            return _is_fragile(node.left) or _is_fragile(node.right)
        case Call():
            return any(_is_fragile(each) for each in node.arguments)
    return False


def written(node: Node) -> str:  # noqa: PLR0911 - one line for each kind of node
    """A node as text, whole and the same for the same node: what literals are told apart by."""
    match node:
        case Name():
            return node.name
        case Call():
            return f"{node.function}({', '.join(map(written, node.arguments))})"
        case Span():
            return f"{node.seconds:g} seconds"
        case Items():
            return f"[{', '.join(map(written, node.values))}]"
        case Number() | Text() | Truth():
            return repr(node.value)
        case Arithmetic() | Compare():
            return f"({written(node.left)} {node.operator} {written(node.right)})"
        case Matches():
            return f"({written(node.left)} matches {written(node.right)})"
        case Inside():
            return f"({written(node.left)} in {written(node.right)})"
        case Has():
            return f"({written(node.left)} has {written(node.right)})"
    raise TypeError(node)
