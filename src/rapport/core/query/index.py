"""The inverted index: which queries a post with certain keys can match, and which of them need to be held against it.

Every clause of a query (see `clauses`) hangs on the rarest key that it needs, as far as is known by then; a phrase of
frequent words on two of them that stand next to each other. Posts teach which words are frequent. Clauses on words that
turn out to be more frequent than another that they need are hung up again, a few after each batch of posts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from rapport.core.query.clauses import Clause, clauses_of
from rapport.core.query.conditions import Conditions
from rapport.core.query.frequency import Frequencies
from rapport.core.query.hooks import Hang, Hooks
from rapport.core.query.keys import ANY, WILDCARD
from rapport.core.query.nodes import Node
from rapport.core.query.view import View
from rapport.core.query.wildcards import Wildcards

#: share of posts from which on a phrase hangs on a pair of words rather than on its rarest one
_PAIR_PAYS = 0.002
#: a clause moves to a key that is so many times rarer than the one on which it hangs
_WORTH_MOVING = 2.0
#: clauses that are looked at again after one batch
_LOOKED_AT = 64

#: Where a query hangs: at a key that settles it, or as a clause that wants more.
Place = str | Hang


class Index:
    """Queries by number, and the keys at which they hang."""

    def __init__(self) -> None:
        self.hooks: dict[str, Hooks] = {}
        self.wildcards = Wildcards()
        self.conditions = Conditions()
        self.frequencies = Frequencies()
        #: number of a query -> its one place, or its places
        self._places: dict[int, Place | tuple[Place, ...]] = {}
        self._crowded: deque[str] = deque()
        self._looked_at: set[str] = set()
        self._waiting: deque[Hang] = deque()

    def add(self, order: int, root: Node) -> None:
        """Hang up the query that has this number."""
        # two clauses that one key settles are one
        places = tuple(dict.fromkeys(self._place_of(order, clause) for clause in clauses_of(root)))
        for place in places:
            self._watch(place)
            self._hang(order, place)
        self._places[order] = places[0] if len(places) == 1 else places

    def remove(self, order: int) -> None:
        """Take a query off. Raises `KeyError` for an unknown number."""
        for place in _as_places(self._places.pop(order)):
            self._take(order, place)
            self._unwatch(place)

    def keys_of(self, view: View) -> set[str]:
        """Everything by which queries find this post."""
        keys = view.known
        if self.wildcards:
            found = self.wildcards.keys_of(keys)
            if found:
                keys = keys.union(found)
        if self.conditions:
            keys = keys.union(self.conditions.keys_of(view))
        return keys

    def learn(self, keys: set[str]) -> None:
        """Count the keys of one post, and note at which of them many queries had to be held against it."""
        if self.frequencies.learn(keys):
            self._looked_at.clear()
        for key in self.hooks.keys() & keys:
            hooks = self.hooks[key]
            if (hooks.tests is not None or hooks.spread is not None) and key not in self._looked_at:
                self._looked_at.add(key)
                self._crowded.append(key)

    def refresh(self) -> None:
        """Move a few clauses to rarer keys. Takes well under a millisecond."""
        if not self._waiting and self._crowded:
            hooks = self.hooks.get(self._crowded.popleft())
            self._waiting.extend(hooks.tested() if hooks is not None else ())
        for _ in range(min(_LOOKED_AT, len(self._waiting))):
            self._look_at(self._waiting.popleft())

    def _look_at(self, hang: Hang) -> None:
        places = _as_places(self._places.get(hang.order, ()))
        if not any(place is hang for place in places):
            return  # changed or removed in the meantime
        share = self.frequencies.share
        needs = tuple(sorted(hang.needs, key=share))
        if share(needs[0]) * _WORTH_MOVING > share(hang.needs[0]):
            return
        moved = Hang(hang.order, needs, hang.bars, hang.rest)
        self._take(hang.order, hang)
        self._hang(hang.order, moved)
        changed = tuple(moved if place is hang else place for place in places)
        self._places[hang.order] = changed[0] if len(changed) == 1 else changed

    def _place_of(self, order: int, clause: Clause) -> Place:
        needs = clause.needs
        if not needs:
            return Hang(order, (ANY,), clause.bars, clause.rest) if clause.bars or clause.rest else ANY
        if len(needs) == 1 and not (clause.bars or clause.rest):
            return needs[0]
        share = self.frequencies.share
        if len(needs) > 1:
            needs = tuple(sorted(needs, key=share))
        if clause.pairs:
            paired = self._on_pair(order, clause, needs)
            if paired is not None:
                return paired
        return Hang(order, needs, clause.bars, clause.rest)

    def _on_pair(self, order: int, clause: Clause, needs: tuple[str, ...]) -> Hang | None:
        """The clause on the rarest pair of its words, where that pays."""
        share = self.frequencies.share
        first, second, whole = min(clause.pairs, key=lambda pair: share(pair[0]) * share(pair[1]))
        if first != needs[0] and share(needs[0]) < _PAIR_PAYS:
            return None
        others = tuple(key for key in needs if key not in {first, second})
        rest = tuple(node for node in clause.rest if node is not whole)
        return Hang(order, (first, *others), clause.bars, rest, second)

    def _hang(self, order: int, place: Place) -> None:
        if isinstance(place, str):
            self.hooks.setdefault(place, Hooks()).settle(order)
        else:
            self.hooks.setdefault(place.needs[0], Hooks()).hang(place)

    def _take(self, order: int, place: Place) -> None:
        key = place if isinstance(place, str) else place.needs[0]
        hooks = self.hooks[key]
        if isinstance(place, str):
            hooks.unsettle(order)
        else:
            hooks.take(place)
        if hooks.is_empty():
            del self.hooks[key]

    def _watch(self, place: Place) -> None:
        """See to it that posts get the keys that are no words."""
        for key in _keys_beyond_words(place):
            if key.startswith(WILDCARD):
                self.wildcards.add(key[len(WILDCARD) :])
            else:
                self.conditions.add(key)

    def _unwatch(self, place: Place) -> None:
        for key in _keys_beyond_words(place):
            if key.startswith(WILDCARD):
                self.wildcards.remove(key[len(WILDCARD) :])
            else:
                self.conditions.remove(key)


def _as_places(places: Place | tuple[Place, ...]) -> tuple[Place, ...]:
    return places if isinstance(places, tuple) else (places,)


def _keys_beyond_words(place: Place) -> Iterator[str]:
    keys = (place,) if isinstance(place, str) else place.needs + place.bars
    return (key for key in keys if key[0] == " ")
