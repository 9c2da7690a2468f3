"""How pressing a post is, 0 to 100, as a sum of named factors that a person can read and weigh differently.

Each factor has a strength, 0 to 1, and the workspace gives it a weight: the points that its whole strength is worth.
The ten weights add up to 100 at most, and so does every score. Nine factors are measured when a post is processed;
waiting grows with time, so the desk adds it when it sorts (`waiting_points`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, log, log10

import msgspec

from rapport.core.decision import MOST_KEPT, NOBODY, Crisis, Factor, Outcome, PersonFacts, PileOn, Score
from rapport.core.errors import InvalidWeights
from rapport.core.felt import as_felt, mood_that_counts
from rapport.core.post import Author, Post
from rapport.core.reading import Reading, Toward

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
#: So many people in one thread are a talk and no pile-on; and so many give its whole weight.
FEW_PEOPLE, FULL_PILE_ON = 3, 30
#: From this score on a post counts as urgent where scores are compared.
URGENT = 50.0
#: (waits at least so many minutes, part of the weight of waiting), longest first. Steps, so that a list can be sorted
#: by them in the database and does not reorder itself by the second.
WAITING_STEPS = ((1440, 1.0), (480, 0.75), (180, 0.5), (60, 1 / 3), (20, 1 / 6))

#: what a score is made of, in the order of the form
FACTORS = (
    "mood", "intent", "urgency", "reach", "relationship", "history", "rating", "waiting", "pile_on", "crisis",
)  # fmt: skip
#: the intents and relationships that have a share of their factor's points
INTENTS = ("complaint", "request", "question", "purchase", "report", "praise")
RELATIONSHIPS = ("journalist", "influencer", "detractor", "customer", "partner", "advocate", "prospect")
#: what the factors may give together
MOST = 100.0
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Weights(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The most points that each factor can give, and how much of them each intent and relationship is worth.

    Raises `InvalidWeights` (a ValueError) for the first of `find_problems`.
    """

    #: how negative the text feels
    mood: float = 19.0
    #: what the author wants, after the shares below
    intent: float = 24.0
    urgency: float = 12.0
    #: how many people follow the author
    reach: float = 8.0
    relationship: float = 4.0
    #: earlier negative posts of the same person
    history: float = 7.0
    #: the stars of a review, when they are few
    rating: float = 5.0
    #: how long nobody has answered
    waiting: float = 12.0
    #: many people in one thread within an hour
    pile_on: float = 5.0
    #: negative posts while the workspace hears far more of them than usual
    crisis: float = 4.0

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
        for field, problem in find_problems(msgspec.structs.asdict(self)).items():
            raise InvalidWeights(field, problem)


def find_problems(values: Mapping[str, float]) -> dict[str, str]:
    """Field of `Weights` -> what is wrong with its value and how to mend it; "" stands for the sum of the weights.

    `values` may lack fields. Empty when `Weights(**values)` would be accepted as far as these fields go.
    """
    found: dict[str, str] = {}
    for name, value in values.items():
        if not isfinite(value):
            found[name] = f"the weight {name} is not a number; write one from 0 to 100"
        elif name in FACTORS and not 0 <= value <= MOST:
            found[name] = f"the weight {name} is {value:g}; it must lie between 0 and 100"
        elif name not in FACTORS and not 0 <= value <= 1:
            found[name] = f"the share {name} is {value:g}; it must lie between 0 and 1"
    total = sum(value for name, value in values.items() if name in FACTORS)
    if not found and total > MOST + 1e-9:
        found[""] = f"the weights add up to {total:g}; take away {total - MOST:g}, a score goes to 100 at most"
    return found


#: what a workspace begins with
SHIPPED = Weights()


def score(
    post: Post,
    reading: Reading,
    facts: PersonFacts,
    now: dt.datetime,
    weights: Weights = SHIPPED,
    pile_on: PileOn | None = None,
    crisis: Crisis | None = None,
    toward: Sequence[Toward] = (),
) -> Score:
    """The score of one post, without waiting. `now` (aware) is the end of the history that counts.

    Factors without points are left out; the others come heaviest first, each cut to a tenth, and `value` is their sum.
    `toward`: the mood toward topics, which counts in place of that of the whole text.
    More anger, urgency, reach, history, people in the thread or crisis never lowers it.
    """
    return add_up(strengths(post, reading, facts, now, weights, pile_on, crisis, toward), weights)


def add_up(measured: Iterator[tuple[str, float, str]], weights: Weights) -> Score:
    """The score that follows from (factor, strength 0..1, reason)."""
    factors: list[Factor] = []
    tenths = 0
    for name, strength, reason in measured:
        points = _tenths(getattr(weights, name) * strength)
        if points:
            tenths += points
            factors.append(Factor(name, points / 10, reason))
    factors.sort(key=lambda factor: -factor.points)
    return Score(tenths / 10, tuple(factors))


def _tenths(points: float) -> int:
    # cut and not rounded: factors that are each rounded up could add up to more than the weights do
    return int(points * 10 + 1e-6)


