"""What the Graph API and the webhooks of a page tell -> `Post`. Pure; raises `InvalidPost` and nothing else.

A comment on a post begins a conversation of its own: hundreds of people under one post are not one conversation. So
its thread is the top comment, and the post it stands under is told by its address.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Media, Metrics, Post, Visibility
from rapport.networks.backwards import Found
from rapport.networks.base import Account
from rapport.networks.graph_door import objects_in
from rapport.networks.graph_messages import read_event
from rapport.networks.payload import clean_id, moment, name_of, required_moment, take

NAME = "facebook"

COMMENT_FIELDS = (
    "id,message,created_time,from{id,name},parent{id},permalink_url,like_count,comment_count,is_hidden,"
    "message_tags,attachment{type,title,url,media{image{src}}}"
)
POST_FIELDS = (
    "id,message,story,created_time,from{id,name},permalink_url,is_hidden,message_tags,"
    "attachments{type,title,description,unshimmed_url,media{image{src}}}"
)
_SITE = "https://www.facebook.com"
_POSTS = {"status", "post", "photo", "video", "share", "link", "album", "event", "note"}


class _From(msgspec.Struct):
    id: str | int
    name: str | None = None


class _Tag(msgspec.Struct):
    name: str | None = None


class _Image(msgspec.Struct):
    src: str | None = None


class _MediaOf(msgspec.Struct):
    image: _Image | None = None


class _Attachment(msgspec.Struct):
    type: str | None = None
    title: str | None = None
    description: str | None = None
    url: str | None = None
    unshimmed_url: str | None = None
    media: _MediaOf | None = None


class _Attachments(msgspec.Struct):
    data: list[_Attachment] | None = None


class _Parent(msgspec.Struct):
    id: str | int


class _Stored(msgspec.Struct, rename={"sender": "from"}):
    """A comment or a post of the Graph API."""

    id: str | int
    created_time: str | int
    sender: _From | None = None
    message: str | None = None
    story: str | None = None
    parent: _Parent | None = None
    permalink_url: str | None = None
    like_count: int | None = None
    comment_count: int | None = None
    is_hidden: bool | None = None
    message_tags: list[_Tag] | None = None
    attachment: _Attachment | None = None
    attachments: _Attachments | None = None


class _PostOf(msgspec.Struct):
    permalink_url: str | None = None


class _Change(msgspec.Struct, rename={"sender": "from"}):
    """The `value` of a change in the feed, or of a mention."""

    item: str | None = None
    verb: str | None = None
    sender: _From | None = None
    sender_id: str | int | None = None
    sender_name: str | None = None
    comment_id: str | int | None = None
    post_id: str | int | None = None
    parent_id: str | int | None = None
    created_time: int | str | None = None
    message: str | None = None
    photo: str | None = None
    video: str | None = None
    link: str | None = None
    post: _PostOf | None = None
    message_tags: list[_Tag] | None = None


def parse_comment(item: Any, account: Account) -> Post:
    """A comment as the Graph API gives it."""
    told = take(item, _Stored)
    identifier = clean_id(told.id)
    parent = clean_id(told.parent.id) if told.parent else None
    return Post(
        network=NAME,
        id=identifier,
        url=told.permalink_url or f"{_SITE}/{identifier}",
        kind="comment",
        text=told.message or "",
        created_at=required_moment(told.created_time, "created_time"),
        author=_author(told.sender, identifier, account),
        in_reply_to=parent,
        thread=parent or identifier,
        mentions=_names(told.message_tags),
        media=_media([told.attachment] if told.attachment else []),
        metrics=Metrics(likes=_count(told.like_count), replies=_count(told.comment_count)),
        visibility=_visibility(bool(told.is_hidden)),
    )


def parse_post(item: Any, account: Account) -> Post:
    """A post on the page, ours or a visitor's, or one elsewhere that mentions us."""
    told = take(item, _Stored)
    identifier = clean_id(told.id)
    return Post(
        network=NAME,
        id=identifier,
        url=told.permalink_url or f"{_SITE}/{identifier}",
        text=told.message or told.story or "",
        created_at=required_moment(told.created_time, "created_time"),
        author=_author(told.sender, identifier, account),
        mentions=_names(told.message_tags),
        media=_media((told.attachments.data if told.attachments else None) or []),
        visibility=_visibility(bool(told.is_hidden)),
    )


