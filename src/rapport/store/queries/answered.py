"""What people at a desk did first, as pairs to learn weights of the score from."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from itertools import islice

import msgspec

from rapport.core.decision import Outcome as Judgement
from rapport.core.score import FACTORS, strengths_of, waiting_share
from rapport.core.score_learning import Pair, Strengths
from rapport.store.models import Approval, Conversation, Post, ScoreCorrection, Workspace

#: what is learnt from: how old it may be, how many answers, and the later ones that each is compared with
LEARNT_FROM, MOST_ANSWERS, COMPARED = dt.timedelta(days=90), 1_200, 4
#: and how many words of people that one conversation presses more than another
MOST_CORRECTIONS = 500

_decoder = msgspec.json.Decoder(Judgement)
#: when somebody decided, and what
_Found = list[tuple[dt.datetime, Pair]]


class _Read(msgspec.Struct, frozen=True, gc=False):
    """A post of theirs, as far as its score depends on it."""

    #: when it was heard and when it was said
    heard: dt.datetime
    said: dt.datetime
    rating: float | None
    judgement: Judgement

    def strengths(self, at: dt.datetime) -> Strengths:
        """What it pressed with at a moment, waiting among it."""
        measured = {name: strength for name, strength, _ in strengths_of(self.judgement, self.rating)}
        measured["waiting"] = waiting_share((at - self.said) / dt.timedelta(minutes=1))
        return tuple(measured.get(name, 0.0) for name in FACTORS)


class _Answer(msgspec.Struct, frozen=True, gc=False):
    """One reply that a person approved."""

    at: dt.datetime
    conversation: int
    post: _Read


def read_pairs(workspace: Workspace, now: dt.datetime) -> list[Pair]:
    """Pairs of conversations of which people put the first before the second, oldest first: it was answered while the
    other waited in the same basket, or somebody said that it presses more. At most `MOST_ANSWERS` times `COMPARED` and
    `MOST_CORRECTIONS`, of the last `LEARNT_FROM`. Five queries.
    """
    found = [*_pairs_answered(workspace, now - LEARNT_FROM), *_pairs_said(workspace, now - LEARNT_FROM)]
    found.sort(key=lambda each: each[0])
    return [pair for _, pair in found]


def _pairs_answered(workspace: Workspace, since: dt.datetime) -> _Found:
    lanes: dict[int, list[_Answer]] = defaultdict(list)
    for basket, answer in _answers(workspace, since):
        lanes[basket].append(answer)
    found: _Found = []
    for lane in lanes.values():
        for place, first in enumerate(lane):
            later = (
                other
                for other in lane[place + 1 : place + 1 + 10 * COMPARED]
                if other.post.heard <= first.at < other.at and other.conversation != first.conversation
            )
            own = first.post.strengths(first.at)
            found += ((first.at, Pair(own, other.post.strengths(first.at))) for other in islice(later, COMPARED))
    return found


def _answers(workspace: Workspace, since: dt.datetime) -> list[tuple[int, _Answer]]:
    """(basket, answer), oldest first; several replies to one post count as one, the first."""
    rows = Approval.objects.of(workspace).filter(approved_at__gt=since, kind__isnull=True).order_by("-sequence")
    newest = list(
        rows.values_list("target_id", "approved_at", "conversation_id", "conversation__basket_id")[:MOST_ANSWERS]
    )
    posts = _read_posts({target for target, *_ in newest})
    found: dict[int, tuple[int, _Answer]] = {}
    for target, at, conversation, basket in reversed(newest):
        if target in posts and target not in found and basket is not None:
            found[target] = (basket, _Answer(at, conversation, posts[target]))
    return list(found.values())


def _pairs_said(workspace: Workspace, since: dt.datetime) -> _Found:
    """What people said by putting one conversation right above or below another."""
    rows = ScoreCorrection.objects.of(workspace).filter(at__gt=since, than__isnull=False, post__isnull=False)
    said = list(rows.order_by("-at").values_list("at", "post", "than", "value", "was")[:MOST_CORRECTIONS])
    others = dict(
        Conversation.objects.filter(pk__in={than for _, _, than, _, _ in said}).values_list("pk", "decided_by")
    )
    posts = _read_posts({post for _, own, than, _, _ in said for post in (own, others.get(than or 0)) if post})
    found: _Found = []
    for at, own, than, value, was in said:
        mine, theirs = posts.get(own or 0), posts.get(others.get(than or 0) or 0)
        if mine is None or theirs is None or value == was:
            continue
        first, second = (mine, theirs) if value > was else (theirs, mine)
        found.append((at, Pair(first.strengths(at), second.strengths(at))))
    return found


def _read_posts(ids: Collection[int]) -> dict[int, _Read]:
    """Those posts that have an outcome which can be read. One query."""
    rows = Post.objects.filter(pk__in=ids).select_related("outcome")
    found = {}
    for post in rows.only("seen_at", "sort_at", "rating", "outcome__body"):
        outcome = getattr(post, "outcome", None)
        try:
            judgement = _decoder.decode(outcome.body) if outcome is not None else None
        except msgspec.MsgspecError:  # of another release
            judgement = None
        if judgement is not None:
            found[post.pk] = _Read(post.seen_at, post.sort_at, post.rating, judgement)
    return found
