"""`Post` and `Author`: what a network said, in one shape, and the door that hostile values do not pass."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Literal

import msgspec

from rapport.core.errors import InvalidPost

Kind = Literal["post", "reply", "repost", "quote", "review", "message", "comment", "topic", "mail"]
#: kinds that are meant for us whatever they say
TO_US: frozenset[Kind] = frozenset({"message", "comment", "mail", "review"})
Visibility = Literal["public", "unlisted", "private", "direct"]

#: Bounds. What is longer is cut where a cut loses nothing essential, and refused where it does.
MAX_TEXT = 100_000  # characters; the longest real format (mail, Discourse) stays below
MAX_HTML = 500_000  # characters
MAX_ITEMS = 500  # mentions, hashtags, links, media
MAX_NAME = 500  # characters of a name, handle or address part
MAX_BIO = 5_000  # characters
MAX_URL = 4_000  # characters
MAX_ID = 500  # characters of an id on a network
MAX_NETWORK = 32  # characters of the name of a network
MAX_LANG = 16  # characters of a language tag; a longer one is not believed
MAX_COUNT = 2**53  # followers, likes; beyond it JSON readers disagree about the number
FUTURE_SLACK = dt.timedelta(hours=24)  # clocks of other servers go wrong; a day is generous
EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)  # no network is older; a date before it is a broken clock or file

_WEB = ("https://", "http://")


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


#: shared by every post whose network tells no counters
NO_METRICS = Metrics()


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
    #: posts of others that they have liked
    likes: int | None = None
    #: lists of others that they stand on
    listed: int | None = None

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
    metrics: Metrics = NO_METRICS
    #: stars of a review, 1 to 5
    rating: float | None = None
    visibility: Visibility = "public"


_decoder = msgspec.json.Decoder(Post)


def decode_post(line: bytes | str, now: dt.datetime) -> Post:
    """One JSON object in the Post format -> a `Post` that is safe to store.

    `now` (aware) bounds dates in the future. Raises `InvalidPost` with the field and the reason.
    """
    try:
        return admit(_decode(line), now)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidPost(path.strip(".`") or "post", reason) from None
    except msgspec.DecodeError as error:
        raise InvalidPost("json", str(error)) from None
    except UnicodeDecodeError as error:
        raise InvalidPost("encoding", f"not UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise InvalidPost("json", "nested too deeply") from None


def _decode(line: bytes | str) -> Post:
    # a str can hold lone surrogates, which no UTF-8 can
    raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        # half an emoji, cut off by the program that wrote the file, must not cost the words around it
        if isinstance(line, bytes) and b"\\u" not in line:
            raise
        forgiven = _decode_surrogates(line)
        if forgiven is None:
            raise
        return forgiven


def _decode_surrogates(line: bytes | str) -> Post | None:
    """As `_decode` for JSON that is well formed but for lone surrogates; None where that is not what is wrong."""
    try:
        return msgspec.convert(json.loads(line, parse_constant=_refuse_constant), Post)
    except msgspec.ValidationError:
        raise
    except ValueError:
        return None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def admit(post: Post, now: dt.datetime) -> Post:
    """Check one decoded post, bound what may be bounded, and return the post that may be stored.

    Refused (`InvalidPost`): no network, id, author or time zone; NUL or lone surrogates in an id or handle, or one
    of more than `MAX_ID` characters; a date before `EARLIEST` or more than a day in the future; a rating outside 1..5;
    a text beyond `MAX_TEXT`.
    Bounded: names, biographies, markup, and lists of more than `MAX_ITEMS`; NUL and lone surrogates in running
    text become U+FFFD, because the words around them are still what somebody said. Left out: addresses that are not
    http or https, counters that no count can have, language tags and dates of an author that cannot be right.
    Times come out in UTC. Admitting an admitted post changes nothing.
    """
    _require_identity(post)
    _check_times(post, now)
    if post.rating is not None and not 1 <= post.rating <= 5:
        raise InvalidPost("rating", f"{post.rating} is outside 1 to 5")
    if len(post.text) > MAX_TEXT:
        raise InvalidPost("text", f"{len(post.text):,} characters; at most {MAX_TEXT:,} are taken in")
    if _is_plain(post, now):
        return post
    return _bounded(post, now)


def _require_identity(post: Post) -> None:
    for field, value in (("network", post.network), ("id", post.id)):
        if not value.strip():
            raise InvalidPost(field, "must not be empty")
    if not post.author.key.strip():
        raise InvalidPost("author", "needs an id or a handle")
    identities = (
        ("network", post.network, MAX_NETWORK),
        ("id", post.id, MAX_ID),
        ("author.id", post.author.id, MAX_ID),
        ("author.handle", post.author.handle, MAX_ID),
        ("in_reply_to", post.in_reply_to or "", MAX_ID),
        ("thread", post.thread or "", MAX_ID),
    )
    for field, value, limit in identities:
        if not _is_clean(value):
            raise InvalidPost(field, "contains NUL or a lone surrogate")
        if len(value) > limit:
            raise InvalidPost(field, f"{len(value):,} characters; at most {limit}")


def _check_times(post: Post, now: dt.datetime) -> None:
    for field, moment in (("created_at", post.created_at), ("edited_at", post.edited_at)):
        if moment is None:
            continue
        if moment.utcoffset() is None:
            raise InvalidPost(field, "has no time zone; write 2026-01-31T10:00:00Z")
        if moment > now + FUTURE_SLACK:
            raise InvalidPost(field, f"{moment.isoformat()} lies in the future")
        if moment < EARLIEST:
            raise InvalidPost(field, f"{moment.isoformat()} lies before 1970")


def _is_plain(post: Post, now: dt.datetime) -> bool:
    """The common case: nothing to bound, so the post is returned as it is."""
    author = post.author
    return (
        post.html is None
        and not post.media
        and post.created_at.tzinfo is dt.UTC
        and (post.edited_at is None or post.edited_at.tzinfo is dt.UTC)
        and author.created_at is _believable(author.created_at, now)
        and len(post.mentions) <= MAX_ITEMS
        and len(post.hashtags) <= MAX_ITEMS
        and len(post.links) <= MAX_ITEMS
        and len(author.name) <= MAX_NAME
        and len(author.bio or "") <= MAX_BIO
        and _is_clean(post.text)
        and _is_clean(author.name)
        and _is_clean(author.bio or "")
        and post.in_reply_to != ""
        and post.thread != ""
        and post.lang == _language(post.lang)
        and post.url == _web_address(post.url)
        and author.url == _web_address(author.url)
        and (not post.mentions or (max(map(len, post.mentions)) <= MAX_NAME and all(map(_is_clean, post.mentions))))
        and (not post.hashtags or (max(map(len, post.hashtags)) <= MAX_NAME and all(map(_is_clean, post.hashtags))))
        and (not post.links or all(map(_web_address, post.links)))
        and 0 <= (author.followers or 0) <= MAX_COUNT
        and 0 <= (author.following or 0) <= MAX_COUNT
        and 0 <= (author.posts or 0) <= MAX_COUNT
        and 0 <= (author.likes or 0) <= MAX_COUNT
        and 0 <= (author.listed or 0) <= MAX_COUNT
        and (post.metrics is NO_METRICS or post.metrics is _metrics(post.metrics))
    )


def _bounded(post: Post, now: dt.datetime) -> Post:
    author = msgspec.structs.replace(
        post.author,
        name=_clean(post.author.name)[:MAX_NAME],
        bio=_clean_or_none(post.author.bio, MAX_BIO),
        url=_web_address(post.author.url),
        followers=post.author.followers if _is_count(post.author.followers) else None,
        following=post.author.following if _is_count(post.author.following) else None,
        posts=post.author.posts if _is_count(post.author.posts) else None,
        created_at=_believable(post.author.created_at, now),
        likes=post.author.likes if _is_count(post.author.likes) else None,
        listed=post.author.listed if _is_count(post.author.listed) else None,
    )
    return msgspec.structs.replace(
        post,
        author=author,
        text=_clean(post.text),
        html=_clean_or_none(post.html, MAX_HTML),
        url=_web_address(post.url),
        lang=_language(post.lang),
        created_at=post.created_at.astimezone(dt.UTC),
        edited_at=post.edited_at.astimezone(dt.UTC) if post.edited_at else None,
        in_reply_to=post.in_reply_to or None,
        thread=post.thread or None,
        mentions=tuple(_clean(item)[:MAX_NAME] for item in post.mentions[:MAX_ITEMS]),
        hashtags=tuple(_clean(item)[:MAX_NAME] for item in post.hashtags[:MAX_ITEMS]),
        # never cut: half an address leads somewhere else
        links=tuple(filter(None, map(_web_address, post.links[:MAX_ITEMS]))),
        media=tuple(
            Media(_clean(item.kind)[:50], _web_address(item.url) or "", _clean(item.alt)[:MAX_BIO])
            for item in post.media[:MAX_ITEMS]
        ),
        metrics=_metrics(post.metrics),
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


def _language(tag: str | None) -> str | None:
    """A language tag, or None: what is no tag at all says nothing about the language."""
    if tag is None or (len(tag) == 2 and tag.isascii() and tag.isalpha()):
        return tag
    if len(tag) > MAX_LANG or not tag.isascii() or not tag.replace("-", "").replace("_", "").isalnum():
        return None
    return tag


def _web_address(url: str | None) -> str | None:
    """A web address, or None: nothing but http and https is ever shown as a link, and half an address is none."""
    if not url or len(url) > MAX_URL or not _is_clean(url):
        return None
    return url if url.startswith(_WEB) or url[:8].lower().startswith(_WEB) else None


def _is_count(value: int | None) -> bool:
    return value is None or 0 <= value <= MAX_COUNT


def _metrics(metrics: Metrics) -> Metrics:
    likes, reposts, replies = metrics.likes, metrics.reposts, metrics.replies
    if 0 <= likes <= MAX_COUNT and 0 <= reposts <= MAX_COUNT and 0 <= replies <= MAX_COUNT:
        return metrics
    return Metrics(*(value if _is_count(value) else 0 for value in (likes, reposts, replies)))


def _believable(moment: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """When an author joined, in UTC; None where that cannot be: it is no reason to lose the post."""
    if moment is None or moment.utcoffset() is None or not EARLIEST <= moment <= now + FUTURE_SLACK:
        return None
    return moment if moment.tzinfo is dt.UTC else moment.astimezone(dt.UTC)
