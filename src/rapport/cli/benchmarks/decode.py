"""`decode`: Post JSONL in memory -> checked posts, beside pydantic."""

from __future__ import annotations

from collections.abc import Callable

from rapport.cli.benchmarks.corpus import as_lines, load_corpus
from rapport.cli.benchmarks.measure import Options, Result, compare, missing, timed
from rapport.core.post import decode_post

POSTS = 10_000


def measure(name: str, options: Options) -> Result:
    """Posts decoded and checked in a second."""
    corpus = load_corpus(options.count(POSTS))
    lines = as_lines(corpus.posts)
    contestants = {"ours": timed(lambda: [decode_post(line, corpus.now) for line in lines], len(lines))}
    result = Result(name=name, unit="posts/s", posts=len(lines), source=corpus.source)
    if reason := missing("pydantic", "pydantic"):
        result.skipped_peers["pydantic"] = reason
    else:
        decode = pydantic_decoder()
        contestants["pydantic"] = timed(lambda: [decode(line) for line in lines], len(lines))
    return compare(result, contestants, options)


def pydantic_decoder() -> Callable[[bytes], object]:
    """The peer's way from a line to a checked post."""
    from rapport.cli.benchmarks.peer_post import Post

    return Post.model_validate_json
