"""Many standing queries against many posts.

A post is cut into words once. The words that stand in the index lead to the queries that it can match; most are settled
there and then, and only the others (NEAR, longer phrases and the like) are held against the post. How the index is
built is told in `index`, and why in docs/adr/0011-an-index-of-rarest-words.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from rapport.core.post import Post
from rapport.core.query.hooks import Hang, Hooks
from rapport.core.query.index import Index
from rapport.core.query.parse import parse
from rapport.core.query.view import View

#: one post in so many teaches the index which words are frequent; odd, because sources often come in turn
_TAUGHT_BY = 7


class Matcher:
    """A set of standing queries that can change while it is in use (by one thread at a time)."""

    def __init__(self) -> None:
        self._index = Index()
        #: a query's number tells its place in the order of definition, and in `_topics`
        self._order_by_topic: dict[str, int] = {}
        self._topics: list[str] = []
        self._seen = 0

    def __len__(self) -> int:
        return len(self._order_by_topic)

    def __contains__(self, topic: str) -> bool:
        return topic in self._order_by_topic

    def add(self, topic: str, text: str) -> None:
        """Add a query, or replace the one of this id in its place. Raises `InvalidQuery` and then changes nothing."""
        root = parse(text).root
        order = self._order_by_topic.get(topic)
        if order is None:
            order = len(self._topics)
            self._order_by_topic[topic] = order
            self._topics.append(topic)
        else:
            self._index.remove(order)
        self._index.add(order, root)

    def remove(self, topic: str) -> None:
        """Take a query out. Raises `KeyError` for an unknown id."""
        order = self._order_by_topic.pop(topic)
        # numbers are not used again, so that the order of definition stays: a removed query leaves one empty place
        self._topics[order] = ""
        self._index.remove(order)

    def match(self, posts: Sequence[Post]) -> list[tuple[str, ...]]:
        """For each post the ids of the queries that it matches, in the order in which they were defined."""
        matched = [self._match_one(post) for post in posts]
        self._index.refresh()
        return matched

    def _match_one(self, post: Post) -> tuple[str, ...]:
        index = self._index
        view = View(post)
        hooked, beyond = index.find(view)
        self._seen += 1
        if not self._seen % _TAUGHT_BY:
            index.learn(view.known.union(beyond))
        if not hooked:
            return ()
        found: list[int] = []
        shared: list[int] = []
        keys: set[str] | None = None
        for hooks in hooked:
            if hooks.sure is not None:
                found += hooks.sure
            if hooks.shared is not None:
                shared += hooks.shared
            if hooks.tests is not None or hooks.spread is not None:
                if keys is None:
                    keys = view.known.union(beyond) if beyond else view.known
                if hooks.tests is not None:
                    _try(hooks.tests, keys, view, found, shared)
                if hooks.spread is not None:
                    _walk(hooks, keys, view, found, shared)
        if shared:
            found += set(shared)
        if len(found) > 1:
            found.sort()
            return itemgetter(*found)(self._topics)  # type: ignore[no-any-return]
        return (self._topics[found[0]],) if found else ()


def _settle(hooks: Hooks, keys: set[str], view: View, found: list[int], shared: list[int]) -> None:
    """Add the numbers of the queries at `hooks` that the post answers; those that hang elsewhere, too, to `shared`."""
    if hooks.sure is not None:
        found += hooks.sure
    if hooks.shared is not None:
        shared += hooks.shared
    if hooks.tests is not None:
        _try(hooks.tests, keys, view, found, shared)
    if hooks.spread is not None:
        _walk(hooks, keys, view, found, shared)


def _walk(hooks: Hooks, keys: set[str], view: View, found: list[int], shared: list[int]) -> None:
    """As `_settle`, for what was spread."""
    spread, unless, spared = hooks.spread, hooks.unless, hooks.spared
    assert spread is not None
    assert unless is not None
    for second in spread.keys() & keys:
        _settle(spread[second], keys, view, found, shared)
    if spared is not None:
        barring = unless.keys() & keys
        if barring:
            barred = {order for bar in barring for order in unless[bar]}
            shared += [order for order in spared if order not in barred]
        else:
            shared += spared


def _try(tests: list[Hang], keys: set[str], view: View, found: list[int], shared: list[int]) -> None:
    """As `_settle`, for clauses that have to be looked at one by one."""
    for hang in tests:
        if not keys.issuperset(hang.needs) or not keys.isdisjoint(hang.bars):
            continue
        for node in hang.rest:
            if not node.holds(view):
                break
        else:
            (shared if hang.shared else found).append(hang.order)


def compile_topics(topics: Sequence[tuple[str, str]]) -> Matcher:
    """A matcher for (id, query text) pairs. Raises `InvalidQuery` at the first that cannot be read."""
    matcher = Matcher()
    for topic, text in topics:
        matcher.add(topic, text)
    return matcher
