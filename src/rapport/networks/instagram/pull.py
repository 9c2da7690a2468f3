"""Reading an Instagram account: its media with the comments under them, the media that tag it, its inbox.

Webhooks bring comments, mentions and messages when they happen; a pull fills what they missed. One request reads the
newest media with their newest comments and the answers to these.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from rapport.core.errors import GiveUp, InvalidInput
from rapport.core.post import Post
from rapport.networks.backwards import Found, Place, floor_of, is_resting, oldest_first, read_place
from rapport.networks.base import Account, Page
from rapport.networks.graph import MOST_REQUESTS, Graph, segment, split
from rapport.networks.graph_inbox import REST, pull_messages
from rapport.networks.http import GuardedSession
from rapport.networks.instagram.parse import (
    MEDIA_FIELDS,
    MENTION_FIELDS,
    NAME,
    REPLY_FIELDS,
    parse_comment,
    parse_medium,
    parse_mentioning_comment,
    parse_tagged,
)
from rapport.networks.payload import name_of

STREAMS = ("comments", "mentions", "messages")
MEDIA_BACK = 50  # newest media whose comments a pull looks at; comments under older ones come by webhook
_MEDIA, _COMMENTS, _ANSWERS = 25, 25, 25  # of one request
_DEEPER = 50  # the most that Instagram gives at once
_MOST_PAGES = 20
_FIRST_MENTIONS = 2  # pages, when an account is new
_COMMENT_FIELDS = f"{REPLY_FIELDS},replies.limit({_ANSWERS}){{{REPLY_FIELDS}}}"


def page_of(account: Account) -> str:
    """The Facebook page that the account belongs to: its inbox is the page's."""
    return str(account.settings.get("page_id") or "me")


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession, now: dt.datetime) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that there is not."""
    if stream == "messages":
        yield from pull_messages(account, NAME, page_of(account), cursor, session, now)
        return
    if stream not in STREAMS and not stream.startswith("mention:"):
        raise InvalidInput(f"Instagram has no stream {stream!r}")
    place, doubt = read_place(cursor, Place, now)
    if is_resting(account, place, now, REST):
        return
    found, floor = Found(), floor_of(place)
    if doubt:
        found.miss(doubt)
    reading = _Reading(account, Graph.of(account, session), floor, now, found)
    if stream == "comments":
        reading.media()
    elif stream == "mentions":
        reading.tags()
    else:
        reading.mention(*stream.split(":")[1:3])
    yield from oldest_first(stream, found, place, now)


class _Reading:
    """One pull of one stream down to `floor`; None reads what a new account gets."""

    def __init__(
        self, account: Account, graph: Graph, floor: dt.datetime | None, now: dt.datetime, found: Found
    ) -> None:
        self._account, self._graph, self._floor, self._now, self._found = account, graph, floor, now, found

    def media(self) -> None:
        """Our newest media and what was said under them."""
        params = {"fields": f"{MEDIA_FIELDS},comments.limit({_COMMENTS}){{{_COMMENT_FIELDS}}}", "limit": _MEDIA}
        older = False
        for media, more in self._graph.pages(f"{self._account.account_id}/media", params, MEDIA_BACK // _MEDIA):
            for medium in media:
                older = self._medium_with_comments(medium) or older
            older = older or (more and self._floor is None)
        if older and self._floor is None:
            self._found.miss(
                f"Only the newest {_COMMENTS} comments of each of the newest {MEDIA_BACK} media were read when this "
                f"account was connected."
            )

    def tags(self) -> None:
        """Media in which the account is tagged."""
        most = _FIRST_MENTIONS if self._floor is None else _MOST_PAGES
        params = {"fields": MEDIA_FIELDS.replace(",media_url", ""), "limit": _DEEPER}
        older = False
        for media, more in self._graph.pages(f"{self._account.account_id}/tags", params, most):
            older = more
            below = [self._is_below(medium, "tag", lambda item: parse_tagged(item, self._account)) for medium in media]
            if any(below):
                return
        if older:
            self._found.miss(
                f"More than {most * _DEEPER} media tag the account; older ones were not read.", self._floor
            )

    def mention(self, media: str, comment: str = "") -> None:
        """The words of one mention that a webhook announced."""
        if not media.isdecimal() or (comment and not comment.isdecimal()):
            raise InvalidInput("a mention is named by the numbers of its media and comment")
        kind, word = ("mentioned_comment", "comment_id") if comment else ("mentioned_media", "media_id")
        fields = MENTION_FIELDS if comment else MEDIA_FIELDS.replace(",media_url", "")
        question = f"{kind}.{word}({comment or media}){{{fields}}}"
        try:
            item = self._graph.read(self._account.account_id, {"fields": question}).get(kind)
        except GiveUp:
            return  # deleted, or of an account that keeps its words from us
        if comment:
            parse: Callable[[], Post] = lambda: parse_mentioning_comment(item, media, self._account)  # noqa: E731
        else:
            parse = lambda: parse_tagged(item, self._account)  # noqa: E731
        self._found.keep(parse, f"mention {comment or media}", self._now)

    def _medium_with_comments(self, item: Any) -> bool:
        """Keep what is new of a medium and under it; True when a new account leaves comments unread."""
        self._is_below(item, "media", lambda item: parse_medium(item, self._account))
        link = str(item.get("permalink") or "") if isinstance(item, dict) else ""
        comments, after = split(item.get("comments") if isinstance(item, dict) else None)
        reached = [self._comment_with_answers(comment, link) for comment in comments]
        if self._floor is None or any(reached) or not after:
            return bool(after)
        self._deeper(name_of(item, "id"), link, after)
        return False

    def _comment_with_answers(self, item: Any, link: str) -> bool:
        """Keep a comment and its answers; True when the comment itself lies below the floor."""
        answers, _ = split(item.get("replies") if isinstance(item, dict) else None)
        for answer in answers:
            if isinstance(answer, dict) and not answer.get("parent_id"):
                answer["parent_id"] = item.get("id")  # known by where it stands
            self._is_below(answer, "comment", lambda item: parse_comment(item, self._account, permalink=link))
        return self._is_below(item, "comment", lambda item: parse_comment(item, self._account, permalink=link))

    def _deeper(self, medium: str, link: str, after: str) -> None:
        params = {"fields": _COMMENT_FIELDS, "limit": _DEEPER}
        for _ in range(_MOST_PAGES):
            if self._graph.asked >= MOST_REQUESTS:
                break
            try:
                comments, after = split(self._graph.read(f"{segment(medium)}/comments", {**params, "after": after}))
            except GiveUp:
                return  # deleted in the meantime, with what stood under it
            reached = [self._comment_with_answers(comment, link) for comment in comments]  # all: answers are newer
            if any(reached) or not after:
                return
        self._found.miss("A medium had more new comments than are read at once; older ones were not read.")

    def _is_below(self, item: Any, what: str, parse: Callable[[Any], Post]) -> bool:
        """Keep one item, unless it lies below the floor: then True."""
        post = self._found.read(lambda: parse(item), f"{what} {name_of(item, 'id')}".strip(), self._now)
        if post is None:
            return False
        if self._floor is not None and post.created_at < self._floor:
            return True
        self._found.posts.append(post)
        return False
