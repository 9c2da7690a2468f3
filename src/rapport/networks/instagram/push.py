"""Answering on Instagram, and finding again what may have been written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from rapport.core.errors import GiveUp, InvalidPost, RetryLater, Unconfirmed
from rapport.core.post import Post
from rapport.core.reply import Reply
from rapport.networks import graph_inbox as inbox
from rapport.networks.base import Account, Sent
from rapport.networks.graph import Graph, segment
from rapport.networks.graph_messages import split_target
from rapport.networks.http import GuardedSession
from rapport.networks.instagram.parse import NAME, REPLY_FIELDS, parse_comment
from rapport.networks.instagram.pull import page_of
from rapport.networks.payload import same_text

VISIBILITIES = ("public", "private", "direct")
MAX_LENGTH = 1_000  # characters of a message in bytes of UTF-8; the stricter of the two kinds that are documented
_CLOCKS = dt.timedelta(minutes=5)
_PAGE, _MOST_PAGES = 50, 10  # comments that `find` reads


def push_reply(account: Account, reply: Reply, session: GuardedSession, now: dt.datetime) -> Sent:
    """See `Network.push`: an answer in the inbox, under a comment, or to a mention."""
    if split_target(reply.target) is not None:
        if len(reply.text.encode()) > MAX_LENGTH:
            raise GiveUp(f"Instagram takes messages of at most {MAX_LENGTH:,} bytes; shorten the text")
        return inbox.send(account, reply, NAME, page_of(account), session, now)
    if reply.visibility == "direct":
        raise GiveUp("a comment is answered in public; a private word to its author needs a message of theirs")
    graph = Graph.of(account, session)
    path, form = _place(account, reply.target)
    answer = graph.write(path, {**form, "message": reply.text})
    identifier = answer.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise Unconfirmed("Meta accepted the comment and did not say under which id")
    return Sent(identifier)


def find_reply(
    account: Account, reply: Reply, since: dt.datetime, session: GuardedSession, besides: Collection[str] = ()
) -> Sent | None:
    """See `Network.find`. Reads the answers under the comment, newest first.

    What stands under somebody else's media cannot be read: for an answer to a mention a person must look there.
    """
    if split_target(reply.target) is not None:
        return inbox.find_sent(account, reply, NAME, page_of(account), since, session, besides)
    kind, _, rest = reply.target.partition(":")
    if kind == "mention":
        raise Unconfirmed("Instagram does not show the comments under other people's media; look there")
    graph = Graph.of(account, session)
    if kind == "media":
        return _look_under(graph, f"{segment(rest)}/comments", account, reply, since, besides)
    place = f"{segment(_top_comment(graph, segment(reply.target)))}/replies"
    return _look_under(graph, place, account, reply, since, besides)


def _place(account: Account, target: str) -> tuple[str, dict[str, str]]:
    """Where an answer to a post goes: the path, and what beside the words."""
    kind, _, rest = target.partition(":")
    if kind == "mention":
        media, _, comment = rest.partition(":")
        form = {"media_id": media, "comment_id": comment} if comment else {"media_id": media}
        return f"{account.account_id}/mentions", form
    if kind == "media":
        return f"{segment(rest)}/comments", {}
    if not target.isdecimal():
        raise GiveUp("a reply needs the comment, mention or message that it answers")
    return f"{target}/replies", {}


def _top_comment(graph: Graph, target: str) -> str:
    """Answers to an answer stand under the same top comment."""
    return str(graph.read(target, {"fields": "parent_id"}).get("parent_id") or target)


def _look_under(
    graph: Graph, path: str, account: Account, reply: Reply, since: dt.datetime, besides: Collection[str]
) -> Sent | None:
    """The order of answers is not documented, so all of them are read."""
    older = False
    for items, more in graph.pages(path, {"fields": REPLY_FIELDS, "limit": _PAGE}, _MOST_PAGES):
        older = more
        for post in _posts(items, account):
            ours = post.author.ours and post.created_at >= since - _CLOCKS and post.id not in besides
            if ours and same_text(post.text, reply.text):
                return Sent(post.id)
    if older:
        raise Unconfirmed(f"there are more than {_MOST_PAGES * _PAGE} comments; look there")
    return None


def _posts(items: list[object], account: Account) -> list[Post]:
    try:
        return [parse_comment(item, account) for item in items]
    except InvalidPost as error:
        raise RetryLater(f"the comments cannot be read: {error}") from None
