"""Looking at our media and the comments under them again: Instagram tells of no deletion but that of messages.

Mentions under the media of others can be read only in the moment, and messages not at all: both stay unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from rapport.core.errors import InvalidPost
from rapport.core.post import Post
from rapport.networks.base import Account, Rechecked
from rapport.networks.graph import Graph
from rapport.networks.graph_recheck import MOST, WITHIN, is_object, is_readable, read_objects
from rapport.networks.http import GuardedSession
from rapport.networks.instagram.parse import MEDIA_FIELDS, REPLY_FIELDS, parse_comment, parse_medium

__all__ = ["MOST", "WITHIN", "recheck_posts"]

_MEDIA = "media:"


def recheck_posts(account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
    """See `Network.recheck`."""
    graph = Graph.of(account, session)
    asked = list(ids)[:MOST]
    media = {each.removeprefix(_MEDIA): each for each in asked if each.startswith(_MEDIA)}
    comments = {each: each for each in asked if is_object(each)}
    there, missing = read_objects(graph, list(comments), REPLY_FIELDS)
    there_media, missing_media = read_objects(graph, [each for each in media if is_object(each)], MEDIA_FIELDS)
    proved = is_readable(graph, f"{account.account_id}/media", {"fields": "id,comments.limit(1){id}", "limit": "1"})
    gone = [*missing, *(media[each] for each in missing_media)]
    deleted = gone if gone and proved() else []
    changed: list[Post] = []
    for each, item in {**there, **there_media}.items():
        words = item.get("caption" if each in there_media else "text")
        if isinstance(words, str) and words:
            with suppress(InvalidPost):
                changed.append((parse_medium if each in there_media else parse_comment)(item, account))
    standing = (*there, *(media[each] for each in there_media))
    said = {*standing, *deleted}
    return Rechecked(
        standing=standing,
        deleted=tuple(deleted),
        unseen=tuple(each for each in ids if each not in said),
        changed=tuple(changed),
    )
