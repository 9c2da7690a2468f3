"""Threads into conversations: connected chains of replies, in whatever order they arrive.

Every id that a post names (its own, the one it answers, its root) is a `ThreadLink`. Posts that share a link are one
conversation; a late post that connects two makes them one. So the result is the connected components of the reply
graph, and the order of arrival cannot change it.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection

from rapport.core.post import Post
from rapport.store.models import Conversation
from rapport.store.queries.ingest import StoredPost
from rapport.store.queries.sql import insert_rows, reserve_ids, select_in, update_rows

Key = tuple[str, str]
#: stands in the place of a network for a conversation that exists already
_CONVERSATION = "\0"
#: how much a state asks for a person; when two conversations become one the higher one stays
_ACTIVITY = ("merged", "unopened", "resolved", "folded", "quarantined", "snoozed", "pending", "open")
#: tables whose rows go along when their conversation becomes part of another one
MOVED = (
    *("threadlink", "note", "approval", "delivery", "ruleeffect", "task", "escalation"),
    *("draftreturn", "draftversion", "draftuse", "attachment", "offer", "invitation", "campaignpost"),
)
_REPOST_PREFIX = re.compile(r"^RT @\w+:?\s*", re.IGNORECASE)


def thread_keys(post: Post) -> list[Key]:
    """The ids that tie this post to others, its own first."""
    keys = [(post.network, post.id)]
    if post.in_reply_to:
        keys.append((post.network, post.in_reply_to))
    if post.thread:
        keys.append((post.network, post.thread))
    if post.kind == "repost" and len(keys) == 1:
        # nobody told us the original: reposts of the same words still collapse onto one another
        words = _REPOST_PREFIX.sub("", post.text).casefold().split()
        digest = hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()
        keys.append((post.network, f"repost:{digest}"))
    return keys


class Linked:
    """What linking a batch of posts did."""

    def __init__(self) -> None:
        #: row id of a post -> conversation id
        self.conversations: dict[int, int] = {}
        #: ids of conversations that are to be made -> network and channel
        self.new: dict[int, tuple[str, int]] = {}
        #: conversation that was absorbed -> the one that lives on
        self.merged: dict[int, int] = {}


def link_posts(workspace_id: int, posts: Sequence[tuple[int, Post]], stored: Mapping[int, StoredPost]) -> Linked:
    """Put posts into conversations. The new ones have an id and no row yet: `refresh` inserts them as they stand.

    The caller holds the workspace's lock, so two workers cannot open the same thread twice.
    """
    groups = _Groups()
    for _, post in posts:
        groups.join(thread_keys(post))
    known = _known_links(workspace_id, list(groups.parent))
    for key, conversation in known.items():
        groups.join([key, (_CONVERSATION, str(conversation))])
    members: dict[Key, list[Key]] = defaultdict(list)
    for key in groups.parent:
        members[groups.root(key)].append(key)
    done = Linked()
    chosen: dict[Key, int] = {}
    fresh: list[Key] = []
    for root, keys in members.items():
        found = sorted(int(external) for network, external in keys if network == _CONVERSATION)
        if found:
            chosen[root] = found[0]
            done.merged.update(dict.fromkeys(found[1:], found[0]))
        else:
            fresh.append(root)
    first_channel = {groups.root((post.network, post.id)): stored[row].channel for row, post in reversed(posts)}
    for root, conversation in zip(fresh, reserve_ids("store_conversation", len(fresh)), strict=True):
        chosen[root] = conversation
        done.new[conversation] = (root[0], first_channel[root])
    links = [
        (key, chosen[root])
        for root, keys in members.items()
        for key in keys
        if key not in known and key[0] != _CONVERSATION
    ]
    _store_links(workspace_id, links)
    _absorb(done.merged)
    for row, post in posts:
        done.conversations[row] = chosen[groups.root((post.network, post.id))]
    moved = [(to, row) for row, to in done.conversations.items() if stored[row].conversation != to]
    update_rows("store_post", ("conversation_id",), moved)
    return done


class _Groups:
    """Union-find over the keys of one batch."""

    def __init__(self) -> None:
        self.parent: dict[Key, Key] = {}

    def root(self, key: Key) -> Key:
        while self.parent[key] != key:
            self.parent[key] = self.parent[self.parent[key]]
            key = self.parent[key]
        return key

    def join(self, keys: Sequence[Key]) -> None:
        for key in keys:
            self.parent.setdefault(key, key)
        first = self.root(keys[0])
        for key in keys[1:]:
            self.parent[self.root(key)] = first


def _known_links(workspace_id: int, keys: Iterable[Key]) -> dict[Key, int]:
    by_network: dict[str, list[str]] = defaultdict(list)
    for network, external in keys:
        by_network[network].append(external)
    found: dict[Key, int] = {}
    for network, externals in by_network.items():
        rows = select_in(
            "SELECT external_id, conversation_id FROM store_threadlink "
            "WHERE workspace_id = %s AND network = %s AND external_id {among}",
            [workspace_id, network],
            externals,
        )
        found.update({(network, external): conversation for external, conversation in rows})
    return found


def _absorb(merged: dict[int, int]) -> None:
    """Move everything that hangs on the losers to the winners; a winner takes over who was at work on it."""
    pairs = [(winner, loser) for loser, winner in merged.items()]
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE store_post SET conversation_id = %s WHERE conversation_id = %s", pairs)
        for table in MOVED:
            cursor.executemany(
                f"UPDATE store_{table} SET conversation_id = %s WHERE conversation_id = %s",  # noqa: S608  (our names)
                pairs,
            )
        # one machine's word a conversation: where both had one, the winner's stands
        cursor.executemany(
            "UPDATE store_acknowledgement SET conversation_id = %s WHERE conversation_id = %s "
            "AND NOT EXISTS (SELECT 1 FROM store_acknowledgement b WHERE b.conversation_id = %s)",
            [(winner, loser, winner) for winner, loser in pairs],
        )
        # a tag stands once on a conversation, and one that was taken away there does not come back with the other's
        cursor.executemany(
            "UPDATE store_conversationtag SET conversation_id = %s WHERE conversation_id = %s "
            "AND name NOT IN (SELECT name FROM store_conversationtag WHERE conversation_id = %s)",
            [(winner, loser, winner) for winner, loser in pairs],
        )
        # a person's word about how pressing it is: where both have one, the winner's stands
        cursor.executemany(
            "UPDATE store_scorecorrection SET conversation_id = %s WHERE conversation_id = %s AND removed_at IS NULL "
            "AND NOT EXISTS (SELECT 1 FROM store_scorecorrection b WHERE b.conversation_id = %s "
            "AND b.removed_at IS NULL)",
            [(winner, loser, winner) for winner, loser in pairs],
        )
    for loser, winner in sorted(merged.items()):
        _absorb_work(Conversation.objects.get(pk=loser), Conversation.objects.get(pk=winner))


def _absorb_work(loser: Conversation, winner: Conversation) -> None:
    """Drafts, assignee, state and score. Two drafts of one person become one text: nothing typed is lost."""
    for draft in loser.drafts.all():
        kept = winner.drafts.filter(author=draft.author).first()
        if kept is None:
            draft.conversation = winner
            draft.save(update_fields=["conversation"])
        elif draft.author is not None and draft.text and draft.text not in kept.text:
            kept.text = f"{kept.text}\n\n{draft.text}".strip()
            kept.save(update_fields=["text"])
    loser.drafts.all().delete()
    if _ACTIVITY.index(loser.state) > _ACTIVITY.index(winner.state):
        winner.state, winner.snoozed_until = loser.state, loser.snoozed_until
    winner.assignee_id = winner.assignee_id or loser.assignee_id
    winner.opened_at = min(filter(None, (winner.opened_at, loser.opened_at)), default=None)
    winner.basket_id = winner.basket_id or loser.basket_id
    if winner.score_by_hand is None and loser.score_by_hand is not None:
        winner.score = winner.score_by_hand = loser.score_by_hand
    winner.save(update_fields=["state", "snoozed_until", "assignee", "opened_at", "basket", "score", "score_by_hand"])
    loser.state, loser.merged_into, loser.waiting_since = Conversation.State.MERGED, winner.pk, None
    loser.save(update_fields=["state", "merged_into", "waiting_since"])


def _store_links(workspace_id: int, links: Sequence[tuple[Key, int]]) -> None:
    rows = [(workspace_id, network, external, conversation) for (network, external), conversation in links]
    insert_rows("store_threadlink", ("workspace_id", "network", "external_id", "conversation_id"), rows)