def read_entry(entry: dict[str, Any], account: Account, now: dt.datetime, found: Found) -> None:
    """One entry of a delivery: changes of the feed, mentions, and messages (`standby`: another app answers them)."""
    at = moment(entry.get("time")) or now
    for change in objects_in(entry, "changes"):
        value, field = change.get("value"), str(change.get("field"))
        if field in {"feed", "mention"} and isinstance(value, dict):
            _read_change(value, field, at, account, now, found)
    for event in (*objects_in(entry, "messaging"), *objects_in(entry, "standby")):
        read_event(event, NAME, account, now, found)


def _read_change(
    value: dict[str, Any], field: str, at: dt.datetime, account: Account, now: dt.datetime, found: Found
) -> None:
    what = f"{field} {name_of(value, 'comment_id', 'post_id')}".strip()
    try:
        told = take(value, _Change)
        identifier = _identifier(told)
    except InvalidPost as error:
        found.rejected.append(f"{what}: {error}")
        return
    if identifier is None:
        return
    if told.verb == "remove":
        found.deleted.append(identifier)
    elif told.verb in {"add", "edit", "edited", "update", "hide", "unhide", None}:
        found.keep(lambda: _changed_post(told, identifier, at, account), what, now)


def _identifier(told: _Change) -> str | None:
    """The id of what a change is about; None for what is no comment and no post: a reaction, a rating."""
    if told.item == "comment" or (told.item is None and told.comment_id is not None):
        return clean_id(told.comment_id, "comment_id")
    if told.item in _POSTS or (told.item is None and told.post_id is not None):
        return clean_id(told.post_id, "post_id")
    return None


def _changed_post(told: _Change, identifier: str, at: dt.datetime, account: Account) -> Post | None:
    is_comment = told.comment_id is not None and identifier == str(told.comment_id)
    is_change = told.verb not in {"add", None}
    if is_change and told.message is None:
        return None  # Meta leaves the words out when only a photo or a link changed: there is nothing to show anew
    post_id = None if told.post_id is None else str(told.post_id)
    parent = None if told.parent_id is None else str(told.parent_id)
    answered = parent if is_comment and parent not in {post_id, None, identifier} else None
    sender = told.sender
    if sender is None and told.sender_id is not None:
        sender = _From(told.sender_id, told.sender_name)
    media = [Media("image", told.photo)] if told.photo else []
    media += [Media("video", told.video)] if told.video else []
    return Post(
        network=NAME,
        id=identifier,
        url=(told.post.permalink_url if told.post and not is_comment else None) or f"{_SITE}/{identifier}",
        kind="comment" if is_comment else "post",
        text=told.message or "",
        created_at=moment(told.created_time) or at,
        edited_at=at if is_change else None,
        author=_author(sender, identifier, account),
        in_reply_to=answered,
        thread=(answered or identifier) if is_comment else None,
        mentions=_names(told.message_tags),
        links=(told.link,) if told.link and not media else (),
        media=tuple(media),
        visibility=_visibility(told.verb == "hide"),
    )


def _author(sender: _From | None, item: str, account: Account) -> Author:
    """Who said it. Meta names nobody who keeps their name from apps: each such item has an author of its own then.

    Joining all of them under one id would make one person of many.
    """
    if sender is None:
        return Author(id=f"hidden:{item}", name="Somebody on Facebook")
    identifier = clean_id(sender.id, "from.id")
    ours = identifier == account.account_id
    return Author(id=identifier, handle=account.handle if ours else "", name=sender.name or "", ours=ours)


def _visibility(hidden: bool) -> Visibility:
    """A hidden comment is still seen by its author and their friends."""
    return "private" if hidden else "public"


def _names(tags: list[_Tag] | None) -> tuple[str, ...]:
    return tuple(tag.name for tag in tags or () if tag.name)


def _media(attachments: list[_Attachment]) -> tuple[Media, ...]:
    return tuple(
        Media(
            each.type or "unknown",
            (each.media.image.src if each.media and each.media.image else None) or each.unshimmed_url or each.url or "",
            each.description or each.title or "",
        )
        for each in attachments
    )


def _count(value: int | None) -> int:
    return value if value is not None and value > 0 else 0
