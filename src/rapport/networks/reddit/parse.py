"""Things of Reddit -> `Post`. Pure; raises `InvalidPost` and nothing else.

Ids are fullnames, which are unique on Reddit: t1_ a comment, t3_ a post, t4_ a message. What was deleted by its author
or removed by a moderator stays in the listings without its words; it is told apart and not given out as a post.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from html import unescape
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Media, Metrics, Post
from rapport.networks.html import plain_text

NAME = "reddit"
SITE = "https://www.reddit.com"
#: key and handle of an author whose account was deleted
DELETED = "[deleted]"
_GONE = {DELETED, "[removed]"}
_MENTION = re.compile(r"(?<![\w/])/?u/([A-Za-z0-9_-]{3,20})(?![\w-])")
_PICTURE = re.compile(r"https?://(?:i|preview)\.redd\.it/|\.(?:jpe?g|png|gif|webp)(?:\?|$)", re.IGNORECASE)


class _Data(msgspec.Struct, kw_only=True):
    name: str
    author: str | None = None
    author_fullname: str | None = None
    created_utc: float | None = None
    edited: float | bool | None = None
    permalink: str | None = None
    context: str | None = None
    subreddit: str | None = None
    score: int | None = None
    num_comments: int | None = None
    over_18: bool | None = None
    # comments and messages
    body: str | None = None
    body_html: str | None = None
    parent_id: str | None = None
    link_id: str | None = None
    first_message_name: str | None = None
    subject: str | None = None
    dest: str | None = None
    was_comment: bool | None = None
    # posts
    title: str | None = None
    selftext: str | None = None
    selftext_html: str | None = None
    url: str | None = None
    is_self: bool | None = None
    removed_by_category: str | None = None
    is_gallery: bool | None = None


class _Thing(msgspec.Struct):
    kind: str
    data: _Data


class _Slice(msgspec.Struct):
    children: list[msgspec.Raw] = []
    after: str | None = None
    before: str | None = None


class _Listing(msgspec.Struct):
    data: _Slice


class Item(msgspec.Struct, frozen=True):
    """One thing of a listing: its place, and what came of it."""

    name: str
    #: seconds since 1970; 0 where it tells none
    created: float = 0.0
    post: Post | None = None
    gone: bool = False
    rejected: str = ""


def read_listing(body: bytes, ours: str) -> tuple[list[Item], str]:
    """A listing -> its items as they stand, and where it goes on. Raises `InvalidPost` for what is no listing."""
    slice_ = _decoded(body, _Listing, "listing").data
    return [_item(bytes(child), ours) for child in slice_.children], slice_.after or ""


def parse_thing(item: bytes, ours: str = "") -> Post | None:
    """A comment, post or message -> `Post`; None when it was deleted or removed. `ours`: the name of our account."""
    thing = _decoded(item, _Thing, "thing")
    if is_gone(thing.data):
        return None
    readers = {"t1": _comment, "t3": _submission, "t4": _message}
    kind = thing.data.name.partition("_")[0]
    if kind not in readers:
        raise InvalidPost("kind", f"{thing.kind[:20]!r} is neither a comment, a post nor a message")
    return readers[kind](thing.data, ours)


def is_gone(data: _Data) -> bool:
    """Deleted by its author or an admin, or removed by a moderator."""
    if data.removed_by_category:
        return True
    words = data.selftext if data.title is not None else data.body
    return (words or "").strip() in _GONE and (data.title is None or data.is_self is not False)


def _item(item: bytes, ours: str) -> Item:
    name, created = "", 0.0
    try:
        data = _decoded(item, _Thing, "thing").data
        name, created = data.name, data.created_utc or 0.0
        post = parse_thing(item, ours)
        return Item(name, created, post, gone=post is None)
    except InvalidPost as error:
        return Item(name, created, rejected=f"{name or 'a thing without a name'}: {error}")


def _comment(data: _Data, ours: str) -> Post:
    text, links = _text(data.body, data.body_html)
    path = data.permalink or (data.context or "").partition("?")[0]
    return Post(
        network=NAME,
        id=data.name,
        url=SITE + path if path.startswith("/") else None,
        kind="comment",
        text=text,
        html=_html(data.body_html),
        created_at=_created(data),
        edited_at=_edited(data),
        author=_author(data, ours),
        in_reply_to=data.parent_id or None,
        thread=data.link_id or _thread_of(path),
        mentions=_mentions(data.body),
        links=links,
        metrics=Metrics(likes=max(data.score or 0, 0)),
    )


def _submission(data: _Data, ours: str) -> Post:
    text, links = _text(data.selftext, data.selftext_html)
    path = data.permalink or ""
    outside = unescape(data.url or "") if not data.is_self else ""
    picture = bool(outside and (data.is_gallery or _PICTURE.search(outside)))
    return Post(
        network=NAME,
        id=data.name,
        url=SITE + path if path.startswith("/") else None,
        kind="topic",
        text="\n\n".join(
            part for part in (unescape(data.title or "").strip(), text, "" if picture else outside) if part
        ),
        html=_html(data.selftext_html),
        created_at=_created(data),
        edited_at=_edited(data),
        author=_author(data, ours),
        thread=data.name,
        mentions=_mentions(f"{data.title or ''} {data.selftext or ''}"),
        links=tuple(dict.fromkeys((*links, *([outside] if outside and not picture else [])))),
        media=(Media("image", outside),) if picture else (),
        metrics=Metrics(likes=max(data.score or 0, 0), replies=max(data.num_comments or 0, 0)),
    )


def _message(data: _Data, ours: str) -> Post:
    text, links = _text(data.body, data.body_html)
    subject = unescape(data.subject or "").strip()
    opens = not data.parent_id
    return Post(
        network=NAME,
        id=data.name,
        url=f"{SITE}/message/messages/{data.name.removeprefix('t4_')}",
        kind="message",
        text=f"{subject}\n\n{text}" if opens and subject else text,
        html=_html(data.body_html),
        created_at=_created(data),
        author=_author(data, ours),
        in_reply_to=data.parent_id or None,
        thread=data.first_message_name or data.parent_id or data.name,
        mentions=_mentions(data.body),
        links=links,
        visibility="direct",
    )


def _text(markdown: str | None, html: str | None) -> tuple[str, tuple[str, ...]]:
    """The words as people read them: from the markup where Reddit sends it, else the Markdown as it is."""
    marked = _html(html)
    if marked:
        return plain_text(marked)
    if markdown is None:
        raise InvalidPost("text", "is missing")
    text = unescape(markdown).strip()
    return text, tuple(re.findall(r"https?://[^\s)\]>]+", text))


def _html(html: str | None) -> str | None:
    """Reddit escapes its markup a second time unless it was asked not to."""
    if not html:
        return None
    return unescape(html) if html.lstrip().startswith("&lt;") else html


def _author(data: _Data, ours: str) -> Author:
    """The name is the id: accounts cannot change it, and messages tell nothing else."""
    name = data.author or ""
    if name in _GONE or not name:
        if data.subreddit and data.name.startswith("t4_"):
            return Author(
                id=f"r/{data.subreddit.lower()}", handle=f"r/{data.subreddit}", url=f"{SITE}/r/{data.subreddit}"
            )
        return Author(id=DELETED, handle=DELETED)
    return Author(
        id=name.lower(),
        handle=name,
        name=name,
        url=f"{SITE}/user/{name}",
        bot=name.lower() in {"automoderator", "reddit"},
        ours=bool(ours) and name.lower() == ours.lower(),
    )


def _mentions(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_MENTION.findall(text or "")))


def _thread_of(path: str) -> str | None:
    """/r/NAME/comments/ID/... -> t3_ID."""
    parts = path.split("/")
    return f"t3_{parts[4]}" if len(parts) > 4 and parts[3] == "comments" and parts[4].isalnum() else None


def _created(data: _Data) -> dt.datetime:
    moment = _moment(data.created_utc)
    if moment is None:
        raise InvalidPost("created_utc", "is missing")
    return moment


def _edited(data: _Data) -> dt.datetime | None:
    """False, true (edited before 2012, when nobody noted the time), or a time."""
    return None if isinstance(data.edited, bool) else _moment(data.edited)


def _moment(seconds: float | None) -> dt.datetime | None:
    try:
        return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _decoded(body: bytes, kind: type[Any], what: str) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidPost(path.strip(".`") or what, reason) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise InvalidPost(what, "nested too deeply") from None
    try:  # slower, and takes lone surrogates and NaN, which become "?" and null
        found = json.loads(body, parse_constant=lambda _: None)
        return msgspec.json.decode(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"), type=kind)
    except (ValueError, RecursionError) as error:
        raise InvalidPost(what, f"is no JSON that can be read: {error}") from None