def strengths(
    post: Post,
    reading: Reading,
    facts: PersonFacts,
    now: dt.datetime,
    weights: Weights = SHIPPED,
    pile_on: PileOn | None = None,
    crisis: Crisis | None = None,
    toward: Sequence[Toward] = (),
) -> Iterator[tuple[str, float, str]]:
    """(factor, strength 0..1, reason) for each factor that has anything to say. Of the weights only shares count."""
    mood, felt = _mood(reading, toward)
    reading = as_felt(reading, toward)
    yield "mood", mood, felt
    yield "intent", *_intent(reading, weights)
    yield "urgency", reading.urgency, f"urgency {reading.urgency:.2f}"
    followers = post.author.followers or 0
    if followers > 0:
        reach = min(1.0, log10(1 + followers) / log10(1 + FULL_REACH))
        yield "reach", reach, f"{followers:,} follower{'s' if followers > 1 else ''}"
    earlier = sum(moment > now - HISTORY for moment in facts.negative)
    if earlier:
        yield "history", min(1.0, earlier / FULL_HISTORY), _history(earlier, reading, facts)
    if post.rating is not None:
        stars = f"{post.rating:g} star{'s' if post.rating > 1 else ''}"
        yield "rating", min(1.0, max(0.0, (3.5 - post.rating) / 2.5)), stars
    if facts.relationship in RELATIONSHIPS:
        yield "relationship", getattr(weights, facts.relationship), facts.relationship
    if pile_on is not None and pile_on.people > FEW_PEOPLE:
        crowd = min(1.0, log(pile_on.people / FEW_PEOPLE) / log(FULL_PILE_ON / FEW_PEOPLE))
        yield "pile_on", crowd, f"{pile_on.people} people in this thread within {_minutes(pile_on.minutes)}"
    if crisis is not None and crisis.level > 0:
        told = f"{crisis.negative:,} negative posts in {crisis.hours} hours, usually {crisis.usual:.0f}"
        if crisis.automated:
            told += f"; {crisis.automated:,} more from accounts that look automated, which do not count"
        # a storm makes what is part of it more pressing: as much for everything would change no order
        yield "crisis", crisis.level * mood, told


def score_again(outcome: Outcome, rating: float | None, weights: Weights) -> Score:
    """The score that a stored outcome would have with other weights, from what was kept with it.

    `rating`: the stars of its post. Where the history of a person was too long to be kept, it counts in full.
    """
    return add_up(strengths_of(outcome, rating, weights), weights)


def strengths_of(
    outcome: Outcome, rating: float | None, weights: Weights = SHIPPED
) -> Iterator[tuple[str, float, str]]:
    """`strengths` of a stored outcome: nothing is read again."""
    facts, reading = outcome.facts, outcome.reading
    kept = next((factor.reason for factor in outcome.score.factors if factor.name == "history"), "")
    post = Post(outcome.network, outcome.id, "", _NEVER, Author(followers=outcome.author.followers), rating=rating)
    now = outcome.decided_at or _NEVER
    yield from strengths(post, reading, facts or NOBODY, now, weights, outcome.pile_on, outcome.crisis, outcome.toward)
    if facts is None and kept:
        yield "history", 1.0, kept


def waiting_share(minutes: float) -> float:
    """The strength of waiting, 0..1."""
    return next((share for least, share in WAITING_STEPS if minutes >= least), 0.0)


def waiting_points(minutes: float, weights: Weights = SHIPPED) -> float:
    """What waiting for so many minutes adds to the score of a conversation, in points."""
    return _tenths(weights.waiting * waiting_share(minutes)) / 10


def _minutes(minutes: int) -> str:
    return "an hour" if minutes == 60 else f"{minutes} minutes"


def _mood(reading: Reading, toward: Sequence[Toward]) -> tuple[float, str]:
    apart = mood_that_counts(reading, toward)
    negative = (reading if apart is None else apart).sentiment.negative
    anger = reading.emotion.anger if apart is None or apart.sentiment.label == "negative" else 0.0
    reason = (
        f"negative {negative:.2f}"
        + (f" toward {apart.name}" if apart else "")
        + (f", anger {anger:.2f}" if anger >= NAMED else "")
    )
    return negative + (1 - negative) * ANGER * anger, reason


def _intent(reading: Reading, weights: Weights) -> tuple[float, str]:
    """The intents add up as independent causes do: 1 - product of (1 - share * probability)."""
    missing = 1.0
    found: list[tuple[float, float, str]] = []
    for name in INTENTS:
        probability = getattr(reading.intent, name)
        share = getattr(weights, name) * probability
        missing *= 1 - share
        found.append((share, probability, name))
    found.sort(key=lambda item: -item[0])
    clear = [f"{name} {probability:.2f}" for _, probability, name in found if probability >= NAMED]
    return 1 - missing, ", ".join(clear[:2]) or "no clear intent"


def _history(earlier: int, reading: Reading, facts: PersonFacts) -> str:
    days = HISTORY.days
    if facts.cut and earlier >= MOST_KEPT:
        return f"{earlier} or more negative earlier in {days} days"
    if reading.sentiment.label == "negative":
        return f"{_ordinal(earlier + 1)} negative in {days} days"
    return f"{earlier} negative earlier in {days} days"


def _ordinal(number: int) -> str:
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    if number <= len(words):
        return words[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
