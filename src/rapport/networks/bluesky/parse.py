"""The JSON of Bluesky -> `Post`. Pure; raises `InvalidPost` and nothing else.

Three shapes tell of a post: a view (`app.bsky.feed.defs#postView`, in search and feeds), a notification, and the bare
record with the DID of its author (Jetstream). The record is the author's own and may hold anything; the view around it
is the server's.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Kind, Media, Metrics, Post
from rapport.networks.bluesky.richtext import Facet, read_marks
from rapport.networks.bluesky.syntax import POSTS, is_did, parse_address, parse_time, web_address
from rapport.networks.payload import moment, take

NAME = "bluesky"

_MOST_FACETS = 500
#: where Bluesky's own network serves pictures of posts; a record names a picture only by its content
_PICTURE = "https://cdn.bsky.app/img/feed_fullsize/plain/{did}/{cid}@jpeg"


class _Label(msgspec.Struct):
    val: str | None = None


class _Verification(msgspec.Struct, rename="camel"):
    verified_status: str | None = None


class Profile(msgspec.Struct, rename="camel"):
    """An author as views carry it: basic, with a description, or with counts."""

    did: str
    handle: str = ""
    display_name: str | None = None
    description: str | None = None
    followers_count: int | None = None
    follows_count: int | None = None
    posts_count: int | None = None
    created_at: str | None = None
    verification: _Verification | None = None
    labels: list[_Label] | None = None


class _Ref(msgspec.Struct):
    uri: str


class _Reply(msgspec.Struct):
    root: _Ref
    parent: _Ref


class _Record(msgspec.Struct, rename="camel"):
    text: str = ""
    created_at: str | None = None
    langs: list[str] | None = None
    tags: list[str] | None = None
    reply: _Reply | None = None
    #: taken apart one by one: a facet that cannot be read must not take the post with it
    facets: Any = None
    embed: Any = None


class _View(msgspec.Struct, rename="camel"):
    """A post view or a notification."""

    uri: str
    author: Profile
    record: Any
    indexed_at: str | None = None
    embed: Any = None
    like_count: int | None = None
    repost_count: int | None = None
    quote_count: int | None = None
    reply_count: int | None = None
    reason: str | None = None


def parse_view(item: Any, ours: str = "", our_handle: str = "") -> Post:
    """A post view or a notification of a post -> the post. `ours` is our own DID."""
    view = take(item, _View)
    indexed = parse_time(view.indexed_at or "") or moment(view.indexed_at)
    counts = Metrics(
        likes=view.like_count or 0,
        reposts=(view.repost_count or 0) + (view.quote_count or 0),
        replies=view.reply_count or 0,
    )
    author = read_author(view.author, ours)
    return _post(view.uri, author, view.record, view.embed, indexed, counts, (ours, our_handle))


def parse_record(uri: str, author: Author, record: Any, witnessed: dt.datetime, ours: str, our_handle: str) -> Post:
    """A bare record -> the post. `witnessed` is when the stream first saw it."""
    return _post(uri, author, record, None, witnessed, Metrics(), (ours, our_handle))


def reason_of(item: Any) -> str:
    """Why a notification was sent: "mention", "reply", "quote", "like", ...; "" where it does not say."""
    reason = item.get("reason") if isinstance(item, dict) else None
    return reason if isinstance(reason, str) else ""


def read_author(profile: Profile, ours: str = "") -> Author:
    """A profile -> the author. The DID is the id: a handle can change hands."""
    if not is_did(profile.did):
        raise InvalidPost("author.did", f"{profile.did[:60]!r} is no DID")
    labels = {label.val for label in profile.labels or ()}
    return Author(
        id=profile.did,
        # a handle that does not lead back to its account is told as "handle.invalid"
        handle=profile.handle if profile.handle and profile.handle != "handle.invalid" else profile.did,
        name=profile.display_name or "",
        url=f"https://bsky.app/profile/{profile.did}",
        bio=profile.description,
        followers=profile.followers_count,
        following=profile.follows_count,
        posts=profile.posts_count,
        created_at=moment(profile.created_at),
        verified=profile.verification is not None and profile.verification.verified_status == "valid",
        bot="bot" in labels,
        ours=bool(ours) and profile.did == ours,
    )


def refers_to(record: Any, did: str) -> bool:
    """Whether a bare record speaks to this account: mentions it, answers in a thread of its, or quotes it."""
    try:
        read = take(record, _Record)
    except InvalidPost:
        return False
    if any(feature.did == did for facet in _facets(read.facets) for feature in facet.features):
        return True
    theirs = f"at://{did}/"
    if read.reply is not None and (read.reply.parent.uri.startswith(theirs) or read.reply.root.uri.startswith(theirs)):
        return True
    return _quoted(read.embed).startswith(theirs)


def _post(
    uri: str,
    author: Author,
    raw: Any,
    embed: Any,
    witnessed: dt.datetime | None,
    metrics: Metrics,
    us: tuple[str, str],
) -> Post:
    address = parse_address(uri)
    if address is None or not address.record_key:
        raise InvalidPost("uri", f"{uri[:100]!r} is no address of a record")
    if address.collection != POSTS:
        raise InvalidPost("uri", f"is a record of {address.collection}, not a post")
    if address.authority != author.id:
        raise InvalidPost("author", "is not the one in whose data the post lies")
    record = take(raw, _Record)
    marked = read_marks(record.text, _facets(record.facets))
    tags = [tag.removeprefix("#") for tag in record.tags or ()]
    return Post(
        network=NAME,
        id=uri,
        url=web_address(uri),
        kind=_kind(record),
        text=marked.text,
        lang=next(iter(record.langs or ()), None),
        created_at=_written(record.created_at, witnessed),
        author=author,
        in_reply_to=record.reply.parent.uri if record.reply else None,
        thread=record.reply.root.uri if record.reply else None,
        mentions=tuple(dict.fromkeys(us[1] if did == us[0] and us[1] else words for did, words in marked.mentions)),
        hashtags=tuple(dict.fromkeys([*marked.hashtags, *filter(None, tags)])),
        links=tuple(dict.fromkeys([*marked.links, *_card(record.embed)])),
        media=_media(embed, record.embed, author.id),
        metrics=metrics,
    )


def _written(said: str | None, witnessed: dt.datetime | None) -> dt.datetime:
    """When a post was written: what its author says, but never later than the network saw it.

    Authors may say anything; Bluesky sorts in the same way (`sortAt`).
    """
    told = parse_time(said or "") or moment(said)
    if told is None and witnessed is None:
        raise InvalidPost("createdAt", f"{(said or '')[:40]!r} is not a time")
    return min(each for each in (told, witnessed) if each is not None)


def _kind(record: _Record) -> Kind:
    if record.reply is not None:
        return "reply"
    return "quote" if _quoted(record.embed) else "post"


def _quoted(embed: Any) -> str:
    """The address of the post that is quoted, "" where none is."""
    found = _at(embed, "record", "uri") or _at(embed, "record", "record", "uri")
    return found if isinstance(found, str) and f"/{POSTS}/" in found else ""


def _card(embed: Any) -> list[str]:
    """The address of the page that a post shows as a card."""
    found = _at(embed, "external", "uri") or _at(embed, "media", "external", "uri")
    return [found] if isinstance(found, str) and found else []


def _media(view: Any, record: Any, did: str) -> tuple[Media, ...]:
    """Pictures and films, as the server shows them; by their content where only the record is known."""
    for embed in (view, _at(view, "media")):
        images = _at(embed, "images")
        if isinstance(images, list):
            return tuple(
                Media("image", _text(image, "fullsize") or _text(image, "thumb"), _text(image, "alt"))
                for image in images
            )
        if _text(embed, "playlist"):
            return (Media("video", _text(embed, "playlist"), _text(embed, "alt")),)
    for embed in (record, _at(record, "media")):
        images = _at(embed, "images")
        if isinstance(images, list):
            return tuple(Media("image", _picture(image, did), _text(image, "alt")) for image in images)
        if _at(embed, "video") is not None:
            return (Media("video", "", _text(embed, "alt")),)
    return ()


def _picture(image: Any, did: str) -> str:
    cid = _at(image, "image", "ref", "$link")
    return _PICTURE.format(did=did, cid=cid) if isinstance(cid, str) and cid.isalnum() else ""


def _facets(raw: Any) -> list[Facet]:
    """The facets that can be read."""
    found = []
    for item in raw[:_MOST_FACETS] if isinstance(raw, list) else ():
        try:
            found.append(msgspec.convert(item, Facet))
        except msgspec.ValidationError:
            continue
    return found


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any, key: str) -> str:
    found = _at(value, key)
    return found if isinstance(found, str) else ""
