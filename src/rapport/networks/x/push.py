"""Answering on X, and finding again what may have been sent: X has no key by which a second try is the same one."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, RetryLater, Unconfirmed
from rapport.core.guard.length import count
from rapport.core.post import Post
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.x.answer import read_answer
from rapport.networks.x.entities import find_cashtags
from rapport.networks.x.messages import EVENT_FIELDS
from rapport.networks.x.parse import parse_message, parse_tweet
from rapport.networks.x.wire import Wire

VISIBILITIES = ("public", "direct")
MAX_LENGTH = 280
_MOST_CASHTAGS = 1  # since 2026
_CLOCKS = dt.timedelta(minutes=5)  # how far X's clock may be behind ours
_MOST_PAGES = 3  # of a hundred posts of ours
_LEADING_HANDLES = re.compile(r"^(?:@\w{1,20}\s+)+")
_BEHIND = re.compile(r"\s*(?:t\.co/\w+|pic\.(?:x|twitter)\.com/\w+|x\.com/\w+/status/\d+/photo/\d+)$")
_SHOWN = re.compile(
    r"https?://(?:(?:www|mobile)\.)?(?:x|twitter)\.com/\w+(?:/web)?/status/(\d{1,19})(?:[/?#]\S*)?", re.ASCII
)
_PROTOCOL = re.compile(r"https?://(?:www\.)?([^\s]*?)/?(?=\s|$)", re.IGNORECASE)


class _Created(msgspec.Struct):
    id: str | None = None
    dm_event_id: str | None = None
    dm_conversation_id: str | None = None


class _Answer(msgspec.Struct):
    data: _Created | None = None


def push_reply(account: Account, reply: Reply, session: GuardedSession) -> Sent:
    """See `Network.push`. The text goes out as it was approved, nothing is put before or after it."""
    wire = Wire.of(account, session)
    conversation = conversation_of(reply.target)
    if len(find_cashtags(reply.text)) > _MOST_CASHTAGS:
        raise GiveUp("X takes one cashtag ($TICKER) in a post of a program: leave the others without the $.")
    if conversation:
        if reply.media:
            raise GiveUp("X takes no images of programs with a direct message: send the words alone.")
        path = f"/2/dm_conversations/{quote(conversation, safe='-')}/messages"
        created = _read_created(wire.write(path, {"text": reply.text}))
        if not created.dm_event_id:
            raise Unconfirmed("X accepted the message and did not say under which id")
        return Sent(f"dm:{conversation}:{created.dm_event_id}", f"https://x.com/messages/{conversation}")
    _check_public(reply)
    body: dict[str, Any] = {"text": reply.text}
    if reply.target:
        body["reply"] = {"in_reply_to_tweet_id": reply.target}
    if reply.media:
        body["media"] = {"media_ids": [each.uploaded for each in reply.media]}
    created = _read_created(wire.write("/2/tweets", body))
    if not created.id:
        raise Unconfirmed("X accepted the reply and did not say under which id")
    return Sent(created.id, f"https://x.com/{account.handle or 'i'}/status/{created.id}")


def id_at(link: str) -> str:
    """See `Network.id_at`."""
    shown = _SHOWN.fullmatch(link)
    return shown[1] if shown else ""


def find_reply(
    account: Account, reply: Reply, since: dt.datetime, session: GuardedSession, besides: Collection[str] = ()
) -> Sent | None:
    """See `Network.find`. Reads our own posts, or the conversation, back to `since`; compares target and text."""
    wire = Wire.of(account, session)
    conversation = conversation_of(reply.target)
    wanted = comparable(reply.text)
    token = ""
    for _ in range(_MOST_PAGES):
        posts, token = _read_own(wire, account, conversation, since - _CLOCKS, token)
        for post in posts:
            ours = post.author.ours and post.created_at >= since - _CLOCKS
            answers = bool(conversation) or post.in_reply_to == (reply.target or None)
            said = comparable(post.text)
            if reply.media:  # X puts the address of the images behind the words
                said = _BEHIND.sub("", said)
            if ours and answers and post.id not in besides and said == wanted:
                return Sent(post.id, post.url)
        if not token or (posts and posts[-1].created_at < since - _CLOCKS):
            return None
    raise Unconfirmed(f"{_MOST_PAGES * 100} of our newest posts do not go back to the time of the send")


def conversation_of(target: str) -> str:
    """The conversation of a message; "" for a public post."""
    parts = target.split(":")
    return parts[1] if len(parts) == 3 and parts[0] == "dm" else ""


def comparable(text: str) -> str:
    """A text without what X changes: the handles that it puts before a reply, protocols, white space, Unicode forms."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return _PROTOCOL.sub(r"\1", _LEADING_HANDLES.sub("", plain))


def counted_length(text: str) -> int:
    """Characters as X counts them (twitter-text 3)."""
    return count(text, "weighted")


def _check_public(reply: Reply) -> None:
    if reply.visibility == "direct":
        raise GiveUp(
            "X cannot answer a public post with a private message; answer in public, or ask them to write first."
        )
    if reply.visibility not in VISIBILITIES:
        raise GiveUp(f"X has no visibility {reply.visibility!r}; choose public.")
    if reply.target and not (reply.target.isascii() and reply.target.isdigit()):
        raise GiveUp(f"{reply.target[:40]!r} is no post of X that can be answered.")


def _read_own(
    wire: Wire, account: Account, conversation: str, since: dt.datetime, token: str
) -> tuple[list[Post], str]:
    """One page of what we wrote, newest first, and the token of the next."""
    params: dict[str, Any] = {"max_results": 100} | ({"pagination_token": token} if token else {})
    if conversation:
        path = f"/2/dm_conversations/{quote(conversation, safe='-')}/dm_events"
        params |= {"dm_event.fields": EVENT_FIELDS, "event_types": "MessageCreate"}
    else:
        path = f"/2/users/{quote(account.account_id, safe='')}/tweets"
        params |= {
            "post.fields": ("created_at", "entities", "id", "note_post", "text"),
            "expansions": ("author_id", "edit_history_post_ids", "referenced_posts"),
            "start_time": since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    try:
        answer = read_answer(wire.read(path, params).content)
        parsed = [
            (parse_message if conversation else parse_tweet)(item, answer, account.account_id) for item in answer.items
        ]
    except InvalidPost as error:
        # A post that cannot be read may be the one that we look for: not found would be a guess.
        raise RetryLater(f"our own posts cannot be read: {error}") from None
    return [post for post in parsed if post is not None], answer.next_token


def _read_created(body: bytes) -> _Created:
    try:
        return msgspec.json.decode(body, type=_Answer, strict=False).data or _Created()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Unconfirmed("X accepted it and answered in a way that could not be read") from None
