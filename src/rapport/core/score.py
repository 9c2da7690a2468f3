"""How pressing a post is, 0 to 100, as a sum of named factors that a person can read and weigh differently.

Waiting time is no part of it: it changes by the minute, and the desk adds it when it sorts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from math import log10

import msgspec

from rapport.core.decision import Factor, PersonFacts, Score
from rapport.core.post import Post
from rapport.core.reading import Reading

#: Earlier negative posts count for this long.
HISTORY = dt.timedelta(days=30)
#: So many earlier negative posts give the whole weight of the history.
FULL_HISTORY = 3
#: Followers that give the whole weight of the reach; below it grows with the logarithm.
FULL_REACH = 1_000_000
#: From this probability on, an intent is named in the reason.
NAMED = 0.5
#: How far a clear anger lifts the mood of a text on top of its negative sentiment.
ANGER = 0.3


class Weights(msgspec.Struct, frozen=True, gc=False):
    """The most points that each factor can give, and how much of them each intent and relationship is worth.

    Raises ValueError for a weight below zero, a share outside 0..1, or points that add up to more than 100.
    """

    #: how negative the text feels
    mood: float = 24.0
    #: what the author wants, after the shares below
    intent: float = 30.0
    urgency: float = 15.0
    #: how many people follow the author
    reach: float = 10.0
    #: earlier negative posts of the same person
    history: float = 9.0
    #: the stars of a review, when they are few
    rating: float = 7.0
    relationship: float = 5.0

    #: shares of the intent's points
    complaint: float = 1.0
    request: float = 0.6
    question: float = 0.55
    purchase: float = 0.6
    report: float = 0.7
    #: low, so that complaints come before compliments, and not zero, so that compliments are answered
    praise: float = 0.15

    #: shares of the relationship's points
    journalist: float = 1.0
    influencer: float = 0.9
    detractor: float = 0.8
    customer: float = 0.7
    partner: float = 0.6
    advocate: float = 0.5
    prospect: float = 0.5

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value < 0:
                raise ValueError(f"weight {name} is {value:g}; it must not be below zero")
            if name not in _FACTORS and value > 1:
                raise ValueError(f"share {name} is {value:g}; it must lie between 0 and 1")
        total = sum(getattr(self, name) for name in _FACTORS)
        if total > 100:
            raise ValueError(f"the weights add up to {total:g}; a score goes to 100 at most")


_FACTORS = ("mood", "intent", "urgency", "reach", "history", "rating", "relationship")
_INTENTS = ("complaint", "request", "question", "purchase", "report", "praise")
_RELATIONSHIPS = frozenset({"journalist", "influencer", "detractor", "customer", "partner", "advocate", "prospect"})
_DEFAULT = Weights()


def score(post: Post, reading: Reading, facts: PersonFacts, now: dt.datetime, weights: Weights = _DEFAULT) -> Score:
    """The score of one post. `now` (aware) is the end of the history that counts.

    Factors without points are left out; the others come heaviest first, each rounded to a tenth, and `value` is
    their sum. More anger, urgency, reach or history never lowers it.
    """
    factors: list[Factor] = []
    tenths = 0
    for name, strength, reason in _strengths(post, reading, facts, now, weights):
        points = round(getattr(weights, name) * strength * 10)
        if points:
            tenths += points
            factors.append(Factor(name, points / 10, reason))
    factors.sort(key=lambda factor: -factor.points)
    return Score(tenths / 10, tuple(factors))


def _strengths(
    post: Post, reading: Reading, facts: PersonFacts, now: dt.datetime, weights: Weights
) -> Iterator[tuple[str, float, str]]:
    """(factor, strength 0..1, reason) for each factor that has anything to say."""
    yield "mood", *_mood(reading)
    yield "intent", *_intent(reading, weights)
    yield "urgency", reading.urgency, f"urgency {reading.urgency:.2f}"
    followers = post.author.followers or 0
    if followers > 0:
        reach = min(1.0, log10(1 + followers) / log10(1 + FULL_REACH))
        yield "reach", reach, f"{followers:,} follower{'s' if followers > 1 else ''}"
    earlier = sum(moment > now - HISTORY for moment in facts.negative)
    if earlier:
        yield "history", min(1.0, earlier / FULL_HISTORY), _history(earlier, reading)
    if post.rating is not None:
        stars = f"{post.rating:g} star{'s' if post.rating > 1 else ''}"
        yield "rating", min(1.0, max(0.0, (3.5 - post.rating) / 2.5)), stars
    if facts.relationship in _RELATIONSHIPS:
        yield "relationship", getattr(weights, facts.relationship), facts.relationship


def _mood(reading: Reading) -> tuple[float, str]:
    negative, anger = reading.sentiment.negative, reading.emotion.anger
    reason = f"negative {negative:.2f}" + (f", anger {anger:.2f}" if anger >= NAMED else "")
    return negative + (1 - negative) * ANGER * anger, reason


def _intent(reading: Reading, weights: Weights) -> tuple[float, str]:
    """The intents add up as independent causes do: 1 - product of (1 - share * probability)."""
    missing = 1.0
    found: list[tuple[float, float, str]] = []
    for name in _INTENTS:
        probability = getattr(reading.intent, name)
        share = getattr(weights, name) * probability
        missing *= 1 - share
        found.append((share, probability, name))
    found.sort(key=lambda item: -item[0])
    clear = [f"{name} {probability:.2f}" for _, probability, name in found if probability >= NAMED]
    return 1 - missing, ", ".join(clear[:2]) or "no clear intent"


def _history(earlier: int, reading: Reading) -> str:
    days = HISTORY.days
    if reading.sentiment.label == "negative":
        return f"{_ordinal(earlier + 1)} negative in {days} days"
    return f"{earlier} negative earlier in {days} days"


def _ordinal(number: int) -> str:
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    if number <= len(words):
        return words[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
