"""What is kept of a long history, and what a rule set can be told from it.

Of somebody who says a lot, the newest `MOST_KEPT` moments of each list are kept with a decision. A count over them is
the true one or `MOST_KEPT`, whichever is less. So `count(person.posts, 30 days) >= 5` comes out as it did with the
whole history, and `> 200` may not.
"""

from __future__ import annotations

import datetime as dt
import math
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec

from rapport.core.decision import MOST_KEPT, PersonFacts
from rapport.core.rules.fields import MOST_MOMENTS
from rapport.core.rules.syntax import (
    AllOf,
    AnyOf,
    Arithmetic,
    Call,
    Compare,
    Inside,
    Items,
    Name,
    Node,
    Not,
    Number,
    Sign,
    Span,
    parts_of,
)

#: fields of rules whose lists are cut -> their name in `PersonFacts`
LISTS = {f"person.{name}": name for name in ("posts", "negative", "positive", "answers")}
#: fields of rules that are read from the steps of the escalation ladder
STEPS = frozenset({"person.escalations", "person.step", "person.steps"})
#: fields of rules whose facts are looked up only where a rule asks for them
LOOKED_UP = STEPS | {"person.answers"}
#: name of a list in `PersonFacts` -> how far back more than its newest moments is asked for; None: the whole list
Beyond = Mapping[str, dt.timedelta | None]
#: numbers that grow beyond this may be too large for the machine with the whole history alone
_LARGE = 1e100
_UNBOUND = -math.inf
_SIGNS: Mapping[Sign, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def cut_history(facts: PersonFacts) -> PersonFacts:
    """The newest moments of a history that is longer than what is kept of one, the newest last; else the same facts."""
    if max(map(len, (facts.posts, facts.negative, facts.positive, facts.answers))) <= MOST_KEPT:
        return facts
    return msgspec.structs.replace(
        facts,
        posts=_newest(facts.posts),
        negative=_newest(facts.negative),
        positive=_newest(facts.positive),
        answers=_newest(facts.answers),
        cut=True,
    )


def _newest(moments: tuple[dt.datetime, ...]) -> tuple[dt.datetime, ...]:
    if len(moments) <= MOST_KEPT:
        return moments
    # posts of one batch can arrive out of order, and rules look at no more than these
    return tuple(sorted(moments[-MOST_MOMENTS:])[-MOST_KEPT:])


def asked_beyond(conditions: Iterable[Node]) -> Beyond:
    """The lists of which these conditions ask more than a cut history can answer. Conditions are checked ones."""
    found: dict[str, dt.timedelta | None] = {}
    for condition in conditions:
        for name, span in _beyond(condition):
            known = found.get(name, dt.timedelta())
            found[name] = None if span is None or known is None else max(span, known)
    return found


def falls_short(facts: PersonFacts, beyond: Beyond, now: dt.datetime) -> bool:
    """Whether a decision made at `now` from these facts may differ from one out of the whole history."""
    return facts.cut and any(_reaches(getattr(facts, name), span, now) for name, span in beyond.items())


def was_read(facts: PersonFacts, asks: Collection[str]) -> bool:
    """Whether what these fields of rules need was looked up when the facts were gathered: an empty list may stand for
    nothing, or for what nobody asked. Of somebody new there is nothing to look up.
    """
    if facts.id is None:
        return True
    answers = facts.answers_read or bool(facts.answers) or "person.answers" not in asks
    return answers and (facts.steps_read or bool(facts.escalations) or STEPS.isdisjoint(asks))


def _reaches(moments: tuple[dt.datetime, ...], span: dt.timedelta | None, now: dt.datetime) -> bool:
    """Whether moments that were cut off may lie within the span: the oldest that is left does."""
    return len(moments) >= MOST_KEPT and (span is None or moments[0] > now - span)


def at_least(node: Node) -> float | None:
    """From where on a number that is worked out from a cut history may be less than the true one, never more.

    None: it never is, or nothing can be said of it.
    """
    value = _value(node)
    return value.reach if value.lists and value.reach > _UNBOUND else None


class _Value(msgspec.Struct, frozen=True):
    """What is certain of a value however long the history is."""

    #: what is counted in it that can be cut; nothing: the value is the same with a cut history
    lists: tuple[tuple[str, dt.timedelta | None], ...] = ()
    #: it is the same with a cut history, or it is at least this with and without it
    reach: float = _UNBOUND
    #: it is never less
    least: float = _UNBOUND


def _beyond(node: Node) -> Iterator[tuple[str, dt.timedelta | None]]:
    """What one condition asks beyond a cut history: (list, how far back)."""
    match node:
        case AllOf() | AnyOf() | Not():
            for part in parts_of(node):
                yield from _beyond(part)
        case Compare():
            yield from _beyond_comparison(node)
        case Inside(right=Items(values=values)):
            left, bounds = _value(node.left), [_constant(value) for value in values]
            if not all(bound is not None and bound < left.reach for bound in bounds):
                yield from left.lists
        case _:
            yield from _value(node).lists


def _beyond_comparison(node: Compare) -> Iterator[tuple[str, dt.timedelta | None]]:
    fixed, other = _constant(node.right), node.left
    # the signs that ask alike of a number that has reached the bound and of any larger one
    reaching: tuple[str, ...] = (">=", "<")
    if fixed is None:
        fixed, other, reaching = _constant(node.left), node.right, ("<=", ">")
    value = _value(other)
    if fixed is None:
        yield from (*_value(node.left).lists, *value.lists)
    elif not (fixed < value.reach or (fixed == value.reach and node.operator in reaching)):
        yield from value.lists


def _value(node: Node) -> _Value:  # noqa: PLR0911 - one line for each kind of value
    match node:
        case Number():
            return _Value(least=float(node.value))
        case Name():
            return _Value(((LISTS[node.name], None),)) if node.name in LISTS else _Value()
        case Call(function="last" | "known"):
            return _Value()  # there is a newest moment, the same one, whatever was cut off
        case Call(function="count", arguments=(Name(name=name), *_)):
            return _Value(((LISTS[name], _span(node)),), MOST_KEPT, 0.0) if name in LISTS else _Value(least=0.0)
        case Call(function="max" | "min"):
            return _best(node)
        case Arithmetic():
            return _worked_out(node)
        case AllOf() | AnyOf() | Not() | Compare() | Inside():
            return _Value(tuple(_beyond(node)))
        case _:
            return _Value(tuple(each for part in parts_of(node) for each in _value(part).lists))


def _span(node: Call) -> dt.timedelta | None:
    span = node.arguments[-1]
    return dt.timedelta(seconds=span.seconds) if isinstance(span, Span) else None


def _best(node: Call) -> _Value:
    """The largest or the smallest: where it differs, one that differs has reached its bound, and no smaller one is
    the answer on either side.
    """
    values = list(map(_value, node.arguments))
    lists = tuple(each for value in values for each in value.lists)
    reach = min((value.reach for value in values if value.lists), default=_UNBOUND)
    choose = max if node.function == "max" else min
    return _Value(lists, reach, choose(value.least for value in values))


def _worked_out(node: Arithmetic) -> _Value:
    """Sums, and what is multiplied by a fixed number; of differences and ratios of counts nothing is certain."""
    left, right = _value(node.left), _value(node.right)
    one, two = _constant(node.left), _constant(node.right)
    lists = (*left.lists, *right.lists)
    reach = least = _UNBOUND
    match node.operator:
        case "+":
            reach = _reach_of_sum(left, right)
            least = left.least + right.least
        case "-" if two is not None:
            reach, least = left.reach - two, left.least - two
        case "*" if two is not None and two > 0:
            reach, least = left.reach * two, left.least * two
        case "*" if one is not None and one > 0:
            reach, least = right.reach * one, right.least * one
        case "/" if two is not None and two > 0:
            reach, least = left.reach / two, left.least / two
    return _Value(lists, reach, least) if reach < _LARGE else _Value(lists)


def _reach_of_sum(left: _Value, right: _Value) -> float:
    sides = ((left, right), (right, left))
    return min((one.reach + other.least for one, other in sides if one.lists), default=_UNBOUND)


def _constant(node: Node) -> float | None:
    """A number that stands for itself, or is worked out of such; None for anything else."""
    if isinstance(node, Number):
        return float(node.value)
    if not isinstance(node, Arithmetic):
        return None
    one, two = _constant(node.left), _constant(node.right)
    if one is None or two is None or (node.operator == "/" and not two):
        return None
    return _SIGNS[node.operator](one, two)
