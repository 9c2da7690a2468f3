"""The line keeps what its decisions were made from, and no more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import msgspec

from rapport.core.decision import MOST_KEPT, UNTOLD, AuthorFacts, Outcome, PersonFacts
from rapport.core.post import Author, Post
from rapport.core.query import compile_topics
from rapport.core.route import TeamLoad
from rapport.core.rules import Circumstances, compile_rules, default_document
from rapport.core.understand import load_reader
from rapport.pipeline.line import Snapshot, process

RULES = compile_rules(default_document())


def a_snapshot(**known: object) -> Snapshot:
    load = TeamLoad({})
    return Snapshot(matcher=compile_topics([("rain", "rain")]), reader=load_reader(), rules=RULES, load=load, **known)  # type: ignore[arg-type]


def test_a_decision_can_be_explained_from_its_outcome_after_a_round_through_json(
    make_post: Callable[..., Post], now: dt.datetime
) -> None:
    author = Author(id="7", handle="nadia", followers=9_000, verified=True)
    facts = PersonFacts(id=1, last_seen=now, negative=(now - dt.timedelta(days=3),), posts=(now,))
    posts = [
        make_post("Left in the rain again, where is my refund?", author=author, mentions=("Fernway",)),
        make_post("And nobody answers!", author=author, edited_at=now),
        make_post("I like tea"),
    ]
    snapshot = a_snapshot(
        people={("mastodon", "7"): facts}, business_hours=False, handles=frozenset({"fernway", "fernway@x"})
    )
    outcomes = process(posts, snapshot, now)
    for post, outcome in zip(posts, outcomes, strict=True):
        kept = msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome)
        assert kept == outcome
        assert kept.facts is not None
        assert kept.decided_at == now
        steps = RULES.explain(
            post, kept.reading, kept.score, kept.facts, kept.topics,
            Circumstances(kept.decided_at, kept.business_hours, handles=frozenset(kept.handles)),
        )  # fmt: skip
        assert tuple(step for step in steps if step.matched) == outcome.decision.trace
        assert len(steps) == outcome.decision.tried
    assert [outcome.author for outcome in outcomes] == [AuthorFacts(9_000, verified=True)] * 2 + [UNTOLD]
    assert [outcome.handles for outcome in outcomes] == [("fernway", "fernway@x"), (), ()]
    assert [outcome.edited_at for outcome in outcomes] == [None, now, None]
    assert outcomes[1].facts is not None
    assert len(outcomes[1].facts.posts) == 2  # the first of this batch counts


def test_of_a_very_long_history_the_newest_moments_are_kept_with_each_of_its_posts(
    make_post: Callable[..., Post], now: dt.datetime
) -> None:
    earlier = tuple(now - dt.timedelta(hours=back) for back in range(MOST_KEPT, 0, -1))
    people = {("mastodon", "id-nadia"): PersonFacts(id=1, posts=earlier, answers=earlier[:3])}
    post = make_post()
    first, second = process([post, make_post()], a_snapshot(people=people), now)
    assert first.facts == people["mastodon", "id-nadia"]
    assert second.facts is not None
    assert second.facts.posts == (*earlier[1:], post.created_at)
    assert second.facts.answers == earlier[:3]
    assert second.facts.cut


def test_many_answers_to_one_person_are_cut_too(make_post: Callable[..., Post], now: dt.datetime) -> None:
    answers = tuple(now - dt.timedelta(hours=back) for back in range(MOST_KEPT + 1, 0, -1))
    people = {("mastodon", "id-nadia"): PersonFacts(id=1, answers=answers)}
    (outcome,) = process([make_post()], a_snapshot(people=people), now)
    assert outcome.facts == PersonFacts(id=1, answers=answers[1:], cut=True)


def test_rules_can_ask_how_likely_the_author_is_automated(make_post: Callable[..., Post], now: dt.datetime) -> None:
    document = '[[rule]]\nname = "Machine"\nwhen = "author.bot_score >= 0.8"\nthen = ["basket:noise", "tag:machine"]\n'
    rules = compile_rules(document)
    timer = tuple(now - dt.timedelta(minutes=10 * number) for number in range(600, 0, -1))
    people = {("mastodon", "id-nadia"): PersonFacts(id=1, posts=timer)}
    snapshot = msgspec.structs.replace(a_snapshot(people=people), rules=rules)
    (outcome,) = process([make_post()], snapshot, now)
    assert outcome.account is not None
    assert outcome.account.bot > 0.8
    assert outcome.decision.tags == ("machine",)
    assert outcome.decision.why == f"automated {outcome.account.bot:.2f}"
