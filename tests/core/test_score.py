"""The score: what comes first, and why."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.decision import AuthorFacts, Crisis, Decision, Outcome, PersonFacts, PileOn, Route, Score
from rapport.core.errors import InvalidInput, InvalidWeights
from rapport.core.post import Author, Post
from rapport.core.reading import Emotion, Intent, Reading, Sentiment, Toward
from rapport.core.score import (
    FACTORS,
    FULL_PILE_ON,
    INTENTS,
    RELATIONSHIPS,
    SHIPPED,
    WAITING_STEPS,
    Weights,
    find_problems,
    score,
    score_again,
    strengths,
    waiting_points,
    waiting_share,
)

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

pile_ons = st.none() | st.builds(PileOn, st.integers(1, 10_000))
crises = st.none() | st.builds(Crisis, share, st.integers(10, 10**6), st.floats(0, 10**6), st.just(3))


@st.composite
def weightings(draw: st.DrawFn) -> Weights:
    """Weights that add up to 100 or less, whatever each is."""
    parts = draw(st.lists(st.floats(0, 1), min_size=len(FACTORS), max_size=len(FACTORS)))
    scale = draw(st.floats(0, 99.999)) / max(1.0, sum(parts))
    return Weights(**{name: part * scale for name, part in zip(FACTORS, parts, strict=True)})


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


def test_of_a_cut_history_the_reason_says_that_there_may_be_more() -> None:
    facts = PersonFacts(negative=(NOW - dt.timedelta(days=2),) * 100, cut=True)
    told = "100 or more negative earlier in 30 days"
    assert reasons(score(from_somebody(), angry(), facts, NOW))["history"] == told
    few = PersonFacts(negative=facts.negative[:7], cut=True)
    assert reasons(score(from_somebody(), angry(), few, NOW))["history"] == "eighth negative in 30 days"


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


@given(posts, readings, people, weightings(), pile_ons, crises)
def test_the_points_sum_to_the_value_and_the_value_lies_within_0_and_100(
    post: Post, reading: Reading, facts: PersonFacts, weights: Weights, pile_on: PileOn | None, crisis: Crisis | None
) -> None:
    result = score(post, reading, facts, NOW, weights, pile_on, crisis)
    assert round(sum(factor.points for factor in result.factors), 1) == result.value
    assert 0 <= result.value <= 100
    assert all(factor.points > 0 and factor.reason for factor in result.factors)
    assert all(factor.points <= getattr(weights, factor.name) + 1e-6 for factor in result.factors)
    assert [factor.points for factor in result.factors] == sorted((f.points for f in result.factors), reverse=True)
    assert len({factor.name for factor in result.factors}) == len(result.factors)


@given(posts, readings, people, weightings(), pile_ons, crises)
def test_every_strength_lies_within_0_and_1(
    post: Post, reading: Reading, facts: PersonFacts, weights: Weights, pile_on: PileOn | None, crisis: Crisis | None
) -> None:
    for name, strength, _ in strengths(post, reading, facts, NOW, weights, pile_on, crisis):
        assert name in FACTORS
        assert 0 <= strength <= 1 + 1e-9


@given(posts, readings, people, weightings(), st.data())
def test_more_people_or_more_crisis_or_earlier_complaints_never_lower_the_score(
    post: Post, reading: Reading, facts: PersonFacts, weights: Weights, data: st.DataObject
) -> None:
    few, many = sorted(data.draw(st.tuples(st.integers(1, 500), st.integers(1, 500))))
    low, high = sorted(data.draw(st.tuples(share, share)))
    worse = msgspec.structs.replace(facts, negative=(*facts.negative, NOW - dt.timedelta(days=1)))
    before = score(post, reading, facts, NOW, weights, PileOn(few), Crisis(low, 30, 5.0, 3))
    after = score(post, reading, worse, NOW, weights, PileOn(many), Crisis(high, 30, 5.0, 3))
    assert after.value >= before.value


def test_a_pile_on_and_a_crisis_say_what_they_saw() -> None:
    made = reasons(score(from_somebody(), angry(), STRANGER, NOW, SHIPPED, PileOn(12), Crisis(0.5, 1_380, 6.4, 3)))
    assert made["pile_on"] == "12 people in this thread within an hour"
    assert made["crisis"] == "1,380 negative posts in 3 hours, usually 6"


def test_a_talk_among_a_few_is_no_pile_on_and_a_crisis_leaves_praise_alone() -> None:
    assert "pile_on" not in reasons(score(from_somebody(), angry(), STRANGER, NOW, SHIPPED, PileOn(3)))
    full = {f.name: f.points for f in score(from_somebody(), angry(), STRANGER, NOW, SHIPPED, PileOn(90)).factors}
    assert full["pile_on"] == SHIPPED.pile_on
    assert FULL_PILE_ON < 90
    calm = kind(sentiment=Sentiment("positive", 0.0, 0.05, 0.95))
    assert "crisis" not in reasons(score(from_somebody(), calm, STRANGER, NOW, SHIPPED, None, Crisis(1.0, 99, 1.0, 3)))


@given(posts, readings, people, weightings(), weightings(), pile_ons, crises)
def test_a_stored_outcome_is_scored_again_as_if_it_came_now(
    post: Post, reading: Reading, facts: PersonFacts, first: Weights, other: Weights, pile_on: PileOn | None,
    crisis: Crisis | None,
) -> None:  # fmt: skip
    made = score(post, reading, facts, NOW, first, pile_on, crisis)
    outcome = Outcome(
        "x", "1", (), reading, made, Decision("care"), Route("care"), facts, NOW, AuthorFacts(post.author.followers),
        pile_on=pile_on, crisis=crisis,
    )  # fmt: skip
    kept = msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome)
    assert score_again(kept, post.rating, first) == made
    assert score_again(kept, post.rating, other) == score(post, reading, facts, NOW, other, pile_on, crisis)


def test_a_history_too_long_to_be_kept_counts_in_full() -> None:
    facts = PersonFacts(negative=(NOW - dt.timedelta(days=1),) * 200)
    made = score(from_somebody(), angry(), facts, NOW)
    outcome = Outcome(
        "x", "1", (), angry(), made, Decision("care"), Route("care"), None, NOW, AuthorFacts(),
    )  # fmt: skip
    assert score_again(outcome, None, SHIPPED) == made


@given(st.floats(0, 10**6), st.floats(0, 10**6), weightings())
def test_waiting_longer_never_lowers_and_a_day_gives_all(some: float, others: float, weights: Weights) -> None:
    short, long = sorted((some, others))
    assert waiting_points(short, weights) <= waiting_points(long, weights) <= weights.waiting
    assert waiting_share(WAITING_STEPS[0][0]) == 1
    assert waiting_points(19.9, weights) == 0


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


def test_the_reference_tells_every_factor_and_share_with_its_shipped_weight() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "score.md").read_text(encoding="utf-8")
    told = {name: float(points) for name, points in re.findall(r"^\| (\w+) \| ([\d.]+) \|", page, re.MULTILINE)}
    assert {name: told.get(name) for name in FACTORS} == {name: getattr(SHIPPED, name) for name in FACTORS}
    for names, share in re.findall(r"\| ([a-z, ]+)(?: \(a fault\))? \| (\d(?:\.\d+)?) ", page):
        for name in names.split(", "):
            if name in (*INTENTS, *RELATIONSHIPS):
                assert getattr(SHIPPED, name) == float(share), name


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 100.5])
def test_a_weight_that_is_no_number_of_points_names_its_field(value: float) -> None:
    with pytest.raises(InvalidWeights) as caught:
        Weights(urgency=value)
    assert caught.value.field == "urgency"
    assert isinstance(caught.value, InvalidInput)


def test_every_problem_is_told_at_once_and_the_sum_only_where_all_are_numbers() -> None:
    assert set(find_problems({"mood": -1, "praise": 2.0, "reach": 8})) == {"mood", "praise"}
    assert find_problems({"mood": 90, "intent": 20}) == {
        "": "the weights add up to 110; take away 10, a score goes to 100 at most"
    }
    assert find_problems(msgspec.structs.asdict(SHIPPED)) == {}
    assert sum(getattr(SHIPPED, name) for name in FACTORS) == 100


def test_the_mood_toward_the_brand_is_weighed_and_named() -> None:
    post = Post("x", "1", "Acme is great, Globex is awful", NOW, Author(handle="a"))
    bad = Reading("x", "1", sentiment=Sentiment("negative", 0.8, 0.1, 0.1), emotion=Emotion(anger=0.9))
    ours = Toward("acme", "Acme", Sentiment("positive", 0.05, 0.05, 0.9), ours=True)
    whole = score(post, bad, STRANGER, NOW)
    apart = score(post, bad, STRANGER, NOW, toward=(ours,))
    assert apart.value < whole.value
    theirs = Toward("globex", "Globex", Sentiment("negative", 0.95, 0.03, 0.02))
    reasons = [factor.reason for factor in score(post, bad, STRANGER, NOW, toward=(theirs,)).factors]
    assert "negative 0.95 toward Globex, anger 0.90" in reasons
    outcome = Outcome("x", "1", (), bad, apart, Decision("care"), Route("care"), decided_at=NOW, toward=(ours,))
    assert score_again(outcome, None, SHIPPED) == apart
