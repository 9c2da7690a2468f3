"""The inbox of a page: Messenger and Instagram messages, which Meta serves in one shape.

A message's id here is "dm:PERSON:MESSAGE": an answer goes to the person, and what is approved must hold all that is
needed. All messages with one person are one thread, "dm:OUR ACCOUNT:PERSON", whoever told of them.

Sources: Messenger Platform "messages", "message_echoes", "message_edits" webhook events and "Send API"; Instagram
Messaging webhooks (story mentions and replies, is_deleted); Conversations API.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, RetryLater, Unconfirmed
from rapport.core.post import Author, Media, Post
from rapport.core.reply import Reply
from rapport.networks.backwards import (
    Found,
    Place,
    every_field,
    first_of,
    floor_of,
    is_resting,
    oldest_first,
    read_place,
)
from rapport.networks.base import Account, Page, Sent
from rapport.networks.graph import WINDOW_CLOSED, Graph, split
from rapport.networks.http import GuardedSession
from rapport.networks.payload import clean_id, name_of, required_moment, same_text, take

REST = dt.timedelta(seconds=60)  # three streams, once a minute, stay below 200 calls an hour
#: the setting for it
EVERY = every_field(
    REST,
    "Each read takes three requests. Meta allows 200 an hour for each person who uses your app; webhooks bring what is "
    "new at once.",
)
FIRST_PULL = 50  # conversations of an account that is new
_CONVERSATIONS, _MESSAGES = 25, 20
_MOST_PAGES = 20  # of conversations in one pull, and of messages in one conversation
_DAY, _WEEK = dt.timedelta(hours=24), dt.timedelta(days=7)
_CLOCKS = dt.timedelta(minutes=5)
_FIELDS = (
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


# ---------------------------------------------------------------- pulling


def pull_messages(
    account: Account, network: str, page: str, cursor: str, session: GuardedSession, now: dt.datetime
) -> Iterator[Page]:
    """The stream "messages": what was said since the cursor, with anybody. `page` is the id of the Facebook page."""
    place, doubt = read_place(cursor, Place, now)
    if is_resting(account, place, now, REST):
        yield first_of("messages", cursor)
        return
    found, floor = Found(), floor_of(place)
    if doubt:
        found.miss(doubt)
    graph = Graph.of(account, session)
    platform = "messenger" if network == "facebook" else network
    params = {
        "platform": platform,
        "fields": f"id,updated_time,messages.limit({_MESSAGES}){{{_FIELDS}}}",
        "limit": _CONVERSATIONS,
    }
    most = _MOST_PAGES if floor else FIRST_PULL // _CONVERSATIONS
    oldest, behind = now, False
    for conversations, more in graph.pages(f"{page}/conversations", params, most):
        behind = more
        for conversation in conversations:
            oldest = _read_conversation(graph, conversation, floor, network, account, now, found) or oldest
        if floor is not None and oldest < floor:
            behind = False
            break
    if behind and floor is None:
        found.miss(f"Only the newest {FIRST_PULL} conversations were read when this account was connected.")
    elif behind:
        found.miss(
            f"More than {_MOST_PAGES * _CONVERSATIONS} conversations had news; older ones were not read.", floor, oldest
        )
    yield from oldest_first("messages", found, place, now)


def _read_conversation(
    graph: Graph,
    conversation: object,
    floor: dt.datetime | None,
    network: str,
    account: Account,
    now: dt.datetime,
    found: Found,
) -> dt.datetime | None:
    """Keep its messages down to `floor`; returns when it was last changed. Of a first pull, the newest are enough."""
    try:
        told = conversation if isinstance(conversation, dict) else {}
        identifier = clean_id(told.get("id"))
        changed = required_moment(told.get("updated_time"), "updated_time")
    except InvalidPost as error:
        found.rejected.append(f"conversation {name_of(conversation, 'id')}: {error}".replace(" :", ":"))
        return None
    if floor is not None and changed < floor:
        return changed
    items, after = split(told.get("messages"))
    reached = _keep_stored(items, floor, network, account, now, found)
    pages = 0
    while floor is not None and not reached and after:
        if pages == _MOST_PAGES:
            found.miss("A conversation had more new messages than were read at once.", floor, changed)
            break
        params = {"fields": _FIELDS, "limit": 50, "after": after}
        items, after = split(graph.read(f"{identifier}/messages", params))
        reached = _keep_stored(items, floor, network, account, now, found)
        pages += 1
    return changed


def _keep_stored(
    items: list[Any],
    floor: dt.datetime | None,
    network: str,
    account: Account,
    now: dt.datetime,
    found: Found,
) -> bool:
    """Keep the messages of one list, newest first, down to `floor`; True when one lay below it."""
    for item in items:
        what = f"message {name_of(item, 'id')}".strip()
        post = found.read(partial(_stored_post, item, network, account), what, now)
        if post is not None and floor is not None and post.created_at < floor:
            return True
        found.posts += [post] if post else []
    return False


def _stored_post(item: Any, network: str, account: Account) -> Post:
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


# ---------------------------------------------------------------- answering


def send(account: Account, reply: Reply, network: str, page: str, session: GuardedSession, now: dt.datetime) -> Sent:
    """An answer to a message, within the time that Meta allows. See `Network.push`.

    Within 24 hours of the person's last word it is a plain answer. Up to 7 days after it, it bears the human agent
    tag, where the app has that right (setting `human_agent`) and a person approved it. After that it is refused here.
    """
    target = split_target(reply.target)
    if target is None or reply.visibility != "direct":
        raise GiveUp("a private message is answered in private, and only there")
    person = target[0]
    graph = Graph.of(account, session)
    last = _last_word(graph, person, network, page, account)
    form = {
        "recipient": msgspec.json.encode({"id": person}).decode(),
        "message": msgspec.json.encode({"text": reply.text}).decode(),
        **_messaging_type(account, reply, last, now),
    }
    answer = graph.write(f"{page}/messages", form)
    mid = answer.get("message_id")
    if not isinstance(mid, str) or not mid:
        raise Unconfirmed("Meta accepted the message and did not say under which id")
    return Sent(message_id(person, mid))


def _messaging_type(account: Account, reply: Reply, last: dt.datetime, now: dt.datetime) -> dict[str, str]:
    age = now - last
    if age < _DAY:
        return {"messaging_type": "RESPONSE"}
    if age < _WEEK and reply.approved_by is not None and account.settings.get("human_agent") is True:
        return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    remedy = "" if account.settings.get("human_agent") is True else " (turned on in the settings of this account)"
    raise GiveUp(f"{WINDOW_CLOSED}{remedy}. They last wrote at {last:%Y-%m-%d %H:%M} UTC")


def _last_word(graph: Graph, person: str, network: str, page: str, account: Account) -> dt.datetime:
    """When the person last wrote to us."""
    found = _conversation_with(graph, person, network, page, account)
    theirs = [post.created_at for post in found if not post.author.ours]
    if not theirs:
        raise GiveUp(f"{WINDOW_CLOSED}. No word of theirs is among the newest messages")
    return max(theirs)


def _conversation_with(graph: Graph, person: str, network: str, page: str, account: Account) -> list[Post]:
    """The newest messages of the conversation with one person."""
    platform = "messenger" if network == "facebook" else network
    params = {"platform": platform, "user_id": person, "fields": f"id,messages.limit({_MESSAGES}){{{_FIELDS}}}"}
    conversations, _ = split(graph.read(f"{page}/conversations", params))
    try:
        return [
            _stored_post(item, network, account)
            for conversation in conversations
            for item in split(conversation.get("messages"))[0]
        ]
    except (InvalidPost, AttributeError) as error:
        # a message that cannot be read may be the one that we look for: not found would be a guess
        raise RetryLater(f"the conversation cannot be read: {error}") from None


def find_sent(
    account: Account, reply: Reply, network: str, page: str, since: dt.datetime, session: GuardedSession
) -> Sent | None:
    """See `Network.find`, for messages."""
    target = split_target(reply.target)
    if target is None:
        return None
    posts = _conversation_with(Graph.of(account, session), target[0], network, page, account)
    for post in posts:
        if post.author.ours and post.created_at >= since - _CLOCKS and same_text(post.text, reply.text):
            return Sent(post.id)
    if len(posts) >= _MESSAGES and min(post.created_at for post in posts) > since - _CLOCKS:
        raise Unconfirmed(f"the newest {_MESSAGES} messages of the conversation do not go back to the time of the send")
    return None
