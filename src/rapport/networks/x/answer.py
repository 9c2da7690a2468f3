"""The JSON of an answer of API v2 -> its items and what came with them. Pure; raises `InvalidPost` and nothing else.

X is renaming its words: "tweet" becomes "post", "retweet" becomes "repost". Both are understood everywhere.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from rapport.core.errors import InvalidPost
from rapport.networks.x.wire import Problem

_T = TypeVar("_T")


class Url(msgspec.Struct):
    """A shortened address in a text."""

    url: str | None = None
    expanded_url: str | None = None
    unwound_url: str | None = None
    media_key: str | None = None


class Mention(msgspec.Struct):
    """A handle in a text."""

    username: str | None = None


class Tag(msgspec.Struct):
    """A hashtag in a text."""

    tag: str | None = None


class Entities(msgspec.Struct):
    """What X found in a text."""

    urls: list[Url] | None = None
    mentions: list[Mention] | None = None
    hashtags: list[Tag] | None = None


class Note(msgspec.Struct):
    """The whole of a long text."""

    text: str
    entities: Entities | None = None


class Reference(msgspec.Struct):
    """Another post that this one answers, quotes or repeats."""

    type: str
    id: str | int


class Attachments(msgspec.Struct):
    """Keys into what came with the answer."""

    media_keys: list[str] | None = None
    poll_ids: list[str] | None = None


class PublicMetrics(msgspec.Struct):
    """Counters of a post."""

    like_count: int | None = None
    reply_count: int | None = None
    retweet_count: int | None = None
    repost_count: int | None = None


class Tweet(msgspec.Struct, kw_only=True):
    """A post as X sends it."""

    id: str | int
    text: str | None = None
    author_id: str | int | None = None
    username: str | None = None
    created_at: str | None = None
    conversation_id: str | int | None = None
    in_reply_to_user_id: str | int | None = None
    lang: str | None = None
    entities: Entities | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None
    referenced_tweets: list[Reference] | None = None
    referenced_posts: list[Reference] | None = None
    edit_history_tweet_ids: list[str | int] | None = None
    edit_history_post_ids: list[str | int] | None = None
    attachments: Attachments | None = None
    public_metrics: PublicMetrics | None = None

    @property
    def references(self) -> list[Reference]:
        return self.referenced_posts or self.referenced_tweets or []

    @property
    def versions(self) -> list[str]:
        """Ids of every version, oldest first; at least its own."""
        return [str(each) for each in self.edit_history_post_ids or self.edit_history_tweet_ids or [self.id]]

    @property
    def note(self) -> Note | None:
        return self.note_post or self.note_tweet


class UserMetrics(msgspec.Struct):
    """Counters of an account."""

    followers_count: int | None = None
    following_count: int | None = None
    listed_count: int | None = None
    like_count: int | None = None
    tweet_count: int | None = None
    post_count: int | None = None


class UserEntities(msgspec.Struct):
    """What X found in a profile."""

    description: Entities | None = None


class User(msgspec.Struct):
    """An account as X sends it."""

    id: str | int
    username: str | None = None
    name: str | None = None
    description: str | None = None
    entities: UserEntities | None = None
    created_at: str | None = None
    verified: bool | None = None
    verified_type: str | None = None
    protected: bool | None = None
    public_metrics: UserMetrics | None = None


class MediaItem(msgspec.Struct):
    """A picture or a film."""

    media_key: str
    type: str | None = None
    url: str | None = None
    preview_image_url: str | None = None
    alt_text: str | None = None


class Option(msgspec.Struct):
    """One choice of a poll."""

    label: str | None = None
    position: int | None = None


class Poll(msgspec.Struct):
    """A question with choices."""

    id: str | int
    options: list[Option] | None = None


class DmEvent(msgspec.Struct):
    """A private message, or somebody who joins or leaves."""

    id: str | int
    event_type: str | None = None
    text: str | None = None
    sender_id: str | int | None = None
    dm_conversation_id: str | int | None = None
    created_at: str | None = None
    entities: Entities | None = None
    attachments: Attachments | None = None


class Meta(msgspec.Struct):
    """How to go on."""

    next_token: str | None = None
    result_count: int | None = None


class _Envelope(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    includes: dict[str, msgspec.Raw] | None = None
    errors: list[Problem] | None = None
    meta: Meta | None = None


class Answer(msgspec.Struct):
    """One answer, taken apart; each item is still JSON, so that one that cannot be read does not spoil the others."""

    items: list[bytes] = []
    posts: dict[str, Tweet] = {}
    users: dict[str, User] = {}
    media: dict[str, MediaItem] = {}
    polls: dict[str, Poll] = {}
    problems: list[Problem] = []
    next_token: str = ""
    #: how many resources it brought, as X bills them
    resources: int = 0


def read_answer(body: bytes) -> Answer:
    """Raises `InvalidPost` when the body is no JSON object of that shape."""
    envelope = _decoded(body, _Envelope, "answer")
    includes = envelope.includes or {}
    items = _split(envelope.data)
    posts = _known(includes, ("posts", "tweets"), Tweet, "id")
    users = _known(includes, ("users",), User, "id")
    media = _known(includes, ("media",), MediaItem, "media_key")
    ids = {identifier for identifier in map(item_id, items) if identifier}
    return Answer(
        items=items,
        posts=posts,
        users=users,
        media=media,
        polls=_known(includes, ("polls",), Poll, "id"),
        problems=envelope.errors or [],
        next_token=(envelope.meta.next_token or "") if envelope.meta else "",
        resources=len(ids | set(posts)) + len(users) + len(media),
    )


def item_id(item: bytes) -> str:
    """The id of an item that may be unreadable otherwise; "" without one."""
    try:
        return str(msgspec.json.decode(item, type=_Id).id)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def decode_item(item: bytes, kind: type[_T]) -> _T:
    """One item. Raises `InvalidPost`."""
    return _decoded(item, kind, "post")


class _Id(msgspec.Struct):
    id: str | int


def _decoded(body: bytes, kind: type[_T], what: str) -> _T:
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidPost(path.strip(".`") or what, reason) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise InvalidPost(what, "nested too deeply") from None
    try:  # slower, and takes lone surrogates and NaN, which become "?" and null
        found = json.loads(body, parse_constant=lambda _: None)
        return msgspec.json.decode(
            json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"), type=kind, strict=False
        )
    except (ValueError, RecursionError) as error:
        raise InvalidPost(what, f"is no JSON that can be read: {error}") from None


def _split(data: msgspec.Raw) -> list[bytes]:
    """A list, one object, or null -> the items."""
    try:
        found = msgspec.json.decode(data, type=list[msgspec.Raw] | dict[str, msgspec.Raw] | None)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise InvalidPost("data", "is neither a list nor an object") from None
    if isinstance(found, dict):
        return [bytes(data)]
    return [bytes(item) for item in found or ()]


def _known(includes: dict[str, msgspec.Raw], names: tuple[str, ...], kind: type[_T], key: str) -> dict[str, _T]:
    """What came with the answer, by its id; what cannot be read is left out."""
    found: dict[str, _T] = {}
    for name in names:
        try:
            items = _split(includes[name]) if name in includes else []
        except InvalidPost:
            continue
        for item in items:
            try:
                decoded: Any = decode_item(item, kind)
            except InvalidPost:
                continue
            found[str(getattr(decoded, key))] = decoded
    return found
