"""`read.sparse`: everything that is read from a post, beside VADER, TextBlob and a pipeline of scikit-learn, which read
its sentiment alone. `read.deep`: the transformer beside the heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.measure import Options, Result, Run, compare, missing, timed
from rapport.core.understand import Reader, load_reader
from rapport.core.understand.deep import load_deep

POSTS = 4_000
#: The transformer takes milliseconds a post.
DEEP_POSTS = 500
BATCH = 256
#: Posts that the pipeline of scikit-learn learns our moods from; how well it does is not what is measured.
LEARNT = 1_000


def measure(name: str, options: Options) -> Result:
    """Posts read in a second by one core."""
    return _measure_deep(name, options) if name == "read.deep" else _measure_sparse(name, options)


def _measure_sparse(name: str, options: Options) -> Result:
    corpus = load_corpus(options.count(POSTS))
    texts = [post.text for post in corpus.posts]
    reader = load_reader()
    reader.read(
        corpus.posts
    )  # models are loaded with the first post, and a stream's words are met in its first minutes
    result = Result(name=name, unit="posts/s", posts=len(texts), source=corpus.source)
    result.notes = ["the peers read sentiment alone; ours reads everything from language to spam, and gives reasons"]
    batches = _cut(corpus.posts)
    contestants: dict[str, Run] = {"ours": timed(lambda: [reader.read(batch) for batch in batches], len(texts))}
    for peer, module, package, build in (
        ("vader", "vaderSentiment.vaderSentiment", "vaderSentiment", _vader),
        ("textblob", "textblob", "textblob", _textblob),
        ("sklearn-tfidf", "sklearn.pipeline", "scikit-learn", _pipeline(reader, corpus.posts)),
    ):
        if reason := missing(module, package):
            result.skipped_peers[peer] = reason
        else:
            contestants[peer] = timed(_with(build(), texts), len(texts))
    return compare(result, contestants, options)


def _measure_deep(name: str, options: Options) -> Result:
    corpus = load_corpus(options.count(DEEP_POSTS))
    texts = [post.text for post in corpus.posts]
    result = Result(name=name, unit="posts/s", posts=len(texts), source=corpus.source)
    deep = load_deep()
    if deep is None:
        result.skipped = "the extra rapport[deep] is not installed"
        return result
    heads = load_reader(["en"])
    heads.read(corpus.posts)
    result.notes = ["one thread; a cascade sends it the doubtful among the posts that matter, 3 in 10 where not set"]
    contestants = {
        "ours": timed(lambda: deep.read(texts), len(texts)),
        "heads": timed(lambda: heads.read(corpus.posts), len(texts)),
    }
    return compare(result, contestants, options)


def _cut(posts: Sequence[Any]) -> list[Sequence[Any]]:
    return [posts[at : at + BATCH] for at in range(0, len(posts), BATCH)]


def _with(read: Callable[[list[str]], object], texts: list[str]) -> Callable[[], object]:
    return lambda: read(texts)


def _vader() -> Callable[[list[str]], object]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    score = SentimentIntensityAnalyzer().polarity_scores
    return lambda texts: [score(text) for text in texts]


def _textblob() -> Callable[[list[str]], object]:
    from textblob import TextBlob

    return lambda texts: [TextBlob(text).sentiment for text in texts]


def _pipeline(reader: Reader, posts: Sequence[Any]) -> Callable[[], Callable[[list[str]], object]]:
    """Words, pairs and n-grams by TF-IDF into a logistic regression, in batches: what a tutorial would have one do."""

    def build() -> Callable[[list[str]], object]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union

        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
        grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2)
        model = make_pipeline(make_union(words, grams), LogisticRegression(max_iter=200))
        some = posts[:LEARNT]
        model.fit([post.text for post in some], [reading.sentiment.label for reading in reader.read(some)])
        return lambda texts: [model.predict_proba(batch) for batch in _cut(texts)]

    return build
