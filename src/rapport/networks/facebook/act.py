"""Likes in the name of the page, and changing what was sent there.

Sources: Graph API v24.0 reference "Object Likes" (POST and DELETE /{object-id}/likes), "Comment" (user_likes: whether
whoever asks likes it; POST /{comment-id} with `message`; DELETE /{comment-id}); all need pages_manage_engagement.
"""

from __future__ import annotations

from functools import partial

from rapport.core.errors import GiveUp
from rapport.core.reply import Act, ActKind, Reply
from rapport.networks.base import Account, Sent
from rapport.networks.facebook.parse import COMMENT_FIELDS, parse_comment
from rapport.networks.facebook.push import MAX_COMMENT
from rapport.networks.facebook.recheck import recheck_posts
from rapport.networks.graph import Graph
from rapport.networks.graph_change import read_ours, remove_ours
from rapport.networks.graph_recheck import is_object
from rapport.networks.http import GuardedSession

ACTS: frozenset[ActKind] = frozenset({"like", "unlike"})


def do_act(account: Account, act: Act, session: GuardedSession) -> Sent:
    """See `Network.act`. Of a comment Meta tells whether the page likes it; a post is simply liked once more."""
    if not is_object(act.target):
        raise GiveUp("a private message takes no like from a program; open the inbox of the page")
    graph = Graph.of(account, session)
    wanted = act.kind == "like"
    is_post = act.target.startswith(f"{account.account_id}_")
    if not is_post and bool(graph.read(act.target, {"fields": "user_likes"}).get("user_likes")) == wanted:
        return Sent(act.target)
    if wanted:
        graph.write(f"{act.target}/likes", {})
    else:
        graph.delete(f"{act.target}/likes")
    return Sent(act.target)


def remove_comment(account: Account, external_id: str, session: GuardedSession) -> None:
    """See `Network.remove`."""
    parse, recheck = partial(parse_comment, account=account), partial(recheck_posts, account, session=session)
    remove_ours(Graph.of(account, session), external_id, COMMENT_FIELDS, parse, recheck)


def edit_comment(account: Account, external_id: str, reply: Reply, session: GuardedSession) -> Sent:
    """See `Network.edit`."""
    if len(reply.text) > MAX_COMMENT:
        raise GiveUp(f"Facebook takes comments of at most {MAX_COMMENT:,} characters; shorten the text")
    graph = Graph.of(account, session)
    parse, recheck = partial(parse_comment, account=account), partial(recheck_posts, account, session=session)
    post = read_ours(graph, external_id, COMMENT_FIELDS, parse, recheck)
    if post is None:
        raise GiveUp("the comment is not on Facebook any more; answer anew")
    if post.text != reply.text:
        graph.write(external_id, {"message": reply.text})
    return Sent(external_id, f"https://www.facebook.com/{external_id}")
