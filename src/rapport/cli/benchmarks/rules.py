"""`rules.N`: decisions against N rules, with the trace of what matched, beside the same conditions in plain Python."""

from __future__ import annotations

from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.measure import Options, Result, compare, missing, timed
from rapport.cli.benchmarks.rulebook import as_document, as_predicates, collect_fields, decide, make_rules
from rapport.core.decision import PersonFacts
from rapport.core.rules import Circumstances, compile_rules
from rapport.core.rules.fields import Case
from rapport.core.score import score
from rapport.core.understand import load_reader

POSTS = 3_000


def measure(name: str, options: Options) -> Result:
    """Decisions in a second against the number of rules that `name` ends with."""
    rules = make_rules(int(name.rpartition(".")[2]))
    corpus = load_corpus(options.count(POSTS))
    posts, now, nobody = corpus.posts, corpus.now, PersonFacts()
    readings = load_reader().read(posts)
    scores = [score(post, reading, nobody, now) for post, reading in zip(posts, readings, strict=True)]
    work = list(zip(posts, readings, scores, strict=True))
    at = Circumstances(now)
    compiled, predicates = compile_rules(as_document(rules)), as_predicates(rules)
    fields = [
        collect_fields(
            Case(post, post.author, read, read.intent, read.sentiment, read.emotion, nobody, points.value,
                 frozenset(), now, business_hours=True)
        )
        for post, read, points in work
    ]  # fmt: skip
    result = Result(name=name, unit="decisions/s", posts=len(posts), source=corpus.source)
    result.notes = ["plain-python gets its fields ready made, keeps no trace and trusts whoever wrote it"]
    for module, package in (("datalogic_py", "datalogic-py"), ("zen", "zen-engine")):
        result.skipped_peers[package] = (
            missing(module, package) or "installed, but this benchmark does not drive it yet"
        )
    contestants = {
        "ours": timed(lambda: [compiled.decide(*each, nobody, (), at) for each in work], len(posts)),
        "plain-python": timed(lambda: [decide(predicates, each) for each in fields], len(posts)),
    }
    return compare(result, contestants, options)
