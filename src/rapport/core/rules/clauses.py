"""From a condition to its clauses: lists of comparisons with fixed values, one list of which must hold as a whole.

A clause ends before the first comparison that no table can look up, because what stands behind it might never be
reached, or break.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal, NamedTuple

from rapport.core.rules.check import field_of
from rapport.core.rules.fields import fold
from rapport.core.rules.leaves import MIRRORED
from rapport.core.rules.syntax import (
    AllOf,
    AnyOf,
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
    Operator,
    Text,
    Truth,
)
from rapport.core.rules.values import constant_of

#: From here on not every whole number has a float of its own, and no table can hold what lies between two of them.
LARGE = 2.0**52
#: Clauses of one rule; a condition that needs more is cut where it gets too wide.
MAX_CLAUSES = 16


class Ask(NamedTuple):
    """One comparison with a fixed value, as the tables see it."""

    #: order: a number against a bound; value: equal to one of; item: a list holds it; pattern: a text matches it
    table: Literal["order", "value", "item", "pattern"]
    subject: Node
    folded: bool
    operator: Operator
    #: the bound or the pattern alone; of several values or items, one is enough
    fixed: tuple[Hashable, ...]
    #: it must not hold
    negated: bool


class Clause(NamedTuple):
    """Comparisons that must all hold."""

    asks: tuple[Ask, ...] = ()
    #: nothing more may be added: what stands behind is not looked up
    closed: bool = False


def clauses_of(node: Node, negated: bool = False) -> list[Clause]:
    """The clauses of a checked condition, at most `MAX_CLAUSES`: it can hold only where all asks of one do."""
    match node:
        case Not():
            return clauses_of(node.inner, not negated)
        case AllOf() | AnyOf() if isinstance(node, AnyOf) != negated:
            found = [clause for part in node.parts for clause in clauses_of(part, negated)]
            return found if len(found) <= MAX_CLAUSES else [Clause(closed=True)]
        case AllOf() | AnyOf():
            return _joined([clauses_of(part, negated) for part in node.parts])
        case Truth() if node.value != negated:
            return [Clause()]
    ask = _ask(node, negated)
    if ask is None:
        return [Clause(closed=True)]
    # A search is left out where something before or behind it failed. Other texts than that of the post may be unknown
    # or break: what stands behind these is left to the rule.
    return [Clause((ask,), closed=ask.table == "pattern" and not _is_text(ask.subject))]


def _joined(parts: list[list[Clause]]) -> list[Clause]:
    """Every way to take one clause from each part, in order."""
    found = [Clause()]
    for part in parts:
        wider = [
            one if one.closed else Clause(one.asks + other.asks, other.closed)
            for one in found
            for other in (part[:1] if one.closed else part)
        ]
        if len(wider) > MAX_CLAUSES:
            return [Clause(one.asks, closed=True) for one in found]
        found = wider
    return found


def _ask(node: Node, negated: bool) -> Ask | None:  # noqa: PLR0911 - one line for each kind of comparison
    """A comparison with a fixed value; None for what no table can look up."""
    match node:
        case Compare():
            return _compared(node, negated)
        case Inside(left=Name() | Call() as left, right=Items(values=values)) if not _is_moment(left):
            folded = _folds(left)
            plain = tuple(_folded(constant_of(value), folded) for value in values)
            return Ask("value", left, folded, "==", plain, negated)
        case Inside(left=Text(value=item), right=Name() as held) | Has(left=Name() as held, right=Text(value=item)):
            return _listed(held, (item,), negated)
        case Call(function="any_of" | "none_of", arguments=(Name() as held, Items(values=values))):
            items = tuple(str(constant_of(value)) for value in values)
            return _listed(held, items, negated != (node.function == "none_of"))
        case Matches(left=Name()) if not negated:
            return Ask("pattern", node.left, False, "==", (constant_of(node.right),), negated)
        case Name() | Call():
            return Ask("value", node, False, "==", (True,), negated)
    return None


def _listed(held: Name, items: tuple[str, ...], negated: bool) -> Ask:
    """Lists of handles and hashtags come folded, so nothing is folded where it is looked up."""
    return Ask("item", held, False, "==", tuple(_folded(item, _folds(held)) for item in items), negated)


def _compared(node: Compare, negated: bool) -> Ask | None:
    left, right, sign = node.left, node.right, node.operator
    if isinstance(left, Number | Text | Truth):
        left, right, sign = right, left, MIRRORED[sign]
    if not isinstance(left, Name | Call) or _is_moment(left):
        return None
    if isinstance(right, Number):
        if abs(right.value) >= LARGE:
            return None
        return Ask("order", left, False, sign, (right.value,), negated)
    if isinstance(right, Text | Truth):
        folded = _folds(left)
        return Ask("value", left, folded, sign, (_folded(right.value, folded),), negated)
    return None


def _is_moment(node: Node) -> bool:
    return isinstance(node, Call) and node.function == "time"


def _is_text(node: Node) -> bool:
    return isinstance(node, Name) and node.name == "text"


def _folds(node: Node) -> bool:
    field = field_of(node)
    return field is not None and field.folded


def _folded(value: Any, folded: bool) -> Any:
    return fold(value) if folded else value
