"""Which rules can match a post at all: every comparison with a fixed value becomes a row of bits, looked up once.

A condition is taken apart into clauses: lists of comparisons that must all hold, so that the rule can match only
when one of its clauses can. A clause is one bit. For each field that clauses ask about there is a table from the
value found to the bits of the clauses that this value leaves possible; the AND over the fields is what remains, and
only the rules that own a remaining bit are tried for real. After predicate indexing for publish/subscribe (Fabret et
al., "Filtering Algorithms and Implementation for Very Fast Publish/Subscribe Systems", SIGMOD 2001).

The answer is never too small. A clause ends before the first comparison that no table can look up, because what
stands behind it might never be reached, or break. When a value breaks while it is looked up, every rule is tried.
"""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

from rapport.core.rules.check import field_of, type_of
from rapport.core.rules.fields import EVALUATION_ERRORS, FIELDS, Case, fold
from rapport.core.rules.leaves import MIRRORED, OPERATORS
from rapport.core.rules.patterns import Patterns, group_patterns
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
from rapport.core.rules.values import Read, constant_of, encoding, folding, label, reader

#: Clauses of one rule; a condition that needs more is cut where it gets too wide.
MAX_CLAUSES = 16


class Ask(NamedTuple):
    """One comparison with a fixed value, as the tables see it."""

    #: order: a number against a bound; value: equal to one of; item: a list holds it; pattern: a text matches it
    table: Literal["order", "value", "item", "pattern"]
    subject: Node
    folded: bool
    operator: Operator
    #: the bound, the item or the pattern alone; several for `value`
    fixed: tuple[Hashable, ...]
    #: it must not hold
    negated: bool


class Clause(NamedTuple):
    """Comparisons that must all hold."""

    asks: tuple[Ask, ...] = ()
    #: nothing more may be added: what stands behind is not looked up
    closed: bool = False


class _Order(NamedTuple):
    """Bits by the place of a number among the bounds: slot 2i+1 is bound i itself, 2i what lies below it."""

    bounds: list[Any]
    masks: list[int]
    unknown: int


class _Value(NamedTuple):
    """Bits by the value itself."""

    masks: dict[Hashable, int]
    other: int


class _Item(NamedTuple):
    """Bits of the clauses that need this item in the list, and of those that need none."""

    read: Read
    masks: dict[Hashable, int]
    base: int


class _Pattern(NamedTuple):
    """As `_Item`, for patterns that are searched together."""

    read: Read
    patterns: Patterns
    masks: list[int]
    base: int


class Index:
    """The tables of one rule set."""

    def __init__(self, conditions: Sequence[Node]) -> None:
        """`conditions` are those of the rules, checked, in order."""
        #: bit -> number of the rule
        self._owner: list[int] = []
        asked: dict[tuple[str, str, bool], list[tuple[int, Ask]]] = defaultdict(list)
        for number, condition in enumerate(conditions):
            for clause in clauses_of(condition):
                for ask in clause.asks:
                    asked[ask.table, label(ask.subject), ask.folded].append((len(self._owner), ask))
                self._owner.append(number)
        self._all = (1 << len(self._owner)) - 1
        by_table: dict[str, list[list[tuple[int, Ask]]]] = defaultdict(list)
        for (table, _, _), found in asked.items():
            by_table[table].append(found)
        self._orders = [self._order(found) for found in by_table["order"]]
        self._values = [self._value(found) for found in by_table["value"]]
        self._read_orders = _read_all([found[0][1] for found in by_table["order"]])
        self._read_values = _read_all([found[0][1] for found in by_table["value"]])
        self._items = [self._item(found) for found in by_table["item"]]
        self._patterns = [table for found in by_table["pattern"] for table in self._pattern(found)]

    def candidates(self, case: Case) -> list[int]:
        """Numbers of the rules that can match, ascending: all that do match or break, and few others."""
        owner = self._owner
        found: list[int] = []
        last = -1
        alive = self._alive(case)
        while alive:
            lowest = alive & -alive
            number = owner[lowest.bit_length() - 1]
            if number != last:
                found.append(number)
                last = number
            alive ^= lowest
        return found

    def _alive(self, case: Case) -> int:
        alive = self._all
        try:
            for value, (bounds, places, unknown) in zip(self._read_orders(case), self._orders, strict=True):
                if value is None:
                    alive &= unknown
                elif value == value:  # noqa: PLR0124 - false for NaN alone, at a third of the price of isnan()
                    alive &= places[bisect_left(bounds, value) + bisect_right(bounds, value)]
                else:  # NaN has no place among the bounds
                    return self._all
            for value, (masks, other) in zip(self._read_values(case), self._values, strict=True):
                alive &= masks.get(value, other)
            for read, masks, base in self._items:
                possible = base
                for item in read(case):
                    possible |= masks.get(item, 0)
                alive &= possible
            for read, patterns, bits, base in self._patterns:
                # A pattern closes its clause, so nothing that could break is passed over here.
                if alive & ~base:
                    alive &= _searched(read(case), patterns, bits, base)
        except EVALUATION_ERRORS:
            return self._all
        return alive

    def _without(self, asks: Iterable[tuple[int, Ask]], impossible: Callable[[Ask], bool]) -> int:
        """All bits but those of the clauses with an ask that is impossible."""
        mask = self._all
        for bit, ask in asks:
            if impossible(ask):
                mask &= ~(1 << bit)
        return mask

    def _order(self, asks: list[tuple[int, Ask]]) -> _Order:
        bounds: list[Any] = sorted({ask.fixed[0] for _, ask in asks})
        place = {bound: 2 * number + 1 for number, bound in enumerate(bounds)}
        masks = [
            self._without(asks, lambda ask, at=slot: OPERATORS[ask.operator](at, place[ask.fixed[0]]) == ask.negated)  # type: ignore[misc]
            for slot in range(2 * len(bounds) + 1)
        ]
        return _Order(bounds, masks, self._without(asks, lambda ask: not ask.negated))

    def _value(self, asks: list[tuple[int, Ask]]) -> _Value:
        def impossible(ask: Ask, value: Hashable) -> bool:
            holds = value is not None and (value in ask.fixed) == (ask.operator == "==")
            return holds == ask.negated

        # any other value of a yes-or-no field breaks its contract: then nothing is ruled out
        yes_no = type_of(asks[0][1].subject) == "bool"
        known = {value for _, ask in asks for value in ask.fixed} | ({None, True, False} if yes_no else {None})
        masks = {value: self._without(asks, lambda ask, at=value: impossible(ask, at)) for value in known}  # type: ignore[misc]
        return _Value(masks, self._all if yes_no else self._without(asks, lambda ask: impossible(ask, _OTHER)))

    def _item(self, asks: list[tuple[int, Ask]]) -> _Item:
        masks: dict[Hashable, int] = defaultdict(int)
        for bit, ask in asks:
            masks[ask.fixed[0]] |= 1 << bit
        return _Item(_read(asks[0][1]), dict(masks), self._without(asks, lambda _: True))

    def _pattern(self, asks: list[tuple[int, Ask]]) -> list[_Pattern]:
        tables = []
        for group in group_patterns(dict.fromkeys(str(ask.fixed[0]) for _, ask in asks)):
            own = [(bit, ask) for bit, ask in asks if ask.fixed[0] in group]
            masks = [sum(1 << bit for bit, ask in own if ask.fixed[0] == pattern) for pattern in group]
            base = self._without(own, lambda _: True)
            tables.append(_Pattern(encoding(asks[0][1].subject), Patterns(group), masks, base))
        return tables


