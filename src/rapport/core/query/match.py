"""Many standing queries against many posts.

A post is cut into words once. The words that stand in the index lead to the queries that it can match; most are settled
there and then, and only the others (NEAR, longer phrases and the like) are held against the post. How the index is
built is told in `index`, and why in docs/adr/0011-an-index-of-rarest-words.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from rapport.core.post import Post
from rapport.core.query.hooks import Hooks
from rapport.core.query.index import Index
from rapport.core.query.parse import parse
from rapport.core.query.view import View

#: one post in so many teaches the index which words are frequent
_TAUGHT_BY = 8


class Matcher:
    """A set of standing queries that can change while it is in use (by one thread at a time)."""

    def __init__(self) -> None:
        self._index = Index()
        #: a query's number tells its place in the order of definition
        self._order_by_topic: dict[str, int] = {}
        self._topic_by_order: dict[int, str] = {}
        self._next = 0
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
            order = self._next
            self._next += 1
            self._order_by_topic[topic] = order
            self._topic_by_order[order] = topic
        else:
            self._index.remove(order)
        self._index.add(order, root)

    def remove(self, topic: str) -> None:
        """Take a query out. Raises `KeyError` for an unknown id."""
        order = self._order_by_topic.pop(topic)
        del self._topic_by_order[order]
        self._index.remove(order)

    def match(self, posts: Sequence[Post]) -> list[tuple[str, ...]]:
        """For each post the ids of the queries that it matches, in the order in which they were defined."""
        matched = [self._match_one(post) for post in posts]
        self._index.refresh()
        return matched

    def _match_one(self, post: Post) -> tuple[str, ...]:
        index = self._index
        view = View(post)
        keys = index.keys_of(view)
        self._seen += 1
        if not self._seen % _TAUGHT_BY:
            index.learn(keys)
        found: list[int] = []
        for key in index.hooks.keys() & keys:
            hooks = index.hooks[key]
            if hooks.sure is not None:
                found += hooks.sure
            if hooks.tests is not None or hooks.spread is not None or hooks.after is not None:
                _walk(hooks, key, keys, view, found)
        if len(found) > 1:
            orders = sorted(set(found))
            if len(orders) > 1:
                topics: tuple[str, ...] = itemgetter(*orders)(self._topic_by_order)
                return topics
        return (self._topic_by_order[found[0]],) if found else ()


def _walk(hooks: Hooks, key: str, keys: set[str], view: View, found: list[int]) -> None:
    """Add the numbers of the queries that hang at `key`, want more than it, and have it."""
    if hooks.tests is not None:
        _try(hooks, keys, view, found)
    if hooks.spread is not None:
        for second in hooks.spread.keys() & keys:
            below = hooks.spread[second]
            if below.sure is not None:
                found += below.sure
            if below.tests is not None:
                _try(below, keys, view, found)
    if hooks.after is not None:
        for second in view.words_after(key):
            following = hooks.after.get(second)
            if following is not None:
                found += following.sure or ()
                if following.tests is not None:
                    _try(following, keys, view, found)


def _try(hooks: Hooks, keys: set[str], view: View, found: list[int]) -> None:
    for hang in hooks.tests or ():
        if not keys.issuperset(hang.needs) or not keys.isdisjoint(hang.bars):
            continue
        for node in hang.rest:
            if not node.holds(view):
                break
        else:
            found.append(hang.order)


def compile_topics(topics: Sequence[tuple[str, str]]) -> Matcher:
    """A matcher for (id, query text) pairs. Raises `InvalidQuery` at the first that cannot be read."""
    matcher = Matcher()
    for topic, text in topics:
        matcher.add(topic, text)
    return matcher
