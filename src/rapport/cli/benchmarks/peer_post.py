"""The Post format as pydantic models: what the peers decode with. Bounds as in `rapport.core.post`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from rapport.core.post import MAX_BIO, MAX_ID, MAX_ITEMS, MAX_NAME, MAX_TEXT, MAX_URL

Id = Annotated[str, StringConstraints(max_length=MAX_ID)]
Required = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]
Name = Annotated[str, StringConstraints(max_length=MAX_NAME)]
Url = Annotated[str, StringConstraints(max_length=MAX_URL)]


class Media(BaseModel):
    """Something attached to a post."""

    kind: str = "image"
    url: str = ""
    alt: str = ""


class Metrics(BaseModel):
    """Public counters."""

    likes: int = 0
    reposts: int = 0
    replies: int = 0


class Author(BaseModel):
    """Who wrote it."""

    id: Id = ""
    handle: Id = ""
    name: Name = ""
    url: Url | None = None
    bio: Annotated[str, StringConstraints(max_length=MAX_BIO)] | None = None
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    created_at: AwareDatetime | None = None
    verified: bool = False
    bot: bool = False
    ours: bool = False

    @property
    def key(self) -> str:
        """Its id, or its handle where there is none."""
        return self.id or self.handle


class Post(BaseModel):
    """One utterance."""

    network: Required
    id: Required
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT)]
    created_at: AwareDatetime
    author: Author
    url: Url | None = None
    kind: Literal["post", "reply", "repost", "quote", "review", "message", "comment", "topic", "mail"] = "post"
    html: str | None = None
    lang: str | None = None
    edited_at: AwareDatetime | None = None
    deleted: bool = False
    in_reply_to: Id | None = None
    thread: Id | None = None
    mentions: Annotated[list[str], Field(max_length=MAX_ITEMS)] = []
    hashtags: Annotated[list[str], Field(max_length=MAX_ITEMS)] = []
    links: Annotated[list[str], Field(max_length=MAX_ITEMS)] = []
    media: Annotated[list[Media], Field(max_length=MAX_ITEMS)] = []
    metrics: Metrics = Metrics()
    rating: Annotated[float, Field(ge=1, le=5)] | None = None
    visibility: Literal["public", "unlisted", "private", "direct"] = "public"
