"""The peer of the line: the same work put together from pydantic, `re`, VADER, plain Python rules and `bulk_create`.

Written as a Django engineer would who knows the tools: one transaction a batch, no query in a loop, one pattern of all
words in front of a thousand queries, `bulk_create` with returned keys, and the settings of our own database.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from rapport.cli.benchmarks.corpus import as_lines
from rapport.cli.benchmarks.order import Done, Order, slices
from rapport.cli.benchmarks.patterns import prefiltered
from rapport.cli.benchmarks.peer_post import Post
from rapport.cli.benchmarks.rulebook import Fields, as_predicates, decide
from rapport.cli.desk import load_django

HISTORY = dt.timedelta(days=90)
#: VADER's own bounds
CLEAR = 0.05
#: Words that stand for a reading: sure enough to be one when found, unlikely when not.
FOUND, NOT_FOUND = 0.8, 0.1
READINGS = {
    name: re.compile(pattern, re.IGNORECASE).search
    for name, pattern in {
        "complaint": r"\b(?:still waiting|never again|worst|terrible|awful|unacceptable|disappoint\w*|complain\w*|"
        r"rude|refund|ridiculous|late|delay\w*|cancel\w*|lost)\b",
        "question": r"\?|\b(?:how|when|where|why|what|can (?:i|you)|is there)\b",
        "request": r"\b(?:please|pls|help|can you|could you|need)\b",
        "praise": r"\b(?:thank\w*|thx|great|love|awesome|amazing|excellent|best)\b",
        "purchase": r"\b(?:buy|price|order|in stock|available|book(?:ing)?|how much)\b",
        "report": r"\b(?:broken|error|bug|down|crash\w*|not working|doesn't work|fault\w*)\b",
        "urgency": r"\b(?:urgent\w*|asap|now|today|immediately|stuck|emergency|hours?)\b",
        "spam": r"\b(?:free|win|prize|click here|subscribe|follow me|giveaway)\b",
        "offensive": r"\b(?:damn|hell|crap|shit|fuck\w*|idiot\w*|stupid)\b",
        "personal": r"\b(?:my|i|me|we|our)\b",
    }.items()
}


class PutTogether:
    """Decode, store, match, read, decide, store: batch by batch."""

    def __init__(self, order: Order) -> None:
        from rapport.cli.benchmarks import peer_tables

        self.tables = peer_tables
        self.now = order.now
        self.batch = order.batch
        self.match = prefiltered(order.queries)
        self.topics = {query.id: number for number, query in enumerate(order.queries, start=1)}
        self.sentiment = SentimentIntensityAnalyzer().polarity_scores
        self.predicates = as_predicates(order.rules)

    def walk(self, lines: Sequence[bytes]) -> None:
        """Lines of Post JSONL -> rows."""
        for part in slices(lines, self.batch):
            posts = [Post.model_validate_json(line) for line in part]
            with transaction.atomic():
                self._store_outcomes(self._store(posts))

    def _store(self, posts: Sequence[Post]) -> list[tuple[Any, Post]]:
        """The posts that are new, each with its row."""
        tables = self.tables
        newest = {(post.network, post.author.key): post.author for post in posts}
        authors = tables.Author.objects.bulk_create(
            [
                tables.Author(network=network, external_id=key, handle=author.handle, name=author.name,
                              bio=author.bio or "", followers=author.followers, bot=author.bot, ours=author.ours)
                for (network, key), author in newest.items()
            ],
            update_conflicts=True,
            unique_fields=["network", "external_id"],
            update_fields=["handle", "name", "bio", "followers", "bot"],
        )  # fmt: skip
        by_key = {(author.network, author.external_id): author for author in authors}
        unique = {(post.network, post.id): post for post in posts}
        known = set(
            tables.Post.objects.filter(external_id__in=[post.id for post in unique.values()]).values_list(
                "network", "external_id"
            )
        )
        fresh = [post for key, post in unique.items() if key not in known]
        rows = tables.Post.objects.bulk_create(
            [
                tables.Post(
                    author=by_key[post.network, post.author.key], network=post.network, external_id=post.id,
                    kind=post.kind, text=post.text, lang=post.lang or "", url=post.url or "",
                    created_at=post.created_at, seen_at=self.now, in_reply_to=post.in_reply_to or "",
                    rating=post.rating, visibility=post.visibility,
                    extra=post.model_dump_json(include={"mentions", "hashtags", "links", "media", "metrics"}),
                )
                for post in fresh
            ]
        )  # fmt: skip
        return list(zip(rows, fresh, strict=True))

    def _store_outcomes(self, stored: Sequence[tuple[Any, Post]]) -> None:
        tables = self.tables
        history = self._read_history({row.author_id for row, _ in stored})
        outcomes, matches = [], []
        for row, post in stored:
            topics = self.match(post.text.lower())
            mood = self.sentiment(post.text)
            fields = self._read(post, mood, topics, history[row.author_id])
            decided = decide(self.predicates, fields)
            if mood["compound"] <= -CLEAR:
                history[row.author_id].append(post.created_at)
            body = {"mood": mood, "topics": topics, "because": decided.because, "tags": decided.tags}
            outcomes.append(
                tables.Outcome(
                    post=row, sentiment=fields["sentiment"], score=fields["score"], basket=decided.basket,
                    priority=decided.priority, quarantined=decided.quarantined, draft=decided.draft,
                    why=", ".join(decided.because)[:500], body=json.dumps(body), processed_at=self.now,
                )
            )  # fmt: skip
            matches += [tables.TopicMatch(topic=self.topics[topic], post=row) for topic in topics]
        tables.Outcome.objects.bulk_create(outcomes)
        tables.TopicMatch.objects.bulk_create(matches)

    def _read_history(self, authors: set[int]) -> dict[int, list[dt.datetime]]:
        """Times of the negative posts of these authors within 90 days."""
        found: dict[int, list[dt.datetime]] = defaultdict(list)
        rows = self.tables.Outcome.objects.filter(
            post__author__in=authors, sentiment="negative", post__created_at__gt=self.now - HISTORY
        )
        for author, at in rows.values_list("post__author_id", "post__created_at"):
            found[author].append(at)
        return found

    def _read(self, post: Post, mood: dict[str, float], topics: list[str], negative: list[dt.datetime]) -> Fields:
        """The fields that the rules ask for."""
        compound = mood["compound"]
        readings = {name: FOUND if search(post.text) else NOT_FOUND for name, search in READINGS.items()}
        if compound >= CLEAR:
            readings["complaint"] = NOT_FOUND
        followers = math.nan if post.author.followers is None else post.author.followers
        points = 40 * max(0.0, -compound) + 30 * readings["complaint"] + 20 * readings["urgency"] + 5 * len(negative)
        return {
            **readings,
            "text": post.text,
            "kind": post.kind,
            "rating": math.nan if post.rating is None else post.rating,
            "language": post.lang or "",
            "has_link": bool(post.links),
            "addressed": bool(post.mentions) or post.kind in {"reply", "message", "review"},
            "author.ours": post.author.ours,
            "author.bot": post.author.bot,
            "author.followers": followers,
            "person.ignored": False,
            "person.negative": negative,
            "sentiment": "positive" if compound >= CLEAR else "negative" if compound <= -CLEAR else "neutral",
            "negative": mood["neg"],
            "positive": mood["pos"],
            "anger": readings["offensive"],
            "irony": 0.0,
            "hate": 0.0,
            "score": min(100.0, points),
            "topics": topics,
            "now": self.now,
        }


def run(order: Order) -> Done:
    """Walk once. Fails when a post has no outcome."""
    load_django()
    from rapport.cli.benchmarks import peer_tables

    with connection.schema_editor() as editor:
        for table in peer_tables.TABLES:
            editor.create_model(table)
    peer = PutTogether(order)
    peer.walk(as_lines(order.warm))
    lines = as_lines(order.posts)
    start = time.perf_counter()
    peer.walk(lines)
    seconds = time.perf_counter() - start
    expected, found = len(order.warm) + len(order.posts), peer_tables.Outcome.objects.count()
    if found != expected:
        sys.exit(f"of {expected} posts {found} were worked on")
    return Done(len(lines), seconds)


JOBS = {"run": run}
