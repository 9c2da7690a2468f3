"""POST /api/v1/posts: posts from elsewhere, each list with its effect once."""

from __future__ import annotations

import hashlib
import re

from django.http import HttpResponse

from rapport.actions.api import Rejected, hand_in
from rapport.api.body import read_body, split_list
from rapport.api.door import Call
from rapport.api.problems import bad
from rapport.core.errors import InvalidPost
from rapport.core.post import Post, decode_post
from rapport.wiring import make_bus

MAX_POSTS = 500
KEY = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def hand_in_posts(call: Call) -> HttpResponse:
    """Takes a list of Posts; answers what became of them. The same key and body give the same answer, byte for byte."""
    key = call.request.headers.get(KEY, "")
    if not _KEY.fullmatch(key):
        reason = "is not 1 to 255 visible ASCII characters" if key else "is missing"
        raise bad(f"header.{KEY}", reason, "Make up a new one, such as a UUID, for each list; keep it for every retry.")
    body = read_body(call.request)
    channel = call.query["channel"]
    digest = hashlib.sha256(f"posts\n{channel}\n".encode() + body).hexdigest()
    posts: list[Post] = []
    rejected: list[Rejected] = []
    for index, item in enumerate(split_list(body, MAX_POSTS)):
        try:
            posts.append(decode_post(item, call.now))
        except InvalidPost as error:
            rejected.append(Rejected(index, error.field, _sayable(error.reason)))
    kept, repeated = hand_in(call.token, channel, posts, rejected, make_bus(), key=key, digest=digest, now=call.now)
    headers = {"Idempotent-Replayed": "true"} if repeated else {}
    return HttpResponse(kept.body, content_type="application/json", headers=headers)


def _sayable(reason: str) -> str:
    """A reason may quote the post, and half a character of it cannot be sent back."""
    return reason[:500].encode(errors="replace").decode()
