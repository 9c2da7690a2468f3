"""`read.sparse`: everything that is read from a post, beside VADER, which reads its sentiment alone."""

from __future__ import annotations

from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.measure import Options, Result, compare, missing, timed
from rapport.core.understand import load_reader

POSTS = 4_000
BATCH = 200


def measure(name: str, options: Options) -> Result:
    """Posts read in a second: language, sentiment, emotion, intent and the rest, with the reasons."""
    corpus = load_corpus(options.count(POSTS))
    reader = load_reader()
    reader.read(corpus.posts[:BATCH])  # models are loaded with the first post
    batches = [corpus.posts[at : at + BATCH] for at in range(0, len(corpus.posts), BATCH)]
    result = Result(name=name, unit="posts/s", posts=len(corpus.posts), source=corpus.source)
    result.skipped_peers = {"textblob": "not installed", "sklearn-tfidf": "not installed"}
    result.notes = ["VADER reads sentiment alone; ours reads language, sentiment, emotion, intent, urgency and reasons"]
    contestants = {"ours": timed(lambda: [reader.read(batch) for batch in batches], len(corpus.posts))}
    if reason := missing("vaderSentiment.vaderSentiment", "vaderSentiment"):
        result.skipped_peers["vader"] = reason
    else:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        score = SentimentIntensityAnalyzer().polarity_scores
        contestants["vader"] = timed(lambda: [score(post.text) for post in corpus.posts], len(corpus.posts))
    return compare(result, contestants, options)
