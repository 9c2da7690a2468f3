"""Which rules can match a post at all: every comparison with a fixed value becomes a row of bits, looked up once.

A condition is taken apart into clauses: lists of comparisons that must all hold, so that the rule can match only
when one of its clauses can. A clause is one bit. For each field that clauses ask about there is a table from the
value found to the bits of the clauses that this value leaves possible; the AND over the fields is what remains, and
only the rules that own a remaining bit can match. After predicate indexing for publish/subscribe (Fabret et al.,
"Filtering Algorithms and Implementation for Very Fast Publish/Subscribe Systems", SIGMOD 2001).

The answer is never too small. Where all comparisons of a rule are looked up it is exact, and the rule need not be
tried (`uncertain` has the bits of the others). When a value breaks while it is looked up, nothing is known.
"""

from __future__ import annotations

import datetime as dt
import math
import operator
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cached_property, reduce
from itertools import accumulate, pairwise
from typing import Any

from rapport.core.rules.check import type_of
from rapport.core.rules.clauses import Ask, Clause, clauses_of
from rapport.core.rules.columns import Columns
from rapport.core.rules.fields import EVALUATION_ERRORS, FIELDS, Case, fold
from rapport.core.rules.leaves import OPERATORS
from rapport.core.rules.lookups import (
    CountedTable,
    ItemTable,
    OrderTable,
    PatternTable,
    ValueTable,
    in_order,
    searched,
    within,
)
from rapport.core.rules.patterns import Patterns, group_patterns
from rapport.core.rules.syntax import Call, Name, Node
from rapport.core.rules.values import Read, constant_of, encoding, fetching, label, path_of, reader

#: Combinations that are remembered before all are forgotten: of values that take few, and of bits.
REMEMBERED = 4_096
#: Texts of which a desk meets a handful, beside those with `choices`.
_FEW = frozenset({"network", "language", "person.relationship"})
#: Fields that are read in folded form, and where that which is folded stands: it is folded once, where it is looked up.
_FOLDED_FROM = {"mentions": "post.mentions", "hashtags": "post.hashtags", "author.handle": "author.handle"}


