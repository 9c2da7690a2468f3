"""`match.MIX.N`: N standing queries held against posts, beside a percolator and expressions; `match.add.N`: how long
one more query takes while N are in use.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from rapport.cli.benchmarks import match_peers
from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.match_queries import Mix, Standing, make_queries, read_vocabulary
from rapport.cli.benchmarks.measure import Options, Result, Run, compare, missing
from rapport.cli.parts import calm_collector
from rapport.core.post import Post
from rapport.core.query import Matcher, compile_topics

#: posts of which the queries are made
CORPUS = 10_000
#: posts in one run: fewer where thousands of queries match each of them
POSTS = {"sparse": 5_000, "dense": 1_000}
#: posts that are matched together, as the worker does
BATCH = 200
#: queries that are added one by one, and how many of a hundred must be quicker than what is told
ADDED, PERCENT = 2_000, 99


class Peer(NamedTuple):
    """Somebody who matches, too."""

    make: Callable[[Sequence[Standing]], match_peers.Match]
    module: str
    package: str
    #: posts in a run times the queries held against them, so that a run ends in reasonable time
    work: float
    #: queries from which on it is not tried, and why
    most: int = 1_000_000
    reason: str = ""
    #: it remembers texts, so that each run gets others
    unseen: bool = False


PEERS = {
    "mokaccino": Peer(match_peers.mokaccino, "mokaccino", "mokaccino", 1e8),
    "word-bounded-prefilter": Peer(match_peers.prefiltered, "ahocorasick_rs", "ahocorasick-rs", 1e8),
    "re2-set": Peer(
        match_peers.re2_set, "re2", "google-re2", 5e5, 10_000, "two posts a second while it builds its automaton", True
    ),
    "naive-re": Peer(match_peers.naive, "re", "Python", 3e5, 10_000, "a fifth of a second for each post"),
}


def measure(name: str, options: Options) -> Result:
    """What `name` says: posts in a second for match.MIX.N, microseconds at the 99th percentile for match.add.N."""
    _, what, number = name.split(".")
    if what == "add":
        return measure_adding(name, int(number), options)
    return measure_mix(name, "dense" if what == "dense" else "sparse", int(number), options)


def measure_mix(name: str, mix: Mix, number: int, options: Options) -> Result:
    """Our matcher and each peer in turn. A slow peer gets the first of the same posts only."""
    corpus = load_corpus(CORPUS)
    options.say(f"{name}: compiling {number:,} queries")
    queries = make_queries(read_vocabulary(corpus.posts), number, mix)
    posts = corpus.posts[: options.count(POSTS[mix])]
    texts = [post.text.lower() for post in posts]
    matcher, memory = _compile_and_weigh(queries)
    peers, skipped = _peers(queries, options)
    batches = [posts[at : at + BATCH] for at in range(0, len(posts), BATCH)]
    found = [ids for batch in batches for ids in matcher.match(batch)]
    result = Result(name=name, unit="posts/s", posts=len(posts), source=corpus.source, skipped_peers=skipped)
    result.notes = [f"{sum(map(len, found)) / len(posts):.2f} queries match a post", memory]
    contestants: dict[str, Run] = {"ours": _ours(matcher, batches)}
    for peer, match in peers.items():
        size = min(len(texts), max(10, int(PEERS[peer].work / number)))
        shorter = f", {size:,} posts a run" if size < len(texts) else ""
        result.notes.append(f"{peer} agrees in {_agreement(found, texts[:size], match):.2%} of the finds{shorter}")
        unseen = [post.text.lower() for post in corpus.posts[size:]] if PEERS[peer].unseen else texts
        contestants[peer] = _matching(match, unseen, size, PEERS[peer].unseen)
    calm_collector()
    return compare(result, contestants, options)


def _ours(matcher: Matcher, batches: Sequence[Sequence[Post]]) -> Run:
    """Rates are by the time of the processor, ours and theirs: nobody uses more than one core."""

    def run() -> float:
        start = time.process_time()
        for batch in batches:
            matcher.match(batch)
        return sum(map(len, batches)) / (time.process_time() - start)

    return run


def _matching(match: match_peers.Match, texts: Sequence[str], size: int, others: bool) -> Run:
    """A run over the first `size` texts; with `others` each over the next ones."""
    turns = count()

    def run() -> float:
        first = next(turns) * size % max(1, len(texts) - size) if others else 0
        own = texts[first : first + size]
        start = time.process_time()
        for text in own:
            match(text)
        return len(own) / (time.process_time() - start)

    return run


def measure_adding(name: str, number: int, options: Options) -> Result:
    """Reading and hanging up one query; after each run they are taken off again."""
    corpus = load_corpus(CORPUS)
    options.say(f"{name}: compiling {number:,} queries")
    vocabulary = read_vocabulary(corpus.posts)
    queries = make_queries(vocabulary, number, "sparse")
    more = make_queries(vocabulary, ADDED, "sparse")
    matcher, memory = _compile_and_weigh(queries)
    result = Result(name=name, unit=f"us (p{PERCENT})", posts=len(more), source="queries, not posts", notes=[memory])
    contestants = {"ours": _adding(matcher, more)}
    if reason := missing("mokaccino", "mokaccino"):
        result.skipped_peers["mokaccino"] = reason
    else:
        contestants["mokaccino"] = _adding_to_mokaccino(queries, more)
    calm_collector()
    return compare(result, contestants, options)


def _adding(matcher: Matcher, more: Sequence[Standing]) -> Run:
    written = [(f"live-{query.id}", query.written()) for query in more]

    def run() -> float:
        times = []
        for topic, text in written:
            start = time.perf_counter()
            matcher.add(topic, text)
            times.append(time.perf_counter() - start)
        for topic, _ in written:
            matcher.remove(topic)
        return _percentile(times)

    return run


def _adding_to_mokaccino(queries: Sequence[Standing], more: Sequence[Standing]) -> Run:
    """It takes no query off again, so it grows a little with each run."""
    add = match_peers.growing_mokaccino(queries)

    def run() -> float:
        times = []
        for query in more:
            start = time.perf_counter()
            add(query)
            times.append(time.perf_counter() - start)
        return _percentile(times)

    return run


def _percentile(times: list[float]) -> float:
    """In microseconds."""
    return sorted(times)[len(times) * PERCENT // 100 - 1] * 1e6


def _compile_and_weigh(queries: Sequence[Standing]) -> tuple[Matcher, str]:
    """The matcher, and what a query takes in memory: everything that stays allocated, its id included."""
    topics = [(query.id, query.written()) for query in queries]
    compile_topics(topics[:10])  # what is loaded once
    tracemalloc.start()
    matcher = compile_topics([(f"topic-{id_}", text) for id_, text in topics])
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return matcher, f"{size / len(topics):,.0f} bytes of memory a query"


def _peers(queries: Sequence[Standing], options: Options) -> tuple[dict[str, match_peers.Match], dict[str, str]]:
    """Those that can be measured, ready; and why the others cannot."""
    made: dict[str, match_peers.Match] = {}
    skipped: dict[str, str] = {}
    for name, peer in PEERS.items():
        reason = missing(peer.module, peer.package)
        if len(queries) > peer.most:
            reason = f"not tried with more than {peer.most:,} queries: {peer.reason}"
        if reason:
            skipped[name] = reason
        else:
            options.say(f"{len(queries):,} queries for {name}")
            made[name] = peer.make(queries)
    return made, skipped


def _agreement(found: list[tuple[str, ...]], texts: list[str], match: match_peers.Match) -> float:
    ours = {(place, int(id_.rpartition("-")[2])) for place, ids in enumerate(found[: len(texts)]) for id_ in ids}
    theirs = {(place, number) for place, text in enumerate(texts) for number in match(text)}
    return len(ours & theirs) / max(1, len(ours | theirs))
