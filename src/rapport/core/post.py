"""`Post` and `Author`: what a network said, in one shape, and the door that hostile values do not pass."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from rapport.core.errors import InvalidPost

Kind = Literal["post", "reply", "repost", "quote", "review", "message", "comment", "topic", "mail"]
Visibility = Literal["public", "unlisted", "private", "direct"]

#: Bounds. What is longer is cut where a cut loses nothing essential, and refused where it does.
MAX_TEXT = 100_000  # characters; the longest real format (mail, Discourse) stays below
MAX_HTML = 500_000  # characters
MAX_ITEMS = 500  # mentions, hashtags, links, media
MAX_NAME = 500  # characters of a name, handle or address part
MAX_BIO = 5_000  # characters
MAX_URL = 4_000  # characters
MAX_ID = 500  # characters of an id on a network
FUTURE_SLACK = dt.timedelta(hours=24)  # clocks of other servers go wrong; a day is generous


class Media(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Something attached to a post."""

    kind: str = "image"
    url: str = ""
    alt: str = ""


class Metrics(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Public counters at the time we read the post."""

    likes: int = 0
    reposts: int = 0
    replies: int = 0


class Author(msgspec.Struct, frozen=True, gc=False):
    """Who wrote a post, as the network tells it."""

    #: the network's own stable id; empty only where the network has none (then `handle` is it)
    id: str = ""
    #: without a leading @
    handle: str = ""
    name: str = ""
    url: str | None = None
    bio: str | None = None
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    created_at: dt.datetime | None = None
    verified: bool = False
    bot: bool = False
    #: one of our own connected accounts
    ours: bool = False

    @property
    def key(self) -> str:
        """The id by which the network knows this author (its handle where there is no id)."""
        return self.id or self.handle


class Post(msgspec.Struct, frozen=True, gc=False):
    """One utterance on one network. (`network`, `id`) is its identity."""

    network: str
    id: str
    text: str
    created_at: dt.datetime
    author: Author
    url: str | None = None
    kind: Kind = "post"
    html: str | None = None
    lang: str | None = None
    edited_at: dt.datetime | None = None
    deleted: bool = False
    #: id of the post that this one answers, on the same network
    in_reply_to: str | None = None
    #: id of the thread's root, where the network tells it
    thread: str | None = None
    #: handles, without @
    mentions: tuple[str, ...] = ()
    #: without #
    hashtags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    metrics: Metrics = Metrics()
    #: stars of a review, 1 to 5
    rating: float | None = None
    visibility: Visibility = "public"


_decoder = msgspec.json.Decoder(Post)


def decode_post(line: bytes | str, now: dt.datetime) -> Post:
    """One JSON object in the Post format -> a `Post` that is safe to store.

    `now` (aware) bounds dates in the future. Raises `InvalidPost` with the field and the reason.
    """
    try:
        return admit(_decoder.decode(line), now)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidPost(path.strip(".`") or "post", reason) from None
    except msgspec.DecodeError as error:
        raise InvalidPost("json", str(error)) from None
    except UnicodeDecodeError as error:
        raise InvalidPost("encoding", f"not UTF-8 at byte {error.start + 1}") from None


def admit(post: Post, now: dt.datetime) -> Post:
    """Check one decoded post, bound what may be bounded, and return the post that may be stored.

    Refused (`InvalidPost`): no network, id, author or time zone; NUL or lone surrogates in an id or handle;
    a date more than a day in the future; a rating outside 1..5; a text beyond `MAX_TEXT`.
    Bounded: names, biographies, markup, and lists of more than `MAX_ITEMS`; NUL and lone surrogates in running
    text become U+FFFD, because the words around them are still what somebody said.
    """
    _require_identity(post)
    _check_times(post, now)
    if post.rating is not None and not 1 <= post.rating <= 5:
        raise InvalidPost("rating", f"{post.rating} is outside 1 to 5")
    if len(post.text) > MAX_TEXT:
        raise InvalidPost("text", f"{len(post.text):,} characters; at most {MAX_TEXT:,} are taken in")
    if _is_plain(post):
        return post
    return _bounded(post)


def _require_identity(post: Post) -> None:
    for field, value in (("network", post.network), ("id", post.id)):
        if not value.strip():
            raise InvalidPost(field, "must not be empty")
    if not post.author.key.strip():
        raise InvalidPost("author", "needs an id or a handle")
    identities = (
        ("network", post.network),
        ("id", post.id),
        ("author.id", post.author.id),
        ("author.handle", post.author.handle),
        ("in_reply_to", post.in_reply_to or ""),
        ("thread", post.thread or ""),
    )
    for field, value in identities:
        if not _is_clean(value):
            raise InvalidPost(field, "contains NUL or a lone surrogate")
        if len(value) > MAX_ID:
            raise InvalidPost(field, f"{len(value):,} characters; at most {MAX_ID}")


def _check_times(post: Post, now: dt.datetime) -> None:
    for field, moment in (("created_at", post.created_at), ("edited_at", post.edited_at)):
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise InvalidPost(field, "has no time zone; write 2026-01-31T10:00:00Z")
        if moment > now + FUTURE_SLACK:
            raise InvalidPost(field, f"{moment.isoformat()} lies in the future")


def _is_plain(post: Post) -> bool:
    """The common case: nothing to bound, so the post is returned as it is."""
    author = post.author
    return (
        len(post.mentions) <= MAX_ITEMS
        and len(post.hashtags) <= MAX_ITEMS
        and len(post.links) <= MAX_ITEMS
        and len(post.media) <= MAX_ITEMS
        and post.html is None
        and len(author.name) <= MAX_NAME
        and len(author.bio or "") <= MAX_BIO
        and len(post.url or "") <= MAX_URL
        and len(author.url or "") <= MAX_URL
        and _is_clean(post.text)
        and _is_clean(author.name)
        and _is_clean(author.bio or "")
        and all(map(_is_clean, post.mentions))
        and all(map(_is_clean, post.hashtags))
        and all(map(_is_clean, post.links))
        and not post.media
        and post.created_at.tzinfo is dt.UTC
    )


def _bounded(post: Post) -> Post:
    author = msgspec.structs.replace(
        post.author,
        name=_clean(post.author.name)[:MAX_NAME],
        bio=_clean_or_none(post.author.bio, MAX_BIO),
        url=_url_or_none(post.author.url),
    )
    return msgspec.structs.replace(
        post,
        author=author,
        text=_clean(post.text),
        html=_clean_or_none(post.html, MAX_HTML),
        url=_url_or_none(post.url),
        created_at=post.created_at.astimezone(dt.UTC),
        edited_at=post.edited_at.astimezone(dt.UTC) if post.edited_at else None,
        mentions=tuple(_clean(item)[:MAX_NAME] for item in post.mentions[:MAX_ITEMS]),
        hashtags=tuple(_clean(item)[:MAX_NAME] for item in post.hashtags[:MAX_ITEMS]),
        links=tuple(_clean(item)[:MAX_URL] for item in post.links[:MAX_ITEMS]),
        media=tuple(
            Media(_clean(item.kind)[:50], _clean(item.url)[:MAX_URL], _clean(item.alt)[:MAX_BIO])
            for item in post.media[:MAX_ITEMS]
        ),
    )


def _is_clean(text: str) -> bool:
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _clean(text: str) -> str:
    if _is_clean(text):
        return text
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean_or_none(text: str | None, limit: int) -> str | None:
    return None if text is None else _clean(text)[:limit]


def _url_or_none(url: str | None) -> str | None:
    """A web address, or None: nothing but http and https is ever shown as a link."""
    if url is None or len(url) > MAX_URL or not url.lower().startswith(("http://", "https://")):
        return None
    return _clean(url)