#: Stands for every value that no rule names.
_OTHER = object()


def _searched(text: bytes | None, patterns: Patterns, masks: list[int], base: int) -> int:
    if text is not None:
        for number in patterns.find(text):
            base |= masks[number]
    return base


def _read(ask: Ask) -> Read:
    read = reader(ask.subject)
    # lists of handles and hashtags come folded
    return folding(read) if ask.folded and ask.table == "value" else read


def _read_all(asks: Sequence[Ask]) -> Callable[[Case], Iterable[Any]]:
    """One function that reads the subjects of all these, in order. Most are attributes: those are fetched in one go."""
    sources = [_source(ask) for ask in asks]
    computed = [(place, _read(ask)) for place, ask in enumerate(asks) if sources[place] is None]
    if len(computed) == len(asks):
        reads = tuple(read for _, read in computed)
        return lambda case: [read(case) for read in reads]
    # two at least, or attrgetter answers with the bare value
    fetch = operator.attrgetter(*(source or "score" for source in sources), "score")

    def read_all(case: Case) -> list[Any]:
        values = list(fetch(case))
        values.pop()
        for place, read in computed:
            values[place] = read(case)
        return values

    return read_all


def _source(ask: Ask) -> str | None:
    """The path of an attribute that needs nothing but to be fetched."""
    source = FIELDS[ask.subject.name].source if isinstance(ask.subject, Name) and not ask.folded else None
    return source if isinstance(source, str) else None


# ---------------------------------------------------------------- from a condition to its clauses


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
    ask = _ask(node, negated)
    if ask is None:
        return [Clause(closed=True)]
    # what stands behind a pattern is left to the rule, so that the search can be left out when something before failed
    return [Clause((ask,), closed=ask.table == "pattern")]


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


def _ask(node: Node, negated: bool) -> Ask | None:
    """A comparison with a fixed value; None for what no table can look up."""
    match node:
        case Compare():
            return _compared(node, negated)
        case Inside(left=Name() | Call() as left, right=Items(values=values)) if not _is_moment(left):
            folded = _folds(left)
            plain = tuple(_folded(constant_of(value), folded) for value in values)
            return Ask("value", left, folded, "==", plain, negated)
        case Inside(left=Text(value=item), right=Name() as held) | Has(left=Name() as held, right=Text(value=item)):
            # that a list lacks something rules little out, and is left to the rule
            return None if negated else Ask("item", held, False, "==", (_folded(item, _folds(held)),), False)
        case Matches(left=Name()) if not negated:
            return Ask("pattern", node.left, False, "==", (constant_of(node.right),), negated)
        case Name() | Call():
            return Ask("value", node, False, "==", (True,), negated)
    return None


def _compared(node: Compare, negated: bool) -> Ask | None:
    left, right, sign = node.left, node.right, node.operator
    if isinstance(left, Number | Text | Truth):
        left, right, sign = right, left, MIRRORED[sign]
    if not isinstance(left, Name | Call) or _is_moment(left):
        return None
    if isinstance(right, Number):
        return Ask("order", left, False, sign, (right.value,), negated)
    if isinstance(right, Text | Truth):
        folded = _folds(left)
        return Ask("value", left, folded, sign, (_folded(right.value, folded),), negated)
    return None


def _is_moment(node: Node) -> bool:
    return isinstance(node, Call) and node.function == "time"


def _folds(node: Node) -> bool:
    field = field_of(node)
    return field is not None and field.folded


def _folded(value: Any, folded: bool) -> Any:
    return fold(value) if folded else value
