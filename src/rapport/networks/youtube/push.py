"""Answering on YouTube, and finding again what may have been written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from rapport.core.errors import GiveUp, InvalidPost, RetryLater, Unconfirmed
from rapport.core.post import Post
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.google import Google
from rapport.networks.http import GuardedSession
from rapport.networks.payload import same_text
from rapport.networks.youtube.parse import comment_url, items_of, next_page, parse_comment, parse_thread
from rapport.networks.youtube.pull import API

VISIBILITIES = ("public", "private")
MAX_LENGTH = 10_000  # characters of a comment
_CLOCKS = dt.timedelta(minutes=5)
_PAGE, _MOST_PAGES = 100, 10


def push_reply(account: Account, reply: Reply, session: GuardedSession, now: dt.datetime) -> Sent:
    """See `Network.push`: an answer under a top comment, or a comment under a video. Costs 50 units of quota.

    YouTube has one level of answers: an answer to an answer stands under the same top comment.
    """
    google = Google.of(account, session, now)
    kind, _, video = reply.target.partition(":")
    text = {"textOriginal": reply.text}
    if kind == "video" and video:
        body: dict[str, Any] = {"snippet": {"videoId": video, "topLevelComment": {"snippet": text}}}
        answer = google.write("POST", f"{API}/commentThreads", {"part": "snippet"}, body)
    elif reply.target and reply.visibility != "direct":
        body = {"snippet": {"parentId": _top(reply.target), **text}}
        answer = google.write("POST", f"{API}/comments", {"part": "snippet"}, body)
    else:
        raise GiveUp("a reply needs the comment or video that it answers; YouTube has no private messages")
    identifier = answer.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise Unconfirmed("YouTube accepted the comment and did not say under which id")
    return Sent(identifier, comment_url(video or _video_of(answer), identifier))


def find_reply(
    account: Account,
    reply: Reply,
    since: dt.datetime,
    session: GuardedSession,
    now: dt.datetime,
    besides: Collection[str] = (),
) -> Sent | None:
    """See `Network.find`. Reads the answers under the top comment, or the newest comments under the video."""
    google = Google.of(account, session, now)
    kind, _, video = reply.target.partition(":")
    if kind == "video" and video:
        url, params = f"{API}/commentThreads", {"part": "snippet", "videoId": video, "order": "time"}
    else:
        url, params = f"{API}/comments", {"part": "snippet", "parentId": _top(reply.target)}
    asked: dict[str, Any] = {**params, "textFormat": "plainText", "maxResults": _PAGE}
    for _ in range(_MOST_PAGES):
        answer = google.read(url, asked)
        posts = _posts(items_of(answer), account, threads=bool(video))
        for post in posts:
            ours = post.author.ours and post.created_at >= since - _CLOCKS and post.id not in besides
            if ours and same_text(post.text, reply.text):
                return Sent(post.id, post.url)
        token = next_page(answer)
        if not token or (video and posts and posts[-1].created_at < since - _CLOCKS):
            return None
        asked["pageToken"] = token
    raise Unconfirmed(f"the {_MOST_PAGES * _PAGE} comments that were read do not go back to the time of the send")


def _posts(items: list[Any], account: Account, threads: bool) -> list[Post]:
    try:
        if threads:
            found = [parse_thread(item) for item in items]
            return [parse_comment(thread.top, account, thread.video) for thread in found]
        return [parse_comment(item, account) for item in items]
    except InvalidPost as error:
        # a comment that cannot be read may be the one that we look for: not found would be a guess
        raise RetryLater(f"the comments cannot be read: {error}") from None


def _top(target: str) -> str:
    return target.partition(".")[0]


def _video_of(answer: dict[str, Any]) -> str:
    snippet = answer.get("snippet")
    return str(snippet.get("videoId") or "") if isinstance(snippet, dict) else ""
