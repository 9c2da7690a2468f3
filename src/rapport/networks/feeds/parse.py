"""One item of a feed -> `Post`. Pure; raises `InvalidPost` and nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from html import unescape
from itertools import islice
from urllib.parse import urljoin, urlsplit

from rapport.core.errors import InvalidPost
from rapport.core.post import EARLIEST, FUTURE_SLACK, MAX_TEXT, Author, Kind, Media, Metrics, Post, admit
from rapport.networks.feeds.document import Attachment, Document, Item
from rapport.networks.html import plain_text

NAME = "feeds"
_LONGEST_GUID = 300  # characters; a longer one stands in an id as its hash
_CUT = " […]"
_IMAGE = re.compile(r"<img\b([^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(src|alt)\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_MOST_IMAGES = 20


def digest(*parts: str) -> str:
    """Eleven characters that stand for these words; the same on every machine."""
    raw = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()[:8]
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def feed_key(address: str) -> str:
    """What the ids of a feed begin with: its host, and a hash of the address as it was entered.

    http and https are one feed, so that mending the address repeats nothing. At most 112 characters.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").removeprefix("www.")
    return f"{host[:100]}~{digest(address.partition('://')[2].rstrip('/'))}"


def item_key(item: Item, loose: bool = False) -> str:
    """What tells this item from the others of its feed: its guid, else its link and title.

    `loose`: the feed gives several items one guid, which therefore tells nothing by itself.
    """
    if item.guid and not loose:
        return item.guid
    return "#" + digest(item.guid, item.link, item.title or _said(item)[:500])


def post_id(address: str, key: str) -> str:
    """The id of a post: what the ids of its feed begin with, and the item's key. Within `core.post.MAX_ID`."""
    return f"{feed_key(address)}:{_short(key)}"


def content_mark(item: Item) -> str:
    """A hash of what the item says. Dates and addresses do not belong to it: feeds change them without a new word."""
    return digest(item.title, " ".join(_said(item).split()))


def parse_item(
    item: Item, feed: Document, address: str, key: str, seen: dt.datetime, edited: dt.datetime | None = None
) -> Post:
    """An item of `feed` -> the post. `address` is the feed's as it was entered, `key` is from `item_key`.

    `seen` is when we first saw it: the date of an item that has none, or one that cannot be. `edited` is when an item
    that was read before was found changed.
    """
    prefix = feed_key(address)
    body, links = (item.text, ()) if item.text else plain_text(item.html)
    text = _whole_text(item.title, body)
    if not text:  # a list of links, a gallery: what is pointed at is all that is said
        text = item.link or next((one.url for one in (*item.attachments, *_images(item))), "")
    if not text:
        raise InvalidPost("text", "the item has neither a title nor words nor a link")
    attachments = (*item.attachments, *_images(item))
    published = _believed(item.published, seen) or _believed(item.updated, seen) or seen
    base = item.link or feed.link or address
    post = Post(
        network=NAME,
        id=post_id(address, key),
        text=text,
        created_at=published,
        edited_at=max(edited, published) if edited else None,
        author=_author(item, feed, address, prefix),
        url=item.link or None,
        kind=_kind(item),
        html=item.html or None,
        lang=_lang(item.lang or feed.lang),
        in_reply_to=post_id(address, item.answers) if item.answers else None,
        hashtags=tuple(dict.fromkeys("".join(tag.lstrip("#").split()) for tag in item.tags)),
        links=tuple(dict.fromkeys(_joined(base, link) for link in links)),
        media=tuple(Media(one.kind, _joined(base, one.url), one.alt) for one in attachments),
        metrics=Metrics(replies=item.comments or 0),
    )
    return admit(post, seen)


def _said(item: Item) -> str:
    return item.text or plain_text(item.html)[0]


def _images(item: Item) -> Iterator[Attachment]:
    """Pictures within the words of an item that does not name them as attachments."""
    named = {one.url for one in item.attachments}
    for tag in islice(_IMAGE.finditer(item.html), _MOST_IMAGES):
        values = {match[1].lower(): unescape(match[2] or match[3] or "") for match in _ATTRIBUTE.finditer(tag[1])}
        source = values.get("src", "").strip()
        if source and source not in named and not source.lower().startswith("data:"):
            named.add(source)
            yield Attachment(source, "image", values.get("alt", "").strip())


def _whole_text(title: str, body: str) -> str:
    """Title and words in one; a title that only repeats how the words begin is left out."""
    opening = " ".join(title.split()).rstrip(". …")
    begins = bool(opening) and " ".join(body[: 2 * len(title) + 200].split()).startswith(opening)
    text = body if begins or not title else f"{title}\n\n{body}" if body else title
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - len(_CUT)] + _CUT


def _author(item: Item, feed: Document, address: str, prefix: str) -> Author:
    """The one who signed the item; the feed itself where nobody did."""
    host = (urlsplit(address).hostname or "feed").removeprefix("www.")
    name = item.author or item.author_email.partition("@")[0]
    if not name:
        return Author(id=prefix, handle=host, name=feed.title or host, url=feed.link or None)
    who = digest((item.author_email or item.author).casefold())
    return Author(id=f"{prefix}/{who}", handle=host, name=name, url=item.author_url or feed.link or None)


def _kind(item: Item) -> Kind:
    if item.answers:
        return "comment"
    return "topic" if item.comments is not None else "post"


def _believed(moment: dt.datetime | None, seen: dt.datetime) -> dt.datetime | None:
    """A date that can be when something was written. Calendars and broken clocks give others."""
    return moment if moment is not None and EARLIEST <= moment <= seen + FUTURE_SLACK else None


def _lang(tag: str) -> str | None:
    return tag.strip() or None


def _short(key: str) -> str:
    clean = key if key.isprintable() and len(key) <= _LONGEST_GUID else "#" + digest(key)
    return clean.strip() or "#" + digest(key)


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return link
