"""One conditional request for one feed -> what the server said, typed by what to do next."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, RetryLater
from rapport.networks.feeds.apart import read_apart
from rapport.networks.feeds.discover import feeds_of_page
from rapport.networks.feeds.document import Document
from rapport.networks.feeds.known import header
from rapport.networks.feeds.read import is_page
from rapport.networks.http import GuardedSession, Response, parse_retry_after

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/json;q=0.8, application/xml;q=0.8, text/xml;q=0.7, */*;q=0.3"
)
LONGEST_FRESH = dt.timedelta(hours=6)  # a server that calls its feed fresh for longer is not believed: it is news
_PERMANENT = {301, 308}
_NO_ENTRY = {401, 402, 403, 407, 451}


class Gone(GiveUp):
    """The server says that there is no such feed any more, and never will be (410)."""


class Answered(msgspec.Struct, frozen=True):
    """What the server sent."""

    #: None: it has nothing new (304, or the same bytes again)
    document: Document | None
    #: where the feed lives from now on; "" = it did not move for good
    moved: str = ""
    etag: str = ""
    modified: str = ""
    #: hash of the body
    body: str = ""
    #: the address that relative links were completed with
    address: str = ""
    #: how long the server says that this will stay so, or that it wants to be left alone
    wait: dt.timedelta = dt.timedelta()


def fetch(
    address: str,
    session: GuardedSession,
    now: dt.datetime,
    *,
    etag: str = "",
    modified: str = "",
    body: str = "",
) -> Answered:
    """Ask for the feed at `address`, unless it is still what `etag`, `modified` or `body` (a hash) stand for.

    Raises `RetryLater`, `Gone`, `GiveUp` (with what to do), `AddressRefused`.
    """
    asked = {"Accept": ACCEPT} | {
        name: value for name, value in (("If-None-Match", etag), ("If-Modified-Since", modified)) if value
    }
    answer = session.get(address, headers=asked)
    if answer.status_code == 304:
        return Answered(None, "", etag, modified, body, address, _wait(answer.headers, now))
    if answer.status_code != 200:
        raise _refusal(answer, now)
    found = Answered(
        document=None,
        moved=_moved(answer),
        etag=header(answer.headers.get("ETag")),
        modified=header(answer.headers.get("Last-Modified")),
        body=hashlib.sha256(answer.content).hexdigest()[:16],
        address=answer.url,
        wait=_wait(answer.headers, now),
    )
    if found.body == body:
        return found
    return msgspec.structs.replace(found, document=_read(answer))


def _read(answer: Response) -> Document:
    try:
        return read_apart(answer.content, answer.headers, answer.url)
    except InvalidInput as error:
        named = feeds_of_page(answer.content, answer.url) if is_page(answer.content) else []
        hint = f"; the page names a feed: {named[0].address}" if named else ""
        raise GiveUp(f"what {answer.url[:200]} sends cannot be read: {error}{hint}") from None


def _refusal(answer: Response, now: dt.datetime) -> GiveUp | RetryLater:
    """The error for an answer that is neither a feed nor "nothing new"."""
    status, place = answer.status_code, answer.url[:200]
    if status == 410:
        return Gone(f"{place} is gone for good (410). Take it off the list, or enter the new address")
    if status == 404:
        return GiveUp(f"{place} does not exist (404). Check the address; the site's page may name the new one")
    if status in _NO_ENTRY:
        return GiveUp(f"{place} lets nobody read it without signing in ({status}). Ask the site for an open address")
    after = parse_retry_after(answer.headers, now)
    if status in {408, 425, 429} or status >= 500:
        return RetryLater(f"{place} answers {status}", after)
    return GiveUp(f"{place} answers {status}, which is no feed")


def _moved(answer: Response) -> str:
    """Where the redirects led for good: those at the beginning that are permanent (301, 308)."""
    moved = ""
    for hop in answer.history:
        if hop.status_code not in _PERMANENT:
            break
        moved = urljoin(hop.url, hop.headers.get("Location", ""))
    return moved


def _wait(headers: Mapping[str, str], now: dt.datetime) -> dt.timedelta:
    """How long not to ask again: freshness (RFC 9111, 4.2.1), or a limit on requests that is used up."""
    if headers.get("X-RateLimit-Remaining", "").partition(".")[0].strip() == "0":
        return dt.timedelta(seconds=parse_retry_after(headers, now) or 0.0)
    control = headers.get("Cache-Control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return dt.timedelta()
    fresh = dt.timedelta()
    if told := re.search(r"max-age\s*=\s*\"?([0-9]{1,9})", control):
        age = re.fullmatch(r"\s*([0-9]{1,9})\s*", headers.get("Age", ""))
        fresh = dt.timedelta(seconds=int(told[1]) - (int(age[1]) if age else 0))
    elif "Expires" in headers:
        with suppress(ValueError, TypeError, OverflowError):
            clock = parsedate_to_datetime(headers["Date"]) if "Date" in headers else now
            fresh = parsedate_to_datetime(headers["Expires"]) - clock
    return min(max(fresh, dt.timedelta()), LONGEST_FRESH)
