"""The straight line: what happens to a post between hearing it and showing it to a person.

Pure: no clock, no database, no network. What the world knows arrives as a `Snapshot`, the time as `now`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from rapport.core.copies import fingerprints, may_be_copied
from rapport.core.decision import (
    MOST_KEPT,
    NEW,
    NOBODY,
    UNTOLD,
    AccountScore,
    AuthorFacts,
    ConversationFacts,
    Crisis,
    Decision,
    Outcome,
    PersonFacts,
    PileOn,
    Route,
    Score,
)
from rapport.core.felt import as_felt
from rapport.core.post import TO_US, Author, Post
from rapport.core.query import Matcher
from rapport.core.reading import Reading, Toward
from rapport.core.route import TeamLoad, route
from rapport.core.rules import Circumstances, RuleSet
from rapport.core.rules.cut import cut_history
from rapport.core.score import FEW_PEOPLE, SHIPPED, Weights, score
from rapport.core.threads import conversations_before
from rapport.core.toward import Aims
from rapport.core.understand import Reader
from rapport.core.understand.accounts import PROBABLE, knowing, score_author
from rapport.core.understand.corrected import Corrected, apply, text_key

#: whoever spoke in a thread within this time is part of a pile-on
PILE_ON = dt.timedelta(hours=1)


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that a workspace knows at this moment and that the line may use."""

    #: the standing queries, compiled
    matcher: Matcher
    #: language, sentiment, intent and the rest
    reader: Reader
    rules: RuleSet
    #: who works where and how much they have
    load: TeamLoad
    #: (network, author key) -> what was known of the author before this batch
    people: Mapping[tuple[str, str], PersonFacts] = {}
    #: whether the desk is staffed now
    business_hours: bool = True
    #: our own handles in lower case without @; empty = not known, then any mention counts as one of ours
    handles: frozenset[str] = frozenset()
    #: the time zone in which rules ask for the hour and the day
    zone: dt.tzinfo = dt.UTC
    weights: Weights = SHIPPED
    #: the version of the weights; 0 for the shipped ones
    weights_version: int = 0
    #: (network, id of a post that is answered in this batch) -> keys of those who spoke in its thread within `PILE_ON`,
    #: without accounts that look automated
    crowds: Mapping[tuple[str, str], frozenset[str]] = {}
    #: what the workspace goes through now; None: nothing unusual
    crisis: Crisis | None = None
    #: text key -> what people said of the readings of texts that say this
    corrections: Mapping[str, Corrected] = {}
    #: what the topics point at; None: one mood for the whole text
    aims: Aims | None = None
    #: names of the fields that drafts beside the rules, and rules of approval, read: these are kept with the outcome
    asks: frozenset[str] = frozenset()
    #: (network, id of a post that is named in this batch) -> the conversation it is in; only where a rule asks for it
    conversations: Mapping[tuple[str, str], ConversationFacts] = {}


def process(posts: Sequence[Post], snapshot: Snapshot, now: dt.datetime) -> list[Outcome]:
    """Posts -> outcomes, one each, in the same order."""
    topics = match(posts, snapshot)
    readings = understand(posts, snapshot, topics)
    toward = feel(posts, topics, readings, snapshot)
    moods = list(map(as_felt, readings, toward))
    people = remember(posts, moods, snapshot)
    talks = recall(posts, moods, snapshot)
    accounts = suspect(posts, people)
    crowds = gather(posts, accounts, snapshot, now)
    scores = weigh(posts, readings, toward, people, crowds, snapshot, now)
    known = list(map(knowing, people, accounts))
    decisions = decide(posts, readings, toward, scores, known, talks, topics, snapshot, now)
    routes = send_to(decisions, people, snapshot)
    kept = keep(posts, people, crowds, accounts, toward, talks, snapshot, now)
    return [
        Outcome(post.network, post.id, *made, *inputs)
        for post, *made, inputs in zip(posts, topics, readings, scores, decisions, routes, kept, strict=True)
    ]


