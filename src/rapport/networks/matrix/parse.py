"""The events of a Matrix room -> `Post`. Pure; raises `InvalidPost` and nothing else.

Everything in an event was written by whoever runs the sender's server: each value is looked at before it is used.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Kind, Media, Post, Visibility
from rapport.networks.html import plain_text
from rapport.networks.payload import take

NAME = "matrix"

_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_HASHTAG = re.compile(r"(?<![\w&#/])#(\w{1,100})(?![\w:])")
_USER = re.compile(r"@[^\s:@<>\"]{1,200}:[\w.\-\[\]:]{1,200}")
_PILL = re.compile(r"https://matrix\.to/#/(@[^\"'\s>?]{1,600}|%40[^\"'\s>?]{1,600})")
_REPLY_OPEN, _REPLY_CLOSE = "<mx-reply>", "</mx-reply>"
_MEDIA = {"m.image": "image", "m.video": "video", "m.audio": "audio", "m.file": "file"}


class Event(msgspec.Struct):
    """One event, of which nothing but the outline is believed."""

    type: str
    event_id: str
    sender: str
    origin_server_ts: int | float
    content: dict[str, Any] = {}
    unsigned: dict[str, Any] = {}
    redacts: Any = None

    @property
    def is_redacted(self) -> bool:
        return "redacted_because" in self.unsigned or "redacted_by" in self.unsigned

    @property
    def edits(self) -> str:
        """The id of the event that this one replaces, "" where it replaces none."""
        relation = _relation(self.content)
        return _text(relation, "event_id") if relation.get("rel_type") == "m.replace" else ""

    @property
    def removes(self) -> str:
        """The id of the event that this redaction removes; room versions differ in where it stands."""
        found = self.redacts if isinstance(self.redacts, str) else self.content.get("redacts")
        return found if isinstance(found, str) else ""


class Room(msgspec.Struct):
    """What is known of the room that an event stands in."""

    id: str
    #: a private conversation, as the account keeps its list of them
    direct: bool = False
    #: anybody may join it
    public: bool = False
    #: user id -> display name in this room
    names: dict[str, str] = {}


def post_id(room: str, event: str) -> str:
    """The id of a post: the room stands in front, because an answer needs it."""
    return f"{room}/{event}"


def split_id(identifier: str) -> tuple[str, str]:
    """A post's id -> (room, event); ("", "") for what is no id of ours."""
    room, slash, event = identifier.partition("/$")
    return (room, f"${event}") if slash and room.startswith("!") and event else ("", "")


def is_room(target: str) -> bool:
    """Whether it is the id of a room, and of no message in it."""
    return target.startswith("!") and len(target) > 1 and "/" not in target and target.isprintable()


def handle_of(user: str) -> str:
    """@ann:example.org -> ann:example.org"""
    return user.removeprefix("@")


def parse_message(event: Event, room: Room, ours: str, edit: Event | None = None) -> Post:
    """A message -> the post, in its newest words: those of `edit`, or of the edit that the server sent along.

    `ours` is our own user id. An edit by anybody but the author counts for nothing.
    """
    if event.is_redacted or event.type != "m.room.message":
        raise InvalidPost("type", "is no message that can be read")
    edit = _newest(event, edit, _bundled(event))
    content = event.content
    if edit is not None:
        new = edit.content.get("m.new_content")
        content = {**edit.content, **new} if isinstance(new, dict) else content
    answered, root = _relations(event.content)
    body = _body(event, content, room, is_answer=bool(answered))
    html = _markup(content)
    sent = _moment(event.origin_server_ts)
    mentions = _mentions(content, html, body)
    return Post(
        network=NAME,
        id=post_id(room.id, event.event_id),
        url=f"https://matrix.to/#/{quote(room.id, safe='!:')}/{quote(event.event_id, safe='$')}",
        kind=_kind(room, answered, root),
        text=body,
        html=html,
        created_at=sent,
        edited_at=max(_moment(edit.origin_server_ts), sent) if edit is not None else None,
        author=_author(event, content, room, ours),
        in_reply_to=post_id(room.id, answered) if answered else None,
        # a private conversation is one thread; elsewhere only what the network calls one is
        thread=room.id if room.direct else post_id(room.id, root) if root else None,
        mentions=mentions,
        hashtags=tuple(dict.fromkeys(_HASHTAG.findall(body))),
        links=_links(body, html),
        media=_media(content),
        visibility=_visibility(room),
    )


def room_name(content: dict[str, Any]) -> str:
    """The name in the content of an m.room.name event."""
    return _text(content, "name")[:100]


def display_name(item: Any) -> tuple[str, str] | None:
    """A decoded membership event -> (user, display name); None for anything else."""
    try:
        found = take(item, _Member)
    except InvalidPost:
        return None
    return (found.state_key, _text(found.content, "displayname")) if found.type == "m.room.member" else None


