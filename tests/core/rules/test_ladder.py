"""The ladder of the rules that a new workspace starts with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from rapport.core.decision import PersonFacts, Score
from rapport.core.post import Post
from rapport.core.reading import Reading, Sentiment
from rapport.core.rules import compile_rules, default_document
from rapport.core.rules.circumstances import Circumstances

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
RULES = compile_rules(default_document())


def steps(post: Post, negative: float = 0.9, before: int = 0) -> list[str]:
    reading = Reading(
        post.network,
        post.id,
        sentiment=Sentiment("negative", negative, 1 - negative, 0.0),
        intent=Reading("", "").intent,
    )
    facts = PersonFacts(negative=tuple(NOON - dt.timedelta(days=day) for day in range(before, 0, -1)))
    decision = RULES.decide(post, reading, Score(), facts, (), Circumstances(NOON, handles=frozenset({"fernway"})))
    return [effect.argument for effect in decision.effects if effect.verb == "escalate"]


@pytest.mark.parametrize(("before", "reached"), [(0, []), (2, []), (3, ["repeated"]), (9, ["repeated"])])
def test_whoever_is_negative_again_and_again_reaches_a_step(
    make_post: Callable[..., Any], before: int, reached: list[str]
) -> None:
    assert steps(make_post("This is bad"), before=before) == reached


def test_what_is_not_negative_reaches_none_however_much_was_before(make_post: Callable[..., Any]) -> None:
    assert steps(make_post("Hello"), negative=0.1, before=9) == []


@pytest.mark.parametrize("text", ["My LAWYER will call you", "I was injured", "Ich gehe zur Verbraucherzentrale"])
def test_certain_words_to_us_reach_a_step(make_post: Callable[..., Any], text: str) -> None:
    assert steps(make_post(f"@fernway {text}", mentions=("fernway",)), negative=0.1) == ["words"]
    assert steps(make_post(text), negative=0.1) == []


def test_a_word_that_only_looks_like_one_reaches_none(make_post: Callable[..., Any]) -> None:
    assert steps(make_post("@fernway the lawyers' ball", mentions=("fernway",)), negative=0.1) == []
