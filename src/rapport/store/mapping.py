"""Rows of the store -> structs of the core."""

from __future__ import annotations

from rapport.core import post as vocabulary
from rapport.core.decision import UNTOLD, AuthorFacts
from rapport.store.extra import read_extra
from rapport.store.models import Handle, Post


def post_of(row: Post, told: AuthorFacts = UNTOLD) -> vocabulary.Post:
    """A stored post (with its handle) as the network told it; `told` is what it then said of the author.

    Not kept, and so empty: when the author joined. The author's id is the key by which the network knows them.
    """
    extra = read_extra(row.extra)
    return vocabulary.Post(
        network=row.network,
        id=row.external_id,
        text=row.text,
        created_at=row.created_at,
        author=author_of(row.handle, told),
        url=row.url or None,
        kind=row.kind,  # type: ignore[arg-type]  # written from the same vocabulary
        html=extra.html,
        lang=row.lang or None,
        edited_at=row.edited_at,
        deleted=row.deleted,
        in_reply_to=row.in_reply_to or None,
        thread=row.thread or None,
        mentions=extra.mentions,
        hashtags=extra.hashtags,
        links=extra.links,
        media=extra.media,
        metrics=extra.metrics,
        rating=row.rating,
        visibility=row.visibility,  # type: ignore[arg-type]
    )


def author_of(row: Handle, told: AuthorFacts = UNTOLD) -> vocabulary.Author:
    """A handle as the author of a post; the counters and marks are those of `told`."""
    return vocabulary.Author(
        id=row.external_id,
        handle=row.handle,
        name=row.name,
        url=row.url or None,
        bio=row.bio or None,
        followers=told.followers,
        following=told.following,
        posts=told.posts,
        verified=told.verified,
        bot=told.bot,
        ours=row.ours,
    )
