"""Looking at posts again, one request for each: a forum tells of deletions by its webhook only.

A forum says 404 for a post that was deleted or moved, and 403 for one that we may not see (any more), which is no
deletion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, NetworkError, Reauthorise, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Rechecked
from rapport.networks.discourse.parse import Forum, RawPost, Topic, read_post, split_id, to_post
from rapport.networks.discourse.wire import Refused, Wire
from rapport.networks.http import GuardedSession

MOST = 5
WITHIN = 86_400.0  # seconds


class _Found(msgspec.Struct):
    standing: list[str] = []
    deleted: list[str] = []
    changed: list[Post] = []


def recheck_posts(account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
    """See `Network.recheck`. A forum that asks to wait in between is asked no more; what it said till then counts."""
    wire = Wire.of(account, session)
    forum = Forum(account.server, urlsplit(account.server).netloc, account.account_id)
    found = _Found()
    for number, identifier in enumerate(list(ids)[:MOST]):
        topic, place = split_id(identifier, forum.host)
        if not topic:
            continue
        try:
            _look(wire, forum, identifier, (topic, place), found)
        except RetryLater:
            if number == 0:
                raise
            break
    said = {*found.standing, *found.deleted}
    return Rechecked(
        standing=tuple(found.standing),
        deleted=tuple(found.deleted),
        unseen=tuple(each for each in ids if each not in said),
        changed=tuple(found.changed),
    )


def _look(wire: Wire, forum: Forum, identifier: str, place: tuple[int, int], found: _Found) -> None:
    try:
        post = read_post(wire.read(f"/posts/by_number/{place[0]}/{place[1]}.json", dict[str, Any]))
    except Refused as error:
        if error.status == 404 and error.kind == "not_found":
            found.deleted.append(identifier)
        return
    except (GiveUp, InvalidPost):
        return
    if (post.topic_id, post.post_number) != place:
        return
    if post.is_gone:
        found.deleted.append(identifier)
    else:
        found.standing.append(identifier)
        if (post.version or 1) > 1 and post.is_speech:
            found.changed += _edited(wire, forum, post)


def _edited(wire: Wire, forum: Forum, raw: RawPost) -> list[Post]:
    """The post with what only its topic tells: its title, its tags, whether it is private."""
    try:
        return [to_post(raw, forum, wire.read(f"/t/{raw.topic_id}.json", Topic))]
    except Reauthorise:
        raise
    except (NetworkError, InvalidPost):
        return []
