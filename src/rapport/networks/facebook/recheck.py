"""Looking at posts and comments on our page again: what the webhook missed, and pages that have none.

Only what stands on our own page can be called deleted: its rights are proved by reading its feed. A comment counts as
on our page while the post that it stands under is there. Messages cannot be asked for so.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from rapport.core.errors import InvalidPost
from rapport.core.post import Post
from rapport.networks.base import Account, Rechecked
from rapport.networks.facebook.parse import COMMENT_FIELDS, POST_FIELDS, parse_comment, parse_post
from rapport.networks.graph import Graph
from rapport.networks.graph_recheck import MOST, WITHIN, is_object, is_readable, read_objects
from rapport.networks.http import GuardedSession

__all__ = ["MOST", "WITHIN", "recheck_posts"]


def recheck_posts(account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
    """See `Network.recheck`."""
    graph, page = Graph.of(account, session), account.account_id
    asked = [each for each in ids if is_object(each)][:MOST]
    posts = [each for each in asked if each.startswith(f"{page}_")]
    others = [each for each in asked if each not in posts]
    found, missing = read_objects(graph, others, COMMENT_FIELDS)
    found_posts, missing_posts = read_objects(graph, posts, POST_FIELDS)
    proved = is_readable(graph, f"{page}/feed", {"fields": "id,comments.limit(1){id}", "limit": "1"})
    deleted = [each for each in missing_posts if proved()]
    if missing and proved():
        deleted += _under_our_posts(graph, page, missing)
    changed: list[Post] = []
    for each, item in {**found, **found_posts}.items():
        if isinstance(item.get("message"), str) and item["message"]:  # a story is Meta's wording, not the author's
            with suppress(InvalidPost):
                changed.append((parse_post if each in found_posts else parse_comment)(item, account))
    said = {*found, *found_posts, *deleted}
    return Rechecked(
        standing=(*found, *found_posts),
        deleted=tuple(deleted),
        unseen=tuple(each for each in ids if each not in said),
        changed=tuple(changed),
    )


def _under_our_posts(graph: Graph, page: str, comments: list[str]) -> list[str]:
    """Those of these comments ("POST_COMMENT") that stood under posts of our page which are still there."""
    places = {each: f"{page}_{each.partition('_')[0]}" for each in comments if "_" in each}
    there, _ = read_objects(graph, list(dict.fromkeys(places.values())), "id")
    return [each for each, place in places.items() if place in there]
