"""The places in the index where queries hang.

    word ──> Hooks   sure    queries that this word settles
                     tests   few queries that want more: further keys, none of the bars, remaining nodes
                     spread  second key ──> Hooks, where the tests had become many
                     after   next word ──> Hooks, for phrases: reached where that word follows

A post walks down from its words. What stands behind a word that it does not have costs nothing, however many queries
hang there.
"""

from __future__ import annotations

import msgspec

from rapport.core.query.nodes import Node

#: tests in one place before they are spread by their second key
FEW = 6


class Hang(msgspec.Struct, frozen=True, gc=False):
    """One clause of a query as it hangs: found by `needs[0]`, and where tests are spread by `needs[1]`."""

    order: int
    #: the rarest first
    needs: tuple[str, ...]
    bars: tuple[str, ...] = ()
    rest: tuple[Node, ...] = ()
    #: the word that must follow `needs[0]`: the clause hangs on a pair of words
    following: str | None = None

    def is_settled(self, depth: int) -> bool:
        """Whether whoever has come so many keys deep needs to look at nothing else."""
        return len(self.needs) <= depth and not self.bars and not self.rest


class Hooks(msgspec.Struct, gc=False):
    """What hangs at one key, or at a second key below it."""

    sure: list[int] | None = None
    tests: list[Hang] | None = None
    spread: dict[str, Hooks] | None = None
    after: dict[str, Hooks] | None = None

    def hang(self, hang: Hang) -> None:
        """Hang a clause up at its first key."""
        if hang.following is not None:
            if self.after is None:
                self.after = {}
            self.after.setdefault(hang.following, Hooks())._put(hang, 1)
        elif self.spread is not None and len(hang.needs) > 1:
            self.spread.setdefault(hang.needs[1], Hooks())._put(hang, 2)
        else:
            self._put(hang, 1)
            if self.tests is not None and len(self.tests) > FEW and self.spread is None:
                self._spread_out()

    def settle(self, order: int) -> None:
        """Hang up a query that this key settles."""
        if self.sure is None:
            self.sure = [order]
        else:
            self.sure.append(order)

    def take(self, hang: Hang) -> None:
        """Take a clause off. Raises `ValueError` or `KeyError` where it does not hang here."""
        if hang.following is not None:
            assert self.after is not None
            self.after[hang.following]._drop(hang, 1)
            if self.after[hang.following].is_empty():
                del self.after[hang.following]
                self.after = self.after or None
        elif self.spread is not None and len(hang.needs) > 1:
            self.spread[hang.needs[1]]._drop(hang, 2)
            if self.spread[hang.needs[1]].is_empty():
                del self.spread[hang.needs[1]]
                self.spread = self.spread or None
        else:
            self._drop(hang, 1)

    def unsettle(self, order: int) -> None:
        """Take off a query that this key settles."""
        assert self.sure is not None
        self.sure.remove(order)
        self.sure = self.sure or None

    def is_empty(self) -> bool:
        """Whether nothing hangs here any more."""
        return self.sure is None and self.tests is None and self.spread is None and self.after is None

    def tested(self) -> list[Hang]:
        """Clauses that hang here by their first key and have a second one, so that they could hang there."""
        own = [hang for hang in self.tests or () if len(hang.needs) > 1]
        return own + [hang for below in (self.spread or {}).values() for hang in below.tests or ()]

    def _put(self, hang: Hang, depth: int) -> None:
        if hang.is_settled(depth):
            self.settle(hang.order)
        elif self.tests is None:
            self.tests = [hang]
        else:
            self.tests.append(hang)

    def _drop(self, hang: Hang, depth: int) -> None:
        if hang.is_settled(depth):
            self.unsettle(hang.order)
        else:
            assert self.tests is not None
            self.tests.remove(hang)
            self.tests = self.tests or None

    def _spread_out(self) -> None:
        movable = [hang for hang in self.tests or () if len(hang.needs) > 1]
        if not movable:
            return
        self.tests = [hang for hang in self.tests or () if len(hang.needs) == 1] or None
        self.spread = {}
        for hang in movable:
            self.spread.setdefault(hang.needs[1], Hooks())._put(hang, 2)