def decide_again(
    posts: Sequence[Post], outcomes: Sequence[Outcome], snapshot: Snapshot, now: dt.datetime
) -> list[Decision]:
    """What the rules of `snapshot` say of posts that went through the line with other rules, from the same facts."""
    readings = [outcome.reading for outcome in outcomes]
    toward = [outcome.toward for outcome in outcomes]
    moods = list(map(as_felt, readings, toward))
    people = list(map(knowing, remember(posts, moods, snapshot), [outcome.account for outcome in outcomes]))
    scores = [outcome.score for outcome in outcomes]
    topics = [outcome.topics for outcome in outcomes]
    return decide(posts, readings, toward, scores, people, recall(posts, moods, snapshot), topics, snapshot, now)


def fingerprint(posts: Sequence[Post]) -> list[bytes]:
    """What each post says, in a form that tells near-copies; empty for short ones and those that never fold. Who copied
    whom depends on the order in which posts are recorded, so it is judged there.
    """
    return fingerprints([post.text if may_be_copied(post) else "" for post in posts])


def match(posts: Sequence[Post], snapshot: Snapshot) -> list[tuple[str, ...]]:
    """Which standing queries each post answers."""
    return snapshot.matcher.match(posts)


def understand(posts: Sequence[Post], snapshot: Snapshot, topics: Sequence[tuple[str, ...]]) -> list[Reading]:
    """What each post says, with the word of a person where somebody corrected the same words. What answers a topic or
    speaks to us is worth a second look where the first is unsure.
    """
    readings = snapshot.reader.read(
        posts, [_matters(post, of, snapshot) for post, of in zip(posts, topics, strict=True)]
    )
    if not snapshot.corrections:
        return readings
    said = [snapshot.corrections.get(text_key(post.text), {}) for post in posts]
    return [apply(reading, told) if told else reading for reading, told in zip(readings, said, strict=True)]


def feel(
    posts: Sequence[Post], topics: Sequence[tuple[str, ...]], readings: Sequence[Reading], snapshot: Snapshot
) -> list[tuple[Toward, ...]]:
    """The mood toward what the topics of each post point at, where it may differ from the mood of the whole."""
    if snapshot.aims is None or not any(topics):
        return [()] * len(posts)
    return snapshot.aims.feel(posts, topics, readings, snapshot.reader.targets)


def _matters(post: Post, topics: tuple[str, ...], snapshot: Snapshot) -> bool:
    if topics or post.kind in TO_US:
        return not post.author.ours
    return any(handle.lower() in snapshot.handles for handle in post.mentions)


def remember(posts: Sequence[Post], readings: Sequence[Reading], snapshot: Snapshot) -> list[PersonFacts]:
    """What was known of each author just before the post: the snapshot, and what they said earlier in this batch."""
    known = dict(snapshot.people)
    before: list[PersonFacts] = []
    for post, reading in zip(posts, readings, strict=True):
        key = (post.network, post.author.key)
        facts = known.get(key, NOBODY)
        before.append(facts)
        at, mood = post.created_at, reading.sentiment.label
        known[key] = msgspec.structs.replace(
            facts,
            posts=(*facts.posts, at),
            negative=(*facts.negative, at) if mood == "negative" else facts.negative,
            positive=(*facts.positive, at) if mood == "positive" else facts.positive,
        )
    return before


def recall(
    posts: Sequence[Post], readings: Sequence[Reading], snapshot: Snapshot
) -> Sequence[ConversationFacts | None]:
    """What was known of the conversation of each post just before it; None where nobody asks for it."""
    if not any(name.startswith("conversation.") for name in snapshot.rules.asks | snapshot.asks):
        return [None] * len(posts)
    return conversations_before(posts, [reading.sentiment.label for reading in readings], snapshot.conversations)


def suspect(posts: Sequence[Post], people: Sequence[PersonFacts]) -> list[AccountScore | None]:
    """How likely each author's account is automated; None where nothing tells, and for our own."""
    return [score_author(post, facts) for post, facts in zip(posts, people, strict=True)]


