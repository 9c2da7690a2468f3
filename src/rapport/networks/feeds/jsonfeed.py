"""JSON Feed 1.0 and 1.1 -> `Document`. https://www.jsonfeed.org/version/1.1/

Lenient as the specification asks: a number as an id becomes text, what has another type than it should is left out.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

import nh3

from rapport.core.errors import InvalidInput
from rapport.networks.feeds.document import MAX_ITEMS, Attachment, Document, Item
from rapport.networks.html import plain_text

_PREFIX = "jsonfeed.org/version/"


def read_json(body: bytes, address: str) -> Document:
    """Raises `InvalidInput` when the body is no JSON Feed."""
    try:
        feed = json.loads(body.decode("utf-8-sig", "replace"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"it begins like JSON and cannot be read: {str(error)[:100]}") from None
    version = _text(feed, "version")
    if _PREFIX not in version:
        raise InvalidInput("this is JSON, but no JSON Feed: it names no version of jsonfeed.org")
    items = feed.get("items")
    if not isinstance(items, list):
        raise InvalidInput("this JSON Feed has no list of items")
    lang = _text(feed, "language")
    author = next(_authors(feed), ("", ""))
    return Document(
        version="json" + version.rpartition("/")[2].replace(".", "")[:4],
        title=_text(feed, "title").strip(),
        link=_address(feed, "home_page_url", address),
        lang=lang,
        items=tuple(_item(item, address, author) for item in items[:MAX_ITEMS] if isinstance(item, dict)),
        older=_address(feed, "next_url", address),
        left_out=max(0, len(items) - MAX_ITEMS),
    )


def _item(item: dict[str, Any], address: str, feed_author: tuple[str, str]) -> Item:
    # as feedparser does for the other formats: a script is no text
    html = nh3.clean(_text(item, "content_html").replace("\0", "\ufffd"), link_rel=None)
    name, url = next(_authors(item), feed_author)
    return Item(
        guid=_text(item, "id"),
        link=_address(item, "url", address) or _address(item, "external_url", address),
        title=plain_text(_text(item, "title"))[0] if "&" in _text(item, "title") else _text(item, "title").strip(),
        html=html,
        text="" if html else (_text(item, "content_text") or _text(item, "summary")),
        author=name,
        author_url=urljoin(address, url) if url else "",
        published=_moment(item, "date_published"),
        updated=_moment(item, "date_modified"),
        tags=tuple(tag for tag in _list(item, "tags") if isinstance(tag, str)),
        attachments=tuple(_attachments(item, address)),
        lang=_text(item, "language"),
    )


def _attachments(item: dict[str, Any], address: str) -> Iterator[Attachment]:
    for name in ("image", "banner_image"):
        if url := _address(item, name, address):
            yield Attachment(url, "image")
    for found in _list(item, "attachments"):
        if isinstance(found, dict) and (url := _address(found, "url", address)):
            kind = _text(found, "mime_type").partition("/")[0]
            yield Attachment(url, kind if kind in {"image", "video", "audio"} else "file", _text(found, "title"))


def _authors(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, address): version 1.1 has a list, version 1 a single one."""
    for found in [*_list(item, "authors"), item.get("author")]:
        if isinstance(found, dict) and (_text(found, "name").strip() or _text(found, "url")):
            yield _text(found, "name").strip(), _text(found, "url")


def _moment(item: dict[str, Any], name: str) -> dt.datetime | None:
    """RFC 3339, and what is nearly so; None for anything else."""
    with suppress(ValueError, OverflowError):
        moment = dt.datetime.fromisoformat(_text(item, name).strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    return None


def _address(item: dict[str, Any], name: str, base: str) -> str:
    value = _text(item, name).strip()
    with suppress(ValueError):
        return urljoin(base, value) if value else ""
    return ""


def _list(item: dict[str, Any], name: str) -> list[Any]:
    value = item.get(name)
    return value[:500] if isinstance(value, list) else []


def _text(item: Any, name: str) -> str:
    value = item.get(name) if isinstance(item, dict) else None
    if isinstance(value, bool):
        return ""
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
