"""What a post leaves elsewhere, taken away when its author deletes it: calls of webhooks, posts that were set aside,
fingerprints, words of rules that broke on it. What is shown of a conversation follows by itself (`refresh`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rapport.bus.table import TableBus
from rapport.store.models import BusMessage, Fingerprint, RuleDay, RuleEffect, WebhookCall
from rapport.store.models import Post as PostRow
from rapport.store.queries.sql import chunks

#: calls that wait or are on their way; the others were taken or given up
_WAITING = (WebhookCall.State.QUEUED, WebhookCall.State.SENDING)


def with_reposts(network: str, rows: Sequence[PostRow]) -> list[PostRow]:
    """These posts, and what others passed on of them: on the network it goes with the original."""
    talks = {row.conversation_id for row in rows if row.conversation_id}
    ids = {row.external_id for row in rows}
    found = {row.pk: row for row in rows}
    for part in chunks(sorted(talks), 500):
        passed_on = PostRow.objects.filter(conversation_id__in=part, network=network, kind="repost", ours=False)
        found |= {row.pk: row for row in passed_on if row.thread in ids or row.in_reply_to in ids}
    return list(found.values())


def forget_told(workspace: int, rows: Sequence[PostRow]) -> None:
    """Take the words of these posts out of everything that repeats them. Notices name people and rules, no words."""
    ids = {row.pk for row in rows}
    for part in chunks(sorted(ids), 500):
        Fingerprint.objects.filter(post__in=part).delete()
        RuleDay.objects.of(workspace).filter(broken_post__in=part).update(broken_post=None, error="")
    _forget_calls(workspace, rows)
    if BusMessage.objects.of(workspace).filter(state=BusMessage.State.QUARANTINED).exists():
        # what waits or is worked on is through in a moment, and is stored without their words
        TableBus().forget(workspace, lambda row, _: row in ids, only=BusMessage.State.QUARANTINED)


def _forget_calls(workspace: int, rows: Sequence[PostRow]) -> None:
    """Calls of webhooks: what waits is not told any more; of what was told the words go."""
    told: set[str] = set()
    talks = sorted({row.conversation_id for row in rows if row.conversation_id})
    names = {row.pk: row.external_id for row in rows}
    for part in chunks(talks, 500):
        fired = RuleEffect.objects.of(workspace).filter(conversation__in=part, verb="webhook")
        told |= {names[post] for post in fired.values_list("post", flat=True) if post in names}
    if not told:
        return
    for call in WebhookCall.objects.of(workspace).iterator(chunk_size=500):
        body = msgspec.json.decode(call.body)
        post = body.get("data", {}).get("post") if isinstance(body, dict) else None
        if not isinstance(post, dict) or post.get("id") not in told or not post.get("text"):
            continue
        if call.state in _WAITING:
            call.delete()
        else:
            post["text"] = ""
            WebhookCall.objects.filter(pk=call.pk).update(body=msgspec.json.encode(body).decode())