def gather(
    posts: Sequence[Post], accounts: Sequence[AccountScore | None], snapshot: Snapshot, now: dt.datetime
) -> list[PileOn | None]:
    """How many people speak in the thread of each post at once: those known, and those of this batch.

    Accounts that look automated are no people: machines alone, however many, are no pile-on.
    """
    spoke: dict[tuple[str, str], set[str]] = {}
    machines: dict[str, set[str]] = {}
    for post, account in zip(posts, accounts, strict=True):
        if account is not None and account.bot >= PROBABLE:
            machines.setdefault(post.network, set()).add(post.author.key)
    found: list[PileOn | None] = []
    for post in posts:
        if post.author.ours or post.created_at < now - PILE_ON:
            found.append(None)
            continue
        names = {(post.network, name) for name in (post.id, post.in_reply_to, post.thread) if name}
        crowd = {post.author.key}
        for name in names:
            crowd |= spoke.get(name) or snapshot.crowds.get(name, frozenset())
        crowd -= machines.get(post.network, set())
        spoke.update((name, crowd) for name in names)
        found.append(PileOn(len(crowd), PILE_ON // dt.timedelta(minutes=1)) if len(crowd) > FEW_PEOPLE else None)
    return found


def weigh(
    posts: Sequence[Post],
    readings: Sequence[Reading],
    toward: Sequence[tuple[Toward, ...]],
    people: Sequence[PersonFacts],
    crowds: Sequence[PileOn | None],
    snapshot: Snapshot,
    now: dt.datetime,
) -> list[Score]:
    """How pressing each post is, with its factors."""
    return [
        score(post, reading, facts, now, snapshot.weights, pile_on, snapshot.crisis, felt)
        for post, reading, felt, facts, pile_on in zip(posts, readings, toward, people, crowds, strict=True)
    ]


def decide(
    posts: Sequence[Post],
    readings: Sequence[Reading],
    toward: Sequence[tuple[Toward, ...]],
    scores: Sequence[Score],
    people: Sequence[PersonFacts],
    talks: Sequence[ConversationFacts | None],
    topics: Sequence[tuple[str, ...]],
    snapshot: Snapshot,
    now: dt.datetime,
) -> list[Decision]:
    """What the rules say about each post."""
    at = Circumstances(now, snapshot.business_hours, snapshot.zone, snapshot.handles)
    return [
        snapshot.rules.decide(post, reading, value, facts, slugs, at, felt, talk or NEW)
        for post, reading, felt, value, facts, talk, slugs in zip(
            posts, readings, toward, scores, people, talks, topics, strict=True
        )
    ]


def send_to(decisions: Sequence[Decision], people: Sequence[PersonFacts], snapshot: Snapshot) -> list[Route]:
    """Basket and person for each post."""
    return [route(decision, facts, snapshot.load) for decision, facts in zip(decisions, people, strict=True)]


def keep(
    posts: Sequence[Post],
    people: Sequence[PersonFacts],
    crowds: Sequence[PileOn | None],
    accounts: Sequence[AccountScore | None],
    toward: Sequence[tuple[Toward, ...]],
    talks: Sequence[ConversationFacts | None],
    snapshot: Snapshot,
    now: dt.datetime,
) -> list[tuple[object, ...]]:
    """What each decision was made from and the store forgets: the last fields of `Outcome`, in their order."""
    handles = tuple(sorted(snapshot.handles))
    return [
        (
            facts if len(facts.posts) <= MOST_KEPT and len(facts.answers) <= MOST_KEPT else cut_history(facts),
            now,
            _told_of(post.author),
            post.edited_at,
            snapshot.business_hours,
            handles if post.mentions else (),
            pile_on,
            snapshot.crisis,
            snapshot.weights_version,
            account,
            felt,
            talk,
        )
        for post, facts, pile_on, account, felt, talk in zip(
            posts, people, crowds, accounts, toward, talks, strict=True
        )
    ]


def _told_of(author: Author) -> AuthorFacts:
    if author.followers is author.following is author.posts is None and not author.verified and not author.bot:
        return UNTOLD  # the default itself is left out of the JSON
    return AuthorFacts(author.followers, author.following, author.posts, author.verified, author.bot)
