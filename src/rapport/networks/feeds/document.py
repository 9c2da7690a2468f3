"""A feed, whichever of the formats it came in."""

from __future__ import annotations

import datetime as dt

import msgspec

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
