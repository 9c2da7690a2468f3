"""A web page -> the feeds that it names in its head."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import msgspec

_MOST_BYTES = 500_000  # a head is never longer
_MOST_LINKS = 20
_TAG = re.compile(r"<(link|base|a|body)\b([^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]{1,40})\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_TYPES = {
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "application/json",
    "application/x.atom+xml",
    "text/xml",
    "application/xml",
}


class Found(msgspec.Struct, frozen=True):
    """A feed that a page names."""

    address: str
    title: str = ""


def feeds_of_page(body: bytes, address: str) -> list[Found]:
    """What `<link rel="alternate">` names, feeds of comments last. Takes time in proportion to the length."""
    base = address
    found: list[Found] = []
    for name, attributes in _tags(_without_comments(body[:_MOST_BYTES].decode("utf-8", "replace"))):
        if name == "base" and attributes.get("href"):
            base = _joined(address, attributes["href"]) or base
        if name != "link" or "alternate" not in attributes.get("rel", "").lower().split():
            continue
        kind = attributes.get("type", "").lower().partition(";")[0].strip()
        target = _joined(base, attributes.get("href", ""))
        if kind in _TYPES and target and len(found) < _MOST_LINKS:
            found.append(Found(target, attributes.get("title", "")))
    found = list({one.address: one for one in found}.values())
    return sorted(found, key=_is_about_comments)


def _is_about_comments(found: Found) -> bool:
    return "comment" in f"{found.title} {urlsplit(found.address).path}".lower()


def _tags(page: str) -> Iterator[tuple[str, dict[str, str]]]:
    for tag in _TAG.finditer(page):
        values = {
            match[1].lower(): unescape(match[2] or match[3] or match[4] or "").strip()
            for match in _ATTRIBUTE.finditer(tag[2])
        }
        yield tag[1].lower(), values


def _without_comments(page: str) -> str:
    parts, start = [], 0
    while (opens := page.find("<!--", start)) >= 0:
        parts.append(page[start:opens])
        closes = page.find("-->", opens)
        if closes < 0:
            return "".join(parts)
        start = closes + 3
    return "".join(parts) + page[start:]


def _joined(base: str, link: str) -> str:
    try:
        joined = urljoin(base, link.strip())
        return joined if urlsplit(joined).scheme in {"http", "https"} else ""
    except ValueError:
        return ""