class Index:
    """The tables of one rule set."""

    def __init__(self, conditions: Sequence[Node]) -> None:
        """`conditions` are those of the rules, checked, in order."""
        #: bit -> number of the rule
        self._owner: list[int] = []
        #: bits of rules that must be tried where they remain
        self.uncertain = 0
        asked: dict[tuple[str, str, bool, int], list[tuple[int, Ask]]] = defaultdict(list)
        for number, condition in enumerate(conditions):
            clauses = clauses_of(condition)
            certain = not any(clause.closed or _searches_twice(clause) for clause in clauses)
            for clause in clauses:
                bit = len(self._owner)
                for ask, layer in zip(clause.asks, _layers(clause), strict=True):
                    asked[ask.table, label(ask.subject), ask.folded, layer].append((bit, ask))
                self.uncertain |= 0 if certain else 1 << bit
                self._owner.append(number)
        self._all = (1 << len(self._owner)) - 1
        by_table: dict[str, list[list[tuple[int, Ask]]]] = defaultdict(list)
        for (table, *_), found in asked.items():
            by_table[table].append(found)
        self._build_orders(by_table["order"])
        self._build_values(by_table["value"])
        self._items = [self._item(found) for found in by_table["item"]]
        self._patterns = [table for found in by_table["pattern"] for table in self._pattern(found)]
        self._numbers: dict[int, tuple[int, ...]] = {}

    def candidates(self, case: Case) -> list[int]:
        """Numbers of the rules that can match, ascending: all that do match or break, and few others."""
        bits = self.look(case)
        return list(self.numbers(self._all if bits is None else bits))

    def numbers(self, bits: int) -> tuple[int, ...]:
        """The rules that own these bits, ascending."""
        found = self._numbers.get(bits)
        if found is None:
            if len(self._numbers) >= REMEMBERED:
                self._numbers.clear()
            found = self._numbers[bits] = tuple(dict.fromkeys(self._owner[bit] for bit in _bits_of(bits)))
        return found

    def look(self, case: Case) -> int | None:
        """The bits that remain; None where a value breaks its contract, and any rule may match or break."""
        try:
            numbers = self._fetch_numbers(case)
            total = sum(numbers)
            if total != total:  # noqa: PLR0124 - NaN has no place among the cuts
                return None
            alive = reduce(operator.and_, map(_AT, self._masks, map(bisect_right, self._cuts, numbers)), self._all)
            return self._look_further(case, alive & self._look_at_values(case))
        except EVALUATION_ERRORS:
            return None

    def look_all(self, cases: Sequence[Case]) -> list[int | None]:
        """As `look` for each of many, a third quicker; a whole number beyond 2^53 counts as the nearest double."""
        if not self._cuts:
            return [self.look(case) for case in cases]
        try:
            found = self._columns.look([self._fetch_numbers(case) for case in cases])
        except EVALUATION_ERRORS:
            return [self.look(case) for case in cases]
        for place, (case, alive) in enumerate(zip(cases, found, strict=True)):
            if alive is not None:
                try:
                    found[place] = self._look_further(case, alive & self._look_at_values(case))
                except EVALUATION_ERRORS:
                    found[place] = None
        return found

    @cached_property
    def _columns(self) -> Columns:
        return Columns(self._cuts, self._masks, len(self._owner))

    def _look_further(self, case: Case, alive: int) -> int:
        for counted in self._counted:
            moments = counted.read(case)
            alive &= within(counted.spans, moments, case.now) if moments else counted.empty
        if self._orders:
            alive &= in_order(self._orders, case)
        for read, folded, masks, base, barred in self._items:
            items = read(case)
            possible = base
            if items:
                found = [fold(item) for item in items] if folded else items
                for item in found:
                    possible |= masks.get(item, 0)
                for item in found if barred else ():
                    possible &= ~barred.get(item, 0)
            alive &= possible
        for read, patterns, bits, base in self._patterns:
            # `clauses` lets nothing stand behind a pattern whose text could break: so nothing is passed over here.
            if alive & ~base:
                alive &= searched(read(case), patterns, bits, base)
        return alive

    def _look_at_values(self, case: Case) -> int:
        key = (*self._fetch_few(case), *[read(case) for read in self._read_few])
        alive = self._known.get(key)
        if alive is None:
            alive = self._mask_of(key)
        for read, folded, masks, other, _ in self._values:
            value = read(case)
            alive &= masks.get(fold(value) if folded and value is not None else value, other)
        return alive

    def _mask_of(self, key: tuple[Any, ...]) -> int:
        """Bits for one combination of the fields that take few values. Raises `TypeError` where one cannot be."""
        alive = self._all
        for (_, folded, masks, other, closed), value in zip(self._few, key, strict=True):
            sought = fold(value) if folded and value is not None else value
            if closed and sought not in masks:
                raise TypeError(value)
            alive &= masks.get(sought, other)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[key] = alive
        return alive

    def _build_orders(self, groups: Iterable[list[tuple[int, Ask]]]) -> None:
        """Numbers that are always known and need nothing but to be fetched; lengths of lists; all others."""
        paths: list[str] = []
        plain: list[OrderTable] = []
        self._orders: list[OrderTable] = []
        lists: dict[str, tuple[Read, list[tuple[dt.timedelta, OrderTable]]]] = {}
        for asks in groups:
            subject, table = asks[0][1].subject, self._order(asks)
            path = path_of(subject)
            if path and isinstance(subject, Name) and not FIELDS[subject.name].unknown:
                paths.append(path)
                plain.append(table)
            elif isinstance(subject, Call) and subject.function == "count" and len(subject.arguments) > 1:
                counted, span = subject.arguments
                lists.setdefault(label(counted), (reader(counted), []))[1].append((constant_of(span), table))
            else:
                self._orders.append(table)
        self._fetch_numbers = fetching(paths)
        self._cuts = [table.cuts for table in plain]
        self._masks = [table.masks for table in plain]
        self._counted = [
            CountedTable(
                read, reduce(operator.and_, [table.masks[bisect_right(table.cuts, 0)] for _, table in spans]), spans
            )
            for read, spans in lists.values()
        ]

    def _build_values(self, groups: Iterable[list[tuple[int, Ask]]]) -> None:
        """Fields that take few values are looked up together, by the combination of them."""
        tables = [(asks[0][1].subject, self._value(asks)) for asks in groups]
        self._values = [table for subject, table in tables if not _takes_few(subject)]
        fetched = [(path, table) for subject, table in tables if _takes_few(subject) and (path := path_of(subject))]
        computed = [table for subject, table in tables if _takes_few(subject) and not path_of(subject)]
        self._fetch_few = fetching([path for path, _ in fetched])
        self._read_few = [table.read for table in computed]
        self._few = [*(table for _, table in fetched), *computed]
        self._known: dict[tuple[Any, ...], int] = {}

    def _without(self, asks: Iterable[tuple[int, Ask]], impossible: Callable[[Ask], bool]) -> int:
        """All bits but those of the clauses with an ask that is impossible."""
        mask = self._all
        for bit, ask in asks:
            if impossible(ask):
                mask &= ~(1 << bit)
        return mask

    def _order(self, asks: list[tuple[int, Ask]]) -> OrderTable:
        # what holds at a cut holds up to the next one
        turns = [
            (bit, {cut: _fails_at(ask, cut) - _fails_at(ask, before)
                   for before, cut in pairwise((-math.inf, *_cuts_of(ask)))})
            for bit, ask in asks
        ]  # fmt: skip
        first, flips = self._flips([(bit, _fails_at(ask, -math.inf)) for bit, ask in asks], turns, onward=True)
        cuts = sorted(flips)
        masks = list(accumulate((flips[cut] for cut in cuts), operator.xor, initial=first))
        return OrderTable(reader(asks[0][1].subject), cuts, masks, self._without(asks, lambda ask: not ask.negated))

    def _value(self, asks: list[tuple[int, Ask]]) -> ValueTable:
        def impossible(ask: Ask, value: Hashable) -> bool:
            holds = value is not None and (value in ask.fixed) == (ask.operator == "==")
            return holds == ask.negated

        first = asks[0][1]
        yes_no = type_of(first.subject) == "bool"
        turns = [
            (bit, dict.fromkeys(ask.fixed, impossible(ask, ask.fixed[0]) - impossible(ask, _OTHER)))
            for bit, ask in asks
        ]  # fmt: skip
        other, flips = self._flips([(bit, impossible(ask, _OTHER)) for bit, ask in asks], turns, onward=False)
        masks: dict[Hashable, int] = dict.fromkeys((True, False), other) if yes_no else {}
        masks |= {value: other ^ bits for value, bits in flips.items()}
        masks[None] = self._without(asks, lambda ask: impossible(ask, None))
        return ValueTable(*_reading(first), masks, other, yes_no)

    def _flips(
        self, at_first: list[tuple[int, bool]], turns: list[tuple[int, dict[Any, int]]], onward: bool
    ) -> tuple[int, dict[Any, int]]:
        """Bits that remain at first, and those that are others at each point; in time that grows with the asks.

        `at_first`: for each ask its bit, and whether it fails there. `turns`: its bit, and point -> by how much more it
        fails than before it (`onward`), or than at first. A bit remains where none of its asks fails.
        """
        failing: Counter[int] = Counter()
        for bit, fails in at_first:
            failing[bit] += fails
        changes: dict[int, Counter[Any]] = defaultdict(Counter)
        for bit, points in turns:
            changes[bit].update(points)
        remaining, flips = self._all, dict[Any, int]()
        for bit, at_start in failing.items():
            remaining &= ~(bool(at_start) << bit)
            own, before = changes[bit], at_start
            for point in sorted(own) if onward else own:
                now = before + own[point]
                flips[point] = flips.get(point, 0) ^ (bool(now) != bool(before)) << bit
                before = now if onward else at_start
        return remaining, flips

    def _item(self, asks: list[tuple[int, Ask]]) -> ItemTable:
        masks: dict[Hashable, int] = defaultdict(int)
        barred: dict[Hashable, int] = defaultdict(int)
        for bit, ask in asks:
            for item in ask.fixed:
                (barred if ask.negated else masks)[item] |= 1 << bit
        base = self._without(asks, lambda ask: not ask.negated)
        read, folded = _reading(asks[0][1])
        return ItemTable(read, folded, dict(masks), base, dict(barred))

    def _pattern(self, asks: list[tuple[int, Ask]]) -> list[PatternTable]:
        tables = []
        left = dict.fromkeys(str(ask.fixed[0]) for _, ask in asks)
        for group in group_patterns(left):
            own = [(bit, ask) for bit, ask in asks if ask.fixed[0] in group]
            masks = [sum(1 << bit for bit, ask in own if ask.fixed[0] == pattern) for pattern in group]
            base = self._without(own, lambda _: True)
            tables.append(PatternTable(encoding(asks[0][1].subject), Patterns(group), masks, base))
            for pattern in group:
                del left[pattern]
        alone = {self._owner[bit] for bit, ask in asks if ask.fixed[0] in left}
        self.uncertain |= sum(1 << bit for bit, owner in enumerate(self._owner) if owner in alone)
        return tables


