"""Many standing queries against many posts.

Each query names anchors, words (or beginnings of words) of which a matching post must have at least one. A post is held
only against the queries with an anchor in it, and against those without any (fields, `raw:` and wildcards like *port).
"""

from __future__ import annotations

from collections.abc import Sequence

from rapport.core.post import Post
from rapport.core.query.parse import Query, parse
from rapport.core.query.view import View


class Matcher:
    """A set of standing queries that can change while it is in use (by one thread at a time)."""

    def __init__(self) -> None:
        #: definition order -> id and query
        self._queries: dict[int, tuple[str, Query]] = {}
        self._order_by_id: dict[str, int] = {}
        self._orders_by_word: dict[str, list[int]] = {}
        self._orders_by_prefix: dict[str, list[int]] = {}
        self._always: list[int] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._queries)

    def __contains__(self, topic: str) -> bool:
        return topic in self._order_by_id

    def add(self, topic: str, text: str) -> None:
        """Add a query, or replace the one of this id in its place. Raises `InvalidQuery` and then changes nothing."""
        query = parse(text)
        order = self._order_by_id.get(topic)
        if order is None:
            order = self._next
            self._next += 1
        else:
            self.remove(topic)
        self._order_by_id[topic] = order
        self._queries[order] = topic, query
        for orders in self._places(query):
            orders.append(order)

    def remove(self, topic: str) -> None:
        """Take a query out. Raises `KeyError` for an unknown id."""
        order = self._order_by_id.pop(topic)
        _, query = self._queries.pop(order)
        for orders in self._places(query):
            orders.remove(order)
        for anchor in query.root.anchors() or ():
            index = self._index_of(anchor)
            if not index[anchor]:
                del index[anchor]

    def _places(self, query: Query) -> list[list[int]]:
        """The lists that a query stands in."""
        anchors = query.root.anchors()
        if anchors is None:
            return [self._always]
        return [self._index_of(anchor).setdefault(anchor, []) for anchor in anchors]

    def _index_of(self, anchor: str) -> dict[str, list[int]]:
        return self._orders_by_prefix if anchor[-1] == "*" else self._orders_by_word

    def match(self, posts: Sequence[Post]) -> list[tuple[str, ...]]:
        """For each post the ids of the queries that it matches, in the order in which they were defined."""
        return [self._match_one(post) for post in posts]

    def _match_one(self, post: Post) -> tuple[str, ...]:
        view = View(post)
        candidates = set(self._always)
        for word in self._orders_by_word.keys() & view.known:
            candidates.update(self._orders_by_word[word])
        if self._orders_by_prefix:
            for prefix in self._orders_by_prefix.keys() & view.prefixes:
                candidates.update(self._orders_by_prefix[prefix])
        if not candidates:
            return ()
        tried = [self._queries[order] for order in sorted(candidates)]
        return tuple([topic for topic, query in tried if query.root.holds(view)])


def compile_topics(topics: Sequence[tuple[str, str]]) -> Matcher:
    """A matcher for (id, query text) pairs. Raises `InvalidQuery` at the first that cannot be read."""
    matcher = Matcher()
    for topic, text in topics:
        matcher.add(topic, text)
    return matcher
