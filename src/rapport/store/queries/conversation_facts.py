"""What rules may ask about the conversation that a post belongs to, read for a whole batch."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from rapport.core.decision import ConversationFacts
from rapport.core.post import Post
from rapport.core.threads import MOST_SAID, Key, names_of
from rapport.store.queries.machine import SAID_BY_MACHINE
from rapport.store.queries.sql import adapt, moment, select_in

#: how far back what was said in a conversation is looked at, as with `PersonFacts`
HISTORY = dt.timedelta(days=90)


def read_conversation_facts(
    workspace_id: int, posts: Sequence[tuple[int, Post]], now: dt.datetime
) -> dict[Key, ConversationFacts]:
    """What was known before this batch: (network, id of a post that is named) -> its conversation, where there is one.

    The posts of the batch themselves do not count, read once more or not. Asked for only where a rule does
    (`RuleSet.asks_about`).
    """
    links = _read_links(workspace_id, posts)
    numbers = sorted(set(links.values()))
    said = _read_said(numbers, {row for row, _ in posts}, now)
    facts = {
        number: ConversationFacts(
            number, state, basket or "", assignee is not None, bool(acknowledged),
            moment(opened) if opened else None, moment(waiting) if waiting else None, *said[number],
        )
        for number, state, basket, assignee, opened, waiting, acknowledged in _read_rows(numbers)
    }  # fmt: skip
    return {key: facts[number] for key, number in links.items() if number in facts}


def _read_links(workspace_id: int, posts: Sequence[tuple[int, Post]]) -> dict[Key, int]:
    by_network: dict[str, set[str]] = defaultdict(set)
    for _, post in posts:
        by_network[post.network].update(name for _, name in names_of(post))
    links: dict[Key, int] = {}
    for network, names in by_network.items():
        rows = select_in(
            "SELECT external_id, conversation_id FROM store_threadlink "
            "WHERE workspace_id = %s AND network = %s AND external_id {among}",
            [workspace_id, network],
            sorted(names),
        )
        links.update({(network, name): number for name, number in rows})
    return links


def _read_rows(numbers: Sequence[int]) -> Any:
    return select_in(
        "SELECT c.id, c.state, b.slug, c.assignee_id, c.opened_at, c.waiting_since, "
        "EXISTS (SELECT 1 FROM store_acknowledgement a WHERE a.conversation_id = c.id) "
        "FROM store_conversation c LEFT JOIN store_basket b ON b.id = c.basket_id WHERE c.id {among}",
        [],
        numbers,
    )


def _read_said(
    numbers: Sequence[int], batch: Collection[int], now: dt.datetime
) -> dict[int, tuple[tuple[dt.datetime, ...], ...]]:
    """Times of their posts, of the negative ones among them, and of our answers, for each conversation. What a machine
    said answers nobody.
    """
    rows = select_in(
        "SELECT p.conversation_id, p.id, p.sort_at, p.ours, o.sentiment FROM store_post p "  # noqa: S608  (our names)
        "LEFT JOIN store_outcome o ON o.post_id = p.id "
        "WHERE p.conversation_id {among} AND p.sort_at > %s AND NOT p.deleted AND p.kind <> 'repost' "
        f"AND NOT (p.ours AND {SAID_BY_MACHINE}) "
        "ORDER BY p.sort_at, p.id",
        [],
        numbers,
        [adapt(now - HISTORY)],
    )
    found: dict[int, tuple[list[dt.datetime], ...]] = defaultdict(lambda: ([], [], []))
    for number, post, at, ours, mood in rows:
        if post in batch:
            continue
        theirs, negative, answers = found[number]
        when = moment(at)
        (answers if ours else theirs).append(when)
        if mood == "negative" and not ours:
            negative.append(when)
    return {number: tuple(tuple(times[-MOST_SAID:]) for times in found[number]) for number in numbers}
