"""Changing a comment of ours on YouTube. Its API likes no comments.

Sources: YouTube Data API v3 reference "Comments: delete" (DELETE comments?id=, 204; 404 commentNotFound) and "Comments:
update" (PUT comments?part=snippet with id and snippet.textOriginal); each costs 50 units, the look before it 1.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from rapport.core.errors import GiveUp, InvalidPost, RetryLater
from rapport.core.post import Post
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.google import Google, Missing
from rapport.networks.http import GuardedSession
from rapport.networks.youtube.parse import comment_url, items_of, parse_comment
from rapport.networks.youtube.pull import API

_URL = f"{API}/comments"


def remove_comment(account: Account, external_id: str, session: GuardedSession, now: dt.datetime) -> None:
    """See `Network.remove`."""
    google = Google.of(account, session, now)
    _read_ours(google, account, external_id)
    try:
        google.delete(_URL, {"id": external_id})
    except Missing:
        return


def edit_comment(account: Account, external_id: str, reply: Reply, session: GuardedSession, now: dt.datetime) -> Sent:
    """See `Network.edit`."""
    google = Google.of(account, session, now)
    before = _read_ours(google, account, external_id)
    if before is not None and before.text == reply.text:
        return Sent(external_id, before.url)
    body: dict[str, Any] = {"id": external_id, "snippet": {"textOriginal": reply.text}}
    try:
        answer = google.write("PUT", _URL, {"part": "snippet"}, body)
    except Missing:
        raise GiveUp("the comment is not on YouTube any more; answer anew") from None
    snippet = answer.get("snippet")
    video = str(snippet.get("videoId") or "") if isinstance(snippet, dict) else ""
    return Sent(external_id, comment_url(video, external_id) or (before.url if before else None))


def _read_ours(google: Google, account: Account, external_id: str) -> Post | None:
    """As YouTube shows it, None where it shows none (which is no proof that it is gone)."""
    if not external_id or "," in external_id or external_id.startswith("video:"):
        raise GiveUp(f"{external_id[:40]!r} is no comment on YouTube")
    asked = {"part": "snippet", "id": external_id, "textFormat": "plainText"}
    try:
        items = items_of(google.read(_URL, asked))
        post = parse_comment(items[0], account) if items else None
    except Missing:
        return None
    except InvalidPost as error:
        raise RetryLater(f"the comment cannot be read: {error}") from None
    if post is not None and not post.author.ours:
        raise GiveUp("the comment is by somebody else")
    return post
