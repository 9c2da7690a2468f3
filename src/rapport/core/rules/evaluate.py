"""A checked expression -> nested closures that answer for one `Case`, and can say what decided the answer.

Nothing is generated or executed as source. An unknown value (None) makes the comparison that it stands in false.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rapport.core.rules.fields import Case
from rapport.core.rules.leaves import Leaf, Test, compile_leaf
from rapport.core.rules.syntax import AllOf, AnyOf, Node, Not


class Condition(msgspec.Struct, frozen=True):
    """A compiled part of an expression."""

    test: Test
    #: the comparisons that decided the answer of `test`
    decisive: Callable[[Case], tuple[Leaf, ...]]
    #: the one comparison (or the one inside `not`) that it consists of; None where there are several
    leaf: Leaf | None = None
    #: what `decisive` answers whenever the condition holds; None where that depends on the case
    holding: tuple[Leaf, ...] | None = None
    #: the same for when it does not hold
    failing: tuple[Leaf, ...] | None = None


def compile_condition(node: Node) -> Condition:
    """A condition that `check_condition` has accepted -> its compiled form."""
    match node:
        case Not():
            return _negated(compile_condition(node.inner))
        case AllOf():
            return _all_of([compile_condition(part) for part in node.parts])
        case AnyOf():
            return _any_of([compile_condition(part) for part in node.parts])
        case _:
            leaf = compile_leaf(node)
            alone = (leaf,)
            return Condition(leaf.test, lambda case: alone, leaf, alone, alone)


def _negated(inner: Condition) -> Condition:
    test = inner.test
    return Condition(lambda case: not test(case), inner.decisive, inner.leaf, inner.failing, inner.holding)


def _all_of(parts: list[Condition]) -> Condition:
    tests = tuple(part.test for part in parts)

    def test(case: Case) -> bool:
        for each in tests:  # noqa: SIM110 - half the time of all() over a generator
            if not each(case):
                return False
        return True

    def decisive(case: Case) -> tuple[Leaf, ...]:
        for part in parts:
            if not part.test(case):
                return part.failing or part.decisive(case)
        return tuple(leaf for part in parts for leaf in part.decisive(case))

    return Condition(test, decisive, holding=_all_leaves([part.holding for part in parts]))


def _any_of(parts: list[Condition]) -> Condition:
    tests = tuple(part.test for part in parts)

    def test(case: Case) -> bool:
        for each in tests:  # noqa: SIM110 - half the time of any() over a generator
            if each(case):
                return True
        return False

    def decisive(case: Case) -> tuple[Leaf, ...]:
        for part in parts:
            if part.test(case):
                return part.holding or part.decisive(case)
        return tuple(leaf for part in parts for leaf in part.decisive(case))

    return Condition(test, decisive, failing=_all_leaves([part.failing for part in parts]))


def _all_leaves(parts: list[tuple[Leaf, ...] | None]) -> tuple[Leaf, ...] | None:
    return None if None in parts else tuple(leaf for part in parts for leaf in part or ())
