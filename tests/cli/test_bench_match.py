"""The benchmarks of matching: both sides get the same queries, and find the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.match import PEERS
from rapport.cli.benchmarks.match_queries import SHARES, Mix, make_queries, read_vocabulary
from rapport.cli.benchmarks.measure import missing
from rapport.core.query import compile_topics

NOWHERE = Path("/nowhere/at/all")


@pytest.mark.parametrize("mix", ["sparse", "dense"])
def test_queries_have_all_forms_and_are_the_same_every_time(mix: Mix) -> None:
    vocabulary = read_vocabulary(load_corpus(600, NOWHERE).posts)
    queries = make_queries(vocabulary, 300, mix)
    assert queries == make_queries(vocabulary, 300, mix)
    assert {query.form for query in queries} == set(SHARES)
    assert {len(query.terms) for query in queries} == {1, 2, 3, 4}
    compile_topics([(query.id, query.written()) for query in queries])


def test_most_names_of_the_sparse_mix_never_occur_and_all_words_of_the_dense_one_do() -> None:
    vocabulary = read_vocabulary(load_corpus(600, NOWHERE).posts)
    names = [query.terms[0] for query in make_queries(vocabulary, 500, "sparse") if query.form == "word"]
    assert 0.85 < sum(name not in vocabulary.all for name in names) / len(names) < 0.95
    dense = make_queries(vocabulary, 500, "dense")
    assert all(term in vocabulary.all for query in dense if query.form != "prefix" for term in query.terms)


@pytest.mark.parametrize("mix", ["sparse", "dense"])
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_finds_what_we_find(name: str, mix: Mix) -> None:
    peer = PEERS[name]
    if reason := missing(peer.module, peer.package):
        pytest.skip(reason)
    posts = load_corpus(600, NOWHERE).posts
    queries = make_queries(read_vocabulary(posts), 400, mix)
    ours = compile_topics([(query.id, query.written()) for query in queries]).match(posts[:200])
    pairs = {(place, int(id_)) for place, ids in enumerate(ours) for id_ in ids}
    match = peer.make(queries)
    theirs = {(place, number) for place, post in enumerate(posts[:200]) for number in match(post.text.lower())}
    assert len(pairs) > 10
    assert len(pairs & theirs) / len(pairs | theirs) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("name", ["match.sparse.1000", "match.dense.1000"])
def test_a_run_tells_rates_memory_and_agreement(name: str) -> None:
    command = [sys.executable, "-m", "rapport.cli.main", "bench", name, "--json", "--runs", "1", "--posts", "100"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)
    assert found["ours"] > 0
    assert set(found["peers"]) | set(found.get("skipped_peers", {})) == set(PEERS)
    assert any("bytes of memory a query" in note for note in found["notes"])
    assert sum("agrees in" in note for note in found["notes"]) == len(found["peers"])
