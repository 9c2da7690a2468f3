"""What a forum brings to our door: its webhook, signed with a secret of our own choice.

The signature covers the body and nothing else: neither the time nor the number of the delivery. So an old message can
be brought again by somebody who saw it; it then changes nothing, because posts, edits (the newest wins) and deletions
(a tombstone wins) all have their effect once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from rapport.core.errors import InvalidPost
from rapport.core.post import admit
from rapport.networks.base import Account, Answer, Incoming, Page
from rapport.networks.discourse.parse import Forum, author_key, post_id, read_post, to_post
from rapport.networks.payload import read_object

STREAM = "webhook"


def receive(account: Account, incoming: Incoming) -> Answer:
    """See `Network.receive`."""
    secret = account.settings.get("webhook_secret")
    if incoming.method != "POST":
        return Answer(405, "A forum brings its news by POST.")
    if not isinstance(secret, str) or not secret:
        return Answer(401, "No secret is set for this webhook; write it on the page of the source.")
    wanted = "sha256=" + hmac.new(secret.encode("utf-8", "replace"), incoming.body, hashlib.sha256).hexdigest()
    given = incoming.headers.get("x-discourse-event-signature", "")
    if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        return Answer(401, "The signature is not the one that the secret makes.")
    kind, event = (incoming.headers.get(f"x-discourse-event{part}", "") for part in ("-type", ""))
    if kind == "ping":
        return Answer(200, "Heard.")
    try:
        body = read_object(incoming.body).get(kind)
        page = _page(account, event, body, incoming.now) if isinstance(body, dict) else None
    except InvalidPost as error:
        # said and left: the forum would bring the same again and again
        page = Page(stream=STREAM, posts=(), cursor="{}", rejected=(f"webhook {kind} {event}: {error}"[:500],))
    if page is None:
        return Answer(200, "Nothing for us.")
    number = incoming.headers.get("x-discourse-event-id", "")
    # the number is not signed, so it counts only together with what is
    delivery = f"{number[:60]}:{hashlib.sha256(incoming.body).hexdigest()[:32]}" if number else ""
    return Answer(200, "Heard.", pages=(page,), delivery=delivery)


def _page(account: Account, event: str, body: dict[str, Any], now: dt.datetime) -> Page | None:
    """What one event means; None for those that say nothing to us."""
    host = urlsplit(account.server).netloc
    if event in {"post_created", "post_edited", "post_recovered", "post_destroyed"}:
        raw = read_post(body)
        if event == "post_destroyed" or raw.is_gone:
            place = post_id(host, raw.topic_id, raw.post_number)
            return Page(stream=STREAM, posts=(), cursor="{}", deleted=(place,))
        if not raw.is_speech or raw.topic_archetype == "private_message":
            return None  # a key of an admin is told of messages that are not ours to read
        forum = Forum(account.server, host, account.account_id)
        post = admit(to_post(raw, forum, changed=event == "post_edited"), now)
        return Page(stream=STREAM, posts=(post,), cursor="{}")
    if event == "topic_destroyed" and isinstance(body.get("id"), int):
        count = body.get("highest_post_number", body.get("posts_count"))
        last = min(max(count, 1), 10_000) if isinstance(count, int) else 1
        gone = tuple(post_id(host, body["id"], number) for number in range(1, last + 1))
        return Page(stream=STREAM, posts=(), cursor="{}", deleted=gone)
    if event in {"user_destroyed", "user_anonymized"} and isinstance(body.get("username"), str):
        return Page(stream=STREAM, posts=(), cursor="{}", suspended=(author_key(body["username"], host),))
    return None
