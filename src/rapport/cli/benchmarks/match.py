"""`match.sparse.N`, `match.dense.N`: N standing queries held against posts, beside regular expressions."""

from __future__ import annotations

from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.measure import Options, Result, compare, timed
from rapport.cli.benchmarks.patterns import Match, naive, prefiltered, re2_set
from rapport.cli.benchmarks.queries import Mix, make_queries
from rapport.core.query import compile_topics

#: few, because one of the peers manages some hundred posts a second
POSTS = 1_500
#: posts that are matched together, as the worker does
BATCH = 200
NOT_HERE = {"mokaccino": "a Rust library without a Python package"}


def measure(name: str, options: Options) -> Result:
    """Posts in a second against the queries that `name` says: match.MIX.COUNT."""
    _, mix, count = name.split(".")
    return measure_mix(name, "dense" if mix == "dense" else "sparse", int(count), options)


def measure_mix(name: str, mix: Mix, count: int, options: Options) -> Result:
    """Our matcher; one pattern per query; one pattern, or one RE2 set, of all words with the queries behind it."""
    corpus = load_corpus(max(10_000, options.count(POSTS)))
    queries = make_queries(corpus.posts, count, mix)
    posts = corpus.posts[: options.count(POSTS)]
    texts = [post.text for post in posts]
    matcher = compile_topics([(query.id, query.written()) for query in queries])
    batches = [posts[at : at + BATCH] for at in range(0, len(posts), BATCH)]
    one_by_one, one_for_all, in_a_set = naive(queries), prefiltered(queries), re2_set(queries)
    result = Result(name=name, unit="posts/s", posts=len(posts), source=corpus.source, skipped_peers=dict(NOT_HERE))
    found = matcher.match(posts)
    result.notes = [
        f"{sum(map(len, found)) / len(posts):.1f} queries match a post",
        f"the peers find the same in {_agreement(found, texts, one_for_all):.1%} of the pairs of post and query",
    ]
    contestants = {
        "ours": timed(lambda: [matcher.match(batch) for batch in batches], len(posts)),
        "naive-re": timed(lambda: [one_by_one(text.lower()) for text in texts], len(posts)),
        "word-bounded-prefilter": timed(lambda: [one_for_all(text.lower()) for text in texts], len(posts)),
        "re2-set": timed(lambda: [in_a_set(text.lower()) for text in texts], len(posts)),
    }
    return compare(result, contestants, options)


def _agreement(found: list[tuple[str, ...]], texts: list[str], peer: Match) -> float:
    ours = {(number, id_) for number, ids in enumerate(found) for id_ in ids}
    theirs = {(number, id_) for number, text in enumerate(texts) for id_ in peer(text.lower())}
    return len(ours & theirs) / max(1, len(ours | theirs))
