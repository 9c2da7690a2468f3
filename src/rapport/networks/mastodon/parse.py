"""The JSON of a Mastodon server -> `Post`. Pure; raises `InvalidPost` and nothing else.

Accepts what related servers (GoToSocial, Pleroma, Pixelfed, ...) leave out or send as null, and refuses only what
has no id, no author or no time.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Kind, Media, Metrics, Post, Visibility
from rapport.networks.html import plain_text

NAME = "mastodon"


class _Account(msgspec.Struct):
    id: str | int
    acct: str
    display_name: str | None = None
    url: str | None = None
    note: str | None = None
    bot: bool | None = None
    followers_count: int | None = None
    following_count: int | None = None
    statuses_count: int | None = None
    created_at: str | None = None


class _Mention(msgspec.Struct):
    acct: str | None = None


class _Tag(msgspec.Struct):
    name: str | None = None


class _Attachment(msgspec.Struct):
    type: str | None = None
    url: str | None = None
    remote_url: str | None = None
    description: str | None = None


class _Option(msgspec.Struct):
    title: str | None = None


class _Poll(msgspec.Struct):
    options: list[_Option] | None = None


class _Status(msgspec.Struct):
    id: str | int
    created_at: str
    account: _Account
    uri: str | None = None
    url: str | None = None
    content: str | None = None
    spoiler_text: str | None = None
    visibility: str | None = None
    language: str | None = None
    in_reply_to_id: str | int | None = None
    edited_at: str | None = None
    favourites_count: int | None = None
    reblogs_count: int | None = None
    replies_count: int | None = None
    mentions: list[_Mention] | None = None
    tags: list[_Tag] | None = None
    media_attachments: list[_Attachment] | None = None
    poll: _Poll | None = None
    quote: Any = None
    reblog: _Status | None = None


class _Notification(msgspec.Struct):
    id: str | int
    status: _Status | None = None


class _Conversation(msgspec.Struct):
    last_status: _Status | None = None


class _Context(msgspec.Struct):
    ancestors: list[msgspec.Raw] = []


_status = msgspec.json.Decoder(_Status, strict=False)
_notification = msgspec.json.Decoder(_Notification, strict=False)
_conversation = msgspec.json.Decoder(_Conversation, strict=False)
_context = msgspec.json.Decoder(_Context)
_items = msgspec.json.Decoder(list[msgspec.Raw])
_VISIBILITIES: dict[str, Visibility] = {"public": "public", "unlisted": "unlisted", "direct": "direct"}


def split_items(body: bytes) -> list[bytes]:
    """A JSON array -> its items, each as JSON, so that one that cannot be read does not take the others with it.

    Raises `InvalidPost` when the body is no JSON array.
    """
    try:
        return [bytes(item) for item in _items.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:  # slower, and takes lone surrogates and NaN, which become "?" and null
        found = json.loads(body, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise InvalidPost("page", "is not a list in JSON")
    return [json.dumps(item, ensure_ascii=False).encode("utf-8", "replace") for item in found]


def split_ancestors(body: bytes) -> list[bytes]:
    """The answer of /context -> the posts above, oldest first, each as JSON."""
    return [bytes(item) for item in _decode(_context, body).ancestors]


def parse_status(item: bytes, domain: str, ours: str = "") -> Post:
    """A status -> the post.

    `domain` completes the handles of the server's own accounts ("ann" -> "ann@example.social"); `ours` is the id of
    our own account on this server. A boost becomes a post of its own kind, "repost", with its own id and author, the
    text of the original, and the original's id as `thread`; a direct one becomes a "message".
    """
    return _post(_decode(_status, item), domain, ours)


def parse_notification(item: bytes, domain: str, ours: str = "") -> tuple[str, Post | None]:
    """A notification -> its id and the post that it tells of; None when it tells of none."""
    notification = _decode(_notification, item)
    status = notification.status
    return str(notification.id), None if status is None else _post(status, domain, ours)


def parse_conversation(item: bytes, domain: str, ours: str = "") -> Post | None:
    """A conversation -> its newest message; None when that was deleted."""
    status = _decode(_conversation, item).last_status
    return None if status is None else _post(status, domain, ours)


def _decode(decoder: msgspec.json.Decoder[Any], item: bytes) -> Any:
    try:
        return decoder.decode(item)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidPost(path.strip(".`") or "status", reason) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidPost("json", str(error)) from None


def _post(status: _Status, domain: str, ours: str) -> Post:
    source = status.reblog or status
    text, links = plain_text(source.content or "")
    warning = (source.spoiler_text or "").strip()
    options = [f"- {option.title}" for option in (source.poll.options if source.poll else None) or () if option.title]
    visibility = _VISIBILITIES.get(status.visibility or "public", "private")
    return Post(
        network=NAME,
        id=str(status.id),
        url=status.url or status.uri,
        kind=_kind(status, visibility),
        text="\n\n".join(part for part in (warning, text, "\n".join(options)) if part),
        lang=source.language or None,
        created_at=_required_moment(status.created_at),
        edited_at=_moment(source.edited_at),
        author=_author(status.account, domain, ours),
        in_reply_to=None if status.reblog or status.in_reply_to_id is None else str(status.in_reply_to_id),
        thread=str(status.reblog.id) if status.reblog else None,
        mentions=tuple(full_handle(mention.acct, domain) for mention in source.mentions or () if mention.acct),
        hashtags=tuple(tag.name for tag in source.tags or () if tag.name),
        links=links,
        media=tuple(
            Media(item.type or "unknown", item.url or item.remote_url or "", item.description or "")
            for item in source.media_attachments or ()
        ),
        metrics=Metrics(
            likes=source.favourites_count or 0, reposts=source.reblogs_count or 0, replies=source.replies_count or 0
        ),
        visibility=visibility,
    )


def _kind(status: _Status, visibility: Visibility) -> Kind:
    if status.reblog:
        return "repost"
    if visibility == "direct":
        return "message"
    if status.in_reply_to_id is not None:
        return "reply"
    return "quote" if status.quote else "post"


def _author(account: _Account, domain: str, ours: str) -> Author:
    """The full handle is the id: it is the same on every server, which the server's own number is not."""
    handle = full_handle(account.acct, domain)
    return Author(
        id=handle.lower(),
        handle=handle,
        name=account.display_name or "",
        url=account.url,
        bio=plain_text(account.note)[0] if account.note else None,
        followers=_count(account.followers_count),
        following=_count(account.following_count),
        posts=_count(account.statuses_count),
        created_at=_moment(account.created_at),
        bot=bool(account.bot),
        ours=bool(ours) and str(account.id) == ours,
    )


def full_handle(acct: str, domain: str) -> str:
    """What the API calls `acct` -> the whole handle, without a leading @."""
    acct = acct.removeprefix("@")
    return acct if "@" in acct or not acct else f"{acct}@{domain}"


def _count(value: int | None) -> int | None:
    """Some servers say -1 for "hidden"."""
    return None if value is None or value < 0 else value


def _required_moment(value: str) -> dt.datetime:
    moment = _moment(value)
    if moment is None:
        raise InvalidPost("created_at", f"{value[:40]!r} is not a time")
    return moment


def _moment(value: str | None) -> dt.datetime | None:
    """An ISO time -> aware, in UTC; without a zone it is UTC by the API's documentation; None for anything else."""
    try:
        moment = dt.datetime.fromisoformat(value or "")
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
