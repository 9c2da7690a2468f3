"""Writing to Mastodon, and finding again what may have been written."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, urlsplit

import mastodon

from rapport.core.errors import GiveUp, InvalidPost, RetryLater, Unconfirmed
from rapport.core.post import Post
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.parse import parse_status, split_items
from rapport.networks.mastodon.pull import PAGE_SIZE, domain_of
from rapport.networks.mastodon.wire import Wire, cause

VISIBILITIES = ("public", "unlisted", "private", "direct")
_CLOCKS = dt.timedelta(minutes=5)  # how far the server's clock may be behind ours
_MOST_PAGES = 10  # 400 posts of ours since the send
_LINK = re.compile(r"https?://\S+")
#: paths by which a server shows a status to people
_SHOWN = re.compile(r"(?:/deck)?/(?:@[^/]+|users/[^/]+/statuses|web/statuses|statuses)/(\d+)/?", re.ASCII)
_HANDLE = re.compile(r"@([\w.-]*\w)@[\w.-]*\w")


def push_reply(account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
    """See `Network.push`. The text goes out as it was approved, nothing is put before or after it."""
    if reply.visibility not in VISIBILITIES:
        raise GiveUp(f"Mastodon has no visibility {reply.visibility!r}; choose one of {', '.join(VISIBILITIES)}")
    client = Wire.of(account, session).client()
    try:
        status: Any = client.status_post(
            reply.text,
            in_reply_to_id=reply.target or None,
            visibility=reply.visibility,
            idempotency_key=key,
            media_ids=[each.uploaded for each in reply.media] or None,
        )
    except mastodon.MastodonError as error:
        raise cause(error) from error
    if not isinstance(status, dict) or not status.get("id"):
        raise Unconfirmed("the server accepted the reply and did not say under which id")
    return Sent(str(status["id"]), status.get("url") or status.get("uri"))


def find_reply(
    account: Account, reply: Reply, since: dt.datetime, session: GuardedSession, besides: Collection[str] = ()
) -> Sent | None:
    """See `Network.find`. Reads our own posts back to `since` and compares target and text.

    What is older is not looked at: a post of our own may say what another one said last week.
    """
    wire = Wire.of(account, session)
    path = f"/api/v1/accounts/{quote(account.account_id, safe='')}/statuses"
    params: dict[str, Any] = {"limit": PAGE_SIZE, "exclude_reblogs": "true"}
    wanted, oldest = comparable(reply.text), since - _CLOCKS
    for _ in range(_MOST_PAGES):
        posts = _own_posts(wire.read(path, params), account)
        for post in posts:
            same = (
                post.created_at >= oldest
                and post.in_reply_to == (reply.target or None)
                and comparable(post.text) == wanted
            )
            if same and post.id not in besides:
                return Sent(post.id, post.url)
        if not posts or posts[-1].created_at < oldest:
            return None
        params["max_id"] = posts[-1].id
    raise Unconfirmed(f"{_MOST_PAGES * PAGE_SIZE} of our newest posts do not go back to the time of the send")


def id_at(server: str, link: str) -> str:
    """See `Network.id_at`. Another server has an id of its own for the same post."""
    found = urlsplit(link)
    shown = _SHOWN.fullmatch(found.path)
    return shown[1] if shown and f"{found.scheme}://{found.netloc}" == server else ""


def comparable(text: str) -> str:
    """A text without what a server changes: white space, Unicode forms, the server part of a mention."""
    return " ".join(_HANDLE.sub(r"@\1", unicodedata.normalize("NFC", text)).split())


def counted_length(text: str) -> int:
    """Characters as Mastodon counts them: a link is 23, a mention counts without its server."""
    return len(unicodedata.normalize("NFC", _HANDLE.sub(r"@\1", _LINK.sub("x" * 23, text))))


def _own_posts(body: bytes, account: Account) -> list[Post]:
    try:
        return [parse_status(item, domain_of(account), account.account_id) for item in split_items(body)]
    except InvalidPost as error:
        # A post that cannot be read may be the one that we look for: not found would be a guess.
        raise RetryLater(f"our own posts cannot be read: {error}") from None
