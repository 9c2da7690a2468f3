"""Storing posts and their authors: each post once, whoever tells us of it and however often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection

from rapport.core.post import Author, Media, Metrics, Post
from rapport.store.models import Channel
from rapport.store.queries.sql import adapt, insert_rows, select_in

HANDLE_COLUMNS = (
    "workspace_id", "person_id", "network", "external_id", "handle", "name", "url", "bio",
    "followers", "following", "verified", "bot", "ours",
)  # fmt: skip
POST_COLUMNS = (
    "workspace_id", "channel_id", "handle_id", "network", "external_id", "kind", "text", "lang", "url",
    "created_at", "edited_at", "seen_at", "sort_at", "in_reply_to", "thread", "rating", "visibility",
    "ours", "deleted", "extra",
)  # fmt: skip


class Extra(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The parts of a post that are shown with it and never searched, as kept in `Post.extra`."""

    html: str | None = None
    mentions: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    metrics: Metrics = Metrics()


_encoder = msgspec.json.Encoder()
_extra_decoder = msgspec.json.Decoder(Extra)


def read_extra(text: str) -> Extra:
    """`Post.extra` as a struct."""
    return _extra_decoder.decode(text)


def store_handles(workspace_id: int, posts: Sequence[Post], now: dt.datetime) -> dict[tuple[str, str], int]:
    """Make or refresh a handle for every author, each new one with a person; (network, author key) -> handle id."""
    newest: dict[tuple[str, str], Author] = {}
    for post in posts:
        newest[post.network, post.author.key] = post.author
    known = _known_handles(workspace_id, newest)
    fresh = [key for key in newest if key not in known]
    if fresh:
        people = _store_people(workspace_id, len(fresh), now)
        known |= _store_new_handles(workspace_id, fresh, people, newest)
    _refresh_handles(known, newest)
    return {key: row[0] for key, row in known.items()}


def _known_handles(workspace_id: int, wanted: dict[tuple[str, str], Author]) -> dict[tuple[str, str], tuple[Any, ...]]:
    found: dict[tuple[str, str], tuple[Any, ...]] = {}
    for network in {network for network, _ in wanted}:
        keys = [key for each, key in wanted if each == network]
        rows = select_in(
            "SELECT external_id, id, handle, name, bio, followers, bot, verified FROM store_handle "
            "WHERE workspace_id = %s AND network = %s AND external_id IN ({keys})",
            [workspace_id, network],
            keys,
        )
        found.update({(network, row[0]): row[1:] for row in rows})
    return found


def _store_people(workspace_id: int, count: int, now: dt.datetime) -> list[int]:
    moment = adapt(now)
    rows = [(workspace_id, "", "", "", moment, moment, False, "")] * count
    columns = (
        "workspace_id",
        "name",
        "about",
        "relationship",
        "first_seen",
        "last_seen",
        "ignored",
        "suppressed_reason",
    )
    return [row[0] for row in insert_rows("store_person", columns, rows, returning=("id",))]


def _store_new_handles(
    workspace_id: int,
    keys: Sequence[tuple[str, str]],
    people: Sequence[int],
    authors: dict[tuple[str, str], Author],
) -> dict[tuple[str, str], tuple[Any, ...]]:
    rows = [
        (workspace_id, person, network, key, *_handle_values(authors[network, key]))
        for (network, key), person in zip(keys, people, strict=True)
    ]
    written = insert_rows(
        "store_handle",
        HANDLE_COLUMNS,
        rows,
        # two processes may meet the same author first: the later one takes the row of the earlier
        "ON CONFLICT (workspace_id, network, external_id) DO UPDATE SET handle = excluded.handle",
        ("network", "external_id", "id", "person_id"),
    )
    # RETURNING keeps no order, so a person is named from the handle that it came to belong to
    names = [
        (author.name or author.handle or author.key, person)
        for author, person in ((authors[network, key], person) for network, key, _, person in written)
    ]
    orphans = [(person,) for person in set(people) - {row[3] for row in written}]
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE store_person SET name = %s WHERE id = %s", names)
        if orphans:
            cursor.executemany("DELETE FROM store_person WHERE id = %s", orphans)
    return {(network, key): (row_id, *_facts(authors[network, key])) for network, key, row_id, _ in written}


def _handle_values(author: Author) -> tuple[Any, ...]:
    return (
        author.handle, author.name, author.url or "", author.bio or "",
        author.followers, author.following, author.verified, author.bot, author.ours,
    )  # fmt: skip


def _facts(author: Author) -> tuple[Any, ...]:
    return (author.handle, author.name, author.bio or "", author.followers, author.bot, author.verified)


def _refresh_handles(known: dict[tuple[str, str], tuple[Any, ...]], newest: dict[tuple[str, str], Author]) -> None:
    changed = []
    for key, row in known.items():
        seen = _facts(newest[key])
        # a source that tells less (no name, no counter) must not wipe what another one told
        merged = tuple(new if new not in ("", None) else old for new, old in zip(seen, row[1:], strict=True))
        if merged != tuple(row[1:]):
            changed.append((*merged, row[0]))
    if changed:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE store_handle SET handle=%s, name=%s, bio=%s, followers=%s, bot=%s, verified=%s WHERE id=%s",
                changed,
            )


def store_posts(channel: Channel, posts: Sequence[Post], now: dt.datetime) -> list[tuple[int, Post]]:
    """Store the posts that are not known yet; the new ones with their row ids, in the given order."""
    unique = {(post.network, post.id): post for post in posts}
    handles = store_handles(channel.workspace_id, list(unique.values()), now)
    rows = [_post_values(channel, handles[post.network, post.author.key], post, now) for post in unique.values()]
    written = insert_rows(
        "store_post",
        POST_COLUMNS,
        rows,
        "ON CONFLICT (workspace_id, network, external_id) DO NOTHING",
        ("network", "external_id", "id"),
    )
    ids = {(network, key): row_id for network, key, row_id in written}
    return [(ids[key], post) for key, post in unique.items() if key in ids]


def _post_values(channel: Channel, handle_id: int, post: Post, now: dt.datetime) -> tuple[Any, ...]:
    extra = Extra(post.html, post.mentions, post.hashtags, post.links, post.media, post.metrics)
    return (
        channel.workspace_id, channel.pk, handle_id, post.network, post.id, post.kind, post.text, post.lang or "",
        post.url or "", adapt(post.created_at), adapt(post.edited_at), adapt(now), adapt(min(post.created_at, now)),
        post.in_reply_to or "", post.thread or "", post.rating, post.visibility, post.author.ours, post.deleted,
        _encoder.encode(extra).decode(),
    )  # fmt: skip
