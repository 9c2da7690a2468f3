"""The inverted index: which queries a post with certain keys can match, and which of them need to be held against it.

Every clause of a query (see `clauses`) hangs on the rarest key that it needs, as far as is known by then; a phrase of
two words, or of frequent ones, on words that stand next to each other. Posts teach which words are frequent. Clauses on
words that turn out to be more frequent than another that they need are hung up again, a few after each batch of posts.
"""

from __future__ import annotations

from collections import deque
from itertools import filterfalse, pairwise

from rapport.core.query.clauses import Clause, clauses_of
from rapport.core.query.conditions import Conditions
from rapport.core.query.frequency import Frequencies, guessed_share
from rapport.core.query.hooks import Hang, Hooks, Key
from rapport.core.query.keys import ANY, WILDCARD
from rapport.core.query.nodes import Node
from rapport.core.query.view import View
from rapport.core.query.wildcards import LONGEST_REMEMBERED, Wildcards

#: share of posts from which on a phrase hangs on a pair of words rather than on its rarest one
_PAIR_PAYS = 0.002
#: a clause moves to a key that is so many times rarer than the one on which it hangs
_WORTH_MOVING = 2.0
#: clauses that are looked at again after one batch
_LOOKED_AT = 128

#: words of which is remembered that nothing hangs there
_MOST_IDLE = 1 << 15

#: Where a query hangs: at a key that settles it, or as a clause that wants more.
Place = Key | Hang


