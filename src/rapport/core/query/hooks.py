"""The places in the index where queries hang.

    key ──> Hooks   sure    queries that this key settles
                    shared  the same, of queries that hang in several places
                    tests   few clauses that want more: further keys, none of the bars, remaining nodes
                    spread  second key ──> Hooks, where the tests had become many
                    spared  queries that one bar can take away again (they may hang elsewhere), and `unless` by that bar

A post walks down from its keys. What stands behind a key that it does not have costs nothing, however many queries hang
there.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from rapport.core.query.nodes import Node

#: tests in one place before they are spread
FEW = 4

#: a word, another key (see `keys`), or two plain words that stand next to each other
Key = str | tuple[str, str]
Item = TypeVar("Item")


class Hang(msgspec.Struct, frozen=True, gc=False):
    """One clause of a query as it hangs: found by `anchor`, and where tests are spread by the first of `needs`."""

    order: int
    anchor: Key
    #: keys that are needed besides, the rarest first
    needs: tuple[str, ...]
    bars: tuple[str, ...]
    rest: tuple[Node, ...]
    #: the query hangs in other places, too
    shared: bool

    def wants_only(self, needs: int) -> bool:
        """Whether it wants so many keys besides its anchor and nothing else."""
        return len(self.needs) == needs and not self.bars and not self.rest

    def is_spared(self) -> bool:
        """Whether a single bar is all that can keep it from holding."""
        return len(self.bars) == 1 and not self.needs and not self.rest


class Hooks(msgspec.Struct, gc=False):
    """What hangs at one key, or at a second key below it."""

    sure: list[int] | None = None
    shared: list[int] | None = None
    tests: list[Hang] | None = None
    spread: dict[str, Hooks] | None = None
    spared: list[int] | None = None
    unless: dict[str, list[int]] | None = None

    def settle(self, order: int, shared: bool) -> None:
        """Hang up a query that this key settles."""
        if shared:
            self.shared = _with(self.shared, order)
        else:
            self.sure = _with(self.sure, order)

    def unsettle(self, order: int, shared: bool) -> None:
        """Take it off again."""
        if shared:
            self.shared = _without(self.shared, order)
        else:
            self.sure = _without(self.sure, order)

    def hang(self, hang: Hang) -> None:
        """Hang a clause up."""
        if self.spread is None:
            self.tests = _with(self.tests, hang)
            count = len(self.tests)
            if count > FEW and not count & (count - 1):  # not at each: they may be of a kind that does not spread
                self._spread_out()
        elif hang.needs:
            self.spread.setdefault(hang.needs[0], Hooks())._hang_below(hang)
        elif hang.is_spared():
            assert self.unless is not None
            self.spared = _with(self.spared, hang.order)
            self.unless.setdefault(hang.bars[0], []).append(hang.order)
        else:
            self.tests = _with(self.tests, hang)

    def take(self, hang: Hang) -> None:
        """Take a clause off. Raises `ValueError` or `KeyError` where it does not hang here."""
        if self.spread is None:
            self.tests = _without(self.tests, hang)
        elif hang.needs:
            below = self.spread[hang.needs[0]]
            below._take_below(hang)
            if below.is_empty():
                del self.spread[hang.needs[0]]
        elif hang.is_spared():
            assert self.unless is not None
            self.spared = _without(self.spared, hang.order)
            self.unless[hang.bars[0]].remove(hang.order)
            if not self.unless[hang.bars[0]]:
                del self.unless[hang.bars[0]]
        else:
            self.tests = _without(self.tests, hang)
        if self.spread is not None and not (self.spread or self.unless):
            self.spread = self.unless = None

    def is_empty(self) -> bool:
        """Whether nothing hangs here any more."""
        return self.sure is None and self.shared is None and self.tests is None and self.spread is None

    def tested(self) -> list[Hang]:
        """Clauses that hang here and need another key, so that they could hang there."""
        own = [hang for hang in self.tests or () if hang.needs]
        return own + [hang for below in (self.spread or {}).values() for hang in below.tests or ()]

    def _hang_below(self, hang: Hang) -> None:
        if hang.wants_only(1):
            self.settle(hang.order, hang.shared)
        else:
            self.tests = _with(self.tests, hang)

    def _take_below(self, hang: Hang) -> None:
        if hang.wants_only(1):
            self.unsettle(hang.order, hang.shared)
        else:
            self.tests = _without(self.tests, hang)

    def _spread_out(self) -> None:
        tests = self.tests or []
        if sum(bool(hang.needs) or hang.is_spared() for hang in tests) * 2 < len(tests):
            return
        self.tests, self.spread, self.unless = None, {}, {}
        for hang in tests:
            self.hang(hang)


def _with(items: list[Item] | None, item: Item) -> list[Item]:
    if items is None:
        return [item]
    items.append(item)
    return items


def _without(items: list[Item] | None, item: Item) -> list[Item] | None:
    if items is None:
        raise KeyError(item)
    items.remove(item)
    return items or None
