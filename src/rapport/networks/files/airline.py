"""The layout of "Twitter US Airline Sentiment": one row a tweet to an airline."""

from __future__ import annotations

import html
from collections.abc import Mapping

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Metrics, Post
from rapport.networks.files.cells import as_count, as_id, as_time, derived_id
from rapport.networks.files.entities import find_entities, is_repost

TITLE = "Twitter US Airline Sentiment"
NETWORK = "x"
REQUIRED = ("tweet_id", "name", "text", "tweet_created")
OPTIONAL = ("retweet_count", "airline")


def parse(row: Mapping[str, str]) -> tuple[Post, ...]:
    """One row -> one post by a customer. The labels of the data set (mood, reason) are not read.

    Raises `InvalidPost`.
    """
    handle = row["name"].strip().lstrip("@")
    if not handle:
        raise InvalidPost("name", "must not be empty")
    text = html.unescape(row["text"])
    id_ = as_id(row["tweet_id"], "tweet_id")
    entities = find_entities(text)
    post = Post(
        network=NETWORK,
        id=id_ or derived_id(handle, row["tweet_created"], row["text"]),
        text=text,
        created_at=as_time(row["tweet_created"], "tweet_created"),
        author=Author(handle=handle),
        url=f"https://x.com/{handle}/status/{id_}" if id_.isdigit() else None,
        kind="repost" if is_repost(text) else "post",
        mentions=entities.mentions,
        hashtags=entities.hashtags,
        links=entities.links,
        metrics=Metrics(reposts=as_count(row.get("retweet_count", ""))),
    )
    return (post,)
