"""What the Instagram API (with Facebook Login) and its webhooks tell -> `Post`. Pure; raises `InvalidPost` only.

Ids of posts: a comment has Instagram's own; "media:ID" is one of our own media; "mention:MEDIA" is somebody's media
that tags or mentions us, "mention:MEDIA:COMMENT" a comment that does; messages are those of `graph_inbox`.
A top comment begins a conversation of its own, and answers to it belong to it.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import partial
from typing import Any

import msgspec

from rapport.core.post import Author, Media, Metrics, Post
from rapport.networks.backwards import Found
from rapport.networks.base import Account
from rapport.networks.graph_door import objects_in
from rapport.networks.graph_messages import read_event
from rapport.networks.payload import clean_id, moment, name_of, required_moment, take

NAME = "instagram"

REPLY_FIELDS = "id,text,timestamp,username,from{id,username},parent_id,like_count,hidden"
MEDIA_FIELDS = "id,caption,media_type,media_url,permalink,timestamp,username,like_count,comments_count"
MENTION_FIELDS = "id,text,timestamp,username,like_count,media{id,permalink}"
_MENTION = re.compile(r"(?<![\w@.])@([A-Za-z0-9_.]{1,30})")
_HASHTAG = re.compile(r"(?<![\w#&])#(\w{1,100})")


class _From(msgspec.Struct):
    id: str | int | None = None
    username: str | None = None


class _MediaOf(msgspec.Struct):
    id: str | int | None = None
    permalink: str | None = None


class _Comment(msgspec.Struct, rename={"sender": "from"}):
    id: str | int
    timestamp: str | int | None = None
    text: str | None = None
    username: str | None = None
    sender: _From | None = None
    parent_id: str | int | None = None
    like_count: int | None = None
    hidden: bool | None = None
    media: _MediaOf | None = None


class _Medium(msgspec.Struct):
    id: str | int
    timestamp: str | int
    caption: str | None = None
    media_type: str | None = None
    media_url: str | None = None
    permalink: str | None = None
    username: str | None = None
    like_count: int | None = None
    comments_count: int | None = None


class _Mention(msgspec.Struct):
    media_id: str | int
    comment_id: str | int | None = None


def parse_comment(item: Any, account: Account, at: dt.datetime | None = None, permalink: str | None = None) -> Post:
    """A comment of the API, or of a webhook, which tells no time: `at` is when it was brought."""
    told = take(item, _Comment)
    identifier = clean_id(told.id)
    parent = None if told.parent_id in {None, ""} else str(told.parent_id)
    text = told.text or ""
    return Post(
        network=NAME,
        id=identifier,
        url=permalink,
        kind="comment",
        text=text,
        created_at=moment(told.timestamp) or at or required_moment(told.timestamp, "timestamp"),
        author=_author(told.sender, told.username, identifier, account),
        in_reply_to=parent,
        thread=parent or identifier,
        mentions=_mentions(text),
        hashtags=tuple(_HASHTAG.findall(text)),
        metrics=Metrics(likes=_count(told.like_count)),
        visibility="private" if told.hidden else "public",
    )


def parse_medium(item: Any, account: Account) -> Post:
    """One of our own media."""
    return _medium(take(item, _Medium), account, "media")


def parse_tagged(item: Any, account: Account) -> Post:
    """Somebody's media in which we are tagged or mentioned."""
    return _medium(take(item, _Medium), account, "mention")


def parse_mentioning_comment(item: Any, media: str, account: Account) -> Post:
    """Somebody's comment under somebody's media that mentions us."""
    told = take(item, _Comment)
    post = parse_comment(item, account, permalink=told.media.permalink if told.media else None)
    identifier = f"mention:{media}:{clean_id(told.id)}"
    return msgspec.structs.replace(post, id=identifier, in_reply_to=None, thread=identifier)


def read_entry(entry: dict[str, Any], account: Account, now: dt.datetime, found: Found) -> None:
    """One entry of a delivery: comments, mentions, and messages."""
    at = moment(entry.get("time")) or now
    for change in objects_in(entry, "changes"):
        value, field = change.get("value"), str(change.get("field"))
        if not isinstance(value, dict):
            continue
        if field in {"comments", "live_comments"}:
            what = f"comment {name_of(value, 'id')}".strip()
            found.keep(partial(parse_comment, value, account, at), what, now)
        elif field == "mentions":
            what = f"mention {name_of(value, 'comment_id', 'media_id')}".strip()
            found.keep(partial(_announced, value, account, at), what, now)
    for event in (*objects_in(entry, "messaging"), *objects_in(entry, "standby")):
        read_event(event, NAME, account, now, found)


def mention_stream(media: str, comment: str = "") -> str:
    """The stream that reads one mention; also the id of its post."""
    return f"mention:{media}:{comment}" if comment else f"mention:{media}"


def _announced(value: dict[str, Any], account: Account, at: dt.datetime) -> Post:
    """A mention as a webhook tells it: two ids and no words. They are read by the stream of the post's id."""
    told = take(value, _Mention)
    media, comment = clean_id(told.media_id, "media_id"), "" if told.comment_id is None else str(told.comment_id)
    identifier = mention_stream(media, comment)
    where = "a comment" if comment else "a caption"
    return Post(
        network=NAME,
        id=identifier,
        kind="comment" if comment else "post",
        text=f"(Mentioned @{account.handle} in {where}. Instagram did not tell the words.)",
        created_at=at,
        author=Author(id=f"hidden:{identifier}", name="Somebody on Instagram"),
        thread=identifier,
        mentions=(account.handle,),
    )


def _medium(told: _Medium, account: Account, kind: str) -> Post:
    identifier = f"{kind}:{clean_id(told.id)}"
    caption = told.caption or ""
    ours = _From(account.account_id, account.handle) if kind == "media" else None
    media = (Media((told.media_type or "image").lower(), told.media_url),) if told.media_url else ()
    return Post(
        network=NAME,
        id=identifier,
        url=told.permalink,
        text=caption,
        created_at=required_moment(told.timestamp, "timestamp"),
        author=_author(ours, told.username, identifier, account),
        thread=identifier,
        mentions=_mentions(caption),
        hashtags=tuple(_HASHTAG.findall(caption)),
        media=media,
        metrics=Metrics(likes=_count(told.like_count), replies=_count(told.comments_count)),
    )


def _author(sender: _From | None, username: str | None, item: str, account: Account) -> Author:
    """Who said it. The scoped id is the same for comments and messages; a user name is what tags tell instead."""
    handle = (sender.username if sender else None) or username or ""
    identifier = "" if sender is None or sender.id is None else str(sender.id)
    if not (identifier or handle):
        return Author(id=f"hidden:{item}", name="Somebody on Instagram")
    ours = identifier == account.account_id or (bool(handle) and handle.casefold() == account.handle.casefold())
    if ours:
        return Author(id=account.account_id, handle=account.handle, ours=True)
    url = f"https://www.instagram.com/{handle}/" if re.fullmatch(r"[A-Za-z0-9_.]{1,30}", handle) else None
    return Author(id=identifier or f"@{handle.casefold()}", handle=handle, url=url)


def _mentions(text: str) -> tuple[str, ...]:
    return tuple(name.rstrip(".") for name in _MENTION.findall(text) if name.rstrip("."))


def _count(value: int | None) -> int:
    return value if value is not None and value > 0 else 0
