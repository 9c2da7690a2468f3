"""Messages of Messenger and Instagram, which Meta tells in one shape -> `Post`. Pure.

A message's id here is "dm:PERSON:MESSAGE": an answer goes to the person, and what is approved must hold all that is
needed. All messages with one person are one thread, "dm:OUR ACCOUNT:PERSON", whoever told of them.

Sources: Messenger Platform "messages", "message_echoes", "message_edits" webhook events; Instagram Messaging webhooks
(story mentions and replies, is_deleted); Conversations API.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Media, Post
from rapport.networks.backwards import Found
from rapport.networks.base import Account
from rapport.networks.payload import clean_id, name_of, required_moment, take

#: what is asked of a message in the Conversations API
FIELDS = (
    "id,created_time,from,to,message,sticker,attachments{mime_type,name,image_data{url},video_data{url},file_url},"
    "shares{link,name}"
)


class _Person(msgspec.Struct):
    id: str | int
    name: str | None = None
    username: str | None = None


class _Payload(msgspec.Struct):
    url: str | None = None
    title: str | None = None


class _Attachment(msgspec.Struct):
    type: str | None = None
    payload: _Payload | None = None


class _Story(msgspec.Struct):
    url: str | None = None


class _ReplyTo(msgspec.Struct):
    mid: str | None = None
    story: _Story | None = None


class _Message(msgspec.Struct):
    mid: str
    text: str | None = None
    attachments: list[_Attachment] | None = None
    reply_to: _ReplyTo | None = None
    is_echo: bool | None = None
    is_deleted: bool | None = None
    is_unsupported: bool | None = None


class _Edit(msgspec.Struct):
    mid: str
    text: str | None = None


class _Postback(msgspec.Struct):
    mid: str | None = None
    title: str | None = None


class _Event(msgspec.Struct):
    sender: _Person
    recipient: _Person
    timestamp: int | None = None
    message: _Message | None = None
    message_edit: _Edit | None = None
    postback: _Postback | None = None


class _Data(msgspec.Struct):
    url: str | None = None


class _File(msgspec.Struct):
    mime_type: str | None = None
    name: str | None = None
    image_data: _Data | None = None
    video_data: _Data | None = None
    file_url: str | None = None


class _Shared(msgspec.Struct):
    link: str | None = None
    name: str | None = None


class _People(msgspec.Struct):
    data: list[_Person] | None = None


class _Files(msgspec.Struct):
    data: list[_File] | None = None


class _Shares(msgspec.Struct):
    data: list[_Shared] | None = None


class _Stored(msgspec.Struct, rename={"sender": "from"}):
    id: str
    created_time: str | int
    sender: _Person
    to: _People | None = None
    message: str | None = None
    sticker: str | None = None
    attachments: _Files | None = None
    shares: _Shares | None = None


def message_id(person: str, mid: str) -> str:
    """The id of a message as our posts have it."""
    return f"dm:{person}:{mid}"


def split_target(target: str) -> tuple[str, str] | None:
    """The id of a message -> the person in the conversation and the network's own id; None for any other post."""
    kind, _, rest = target.partition(":")
    person, _, mid = rest.partition(":")
    return (person, mid) if kind == "dm" and person and mid else None


def read_event(event: dict[str, Any], network: str, account: Account, now: dt.datetime, found: Found) -> None:
    """One entry of `messaging` -> what it tells. Receipts, reactions and typing tell nothing that is kept."""
    if not any(key in event for key in ("message", "message_edit", "postback")):
        return
    what = f"message {name_of(event.get('message'), 'mid')}".strip()
    try:
        told = take(event, _Event)
        person = _partner(told, account)
    except InvalidPost as error:
        found.rejected.append(f"{what}: {error}")
        return
    if told.message is not None and told.message.is_deleted:
        found.deleted.append(message_id(person, told.message.mid))
        return
    found.keep(lambda: _event_post(told, person, network, account), what, now)


