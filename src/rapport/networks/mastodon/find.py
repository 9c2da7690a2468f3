"""Followed searches: what the full-text search of a server finds, read down to the newest id that is known.

Only servers with a search engine behind them find words in posts, and then only in those whose authors allow it. A
server without one answers every search with nothing, so a search that finds nothing at first is tried on words that
must be found: our own.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, Reauthorise, RetryLater
from rapport.networks.mastodon.parse import parse_status, split_items
from rapport.networks.mastodon.wire import Wire

PAGE_SIZE = 40
_MOST_PAGES = 25  # of one read: 1,000 posts
_WORD = re.compile(r"\w{5,30}")


class _Answer(msgspec.Struct):
    statuses: msgspec.Raw = msgspec.Raw(b"[]")


class _Id(msgspec.Struct):
    id: str | int


def search(wire: Wire, words: str, newest: str, most: int) -> tuple[list[bytes], str]:
    """Posts with these words above the id `newest` ("": the newest `most`) -> (JSON, newest first; what is missing).

    Raises any `NetworkError` but `Unconfirmed`; `GiveUp` where the token or the server does not allow to search.
    """
    found: dict[str, bytes] = {}
    params: dict[str, Any] = {"q": words, "type": "statuses", "limit": PAGE_SIZE}
    if newest:
        params["min_id"] = newest
    for _ in range(_MOST_PAGES if newest else -(-most // PAGE_SIZE)):
        items = _read(wire, params)
        fresh = {identifier: item for identifier, item in items if _age(identifier) > _age(newest)}
        if not fresh.keys() - found.keys():
            if items and len(fresh) == len(items) and len(fresh) >= PAGE_SIZE and newest:
                return _in_order(found), f"This server shows only the newest results of the search for {words}."
            return _in_order(found), ""
        found |= fresh
        if len(fresh) < len(items):
            return _in_order(found), ""
        params["max_id"] = min(found, key=_age)
    if newest:
        return _in_order(found), f"The search for {words} found more than could be read; the oldest are missing."
    return _in_order(found)[:most], f"Only the newest {most} results of the search for {words} were read at first."


def why_nothing(wire: Wire, words: str, account: str, domain: str) -> str:
    """A sentence when a search that found nothing means that the server searches no texts, "" when it may be true."""
    try:
        mine = split_items(wire.read(f"/api/v1/accounts/{quote(account, safe='')}/statuses", {"limit": PAGE_SIZE}))
        spoken = [parse_status(item, domain).text for item in mine]
    except (InvalidPost, GiveUp):
        return ""
    known = [word for text in spoken[::-1] for word in _WORD.findall(text)]
    tries = known[:2] or ["the"]
    if any(_read(wire, {"q": word, "type": "statuses", "limit": 1}) for word in tries):
        return ""
    return (
        f"This server does not seem to search in the text of posts, so the search for {words} finds nothing. "
        "Follow a hashtag instead, or ask its admins for full-text search."
    )


def not_allowed(words: str, error: GiveUp | Reauthorise) -> str:
    """A sentence for a search that the server refuses to this account."""
    if isinstance(error, Reauthorise):
        return f"The search for {words} needs a right that was not granted. Connect the account again and allow it."
    return f"The server refuses the search for {words}: {error}"


def _read(wire: Wire, params: dict[str, Any]) -> list[tuple[str, bytes]]:
    try:
        statuses = msgspec.json.decode(wire.read("/api/v2/search", params), type=_Answer).statuses
        items = split_items(bytes(statuses))
        return [(str(msgspec.json.decode(item, type=_Id).id), item) for item in items]
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidPost) as error:
        raise RetryLater(f"the answer to a search cannot be read: {error}") from None


def _in_order(found: dict[str, bytes]) -> list[bytes]:
    return [found[identifier] for identifier in sorted(found, key=_age, reverse=True)]


def _age(identifier: str) -> tuple[int, str]:
    return len(identifier), identifier