class Index:
    """Queries by number, and the keys at which they hang."""

    def __init__(self) -> None:
        self.by_key: dict[str, Hooks] = {}
        self.by_pair: dict[tuple[str, str], Hooks] = {}
        self.wildcards = Wildcards()
        self.conditions = Conditions()
        self.frequencies = Frequencies()
        #: number of a query -> its one place, or its places
        self._places: dict[int, Place | list[Place]] = {}
        #: the rarer words of the pairs in `by_pair`, and of how many: a post without any of them is not asked for pairs
        self._in_pairs: dict[str, int] = {}
        #: words at which nothing hangs, no wildcard either: most words of most posts
        self._idle: set[str] = set()
        self._idle_is_outdated = False
        self._crowded: deque[str] = deque()
        self._looked_at: set[str] = set()
        self._waiting: deque[Hang] = deque()

    def add(self, order: int, root: Node) -> None:
        """Hang up the query that has this number."""
        clauses = clauses_of(root)
        if len(clauses) == 1:
            place = self._place_of(order, clauses[0], shared=False)
            self._hang(order, place, shared=False)
            self._places[order] = place
        else:
            # two clauses that one key settles are one
            places = list(dict.fromkeys([self._place_of(order, clause, shared=True) for clause in clauses]))
            for place in places:
                self._hang(order, place, shared=True)
            self._places[order] = places

    def remove(self, order: int) -> None:
        """Take a query off. Raises `KeyError` for an unknown number."""
        places = self._places.pop(order)
        if isinstance(places, list):
            for place in places:
                self._take(order, place, shared=True)
        else:
            self._take(order, places, shared=False)

    def find(self, view: View) -> tuple[list[Hooks], list[str]]:
        """What hangs at the keys of a post, and those of its keys that are no words (some may come twice)."""
        if self._idle_is_outdated or len(self._idle) > _MOST_IDLE:
            self._idle, self._idle_is_outdated = set(), False
            self.wildcards.forget()
        # most words of most posts lead nowhere: no set of all words is made for a post that has no others
        wanted = list(filterfalse(self._idle.__contains__, view.words))
        listed = view.listed()
        if listed:
            wanted += filterfalse(self._idle.__contains__, listed)
        beyond: list[str] = self.conditions.keys_of(view) if self.conditions else []
        if not wanted and not beyond:
            return [], beyond
        hooked = self.by_key.keys() & wanted
        if self.wildcards:
            beyond += self._wildcards_of(wanted)
        elif len(hooked) < len(wanted):
            self._idle.update([word for word in wanted if self._is_idle(word)])
        found = [self.by_key[key] for key in hooked]
        if beyond:
            found += [self.by_key[key] for key in self.by_key.keys() & beyond]
        if self._in_pairs and not self._in_pairs.keys().isdisjoint(wanted):
            found += [self.by_pair[pair] for pair in self.by_pair.keys() & pairwise(view.words)]
        return found, beyond

    def _wildcards_of(self, words: list[str]) -> list[str]:
        """The keys of the wildcards that hold for some of the words; some may come twice."""
        keys: list[str] = []
        known = self.wildcards.remembered
        for word in words:
            found = known.get(word)
            if found is None:
                found = self.wildcards.look_up(word)
                if not found and self._is_idle(word):
                    self._idle.add(word)
            if found:
                keys += found
        return keys

    def _is_idle(self, word: str) -> bool:
        """Whether nothing hangs at a word (wildcards aside), and it is worth remembering."""
        return word not in self.by_key and word not in self._in_pairs and len(word) <= LONGEST_REMEMBERED

    def learn(self, keys: set[str]) -> None:
        """Count the keys of one post, and note at which of them queries had to be held against it."""
        if self.frequencies.learn(keys):
            self._looked_at.clear()
        for key in self.by_key.keys() & keys:
            hooks = self.by_key[key]
            if (hooks.tests is not None or hooks.spread is not None) and key not in self._looked_at:
                self._looked_at.add(key)
                self._crowded.append(key)

    def refresh(self) -> None:
        """Move a few clauses to rarer keys. Takes well under a millisecond."""
        while self._crowded and len(self._waiting) < _LOOKED_AT:
            hooks = self.by_key.get(self._crowded.popleft())
            if hooks is not None:
                self._waiting.extend(hooks.tested())
        for _ in range(min(_LOOKED_AT, len(self._waiting))):
            self._look_at(self._waiting.popleft())

    def _look_at(self, hang: Hang) -> None:
        places = self._places.get(hang.order)
        among = places if isinstance(places, list) else [places]
        if not any(place is hang for place in among):
            return  # changed or removed in the meantime
        assert isinstance(hang.anchor, str)
        share = self.frequencies.share
        keys = sorted((hang.anchor, *hang.needs), key=share)
        if share(keys[0]) * _WORTH_MOVING > share(hang.anchor):
            return
        moved = Hang(hang.order, keys[0], tuple(keys[1:]), hang.bars, hang.rest, hang.shared)
        self._hang(hang.order, moved, hang.shared)
        self._take(hang.order, hang, hang.shared)
        if isinstance(places, list):
            self._places[hang.order] = [moved if place is hang else place for place in places]
        else:
            self._places[hang.order] = moved

    def _place_of(self, order: int, clause: Clause, shared: bool) -> Place:
        keys = clause.needs or (ANY,)
        if len(keys) == 1 and not clause.bars and not clause.rest:
            return keys[0]
        if clause.pairs:
            paired = self._on_pair(order, clause, shared)
            if paired is not None:
                return paired
        if len(keys) > 1:
            keys = tuple(sorted(keys, key=self.frequencies.share))
        return Hang(order, keys[0], keys[1:], clause.bars, clause.rest, shared)

    def _on_pair(self, order: int, clause: Clause, shared: bool) -> Place | None:
        """The clause on the rarest pair of its words, where that pays."""
        share = self.frequencies.share
        first, second, whole = min(clause.pairs, key=lambda pair: share(pair[0]) * share(pair[1]))
        rest = tuple(node for node in clause.rest if node is not whole)
        others = tuple(key for key in clause.needs if key not in {first, second})
        if not others and not rest and not clause.bars:
            return first, second
        if min(map(share, clause.needs)) < _PAIR_PAYS:
            return None
        return Hang(order, (first, second), others, clause.bars, rest, shared)

    def _hang(self, order: int, place: Place, shared: bool) -> None:
        key = place.anchor if isinstance(place, Hang) else place
        if isinstance(key, str):
            hooks = self.by_key.get(key)
            if hooks is None:
                hooks = self.by_key[key] = Hooks()
                self._idle.discard(key)
        else:
            hooks = self.by_pair.get(key)
            if hooks is None:
                hooks = self.by_pair[key] = Hooks()
                rarer = _rarer(key)
                self._in_pairs[rarer] = self._in_pairs.get(rarer, 0) + 1
                self._idle.discard(rarer)
        if isinstance(place, Hang):
            hooks.hang(place)
        else:
            hooks.settle(order, shared)
        for beyond in _keys_beyond_words(place):
            if beyond.startswith(WILDCARD):
                # not now: the next post does it, and so one for all wildcards that were added since the last
                self._idle_is_outdated |= self.wildcards.add(beyond[len(WILDCARD) :])
            else:
                self.conditions.add(beyond)

    def _take(self, order: int, place: Place, shared: bool) -> None:
        key = place.anchor if isinstance(place, Hang) else place
        hooks = self.by_key[key] if isinstance(key, str) else self.by_pair[key]
        if isinstance(place, Hang):
            hooks.take(place)
        else:
            hooks.unsettle(order, shared)
        if hooks.is_empty():
            if isinstance(key, str):
                del self.by_key[key]
            else:
                del self.by_pair[key]
                rarer = _rarer(key)
                self._in_pairs[rarer] -= 1
                if not self._in_pairs[rarer]:
                    del self._in_pairs[rarer]
        for beyond in _keys_beyond_words(place):
            if beyond.startswith(WILDCARD):
                self.wildcards.remove(beyond[len(WILDCARD) :])
            else:
                self.conditions.remove(beyond)


def _rarer(pair: tuple[str, str]) -> str:
    """The word of a pair that is taken for the rarer one; always the same, whatever was learnt since."""
    return min(pair, key=guessed_share)


def _keys_beyond_words(place: Place) -> list[str]:
    """The keys that no post has by itself: somebody must look for them."""
    if isinstance(place, str):
        return [place] if place[0] == " " else []
    if not isinstance(place, Hang):
        return []
    own = [place.anchor] if isinstance(place.anchor, str) else []
    return [key for key in (*own, *place.needs, *place.bars) if key[0] == " "]
