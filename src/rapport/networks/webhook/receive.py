"""One request at our door -> what to answer, and what it brought. Never raises."""

from __future__ import annotations

import datetime as dt

from rapport.core.errors import InvalidInput
from rapport.networks.base import Account, Answer, Incoming, Page
from rapport.networks.webhook.parse import MAX_BYTES, read_body
from rapport.networks.webhook.secret import valid_keys
from rapport.networks.webhook.signature import check_signature

STREAM = "deliveries"
_MOST_REASONS = 50


def answer_delivery(account: Account, incoming: Incoming) -> Answer:
    """See `Network.receive`. The order of the checks tells a stranger nothing but what the documentation says."""
    refusal = _look_over(incoming)
    if refusal is not None:
        return refusal
    try:
        keys = valid_keys(account.token, incoming.now)
        delivery = check_signature(incoming.headers, incoming.body, keys, incoming.now)
    except InvalidInput as error:
        return Answer(401, f"Refused: {error}.\n")
    try:
        posts, refused = read_body(incoming.body, account.account_id, incoming.now)
    except InvalidInput as error:
        return Answer(400, f"Refused: {error}.\n")
    more = [f"and {len(refused) - _MOST_REASONS:,} more"] if len(refused) > _MOST_REASONS else []
    lines = [f"{len(posts)} taken, {len(refused)} refused", *refused[:_MOST_REASONS], *more]
    body = "\n".join(lines) + "\n"
    if refused and not posts:
        return Answer(422, body)
    page = Page(
        stream=STREAM,
        posts=tuple(sorted(posts, key=lambda post: post.created_at)),
        cursor=_cursor(incoming.now),
        rejected=tuple(refused),
    )
    return Answer(200, body, (page,), delivery)


def _look_over(incoming: Incoming) -> Answer | None:
    """What is refused before anybody looks for a signature."""
    if incoming.method != "POST":
        return Answer(405, "Send a POST.\n")
    if len(incoming.body) > MAX_BYTES:
        return Answer(413, f"At most {MAX_BYTES:,} bytes are taken in one delivery.\n")
    kind, _, parameters = incoming.headers.get("content-type", "").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "").partition("charset=")[2].partition(";")[0]
    if kind.strip() != "application/json" or charset not in {"", "utf-8", "utf8"}:
        return Answer(415, "Send application/json in UTF-8.\n")
    return None


def _cursor(now: dt.datetime) -> str:
    """Nothing is read from a webhook, so there is nowhere to go on; the time says when it last brought something."""
    return f'{{"at":"{now.astimezone(dt.UTC).isoformat()}"}}'
