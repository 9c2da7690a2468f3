"""Looking at comments and posts again by name: Reddit gives a deleted thing without its words and its author.

What an answer leaves out is no sign: things of a subreddit that became private, or that has banned us, are left out
too. Messages cannot be asked for by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from rapport.core.errors import InvalidPost, RetryLater
from rapport.networks.base import Account, Rechecked
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.parse import DELETED, read_listing
from rapport.networks.reddit.wire import Wire

MOST = 100
WITHIN = 86_400.0  # seconds; Reddit asks for 48 hours
_KINDS = ("t1_", "t3_")


def recheck_posts(account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
    """See `Network.recheck`. The words of an account that was deleted are hidden."""
    asked = [each for each in ids if each.startswith(_KINDS) and each.replace("_", "").isalnum()][:MOST]
    if not asked:
        return Rechecked(unseen=tuple(ids))
    response = Wire.of(account, session).read("/api/info", {"id": ",".join(asked)})
    try:
        items, _ = read_listing(response.content, account.handle)
    except InvalidPost as error:
        raise RetryLater(f"Reddit gave no readable answer about single posts: {error}") from None
    told = {item.name: item for item in items if item.name in asked}
    posts = {name: item.post for name, item in told.items() if item.post is not None}
    # an author who was deleted when we first heard of them is known by that name
    hidden = [name for name, post in posts.items() if post.author.key == DELETED != ids[name]]
    deleted = [name for name, item in told.items() if item.gone]
    standing = [name for name in posts if name not in hidden]
    said = {*hidden, *deleted, *standing}
    return Rechecked(
        standing=tuple(standing),
        deleted=tuple(deleted),
        hidden=tuple(hidden),
        unseen=tuple(each for each in ids if each not in said),
        changed=tuple(posts[name] for name in standing if posts[name].edited_at is not None),
    )