def _partner(event: _Event, account: Account) -> str:
    """The one in the conversation who is not us."""
    sender, recipient = clean_id(event.sender.id), clean_id(event.recipient.id)
    if sender == recipient:
        raise InvalidPost("sender", "writes to itself")
    if account.account_id not in {sender, recipient}:
        raise InvalidPost("recipient", "is neither the account nor answered by it")
    return recipient if sender == account.account_id else sender


def _event_post(event: _Event, person: str, network: str, account: Account) -> Post | None:
    at = required_moment(event.timestamp, "timestamp")
    sender = clean_id(event.sender.id)
    author = _author(event.sender, account)
    text, mid, answers, media, edited = "", "", None, tuple[Media, ...](), None
    if event.message is not None:
        mid, text, media = event.message.mid, _words(event.message, sender == account.account_id), _media(event.message)
        answers = event.message.reply_to.mid if event.message.reply_to else None
    elif event.message_edit is not None:
        mid, text, edited = event.message_edit.mid, event.message_edit.text or "", at
    elif event.postback is not None and event.postback.mid:
        mid, text = event.postback.mid, event.postback.title or ""
    if not mid:
        return None
    return Post(
        network=network,
        id=message_id(person, mid),
        kind="message",
        text=text,
        created_at=at,
        edited_at=edited,
        author=author,
        in_reply_to=message_id(person, answers) if answers else None,
        thread=f"dm:{account.account_id}:{person}",
        media=media,
        visibility="direct",
    )


def _author(person: _Person, account: Account) -> Author:
    identifier = clean_id(person.id)
    ours = identifier == account.account_id
    handle = person.username or (account.handle if ours else "")
    return Author(id=identifier, handle=handle, name=person.name or "", ours=ours)


def _words(message: _Message, ours: bool) -> str:
    """The text; where there is none but something happened that people must see, that in words."""
    kinds = {attachment.type for attachment in message.attachments or ()}
    if "story_mention" in kinds and not ours:
        return "\n\n".join(part for part in ("(Mentioned you in their story.)", message.text or "") if part)
    if message.reply_to is not None and message.reply_to.story is not None and not ours:
        return f"(Answer to your story.)\n\n{message.text or ''}".strip()
    if message.is_unsupported:
        return message.text or "(A message of a kind that Meta does not hand on. Look in the inbox of the page.)"
    return message.text or ""


def _media(message: _Message) -> tuple[Media, ...]:
    found = [
        Media(
            attachment.type or "unknown",
            (attachment.payload.url if attachment.payload else "") or "",
            (attachment.payload.title if attachment.payload else "") or "",
        )
        for attachment in message.attachments or ()
    ]
    if message.reply_to is not None and message.reply_to.story is not None:
        found.append(Media("story", message.reply_to.story.url or ""))
    return tuple(found)


def stored_post(item: Any, network: str, account: Account) -> Post:
    """A message of the Conversations API."""
    stored = take(item, _Stored)
    sender = clean_id(stored.sender.id)
    others = [clean_id(person.id) for person in (stored.to.data if stored.to else None) or ()]
    person = sender if sender != account.account_id else next((one for one in others if one != sender), "")
    if not person:
        raise InvalidPost("to", "names nobody")
    media = [Media("sticker", stored.sticker)] if stored.sticker else []
    for file in (stored.attachments.data if stored.attachments else None) or ():
        data = file.image_data or file.video_data
        kind = (file.mime_type or "file").partition("/")[0]
        media.append(Media(kind, (data.url if data else file.file_url) or "", file.name or ""))
    shares = (stored.shares.data if stored.shares else None) or ()
    media += [Media("share", shared.link or "", shared.name or "") for shared in shares]
    return Post(
        network=network,
        id=message_id(person, clean_id(stored.id)),
        kind="message",
        text=stored.message or "",
        created_at=required_moment(stored.created_time, "created_time"),
        author=_author(stored.sender, account),
        thread=f"dm:{account.account_id}:{person}",
        media=tuple(media),
        visibility="direct",
    )
