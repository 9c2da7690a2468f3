"""Reads around the score: versions of the weights, what other weights would change, scores that stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from django.db.models import QuerySet

from rapport.core.decision import Outcome as Judgement
from rapport.core.decision import Score
from rapport.core.score import URGENT, Weights, score_again
from rapport.store.models import (
    Conversation,
    Handle,
    Membership,
    Outcome,
    Post,
    ScoreCorrection,
    ScoreWeights,
    Workspace,
)
from rapport.store.queries.conversations import refresh
from rapport.store.queries.desk import PRIORITY_POINTS, presses, pressure, visible_conversations, waiting_points
from rapport.store.queries.sql import open_cursor, select_in
from rapport.store.queries.threads import Linked

#: posts that a preview looks at, and those that it lists
LOOKED_AT, LISTED = 200, 20
#: a bar of the histogram covers so many points
BIN = 10
#: conversations that get their new score when the weights change, the newest ones; others get it with their next word
MOST_RESCORED = 5_000

_decoder = msgspec.json.Decoder(Judgement)
_encoder = msgspec.json.Encoder()


# ------------------------------------------------------------------ versions


def list_weights(workspace: Workspace) -> QuerySet[ScoreWeights]:
    """Every version of the weights, newest first."""
    return ScoreWeights.objects.of(workspace).select_related("author__user").order_by("-version")


def newest_version(workspace: Workspace) -> int:
    """The version that is in force; 0 for the shipped weights."""
    return ScoreWeights.objects.of(workspace).order_by("-version").values_list("version", flat=True).first() or 0


# ------------------------------------------------------------------ what other weights would change


class Candidate(msgspec.Struct, frozen=True):
    """One of the posts that weights are tried on."""

    post: int
    conversation: int
    author: Handle
    network: str
    text: str
    rating: float | None
    judgement: Judgement
    #: since when its conversation waits, if this post decides it and it is open
    waiting_since: dt.datetime | None


class Weighed(msgspec.Struct, frozen=True):
    """A post with its score before and after."""

    candidate: Candidate
    old: float
    new: float
    #: from 1 for the most pressing one
    old_place: int
    new_place: int

    @property
    def rise(self) -> int:
        """Places that it would move up; negative: down."""
        return self.old_place - self.new_place


class Preview(msgspec.Struct, frozen=True):
    """What a draft of the weights would do to the last posts."""

    posts: int
    #: the most pressing ones by the draft
    top: tuple[Weighed, ...]
    #: posts for each `BIN` points, by the weights in force and by the draft
    old_bins: tuple[int, ...]
    new_bins: tuple[int, ...]
    #: posts that would come up to, and fall below, the urgent line
    risen: int
    fallen: int
    #: posts at or above it now, and then
    urgent_before: int
    urgent_after: int
    #: of the listed ones, those that are not among as many most pressing ones now
    fresh: int


def read_candidates(workspace: Workspace) -> list[Candidate]:
    """The last posts of others that were read by the line, newest first. Three queries."""
    newest = Outcome.objects.of(workspace).order_by("-pk").values_list("pk", flat=True)[: 2 * LOOKED_AT]
    # read by their ids alone: the workspace named again leads SQLite to an index of everything in it
    rows = Post.objects.filter(pk__in=list(newest), ours=False, deleted=False).exclude(kind="repost")
    posts = list(rows.select_related("handle", "outcome").order_by("-pk")[:LOOKED_AT])
    talks = Conversation.objects.filter(
        pk__in={post.conversation_id for post in posts if post.conversation_id}, state=Conversation.State.OPEN
    )
    waiting = dict(talks.values_list("decided_by", "waiting_since"))
    found = []
    for post in posts:
        try:
            judgement = _decoder.decode(post.outcome.body)
        except msgspec.MsgspecError:
            continue
        found.append(
            Candidate(
                post.pk, post.conversation_id or 0, post.handle, post.network, post.text[:300], post.rating, judgement,
                waiting.get(post.pk),
            )
        )  # fmt: skip
    return found


def preview(candidates: Sequence[Candidate], before: Weights, after: Weights, now: dt.datetime) -> Preview:
    """What the weights `after` would do against `before`; waiting counts for those that wait."""
    old, new = (_scores(candidates, weights, now) for weights in (before, after))
    old_places, new_places = _places(old), _places(new)
    weighed = [
        Weighed(candidate, old[row], new[row], old_places[row], new_places[row])
        for row, candidate in enumerate(candidates)
    ]
    top = tuple(sorted(weighed, key=lambda each: each.new_place)[:LISTED])
    return Preview(
        posts=len(candidates),
        top=top,
        old_bins=_bins(old),
        new_bins=_bins(new),
        risen=sum(a < URGENT <= b for a, b in zip(old, new, strict=True)),
        fallen=sum(b < URGENT <= a for a, b in zip(old, new, strict=True)),
        urgent_before=sum(value >= URGENT for value in old),
        urgent_after=sum(value >= URGENT for value in new),
        fresh=sum(each.old_place > LISTED for each in top),
    )


def _scores(candidates: Sequence[Candidate], weights: Weights, now: dt.datetime) -> list[float]:
    said = (score_again(each.judgement, each.rating, weights).value for each in candidates)
    waited = (waiting_points(each.waiting_since, now, weights) for each in candidates)
    return [round(value + points, 1) for value, points in zip(said, waited, strict=True)]


def _places(scores: Sequence[float]) -> list[int]:
    order = sorted(range(len(scores)), key=lambda row: (-scores[row], row))
    places = [0] * len(scores)
    for place, row in enumerate(order, 1):
        places[row] = place
    return places


def _bins(scores: Sequence[float]) -> tuple[int, ...]:
    counts = [0] * (100 // BIN)
    for value in scores:
        counts[min(len(counts) - 1, int(value // BIN))] += 1
    return tuple(counts)


# ------------------------------------------------------------------ scores that stand, made anew


def rescore(workspace_id: int, weights: Weights, version: int, now: dt.datetime) -> int:
    """Give the newest `MOST_RESCORED` conversations that are not done their score by other weights; how many.

    Inside a transaction that holds the lock of the workspace.
    """
    states = [Conversation.State.OPEN, Conversation.State.SNOOZED, Conversation.State.PENDING]
    rows = Conversation.objects.of(workspace_id).filter(state__in=states, decided_by__isnull=False)
    talks = list(rows.order_by("-last_post_at").values_list("pk", flat=True)[:MOST_RESCORED])
    changed: list[tuple[float, str, int]] = []
    linked = Linked()
    for post, conversation, rating, body in select_in(
        "SELECT p.id, p.conversation_id, p.rating, o.body FROM store_post p JOIN store_outcome o ON o.post_id = p.id "
        "WHERE p.conversation_id {among} AND NOT p.ours AND NOT p.deleted",
        [],
        talks,
    ):
        try:
            judgement = _decoder.decode(body)
        except msgspec.MsgspecError:  # of another release: it keeps the score that it has
            continue
        again: Score = score_again(judgement, rating, weights)
        linked.conversations[post] = conversation
        judgement = msgspec.structs.replace(judgement, score=again, weights=version)
        changed.append((again.value, _encoder.encode(judgement).decode(), post))
    if changed:
        with open_cursor() as cursor:
            cursor.executemany("UPDATE store_outcome SET score = %s, body = %s WHERE post_id = %s", changed)
        refresh(workspace_id, linked, {}, now)
    return len(set(linked.conversations.values()))


def machine_score(conversation: Conversation) -> float:
    """What the machine says of a conversation, whatever a person set."""
    rows = Outcome.objects.of(conversation.workspace_id).filter(post=conversation.decided_by or 0)
    return rows.values_list("score", flat=True).first() or 0.0


def standing_correction(conversation: Conversation) -> ScoreCorrection | None:
    """Who set the score of a conversation, and to what; None where the machine's counts."""
    if conversation.score_by_hand is None:
        return None
    rows = ScoreCorrection.objects.of(conversation.workspace_id).filter(conversation=conversation)
    return rows.filter(removed_at__isnull=True).select_related("by__user").order_by("-pk").first()


