"""Answering on Facebook, and finding again what may have been written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from rapport.core.errors import GiveUp, InvalidPost, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks import graph_inbox as inbox
from rapport.networks.base import Account, Sent
from rapport.networks.facebook.parse import COMMENT_FIELDS, NAME, parse_comment
from rapport.networks.graph import Graph, segment
from rapport.networks.graph_messages import split_target
from rapport.networks.http import GuardedSession
from rapport.networks.payload import same_text

VISIBILITIES = ("public", "private", "direct")
MAX_COMMENT, MAX_MESSAGE = 8_000, 2_000  # characters
_CLOCKS = dt.timedelta(minutes=5)
_PAGE, _MOST_PAGES = 50, 10  # comments that `find` reads


def push_reply(account: Account, reply: Reply, session: GuardedSession, now: dt.datetime) -> Sent:
    """See `Network.push`. A message is answered in the inbox, anything else by a comment under it."""
    if split_target(reply.target) is not None:
        if len(reply.text) > MAX_MESSAGE:
            raise GiveUp(f"Messenger takes messages of at most {MAX_MESSAGE:,} characters; shorten the text")
        return inbox.send(account, reply, NAME, account.account_id, session, now)
    if reply.visibility == "direct":
        raise GiveUp("a comment is answered in public; a private word to its author needs a message of theirs")
    if not reply.target:
        raise GiveUp("a reply needs the comment or post that it answers")
    answer = Graph.of(account, session).write(f"{segment(reply.target)}/comments", {"message": reply.text})
    identifier = answer.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise Unconfirmed("Meta accepted the comment and did not say under which id")
    return Sent(identifier, f"https://www.facebook.com/{identifier}")


def find_reply(
    account: Account, reply: Reply, since: dt.datetime, session: GuardedSession, besides: Collection[str] = ()
) -> Sent | None:
    """See `Network.find`. Reads the comments under the target, newest first, back to `since`.

    An answer to an answer stands under the same top comment, so that one is looked under too.
    """
    if split_target(reply.target) is not None:
        return inbox.find_sent(account, reply, NAME, account.account_id, since, session, besides)
    graph = Graph.of(account, session)
    for place in (segment(reply.target), _parent_of(graph, reply.target)):
        found = _look_under(graph, place, account, reply, since, besides) if place else None
        if found is not None:
            return found
    return None


def _parent_of(graph: Graph, target: str) -> str:
    """The top comment above a comment, "" where there is none. A post refuses the question."""
    try:
        parent = graph.read(target, {"fields": "parent{id}"}).get("parent")
    except GiveUp:
        return ""
    return str(parent.get("id") or "") if isinstance(parent, dict) else ""


def _look_under(
    graph: Graph, place: str, account: Account, reply: Reply, since: dt.datetime, besides: Collection[str]
) -> Sent | None:
    params = {"fields": COMMENT_FIELDS, "filter": "stream", "order": "reverse_chronological", "limit": _PAGE}
    older = False
    for items, more in graph.pages(f"{segment(place)}/comments", params, _MOST_PAGES):
        older = more
        try:
            posts = [parse_comment(item, account) for item in items]
        except InvalidPost as error:
            # a comment that cannot be read may be the one that we look for: not found would be a guess
            raise RetryLater(f"the comments cannot be read: {error}") from None
        for post in posts:
            if post.created_at < since - _CLOCKS:
                return None
            if post.author.ours and post.id not in besides and same_text(post.text, reply.text):
                return Sent(post.id, post.url)
    if older:
        raise Unconfirmed(f"the newest {_MOST_PAGES * _PAGE} comments do not go back to the time of the send")
    return None
