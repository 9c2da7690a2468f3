"""The layout of "Customer Support on Twitter": one row a tweet, customers as numbers, brands by handle."""

from __future__ import annotations

import html
from collections.abc import Mapping

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Post
from rapport.networks.files.cells import as_id, as_time, as_truth, derived_id
from rapport.networks.files.entities import find_entities, is_repost

TITLE = "Customer Support on Twitter"
NETWORK = "x"
REQUIRED = ("tweet_id", "author_id", "inbound", "created_at", "text", "in_response_to_tweet_id")
OPTIONAL = ("response_tweet_id",)


def parse(row: Mapping[str, str]) -> tuple[Post, ...]:
    """One row -> one post. What is not inbound was written by a brand's own team, so it is ours.

    Threads come from `in_response_to_tweet_id` alone; columns that name a thread's root are somebody's
    reconstruction and are not read. Raises `InvalidPost`.
    """
    author = as_id(row["author_id"], "author_id")
    if not author:
        raise InvalidPost("author_id", "must not be empty")
    text = html.unescape(row["text"])
    parent = as_id(row["in_response_to_tweet_id"], "in_response_to_tweet_id") or None
    entities = find_entities(text)
    post = Post(
        network=NETWORK,
        id=as_id(row["tweet_id"], "tweet_id") or derived_id(author, row["created_at"], row["text"]),
        text=text,
        created_at=as_time(row["created_at"], "created_at"),
        author=Author(id=author, handle=author, ours=not as_truth(row["inbound"], "inbound")),
        kind="repost" if is_repost(text) else "reply" if parent else "post",
        in_reply_to=parent,
        mentions=entities.mentions,
        hashtags=entities.hashtags,
        links=entities.links,
    )
    return (post,)