class Beside(msgspec.Struct, frozen=True):
    """The conversation right above or below another one in its list."""

    conversation: Conversation
    #: the score that would put the other one on its far side; None where none from 0 to 100 does
    value: float | None


def neighbours(
    member: Membership, conversation: Conversation, now: dt.datetime, weights: Weights
) -> tuple[Beside | None, Beside | None]:
    """(the one above, the one below) among the open ones of its basket that `member` sees. Two queries."""
    own = pressure(conversation, now, weights)
    rows = visible_conversations(member).filter(basket=conversation.basket_id, state=Conversation.State.OPEN)
    ranked = rows.exclude(pk=conversation.pk).select_related("person").annotate(place=presses(now, weights))
    above = list(ranked.filter(place__gt=own).order_by("place", "pk")[:2])
    below = list(ranked.filter(place__lte=own).order_by("-place", "pk")[:2])
    return _beside(conversation, above, 1, now, weights), _beside(conversation, below, -1, now, weights)


def _beside(
    conversation: Conversation, others: Sequence[Conversation], way: int, now: dt.datetime, weights: Weights
) -> Beside | None:
    """`others`: the next one and the one behind it; the score that leads between them."""
    if not others:
        return None
    places = [pressure(other, now, weights) for other in others]
    step = min(0.5, abs(places[-1] - places[0]) / 2) if len(others) > 1 else 0.5
    rest = conversation.priority * PRIORITY_POINTS + waiting_points(conversation.waiting_since, now, weights)
    value = round(places[0] + way * max(step, 0.01) - rest, 2)
    return Beside(others[0], value if 0 <= value <= 100 else None)
