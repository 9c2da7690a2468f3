"""The state of a conversation as a function of what was said in it.

Everything here is computed anew from the stored posts and their outcomes, so the order of arrival does not matter and
doing it twice changes nothing. What people decided (assignee, resolved, snoozed, a basket of their choice) stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from django.db import connection

from rapport.core.decision import PRIORITIES
from rapport.store.models import Conversation
from rapport.store.queries.sql import adapt, moment, select_in

PREVIEW = 300  # characters


class Word(msgspec.Struct, frozen=True, gc=False):
    """One post of a conversation, as far as its state depends on it."""

    post: int
    #: when it was said
    at: dt.datetime
    #: when we heard it
    seen: dt.datetime
    ours: bool
    repost: bool
    person: int
    text: str
    score: float = 0.0
    basket: str = ""
    priority: str = "medium"
    quarantined: bool = False
    why: str = ""
    draft: str = ""
    #: membership id of the colleague whom the route chose
    routed_to: int | None = None


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What the posts of a conversation add up to."""

    #: newest post of anybody
    last_post_at: dt.datetime
    #: the oldest word of theirs that nobody answered; None when the last word is ours, or all is theirs to repost
    waiting_since: dt.datetime | None
    #: the most pressing unanswered word of theirs, else their newest; None when only we spoke
    pressing: Word | None
    #: their newest word
    newest: Word | None
    #: somebody of ours spoke
    answered: bool


def stand(words: Iterable[Word], settled_at: dt.datetime | None = None) -> Standing:
    """Fold the posts of one conversation into where it stands. Pure; any order of `words` gives the same.

    `settled_at`: a person declared everything heard up to then dealt with, answered or not. A word that was said
    before and heard after still asks for an answer: nobody has read it.
    """
    ordered = sorted(words, key=lambda word: (word.at, word.post))
    ours = [word for word in ordered if word.ours]
    theirs = [word for word in ordered if not word.ours and not word.repost]
    # equal times (some networks tell whole seconds) are taken in the order of arrival
    last_ours = (ours[-1].at, ours[-1].post) if ours else None
    unanswered = [
        word
        for word in theirs
        if (last_ours is None or (word.at, word.post) > last_ours) and (settled_at is None or word.seen > settled_at)
    ]
    # a thread of reposts alone has nobody to answer, yet it must be found by its words
    newest = theirs[-1] if theirs else next((word for word in ordered if not word.ours), None)
    pressing = max(unanswered, key=lambda word: (not word.quarantined, word.score, word.at), default=newest)
    return Standing(
        last_post_at=ordered[-1].at,
        waiting_since=unanswered[0].at if unanswered else None,
        pressing=pressing,
        newest=newest,
        answered=bool(ours),
    )


def read_words(conversations: Collection[int]) -> dict[int, list[Word]]:
    """Every post of these conversations, grouped by conversation."""
    rows = select_in(
        "SELECT p.conversation_id, p.id, p.sort_at, p.seen_at, p.ours, p.kind, h.person_id, substr(p.text, 1, 300), "
        "o.score, o.basket, o.priority, o.quarantined, o.why, o.draft, o.routed_to "
        "FROM store_post p JOIN store_handle h ON h.id = p.handle_id LEFT JOIN store_outcome o ON o.post_id = p.id "
        "WHERE p.conversation_id IN ({keys})",
        [],
        list(conversations),
    )
    found: dict[int, list[Word]] = {}
    for conversation, post, at, seen, ours, kind, person, text, *outcome in rows:
        score, basket, priority, quarantined, why, draft, routed_to = outcome if outcome[0] is not None else _UNREAD
        found.setdefault(conversation, []).append(
            Word(
                post,
                moment(at),
                moment(seen),
                bool(ours),
                kind == "repost",
                person,
                text,
                score,
                basket,
                priority,
                bool(quarantined),
                why,
                draft,
                routed_to,
            )
        )
    return found


_UNREAD: tuple[Any, ...] = (0.0, "", "medium", False, "", "", None)


def refresh(workspace_id: int, touched: Collection[int], spoke: Collection[int], now: dt.datetime) -> list[int]:
    """Bring conversations in line with their posts; `spoke`: row ids of the posts that are new to them.

    Returns the ids of those that people see.
    """
    words = read_words(touched)
    baskets = dict(_baskets(workspace_id))
    rows = (
        Conversation.objects.of(workspace_id)
        .filter(pk__in=list(words))
        .only("state", "basket_id", "assignee_id", "opened_at", "version", "decided_by", "snoozed_until", "settled_at")
    )
    heard = set(spoke)
    changes = [_change(row, words[row.pk], baskets, heard, now) for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE store_conversation SET state=%s, basket_id=%s, person_id=%s, priority=%s, score=%s, preview=%s, "
            "why=%s, decided_by=%s, draft_slug=%s, opened_at=%s, waiting_since=%s, last_post_at=%s, "
            "snoozed_until=%s, assignee_id=%s, version=version+%s WHERE id=%s",
            changes,
        )
    return [change[-1] for change in changes if change[0] != Conversation.State.UNOPENED]


def _change(
    row: Conversation, words: list[Word], baskets: dict[str, int], heard: set[int], now: dt.datetime
) -> tuple[Any, ...]:
    where = stand(words, row.settled_at)
    state = next_state(row.state, where, any(word.post in heard and not word.ours for word in words))
    pressing = where.pressing
    decided = pressing.post if pressing else None
    basket = row.basket_id
    if pressing and pressing.basket and (basket is None or (decided != row.decided_by and row.assignee_id is None)):
        basket = baskets.get(pressing.basket) or basket or next(iter(baskets.values()), None)
    assignee = row.assignee_id
    if assignee is None and row.opened_at is None and pressing and state == Conversation.State.OPEN:
        assignee = pressing.routed_to
    opened = row.opened_at or (now if state == Conversation.State.OPEN else None)
    newest = where.newest
    return (
        state, basket, newest.person if newest else None,
        PRIORITIES.index(pressing.priority) if pressing else 1,
        pressing.score if pressing else 0.0,
        newest.text[:PREVIEW] if newest else "",
        pressing.why[:500] if pressing else "", decided, pressing.draft if pressing else "",
        adapt(opened), adapt(where.waiting_since), adapt(where.last_post_at),
        adapt(row.snoozed_until if state == Conversation.State.SNOOZED else None), assignee,
        int(any(word.post in heard for word in words)), row.pk,
    )  # fmt: skip


def next_state(state: str, where: Standing, they_spoke: bool) -> str:
    """The state that follows from the posts; `they_spoke`: a word of theirs is new. Pure."""
    if where.pressing is None:
        return state  # only we spoke: our own posts never open a conversation
    unseen = state in {"unopened", "quarantined"}
    if unseen and where.pressing.quarantined:
        return "quarantined"
    if unseen and (state == "unopened" or they_spoke):
        return "open" if where.waiting_since or not where.answered else "pending"
    if unseen:
        return state
    if where.waiting_since and they_spoke:
        return "open"
    answered = state == "open" and where.answered and not where.waiting_since
    return "pending" if answered else state


def _baskets(workspace_id: int) -> list[tuple[str, int]]:
    from rapport.store.models import Basket

    return list(Basket.objects.of(workspace_id).values_list("slug", "pk"))
