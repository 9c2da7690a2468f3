"""A feed as it came over the wire -> `Document`, whichever of the formats it is.

Raises `InvalidInput` with the reason when the body is no feed, and nothing else. Pure: bytes in, structs out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import msgspec

from rapport.core.errors import InvalidInput

MAX_ITEMS = 5_000  # of one document; what is further down is older and is told as left out


class Attachment(msgspec.Struct, frozen=True):
    """Something that an item carries along."""

    url: str
    #: image, video, audio or file
    kind: str = "file"
    alt: str = ""


class Item(msgspec.Struct, frozen=True):
    """One entry of a feed, whatever its format calls it."""

    #: as the feed gives it; "" where it gives none
    guid: str = ""
    link: str = ""
    #: plain text
    title: str = ""
    #: the longest markup that the feed gives for the item, "" where it gives plain text only
    html: str = ""
    #: plain text where the feed gives no markup
    text: str = ""
    author: str = ""
    author_email: str = ""
    author_url: str = ""
    #: aware, in UTC
    published: dt.datetime | None = None
    updated: dt.datetime | None = None
    tags: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    lang: str = ""
    #: how many comments the feed counts; None: it does not say
    comments: int | None = None
    #: guid of the entry that this one answers (RFC 4685)
    answers: str = ""


class Document(msgspec.Struct, frozen=True):
    """One reading of a feed."""

    #: rss20, atom10, json11, ...: as feedparser names them
    version: str
    title: str = ""
    link: str = ""
    lang: str = ""
    #: in the order of the document
    items: tuple[Item, ...] = ()
    #: where older items are (RFC 5005 "prev-archive" or "next", JSON Feed "next_url"); "" where nothing is offered
    older: str = ""
    #: the document holds every item that there is (RFC 5005, section 2)
    complete: bool = False
    #: guids of items that the feed says were deleted (RFC 6721)
    deleted: tuple[str, ...] = ()
    #: how many items beyond `MAX_ITEMS` were not read
    left_out: int = 0


_JSON = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*\{")
_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:<!--[^>]{0,500}-->\s*)?<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY\s[^>]{0,100000}", re.IGNORECASE)
_MOST_ENTITIES = 300  # the whole Latin-1 table of HTML, as honest feeds of the nineties declare it
_LONGEST_ENTITIES = 50_000  # bytes of all declarations together


def is_page(body: bytes) -> bool:
    """Whether the body begins like an HTML page."""
    return _PAGE.match(body) is not None


def read_document(body: bytes, headers: Mapping[str, str], address: str) -> Document:
    """The body of an answer -> the feed. `headers` are the answer's; `address` completes relative links.

    Takes time that a hostile body can make long: bodies by strangers go through `apart.read_apart`.
    """
    from rapport.networks.feeds.jsonfeed import read_json
    from rapport.networks.feeds.markup import read_markup

    if not body.strip():
        raise InvalidInput("the answer is empty")
    if is_page(body):
        raise InvalidInput("this is a web page, not a feed")
    if _JSON.match(body):
        return read_json(body, address)
    _refuse_bombs(body)
    return read_markup(body, headers, address)


def _refuse_bombs(body: bytes) -> None:
    """Entities are for letters. What declares entities out of entities, or very long ones, is an attack."""
    declared = [found[0] for found in _ENTITY.finditer(body)]
    if not declared:
        return
    if len(declared) > _MOST_ENTITIES or sum(map(len, declared)) > _LONGEST_ENTITIES:
        raise InvalidInput("it declares more entities than a feed needs, which is how readers are made to burst")
    if sum(1 for one in declared if re.search(rb"&\w", one)) > 2:
        raise InvalidInput("its entities are made of other entities, which is how readers are made to burst")
