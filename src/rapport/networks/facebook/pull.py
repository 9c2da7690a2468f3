"""Reading a page: its feed with the comments under it, the posts that mention it, its inbox.

Webhooks bring all of this when it happens; a pull fills what they missed. One request reads the newest posts together
with the newest comments of each, and only where these do not reach down to the cursor is a post read further.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from rapport.core.errors import GiveUp, InvalidInput
from rapport.networks.backwards import Found, Place, floor_of, is_resting, oldest_first, read_place
from rapport.networks.base import Account, Page
from rapport.networks.facebook.parse import COMMENT_FIELDS, NAME, POST_FIELDS, parse_comment, parse_post
from rapport.networks.graph import MOST_REQUESTS, Graph, segment, split
from rapport.networks.graph_inbox import REST, pull_messages
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of

STREAMS = ("comments", "mentions", "messages")
POSTS_BACK = 50  # newest posts whose comments a pull looks at; older ones come by webhook
_POSTS, _COMMENTS = 25, 25  # of one request
_DEEPER = 100  # comments of one request for a single post
_MOST_PAGES = 20  # of one post, and of mentions, in one pull
_FIRST_MENTIONS = 2  # pages, when an account is new


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession, now: dt.datetime) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that there is not."""
    if stream == "messages":
        yield from pull_messages(account, NAME, account.account_id, cursor, session, now)
        return
    if stream not in STREAMS:
        raise InvalidInput(f"a Facebook page has no stream {stream!r}")
    place, doubt = read_place(cursor, Place, now)
    if is_resting(account, place, now, REST):
        return
    found, floor = Found(), floor_of(place)
    if doubt:
        found.miss(doubt)
    reading = _Reading(account, Graph.of(account, session), floor, now, found)
    if stream == "comments":
        reading.feed()
    else:
        reading.mentions()
    yield from oldest_first(stream, found, place, now)


class _Reading:
    """One pull of one stream down to `floor`; None reads what a new account gets."""

    def __init__(
        self, account: Account, graph: Graph, floor: dt.datetime | None, now: dt.datetime, found: Found
    ) -> None:
        self._account, self._graph, self._floor, self._now, self._found = account, graph, floor, now, found

    def feed(self) -> None:
        """The newest posts and what was said under them."""
        comments = f"comments.filter(stream).order(reverse_chronological).limit({_COMMENTS}){{{COMMENT_FIELDS}}}"
        params = {"fields": f"{POST_FIELDS},{comments}", "limit": _POSTS}
        older = False
        for posts, more in self._graph.pages(f"{self._account.account_id}/feed", params, POSTS_BACK // _POSTS):
            for post in posts:
                older = self._post_with_comments(post) or older
            older = older or (more and self._floor is None)
        if older and self._floor is None:
            self._found.miss(
                f"Only the newest {_COMMENTS} comments of each of the newest {POSTS_BACK} posts were read when this "
                f"page was connected."
            )

    def mentions(self) -> None:
        """Posts elsewhere that tag the page."""
        most = _FIRST_MENTIONS if self._floor is None else _MOST_PAGES
        params = {"fields": POST_FIELDS, "limit": _DEEPER}
        older = False
        for posts, more in self._graph.pages(f"{self._account.account_id}/tagged", params, most):
            older = more
            if any(self._is_below(post, parse_post) for post in posts):
                return
        if older:
            self._found.miss(f"More than {most * _DEEPER} mentions; older ones were not read.", self._floor)

    def _post_with_comments(self, item: Any) -> bool:
        """Keep what is new of a post and under it; True when a new account leaves comments unread."""
        self._is_below(item, parse_post)
        comments, after = split(item.get("comments") if isinstance(item, dict) else None)
        reached = [self._is_below(comment, parse_comment) for comment in comments]
        if self._floor is None or any(reached) or not after:
            return bool(after)
        self._deeper(name_of(item, "id"), after)
        return False

    def _deeper(self, post: str, after: str) -> None:
        params = {
            "fields": COMMENT_FIELDS, "filter": "stream", "order": "reverse_chronological", "limit": _DEEPER,
        }  # fmt: skip
        for _ in range(_MOST_PAGES):
            if self._graph.asked >= MOST_REQUESTS:
                break
            try:
                comments, after = split(self._graph.read(f"{segment(post)}/comments", {**params, "after": after}))
            except GiveUp:
                return  # the post was deleted in the meantime, with what stood under it
            if any(self._is_below(comment, parse_comment) for comment in comments) or not after:
                return
        self._found.miss("A post had more new comments than are read at once; older ones were not read.")

    def _is_below(self, item: Any, parse: Any) -> bool:
        """Keep one item, unless it lies below the floor: then True."""
        what = f"{parse.__name__.removeprefix('parse_')} {name_of(item, 'id')}".strip()
        post = self._found.read(lambda: parse(item, self._account), what, self._now)
        if post is None:
            return False
        if self._floor is not None and post.created_at < self._floor:
            return True
        self._found.posts.append(post)
        return False
