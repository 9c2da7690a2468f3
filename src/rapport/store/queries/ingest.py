"""Storing posts and their authors: each post once, whoever tells us of it and however often."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from rapport.core.post import Author, Post
from rapport.store.extra import write_extra
from rapport.store.models import Channel
from rapport.store.queries.sql import adapt, insert_new, insert_rows, moment, reserve_ids, select_in, update_rows
from rapport.store.queries.suppressions import standing_reasons

#: characters of a text that the list of conversations shows
PREVIEW = 300
#: (network, the author's key there)
Key = tuple[str, str]
PERSON_COLUMNS = (
    "id", "workspace_id", "name", "about", "relationship", "first_seen", "last_seen", "ignored", "suppressed_reason",
)  # fmt: skip
HANDLE_COLUMNS = (
    "id", "workspace_id", "person_id", "network", "external_id", "handle", "name", "url", "bio",
    "followers", "following", "verified", "bot", "ours",
)  # fmt: skip
POST_COLUMNS = (
    "id", "workspace_id", "channel_id", "handle_id", "network", "external_id", "kind", "text", "lang", "url",
    "created_at", "edited_at", "seen_at", "sort_at", "in_reply_to", "thread", "rating", "visibility",
    "ours", "deleted", "extra",
)  # fmt: skip


def store_handles(workspace_id: int, posts: Sequence[Post], now: dt.datetime) -> dict[tuple[str, str], int]:
    """Make or refresh a handle for every author, each new one with a person; (network, author key) -> handle id."""
    newest: dict[Key, Author] = {(post.network, post.author.key): post.author for post in posts}
    known = _known_handles(workspace_id, newest)
    fresh = {key: author for key, author in newest.items() if key not in known}
    ids = _store_new_handles(workspace_id, fresh, now) if fresh else {}
    if missed := [key for key in fresh if key not in ids]:
        # another process met these authors in the same moment: its rows count
        known |= _known_handles(workspace_id, missed)
    _refresh_handles(known, newest)
    return ids | {key: row[0] for key, row in known.items()}


def _known_handles(workspace_id: int, wanted: Iterable[Key]) -> dict[Key, tuple[Any, ...]]:
    by_network: dict[str, list[str]] = defaultdict(list)
    for network, key in wanted:
        by_network[network].append(key)
    found: dict[Key, tuple[Any, ...]] = {}
    for network, keys in by_network.items():
        rows = select_in(
            "SELECT external_id, id, handle, name, bio, followers, bot, verified FROM store_handle "
            "WHERE workspace_id = %s AND network = %s AND external_id {among}",
            [workspace_id, network],
            keys,
        )
        found.update({(network, row[0]): row[1:] for row in rows})
    return found


def _store_new_handles(workspace_id: int, authors: Mapping[Key, Author], now: dt.datetime) -> dict[Key, int]:
    """A person and a handle for each author; the ids of the handles that were not there yet."""
    people, ids = reserve_ids("store_person", len(authors)), reserve_ids("store_handle", len(authors))
    moment = adapt(now)
    # somebody who was erased here comes back as a new person, and is still left alone if they asked for it
    alone = standing_reasons(workspace_id, [key for key, author in authors.items() if not author.ours])
    insert_rows(
        "store_person",
        PERSON_COLUMNS,
        [
            (
                person, workspace_id, author.name or author.handle or author.key, "", "", moment, moment, False,
                alone.get(key, ""),
            )
            for person, (key, author) in zip(people, authors.items(), strict=True)
        ],
    )  # fmt: skip
    rows = [
        (row, workspace_id, person, *key, *_handle_values(author))
        for row, person, (key, author) in zip(ids, people, authors.items(), strict=True)
    ]
    written = insert_new("store_handle", HANDLE_COLUMNS, rows, ("workspace_id", "network", "external_id"))
    orphans = [(person,) for row, person in zip(ids, people, strict=True) if row not in written]
    if orphans:
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM store_person WHERE id = %s", orphans)
    return {key: row for key, row in zip(authors, ids, strict=True) if row in written}


def _handle_values(author: Author) -> tuple[Any, ...]:
    return (
        author.handle, author.name, author.url or "", author.bio or "",
        author.followers, author.following, author.verified, author.bot, author.ours,
    )  # fmt: skip


def _facts(author: Author) -> tuple[Any, ...]:
    return (author.handle, author.name, author.bio or "", author.followers, author.bot, author.verified)


def _refresh_handles(known: dict[Key, tuple[Any, ...]], newest: dict[Key, Author]) -> None:
    changed = []
    for key, row in known.items():
        seen, stored = _facts(newest[key]), row[1:]
        if seen == stored:
            continue
        # a source that tells less (no name, no counter) must not wipe what another one told
        merged = tuple(new if new not in ("", None) else old for new, old in zip(seen, stored, strict=True))
        if merged != stored:
            changed.append((*merged, row[0]))
    update_rows("store_handle", ("handle", "name", "bio", "followers", "bot", "verified"), changed)


def store_posts(channel: Channel, posts: Sequence[Post], now: dt.datetime) -> list[tuple[int, Post]]:
    """Store the posts that are not known yet; the new ones with their row ids, in the given order."""
    unique = {(post.network, post.id): post for post in posts}
    handles = store_handles(channel.workspace_id, list(unique.values()), now)
    ids = reserve_ids("store_post", len(unique))
    heard = adapt(now)
    rows = [
        (row, *_post_values(channel, handles[post.network, post.author.key], post, now, heard))
        for row, post in zip(ids, unique.values(), strict=True)
    ]
    written = insert_new("store_post", POST_COLUMNS, rows, ("workspace_id", "network", "external_id"))
    return [(row, post) for row, post in zip(ids, unique.values(), strict=True) if row in written]


class StoredPost(NamedTuple):
    """A post as it lies in the store now, as far as recording its outcome needs it. Times as the driver has them."""

    conversation: int | None
    channel: int
    person: int
    #: when it was said, and when we heard it
    at: Any
    seen: Any
    ours: bool
    #: "gone" for one that is hidden or was deleted meanwhile
    kind: str
    #: its beginning; empty when it was deleted meanwhile
    text: str
    #: when the person was first and last seen
    first_seen: Any
    last_seen: Any
    #: when its author changed it last; None: never
    edited: Any
    #: it has an outcome
    read: bool
    #: row id of the account that wrote it, and what is kept of whether it is automated
    handle: int
    bot_score: float | None
    bot_reasons: str | None
    bot_word: bool | None
    #: the account says of itself that it is automated
    bot: bool

    def is_answered_by(self, post: Post) -> bool:
        """Whether an outcome that was made of `post` still says something of what stands here now."""
        if self.kind == "gone":
            return False
        if not self.read or self.edited is None:
            return True
        return post.edited_at is not None and post.edited_at >= moment(self.edited)


def read_stored(rows: Sequence[int]) -> dict[int, StoredPost]:
    """Row id -> post; without those that are gone."""
    found = select_in(
        "SELECT p.id, p.conversation_id, p.channel_id, h.person_id, p.sort_at, p.seen_at, p.ours, "
        "CASE WHEN p.deleted THEN 'gone' ELSE p.kind END, "
        "CASE WHEN p.deleted THEN '' ELSE substr(p.text, 1, %s) END, "
        "w.first_seen, w.last_seen, p.edited_at, o.post_id IS NOT NULL, "
        "h.id, h.bot_score, h.bot_reasons, h.bot_word, h.bot FROM store_post p "
        "JOIN store_handle h ON h.id = p.handle_id JOIN store_person w ON w.id = h.person_id "
        "LEFT JOIN store_outcome o ON o.post_id = p.id WHERE p.id {among}",
        [PREVIEW],
        rows,
    )
    return {row[0]: StoredPost(*row[1:]) for row in found}


def _post_values(channel: Channel, handle_id: int, post: Post, now: dt.datetime, heard: Any) -> tuple[Any, ...]:
    said = adapt(post.created_at)
    return (
        channel.workspace_id, channel.pk, handle_id, post.network, post.id, post.kind, post.text, post.lang or "",
        post.url or "", said, adapt(post.edited_at), heard, said if post.created_at <= now else heard,
        post.in_reply_to or "", post.thread or "", post.rating, post.visibility, post.author.ours, post.deleted,
        write_extra(post),
    )  # fmt: skip
