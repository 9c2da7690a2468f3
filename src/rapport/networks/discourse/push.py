"""Writing to a topic of a forum, and finding again what may have been written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.discourse.parse import RawPost, post_id, read_post, split_id
from rapport.networks.discourse.upload import with_images, without_images
from rapport.networks.discourse.wire import Refused, Wire, who
from rapport.networks.http import GuardedSession
from rapport.networks.payload import required_moment, same_text

MAX_LENGTH = 32_000  # characters; what a forum allows unless it was set up otherwise
VISIBILITIES = ("public", "direct")
_CLOCKS = dt.timedelta(minutes=5)  # how far the forum's clock may be behind ours
_TOPIC = re.compile(r"https?://([^/\s]+)/t/(?:[^/\s]+/)?(\d+)(?:/\d+)?/?(?:\?\S*)?")
_MOST_DIGITS = 18
_PAGE = 20  # posts of one request
_MOST_PAGES = 5


class _Stream(msgspec.Struct):
    stream: list[int] = []
    posts: list[Any] = []


class _Page(msgspec.Struct):
    post_stream: _Stream


def push_reply(account: Account, reply: Reply, session: GuardedSession) -> Sent:
    """See `Network.push`. A forum takes the same request of a key within two minutes as the same post.

    Later it refuses the same words of one person for a while; then what it refuses to repeat is looked for.
    """
    wire = Wire.of(account, session)
    topic, number = _place(account, wire, reply)
    began = dt.datetime.now(dt.UTC)
    body = {"raw": with_images(reply.text, reply.media), "topic_id": topic, "reply_to_post_number": number}
    try:
        answer = wire.write("/posts.json", body)
    except Refused as error:
        if error.status == 422 and (found := _look(account, wire, reply, began - dt.timedelta(minutes=10))):
            return found
        raise
    if answer.get("action") == "enqueued" or "pending_post" in answer:
        raise GiveUp("The forum holds this reply until a moderator there lets it through. Do not send it again.")
    try:
        return _sent(account, read_post(answer))
    except InvalidPost as error:
        raise Unconfirmed(f"the forum accepted the reply and did not say where it stands ({error})") from None


def read_topic(account: Account, entered: str) -> str:
    """See `Network.place_of_post`: the address or number of a topic -> its first post, which all others answer."""
    host = urlsplit(account.server).netloc
    said, topic = entered.strip(), ""
    if said.isascii() and said.isdigit():
        topic = said
    elif found := _TOPIC.fullmatch(said):
        topic = found[2] if found[1] == host else ""
    if not topic or len(topic) > _MOST_DIGITS or int(topic) < 1:
        raise InvalidInput(f"Paste the address of a topic of this forum: https://{host}/t/its-name/123")
    return post_id(host, int(topic), 1)


def find_reply(
    account: Account, reply: Reply, since: dt.datetime, session: GuardedSession, besides: Collection[str] = ()
) -> Sent | None:
    """See `Network.find`. Our posts in the topic, newest first, by the post that they answer and their words."""
    wire = Wire.of(account, session)
    _place(account, wire, reply)
    return _look(account, wire, reply, since, besides)


def _look(account: Account, wire: Wire, reply: Reply, since: dt.datetime, besides: Collection[str] = ()) -> Sent | None:
    topic, number = split_id(reply.target, urlsplit(account.server).netloc)
    stream = wire.read(f"/t/{topic}.json", _Page).post_stream.stream[::-1]
    if not stream:
        raise Unconfirmed("the topic is so long that the forum does not list its posts")
    oldest = since - _CLOCKS
    for start in range(0, min(len(stream), _MOST_PAGES * _PAGE), _PAGE):
        params = {"post_ids[]": stream[start : start + _PAGE]}
        posts = _readable(wire.read(f"/t/{topic}/posts.json", _Page, params).post_stream.posts)
        for post in sorted(posts, key=lambda each: -each.id):
            if str(post.user_id) != account.account_id or required_moment(post.created_at) < oldest:
                continue
            if (post.reply_to_post_number or 1) == number:
                whole = post if post.raw is not None else read_post(wire.read(f"/posts/{post.id}.json", dict[str, Any]))
                sent = _sent(account, post)
                if sent.id not in besides and same_text(without_images(whole.raw or ""), reply.text):
                    return sent
        if posts and min(required_moment(post.created_at) for post in posts) < oldest:
            return None
    if len(stream) > _MOST_PAGES * _PAGE:
        raise Unconfirmed(f"the newest {_MOST_PAGES * _PAGE} posts of the topic do not go back to the time of the send")
    return None


def _readable(items: list[Any]) -> list[RawPost]:
    found = []
    for item in items:
        try:
            post = read_post(item)
            required_moment(post.created_at)
        except InvalidPost:
            continue
        found.append(post)
    return found


def _place(account: Account, wire: Wire, reply: Reply) -> tuple[int, int]:
    """Topic and number of the post that is answered. Raises `GiveUp` where the target is none of this forum."""
    topic, number = split_id(reply.target, urlsplit(account.server).netloc)
    if not topic:
        who(wire)  # a dead key is the more urgent thing to say
        raise GiveUp(f"{reply.target[:100]!r} names no post of this forum; answer it there")
    return topic, number


def _sent(account: Account, post: RawPost) -> Sent:
    place = f"{post.topic_id}/{post.post_number}"
    identifier = post_id(urlsplit(account.server).netloc, post.topic_id, post.post_number)
    return Sent(identifier, f"{account.server}/t/{post.topic_slug or '-'}/{place}")