class _Member(msgspec.Struct):
    type: str
    state_key: str
    content: dict[str, Any] = {}


def _bundled(event: Event) -> Event | None:
    relations = event.unsigned.get("m.relations")
    found = relations.get("m.replace") if isinstance(relations, dict) else None
    try:
        return msgspec.convert(found, Event)
    except msgspec.ValidationError:
        return None


def _newest(event: Event, *edits: Event | None) -> Event | None:
    """The newest of those that are one: by the author, of this event, and not taken back."""
    valid = [
        edit
        for edit in edits
        if edit and edit.sender == event.sender and edit.edits == event.event_id and not edit.is_redacted
    ]
    return max(valid, key=lambda edit: edit.origin_server_ts, default=None)


def _relations(content: dict[str, Any]) -> tuple[str, str]:
    """(the event that is answered, the root of the thread), "" where there is none.

    In a thread, older programs see an answer to the last message; where that is only for their sake the answer is
    to the thread.
    """
    relation = _relation(content)
    inner = relation.get("m.in_reply_to")
    answered = _text(inner, "event_id") if isinstance(inner, dict) else ""
    root = _text(relation, "event_id") if relation.get("rel_type") == "m.thread" else ""
    if root and (relation.get("is_falling_back") is True or not answered):
        answered = root
    return answered, root


def _relation(content: dict[str, Any]) -> dict[str, Any]:
    relation = content.get("m.relates_to")
    return relation if isinstance(relation, dict) else {}


def _body(event: Event, content: dict[str, Any], room: Room, is_answer: bool) -> str:
    body = content.get("body")
    if not isinstance(body, str):
        raise InvalidPost("content.body", "is missing or no text")
    kind = _text(content, "msgtype")
    if kind == "m.emote":
        return f"* {room.names.get(event.sender) or handle_of(event.sender)} {body}"
    if kind in _MEDIA:
        return body if _text(content, "filename") not in {"", body} else ""
    if is_answer and body.startswith("> <@"):
        # what older programs repeat of the message that they answer
        lines = body.split("\n")
        kept = next((place for place, line in enumerate(lines) if not line.startswith("> ")), len(lines))
        body = "\n".join(lines[kept:])
    return body.strip()


def _markup(content: dict[str, Any]) -> str | None:
    found = content.get("formatted_body")
    if content.get("format") != "org.matrix.custom.html" or not isinstance(found, str):
        return None
    # what older programs repeat of the message that they answer stands in front
    if found.startswith(_REPLY_OPEN):
        found = found.partition(_REPLY_CLOSE)[2] or found
    return found[:500_000]


def _kind(room: Room, answered: str, root: str) -> Kind:
    if room.direct:
        return "message"
    return "reply" if answered or root else "post"


def _visibility(room: Room) -> Visibility:
    if room.direct:
        return "direct"
    return "public" if room.public else "private"


def _author(event: Event, content: dict[str, Any], room: Room, ours: str) -> Author:
    handle = handle_of(event.sender)
    if not event.sender.startswith("@") or ":" not in handle:
        raise InvalidPost("sender", f"{event.sender[:60]!r} is no user")
    return Author(
        id=handle,
        handle=handle,
        name=room.names.get(event.sender, ""),
        url=f"https://matrix.to/#/@{quote(handle, safe=':')}",
        bot=content.get("msgtype") == "m.notice",  # the kind of message that the specification keeps for programs
        ours=event.sender == ours,
    )


def _mentions(content: dict[str, Any], html: str | None, body: str) -> tuple[str, ...]:
    """Whom it names: by the list that newer programs add, by links to people, and by whole ids in the words."""
    told = content.get("m.mentions")
    listed = told.get("user_ids") if isinstance(told, dict) else None
    found = [user for user in listed if isinstance(user, str)] if isinstance(listed, list) else []
    found += [unquote(user) for user in _PILL.findall(html or "")]
    found += [user.rstrip(".:,") for user in _USER.findall(body)]
    return tuple(dict.fromkeys(handle_of(user) for user in found if user.startswith("@") and ":" in user))


def _links(body: str, html: str | None) -> tuple[str, ...]:
    found = [link.rstrip(".,;:!?)\"'") for link in _LINK.findall(body)]
    if html:
        found += plain_text(html)[1]
    return tuple(dict.fromkeys(link for link in found if not link.startswith("https://matrix.to/#/")))


def _media(content: dict[str, Any]) -> tuple[Media, ...]:
    """What is attached, by its description: its address (mxc://) can be opened by a member of the server only."""
    kind = _MEDIA.get(str(content.get("msgtype")))
    return (Media(kind, "", _text(content, "filename") or _text(content, "body")),) if kind else ()


def _moment(milliseconds: int | float) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidPost("origin_server_ts", f"{milliseconds!r:.40} is not a time") from None


def _text(values: dict[str, Any], name: str) -> str:
    found = values.get(name)
    return found if isinstance(found, str) else ""
