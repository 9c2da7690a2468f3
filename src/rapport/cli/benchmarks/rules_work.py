"""What the rules benchmark decides on: posts with their readings, topics, scores and the history of their authors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from rapport.cli.benchmarks.corpus import Corpus
from rapport.cli.benchmarks.queries import make_queries
from rapport.cli.benchmarks.rulebook import TOPICS, Names
from rapport.core.decision import NOBODY, PersonFacts
from rapport.core.post import Post
from rapport.core.query import compile_topics
from rapport.core.reading import Reading
from rapport.core.rules import Circumstances
from rapport.core.rules.fields import Case, fold
from rapport.core.score import score
from rapport.core.understand import load_reader

#: names of each sort that rules ask for
NAMES = 100


def make_cases(corpus: Corpus) -> list[Case]:
    """One case a post: what the line would give the rules."""
    posts = sorted(corpus.posts, key=lambda post: post.created_at)
    readings = load_reader().read(posts)
    queries = make_queries(posts, TOPICS, "sparse")
    topics = compile_topics([(query.id, query.written()) for query in queries]).match(posts)
    people = _histories(posts, readings)
    at = Circumstances(corpus.now)
    return [
        Case(
            post, post.author, read, read.intent, read.sentiment, read.emotion, person,
            score(post, read, person, at.now).value, frozenset(found), at.now, at.business_hours,
        )
        for post, read, person, found in zip(posts, readings, people, topics, strict=True)
    ]  # fmt: skip


def _histories(posts: Sequence[Post], readings: Sequence[Reading]) -> list[PersonFacts]:
    """What was known of each author before each post: what they said earlier among these."""
    known: dict[tuple[str, str], PersonFacts] = {}
    before: list[PersonFacts] = []
    for post, reading in zip(posts, readings, strict=True):
        key = (post.network, post.author.key)
        facts = known.get(key, NOBODY)
        before.append(facts)
        mood = (*facts.negative, post.created_at) if reading.sentiment.label == "negative" else facts.negative
        known[key] = msgspec.structs.replace(facts, posts=(*facts.posts, post.created_at), negative=mood)
    return before


def names_in(posts: Sequence[Post]) -> Names:
    """Whom and what the posts speak of most: the customers, desks and campaigns that rules are about."""
    return Names(
        _most(post.author.handle for post in posts) or Names().authors,
        _most(handle for post in posts for handle in post.mentions) or Names().mentions,
        _most(tag for post in posts for tag in post.hashtags) or Names().hashtags,
    )


def _most(names: Iterable[str]) -> tuple[str, ...]:
    found = Counter(fold(name) for name in names)
    plain = {name: count for name, count in found.items() if name.isascii() and '"' not in name and "'" not in name}
    return tuple(sorted(plain, key=lambda name: (-plain[name], name))[:NAMES])
