"""Reading what Bluesky's app view lists: notifications, searches, hashtags, our own posts.

All of these lists give the newest first, so a pull reads down to a little below its cursor (`networks.backwards`). They
sort by the time in which a post was written or first seen, whichever is earlier: a post that its author dated back by
more than the overlap slips in below the cursor and is only heard live, through Jetstream.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from rapport.core.errors import InvalidInput, RetryLater
from rapport.networks.backwards import Found, Place, floor_of, read_place
from rapport.networks.base import Account, Page
from rapport.networks.bluesky.parse import parse_view, reason_of
from rapport.networks.bluesky.syntax import parse_time, write_time
from rapport.networks.bluesky.wire import Wire
from rapport.networks.http import GuardedSession
from rapport.networks.payload import moment, name_of

LIVE = "jetstream"
REASONS = ("mention", "reply", "quote")
FIRST_PULL = 200  # posts of each stream, when an account is new
MOST = 5_000  # posts of one pull of one stream
_PAGE = 100  # the most that the server gives
_MOST_SEEN = 300  # of one list within the overlap; beyond it posts may come twice, which the store drops


class _Place(Place):
    """What the cursor of a list holds: besides the moment, what was given out already of what lies above the floor."""

    #: a few letters of the hash of each address, newest last
    seen: list[str] = []


class _Source(msgspec.Struct, frozen=True):
    """Where a stream is read, and under which name the items lie."""

    method: str
    items: str
    parameters: dict[str, str | int | list[str]]
    #: takes `since`
    bounded: bool = False


def streams_of(account: Account) -> tuple[str, ...]:
    """Notifications and our own posts, the searches and hashtags that were asked for, and what is said live."""
    searches = [f"search:{query}" for query in words_of(account, "searches")]
    hashtags = [f"hashtag:{name.lstrip('#')}" for name in words_of(account, "hashtags") if name.lstrip("#")]
    live = () if account.settings.get("jetstream") == "off" else (LIVE,)
    return ("notifications", "own", *searches, *hashtags, *live)


def words_of(account: Account, setting: str) -> list[str]:
    """A list among the settings of an account, without what is empty."""
    found = account.settings.get(setting)
    return [word.strip() for word in found if word.strip()] if isinstance(found, list) else []


def pull_list(account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
    """See `Network.pull`, for every stream but the live one. Raises `InvalidInput` for one that Bluesky has not."""
    yield from pull_through(Wire.of(account, session), account, stream, cursor)


def pull_through(wire: Wire, account: Account, stream: str, cursor: str) -> Iterator[Page]:
    """As `pull_list`, over a wire that is kept: it remembers what the server said of its limits."""
    now = dt.datetime.now(dt.UTC)
    place, doubt = read_place(cursor, _Place, now)
    found = Found()
    if doubt:
        found.miss(doubt)
    floor = floor_of(place)
    _read_down(wire, _source(account, stream), account, floor, found, now)
    yield from _oldest_first(stream, found, place, now)


def _read_down(
    wire: Wire, source: _Source, account: Account, floor: dt.datetime | None, found: Found, now: dt.datetime
) -> None:
    """Fill `found` with everything above `floor`; with the newest `FIRST_PULL` where there is none."""
    parameters = source.parameters | {"limit": _PAGE}
    if source.bounded and floor is not None:
        parameters["since"] = write_time(floor)
    seen = 0
    oldest = now
    while True:
        answer = wire.query(source.method, parameters)
        items = answer.get(source.items)
        if not isinstance(items, list):
            raise RetryLater(f"{wire.host} gave no list of {source.items}")
        for item in items:
            oldest = _time_of(item) or oldest
            if floor is None or oldest >= floor:
                _keep(item, source, account, found, now)
        seen += len(items)
        following = answer.get("cursor")
        if not items or not isinstance(following, str) or following == parameters.get("cursor"):
            return
        if floor is not None and oldest < floor:
            return
        if floor is None and seen >= FIRST_PULL:
            found.miss(f"Only the newest {FIRST_PULL} were read when this account was connected.", until=oldest)
            return
        if seen >= MOST:
            found.miss(f"There was more than the {MOST:,} posts that are read in one go.", floor, oldest)
            return
        parameters["cursor"] = following


def _oldest_first(stream: str, found: Found, place: _Place, now: dt.datetime) -> Iterator[Page]:
    """What was found and not given out before, oldest first; at least one page. Each cursor holds what went with it."""
    seen = dict.fromkeys(place.seen)
    rejected = tuple(line for line in found.rejected if _mark(line) not in seen)
    once = {post.id: post for post in found.posts if _mark(post.id) not in seen}
    posts = sorted(once.values(), key=lambda post: (post.created_at, post.id))
    at = place.at or now
    for start in range(0, max(len(posts), 1), _PAGE):
        group = posts[start : start + _PAGE]
        if group:
            newest = min(group[-1].created_at, now)
            at = newest if place.at is None else max(place.at, newest)
        seen |= dict.fromkeys(_mark(each) for each in (*(rejected if start == 0 else ()), *(post.id for post in group)))
        cursor = _Place(at=at, seen=list(seen)[-_MOST_SEEN:])
        yield Page(
            stream=stream,
            posts=tuple(group),
            cursor=msgspec.json.encode(cursor).decode(),
            more=start + _PAGE < len(posts),
            gap=found.gap if start == 0 else None,
            rejected=rejected if start == 0 else (),
        )


def _mark(what: str) -> str:
    return base64.b85encode(hashlib.sha256(what.encode("utf-8", "replace")).digest()[:8]).decode()


def _keep(item: Any, source: _Source, account: Account, found: Found, now: dt.datetime) -> None:
    view = item
    if source.items == "notifications":
        if reason_of(item) not in REASONS:
            return
    elif source.items == "feed":
        if not isinstance(item, dict):
            found.rejected.append("feed: an item is no object")
            return
        if item.get("reason") is not None:  # a repost, or a post that is pinned above the others
            return
        view = item.get("post")
    what = name_of(view, "uri") or source.items
    found.keep(lambda: parse_view(view, account.account_id, account.handle), what, now)


def _time_of(item: Any) -> dt.datetime | None:
    """By what the server sorts: the time of writing or of first sight, whichever is earlier."""
    view = item.get("post", item) if isinstance(item, dict) else None
    if not isinstance(view, dict):
        return None
    record = view.get("record")
    said = record.get("createdAt") if isinstance(record, dict) else None
    times = [parse_time(each) or moment(each) for each in (said, view.get("indexedAt")) if isinstance(each, str)]
    return min((each for each in times if each is not None), default=None)


def _source(account: Account, stream: str) -> _Source:
    kind, _, name = stream.partition(":")
    if stream == "notifications":
        return _Source("app.bsky.notification.listNotifications", "notifications", {"reasons": list(REASONS)})
    if stream == "own":
        actor: dict[str, str | int | list[str]] = {"actor": account.account_id, "filter": "posts_with_replies"}
        return _Source("app.bsky.feed.getAuthorFeed", "feed", actor)
    if name and kind in {"search", "hashtag"}:
        query = name if kind == "search" else f"#{name}"
        return _Source("app.bsky.feed.searchPosts", "posts", {"q": query, "sort": "latest"}, bounded=True)
    raise InvalidInput(f"Bluesky has no stream {stream!r}")
