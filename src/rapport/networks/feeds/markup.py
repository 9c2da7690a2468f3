"""RSS, RDF, Atom and CDF -> `Document`, with feedparser.

feedparser can fetch addresses and open files: it is given a `BytesIO` and nothing else, which it only reads.
"""

from __future__ import annotations

import datetime as dt
import io
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin
from xml.sax import SAXException

import feedparser  # type: ignore[import-untyped]  # ships no types
from defusedxml import ElementTree  # type: ignore[import-untyped]

from rapport.core.errors import InvalidInput
from rapport.networks.feeds.document import MAX_ITEMS, Attachment, Document, Item
from rapport.networks.html import plain_text

_DELETED = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
_HISTORY = "http://purl.org/syndication/history/1.0"
_KINDS = {"image", "video", "audio"}
_MOST_TAGS = 100


def parse_markup(body: bytes, headers: Mapping[str, str], address: str) -> Any:
    """What feedparser makes of the body: its own dictionary. `address` completes relative links."""
    known = {name.lower(): value for name, value in headers.items()}
    told: dict[str, str] = {name: known[name] for name in ("content-type", "content-language") if name in known}
    told["content-location"] = _base(known.get("content-location", ""), address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # feedparser's own aliases
        return feedparser.parse(io.BytesIO(body), response_headers=told)


def read_markup(body: bytes, headers: Mapping[str, str], address: str) -> Document:
    """Raises `InvalidInput` when the body is no feed."""
    try:
        parsed = parse_markup(body, headers, address)
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, MemoryError) as error:
        raise InvalidInput(f"it cannot be read as a feed: {type(error).__name__}: {str(error)[:100]}") from None
    if not parsed.get("version") and not parsed.entries:
        raise InvalidInput(_why_not(parsed))
    feed = parsed.feed
    lang = _plain(feed, "language")
    return Document(
        version=str(parsed.get("version") or "unknown"),
        title=_words(feed, "title"),
        link=_plain(feed, "link"),
        lang=lang,
        items=tuple(_item(entry) for entry in parsed.entries[:MAX_ITEMS]),
        older=_older(feed),
        complete=_is_complete(parsed),
        deleted=tuple(_tombstones(body)),
        left_out=max(0, len(parsed.entries) - MAX_ITEMS),
    )


def _base(location: str, address: str) -> str:
    """What relative links are completed with: Content-Location where it is a web address (RFC 9110, 8.7)."""
    with suppress(ValueError):
        joined = urljoin(address, location.strip())
        if joined.startswith(("http://", "https://")):
            return joined
    return address


def _why_not(parsed: Any) -> str:
    error = parsed.get("bozo_exception")
    told = f": {str(error)[:120]}" if isinstance(error, SAXException) else ""
    return f"this is no feed that is known (RSS, Atom, JSON Feed){told}"


def _item(entry: Any) -> Item:
    html, text, lang = _body(entry)
    author = dict.get(entry, "author_detail") or {}
    return Item(
        guid=_plain(entry, "id"),
        link=_link(entry),
        title=_words(entry, "title"),
        html=html,
        text=text,
        author=_words_of(str(author.get("name") or dict.get(entry, "author") or "")),
        author_email=str(author.get("email") or ""),
        author_url=str(author.get("href") or ""),
        published=_moment(entry, "published_parsed") or _moment(entry, "created_parsed"),
        updated=_moment(entry, "updated_parsed"),
        tags=tuple(_tags(entry)),
        attachments=tuple(_attachments(entry)),
        lang=lang,
        comments=_count(entry),
        answers=str((dict.get(entry, "thr_in-reply-to") or {}).get("ref") or ""),
    )


def _link(entry: Any) -> str:
    """The address of the item itself: an alternate one goes before whatever else it links to."""
    links = dict.get(entry, "links") or []
    alternate = next((one["href"] for one in links if one.get("rel") == "alternate" and one.get("href")), "")
    return str(alternate or _plain(entry, "link"))


def _body(entry: Any) -> tuple[str, str, str]:
    """(markup, plain text, language) of the fullest account that the entry gives; one of the two is empty."""
    contents = [part for part in dict.get(entry, "content") or [] if part.get("value")]
    summary = dict.get(entry, "summary_detail")
    parts = [*contents, *([summary] if summary and summary.get("value") else [])]
    if not parts:
        return "", "", ""
    fullest = max(parts, key=lambda part: len(part["value"]))
    value, lang = str(fullest["value"]), str(fullest.get("language") or "")
    return ("", value, lang) if fullest.get("type") == "text/plain" else (value, "", lang)


def _attachments(entry: Any) -> Iterator[Attachment]:
    found = [
        *(one for one in dict.get(entry, "links") or [] if one.get("rel") == "enclosure"),
        *(dict.get(entry, "media_content") or []),
        *(dict.get(entry, "media_thumbnail") or []),
    ]
    seen: set[str] = set()
    for one in found[:100]:
        url = str(one.get("href") or one.get("url") or "")
        if url and url not in seen:
            seen.add(url)
            kind = str(one.get("medium") or one.get("type") or "image").partition("/")[0]
            yield Attachment(url, kind if kind in _KINDS else "file")


def _tags(entry: Any) -> Iterator[str]:
    for tag in (dict.get(entry, "tags") or [])[:_MOST_TAGS]:
        word = str(tag.get("label") or tag.get("term") or "").strip()
        if word:
            yield word


def _count(entry: Any) -> int | None:
    for name in ("slash_comments", "thr_total"):
        value = str(dict.get(entry, name) or "").strip()
        if value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
    return None


def _older(feed: Any) -> str:
    links = dict.get(feed, "links") or []
    for relation in ("prev-archive", "next"):
        for link in links:
            if link.get("rel") == relation and link.get("href"):
                return str(link["href"])
    return ""


def _is_complete(parsed: Any) -> bool:
    """`complete` of the feed history namespace, whatever its prefix is in this feed."""
    prefixes = [prefix for prefix, name in (parsed.get("namespaces") or {}).items() if name == _HISTORY]
    return any(dict.__contains__(parsed.feed, f"{prefix}_complete") for prefix in prefixes)


def _tombstones(body: bytes) -> Iterator[str]:
    """Deleted entries (RFC 6721), which feedparser does not tell of."""
    if b"deleted-entry" not in body:
        return
    try:
        root = ElementTree.fromstring(body, forbid_dtd=True)
    except (ElementTree.ParseError, ValueError):  # a feed that only loose readers can read names none
        return
    for found in root.iter(_DELETED):
        if ref := found.get("ref"):
            yield ref


def _moment(entry: Any, name: str) -> dt.datetime | None:
    found = dict.get(entry, name)
    if not isinstance(found, time.struct_time):
        return None
    try:
        return dt.datetime(*found[:5], min(found.tm_sec, 59), tzinfo=dt.UTC)
    except ValueError:
        return None


def _plain(entry: Any, name: str) -> str:
    value = dict.get(entry, name)
    return value.strip() if isinstance(value, str) else ""


def _words(entry: Any, name: str) -> str:
    """A field that may be markup, as text on one line."""
    detail = dict.get(entry, f"{name}_detail") or {}
    value = str(detail.get("value") or dict.get(entry, name) or "")
    return " ".join(value.split()) if detail.get("type") == "text/plain" else _words_of(value)


def _words_of(value: str) -> str:
    return " ".join(plain_text(value)[0].split())
