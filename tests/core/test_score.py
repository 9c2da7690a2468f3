"""The score: what comes first, and why."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.decision import PersonFacts, Score
from rapport.core.post import Author, Post
from rapport.core.reading import Emotion, Intent, Reading, Sentiment
from rapport.core.score import Weights, score

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
STRANGER = PersonFacts()

share = st.floats(0, 1)
intents = st.builds(Intent, *[share] * 6)
readings = st.builds(
    lambda negative, intent, anger, urgency: Reading(
        "x", "1", sentiment=Sentiment("negative", negative, 1 - negative, 0.0), intent=intent,
        emotion=Emotion(anger=anger), urgency=urgency,
    ),
    share, intents, share, share,
)  # fmt: skip
posts = st.builds(
    lambda followers, rating: Post("x", "1", "t", NOW, Author(handle="a", followers=followers), rating=rating),
    st.none() | st.integers(-1, 10**9), st.none() | st.floats(1, 5),
)  # fmt: skip
moments = st.datetimes(dt.datetime(2026, 8, 1), dt.datetime(2026, 11, 21), timezones=st.just(dt.UTC))  # noqa: DTZ001
people = st.builds(
    lambda negative, relationship: PersonFacts(negative=tuple(sorted(negative)), relationship=relationship),
    st.lists(moments, max_size=6),
    st.sampled_from(["", "customer", "journalist", "competitor", "colleague", "influencer", "something else"]),
)


def angry(**changes: object) -> Reading:
    reading = Reading(
        "x", "1", sentiment=Sentiment("negative", 0.93, 0.05, 0.02), intent=Intent(complaint=0.9), urgency=0.6
    )
    return msgspec.structs.replace(reading, **changes)


def kind(**changes: object) -> Reading:
    reading = Reading("x", "1", sentiment=Sentiment("positive", 0.02, 0.05, 0.93), intent=Intent(praise=0.95))
    return msgspec.structs.replace(reading, **changes)


def from_somebody(followers: int | None = None, rating: float | None = None) -> Post:
    return Post("x", "1", "text", NOW, Author(handle="ann", followers=followers), rating=rating)


def reasons(value: Score) -> dict[str, str]:
    return {factor.name: factor.reason for factor in value.factors}


def test_every_factor_says_what_it_measured() -> None:
    facts = PersonFacts(negative=(NOW - dt.timedelta(days=9), NOW - dt.timedelta(days=2)), relationship="journalist")
    given_reasons = reasons(score(from_somebody(4120, 1), angry(), facts, NOW))
    assert given_reasons == {
        "mood": "negative 0.93",
        "intent": "complaint 0.90",
        "urgency": "urgency 0.60",
        "reach": "4,120 followers",
        "history": "third negative in 30 days",
        "rating": "1 star",
        "relationship": "journalist",
    }


def test_a_calm_post_of_somebody_who_complained_before_says_so() -> None:
    facts = PersonFacts(negative=(NOW - dt.timedelta(days=2),))
    assert reasons(score(from_somebody(), kind(), facts, NOW))["history"] == "1 negative earlier in 30 days"


def test_intents_below_a_half_are_not_named() -> None:
    faint = score(from_somebody(), angry(intent=Intent(complaint=0.4, praise=0.2)), STRANGER, NOW)
    clear = score(from_somebody(), angry(intent=Intent(complaint=0.8, request=0.7, question=0.6)), STRANGER, NOW)
    assert reasons(faint)["intent"] == "no clear intent"
    assert reasons(clear)["intent"] == "complaint 0.80, request 0.70"


def test_old_complaints_do_not_count() -> None:
    facts = PersonFacts(negative=(NOW - dt.timedelta(days=31),))
    assert score(from_somebody(), angry(), facts, NOW) == score(from_somebody(), angry(), STRANGER, NOW)


def test_a_post_that_says_nothing_by_somebody_unknown_scores_nothing() -> None:
    assert score(from_somebody(), Reading("x", "1"), STRANGER, NOW) == Score(0.0, ())


def test_praise_scores_low_but_not_zero() -> None:
    assert 0 < score(from_somebody(), kind(), STRANGER, NOW).value < 15


@given(
    st.floats(0.7, 1), st.floats(0.5, 1), st.floats(0.7, 1), st.integers(0, 10**9), st.sampled_from(["", "journalist"])
)
def test_a_complaint_comes_before_a_compliment_of_anybody(
    complaint: float, negative: float, praise: float, followers: int, relationship: str
) -> None:
    complaining = angry(
        intent=Intent(complaint=complaint), sentiment=Sentiment("negative", negative, 1 - negative, 0.0), urgency=0.0
    )
    praising = kind(intent=Intent(praise=praise, complaint=0.1, question=0.1), urgency=0.1)
    first = score(from_somebody(), complaining, STRANGER, NOW)
    second = score(from_somebody(followers), praising, PersonFacts(relationship=relationship), NOW)
    assert first.value > second.value


@given(posts, readings, people)
def test_the_points_sum_to_the_value_and_the_value_lies_within_0_and_100(
    post: Post, reading: Reading, facts: PersonFacts
) -> None:
    result = score(post, reading, facts, NOW)
    assert round(sum(factor.points for factor in result.factors), 1) == result.value
    assert 0 <= result.value <= 100
    assert all(factor.points > 0 and factor.reason for factor in result.factors)
    assert [factor.points for factor in result.factors] == sorted((f.points for f in result.factors), reverse=True)


@given(posts, readings, people, share)
def test_the_angrier_the_text_the_score_is_never_lower(
    post: Post, reading: Reading, facts: PersonFacts, more: float
) -> None:
    negative = reading.sentiment.negative + (1 - reading.sentiment.negative) * more
    anger = reading.emotion.anger + (1 - reading.emotion.anger) * more
    angrier = msgspec.structs.replace(
        reading, sentiment=Sentiment("negative", negative, 1 - negative, 0.0), emotion=Emotion(anger=anger)
    )
    assert score(post, angrier, facts, NOW).value >= score(post, reading, facts, NOW).value


@given(posts, readings, people, st.sampled_from(Intent.__struct_fields__), share)
def test_a_surer_intent_never_lowers_the_score(
    post: Post, reading: Reading, facts: PersonFacts, name: str, more: float
) -> None:
    before = getattr(reading.intent, name)
    surer = msgspec.structs.replace(reading.intent, **{name: before + (1 - before) * more})
    after = msgspec.structs.replace(reading, intent=surer)
    assert score(post, after, facts, NOW).value >= score(post, reading, facts, NOW).value


@given(readings, people, st.integers(0, 10**8), st.integers(0, 10**8), st.floats(1, 5), st.floats(1, 5))
def test_more_followers_and_fewer_stars_never_lower_the_score(
    reading: Reading, facts: PersonFacts, some: int, others: int, stars: float, other_stars: float
) -> None:
    few, many = sorted((some, others))
    low, high = sorted((stars, other_stars))
    more = score(from_somebody(many, low), reading, facts, NOW).value
    assert more >= score(from_somebody(few, high), reading, facts, NOW).value


def test_weights_can_be_turned_off_one_by_one() -> None:
    result = score(from_somebody(4120), angry(), STRANGER, NOW, Weights(reach=0, urgency=0))
    assert {factor.name for factor in result.factors} == {"mood", "intent"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"mood": 90.0}, "add up to 171; take away 71"),
        ({"reach": -1.0}, "weight reach is -1"),
        ({"praise": 1.5}, "share praise is 1.5"),
    ],
)
def test_weights_that_make_no_sense_are_refused(changes: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Weights(**changes)
