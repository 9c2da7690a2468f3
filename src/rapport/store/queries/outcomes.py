"""Writing what the line made of posts, and reading what is known about their authors."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from rapport.core.decision import Outcome, PersonFacts
from rapport.core.felt import as_felt, felt_of, intent_bits, mood_number, mood_that_counts
from rapport.core.post import Post
from rapport.core.rules.cut import STEPS
from rapport.core.thresholds import Thresholds
from rapport.store.queries.accounts import read_repeated
from rapport.store.queries.ingest import StoredPost
from rapport.store.queries.machine import SAID_BY_MACHINE
from rapport.store.queries.sql import adapt, insert_rows, moment, select_in, update_rows

#: how far back the history of a person reaches in `PersonFacts`
HISTORY = dt.timedelta(days=90)
_encoder = msgspec.json.Encoder()
_COLUMNS = (
    "post_id", "workspace_id", "sentiment", "language", "score", "basket", "priority", "quarantined", "why", "draft",
    "routed_to", "rule_set", "body", "processed_at", "intents",
)  # fmt: skip


def store_outcomes(
    workspace_id: int,
    outcomes: Sequence[tuple[int, Outcome]],
    stored: Mapping[int, StoredPost],
    counting: Thresholds,
    now: dt.datetime,
) -> None:
    """Write outcomes by the row of their post (a later one replaces an earlier one) and the topics that matched.

    `counting`: from which certainty readings count.
    """
    processed = adapt(now)
    rows = [
        (
            row, workspace_id, counting.mood(felt_of(outcome)), outcome.reading.language, outcome.score.value,
            outcome.route.basket, outcome.decision.priority, outcome.decision.quarantined, outcome.decision.why[:500],
            outcome.decision.draft or "", outcome.route.person,
            outcome.decision.rule_set, _encoder.encode(outcome).decode(), processed,
            intent_bits(outcome.reading.intent, counting),
        )
        for row, outcome in outcomes
    ]  # fmt: skip
    updates = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])
    # the caller's lock keeps others from writing outcomes: those that are missing now are missing still
    insert_rows("store_outcome", _COLUMNS, [row for row in rows if not stored[row[0]].read])
    again = [row for row in rows if stored[row[0]].read]
    insert_rows("store_outcome", _COLUMNS, again, f"ON CONFLICT (post_id) DO UPDATE SET {updates}")
    matched = sorted({slug for _, outcome in outcomes for slug in outcome.topics})
    topics = dict(
        select_in("SELECT slug, id FROM store_topic WHERE workspace_id = %s AND slug {among}", [workspace_id], matched)
    )
    matches = [
        (workspace_id, topics[slug], row, mood)
        for row, outcome in outcomes
        for slug, mood in moods_toward(outcome, counting).items()
        if slug in topics
    ]
    insert_rows(
        "store_topicmatch",
        ("workspace_id", "topic_id", "post_id", "mood"),
        matches,
        "ON CONFLICT (topic_id, post_id) DO UPDATE SET mood = excluded.mood",
    )


def moods_toward(outcome: Outcome, counting: Thresholds) -> dict[str, int | None]:
    """Slug of each topic that matched -> number of the mood toward it; None for all where the text has one mood."""
    if mood_that_counts(outcome.reading, outcome.toward) is None:
        return dict.fromkeys(outcome.topics)
    found: dict[str, int | None] = dict.fromkeys(outcome.topics, mood_number(counting.mood(outcome.reading)))
    for each in outcome.toward:
        found[each.topic] = mood_number(counting.mood(as_felt(outcome.reading, (each,))))
    return found


def read_person_facts(
    workspace_id: int, posts: Sequence[tuple[int, Post]], now: dt.datetime, asks: Collection[str] = ()
) -> dict[tuple[str, str], PersonFacts]:
    """What was known of every author before this batch: (network, author key) -> facts.

    Our answers to them and the steps of the ladder are looked up only where `asks`, the fields that rules read, needs
    them.
    """
    authors = sorted({(post.network, post.author.key) for _, post in posts})
    by_network: dict[str, list[str]] = defaultdict(list)
    for network, key in authors:
        by_network[network].append(key)
    people: dict[tuple[str, str], tuple[object, ...]] = {}
    for network, keys in by_network.items():
        rows = select_in(
            "SELECT h.external_id, p.id, p.ignored, p.suppressed_reason, p.relationship, p.first_seen, p.last_seen, "
            "p.known_to_id, h.bot_word, h.id FROM store_handle h JOIN store_person p ON p.id = h.person_id "
            "WHERE h.workspace_id = %s AND h.network = %s AND h.external_id {among}",
            [workspace_id, network],
            keys,
        )
        people.update({(network, row[0]): row[1:] for row in rows})
    numbers = sorted({int(str(row[0])) for row in people.values()})
    history = _read_history(numbers, now)
    talks = _count_conversations(workspace_id, list(history))
    times = {int(str(row[-1])): [at for at, _ in history.get(int(str(row[0])), [])] for row in people.values()}
    repeated = read_repeated(times, now)
    asks_answers, asks_steps = "person.answers" in asks, not STEPS.isdisjoint(asks)
    answers = _read_answers(workspace_id, numbers, now) if asks_answers else {}
    steps = _read_steps(numbers, now) if asks_steps else {}
    facts = {}
    for author, (person, ignored, suppressed, relationship, first, last, known_to, word, handle) in people.items():
        said = history.get(int(str(person)), [])
        # of somebody who says the first word within that time there is nothing to look up
        new = not said and first is not None and moment(first) > now - HISTORY
        copied, linked = repeated.get(int(str(handle))) or (None, None)
        facts[author] = PersonFacts(
            id=int(str(person)),
            ignored=bool(ignored),
            suppressed=bool(suppressed),
            relationship=str(relationship),
            first_seen=moment(first),
            last_seen=moment(last),
            negative=tuple(at for at, mood in said if mood == "negative"),
            positive=tuple(at for at, mood in said if mood == "positive"),
            posts=tuple(at for at, _ in said),
            conversations=talks.get(int(str(person)), 0),
            known_to=int(str(known_to)) if known_to is not None else None,
            bot_word=None if word is None else bool(word),
            copied=copied,
            linked=linked,
            answers=tuple(answers.get(int(str(person)), ())),
            escalations=tuple(steps.get(int(str(person)), ())),
            answers_read=asks_answers or new,
            steps_read=asks_steps or new,
        )
    return facts


def _read_answers(workspace_id: int, people: Sequence[int], now: dt.datetime) -> dict[int, list[dt.datetime]]:
    """When we answered in conversations with these people; a post of ours that begins one answers nobody."""
    found: dict[int, list[dt.datetime]] = defaultdict(list)
    rows = select_in(
        "SELECT c.person_id, p.sort_at FROM store_conversation c JOIN store_post p ON p.conversation_id = c.id "  # noqa: S608
        "WHERE c.workspace_id = %s AND c.person_id {among} AND p.ours AND NOT p.deleted AND p.sort_at > %s "
        f"AND (p.in_reply_to <> '' OR p.kind = 'message') AND NOT {SAID_BY_MACHINE} ORDER BY p.sort_at",
        [workspace_id],
        people,
        [adapt(now - HISTORY)],
    )
    for person, at in rows:
        found[person].append(moment(at))
    return found


def _read_steps(people: Sequence[int], now: dt.datetime) -> dict[int, list[tuple[str, dt.datetime]]]:
    found: dict[int, list[tuple[str, dt.datetime]]] = defaultdict(list)
    rows = select_in(
        "SELECT person_id, step, at FROM store_escalation WHERE person_id {among} AND at > %s ORDER BY at, id",
        [],
        people,
        [adapt(now - HISTORY)],
    )
    for person, step, at in rows:
        found[person].append((str(step), moment(at)))
    return found


def _read_history(people: Sequence[int], now: dt.datetime) -> dict[int, list[tuple[dt.datetime, str]]]:
    found: dict[int, list[tuple[dt.datetime, str]]] = defaultdict(list)
    rows = select_in(
        "SELECT h.person_id, p.sort_at, o.sentiment FROM store_handle h JOIN store_post p ON p.handle_id = h.id "
        "JOIN store_outcome o ON o.post_id = p.id WHERE h.person_id {among} AND p.sort_at > %s ORDER BY p.sort_at",
        [],
        people,
        [adapt(now - HISTORY)],
    )
    for person, at, mood in rows:
        found[person].append((moment(at), mood))
    return found


def _count_conversations(workspace_id: int, people: Sequence[int]) -> dict[int, int]:
    rows = select_in(
        "SELECT person_id, COUNT(*) FROM store_conversation WHERE workspace_id = %s AND person_id {among} "
        "GROUP BY person_id",
        [workspace_id],
        people,
    )
    return dict(rows)


def note_presence(posts: Sequence[tuple[int, Post]], stored: Mapping[int, StoredPost], now: dt.datetime) -> None:
    """Widen first and last seen of the authors by these posts."""
    known = {kept.person: (moment(kept.first_seen), moment(kept.last_seen)) for kept in stored.values()}
    spans = dict(known)
    for row, post in posts:
        at, person = min(post.created_at, now), stored[row].person
        first, last = spans[person]
        if not first <= at <= last:
            spans[person] = (min(first, at), max(last, at))
    update_rows(
        "store_person",
        ("first_seen", "last_seen"),
        [
            (adapt(first), adapt(last), person)
            for person, (first, last) in spans.items()
            if (first, last) != known[person]
        ],
        {"first_seen": "least", "last_seen": "greatest"},
    )