#: Stands for every value that no rule names.
_OTHER = object()
_AT = operator.getitem


def _layers(clause: Clause) -> list[int]:
    """A table of items knows that one of a clause's items is there: a second one that must be is for another table."""
    seen: Counter[str] = Counter()
    layers = []
    for ask in clause.asks:
        name = label(ask.subject) if ask.table == "item" and not ask.negated else ""
        layers.append(seen[name] if name else 0)
        seen[name] += 1
    return layers


def _searches_twice(clause: Clause) -> bool:
    """Patterns are found by one search: that one of two is found leaves the other open."""
    return sum(ask.table == "pattern" for ask in clause.asks) > 1


def _bits_of(bits: int) -> Iterable[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _fails_at(ask: Ask, value: float) -> bool:
    return OPERATORS[ask.operator](value, ask.fixed[0]) == ask.negated


def _cuts_of(ask: Ask) -> tuple[float, ...]:
    """Where a comparison changes its answer: at its bound, or at the number that follows it."""
    bound = float(ask.fixed[0])  # type: ignore[arg-type]
    behind = math.nextafter(bound, math.inf)
    return {">=": (bound,), "<": (bound,), ">": (behind,), "<=": (behind,)}.get(ask.operator, (bound, behind))


def _reading(ask: Ask) -> tuple[Read, bool]:
    """How its subject is read, and whether what is read is then to be folded."""
    name = ask.subject.name if isinstance(ask.subject, Name) else ""
    if name in _FOLDED_FROM:
        return operator.attrgetter(_FOLDED_FROM[name]), True
    return reader(ask.subject), ask.folded


def _takes_few(node: Node) -> bool:
    """Whether it has so few values that a desk meets the same combination of them again and again."""
    if type_of(node) == "bool":
        return True
    return isinstance(node, Name) and (node.name in _FEW or bool(FIELDS[node.name].choices))
