"""Looking at comments and videos again by id: YouTube leaves out those that are not there any more.

An answer that leaves something out is asked for once more about just that; a unit of the day's quota for each request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from rapport.core.errors import InvalidPost, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Rechecked
from rapport.networks.google import Google, Missing
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of
from rapport.networks.youtube.parse import parse_comment
from rapport.networks.youtube.pull import API

MOST = 50
WITHIN = 86_400.0  # seconds
_VIDEO = "video:"


def recheck_posts(account: Account, ids: Mapping[str, str], session: GuardedSession, now: dt.datetime) -> Rechecked:
    """See `Network.recheck`. A video that was made private is as withdrawn as a deleted one."""
    look = _Look(account, Google.of(account, session, now))
    asked = list(ids)[:MOST]
    videos = {each.removeprefix(_VIDEO): each for each in asked if each.startswith(_VIDEO)}
    comments = {each: each for each in asked if not each.startswith(_VIDEO)}
    for path, part, named in (("comments", "snippet", comments), ("videos", "id", videos)):
        if named:
            look.ask(path, part, named)
    said = {*look.standing, *look.deleted}
    return Rechecked(
        standing=tuple(look.standing),
        deleted=tuple(look.deleted),
        unseen=tuple(each for each in ids if each not in said),
        changed=tuple(look.changed),
        spent=look.spent,
    )


class _Look:
    """One look, with what it found and cost."""

    def __init__(self, account: Account, google: Google) -> None:
        self._account, self._google = account, google
        self.standing: list[str] = []
        self.deleted: list[str] = []
        self.changed: list[Post] = []
        self.spent = 0

    def ask(self, path: str, part: str, named: Mapping[str, str]) -> None:
        """`named`: YouTube's own id -> ours."""
        there = self._listed(path, part, list(named))
        missing = [each for each in named if each not in there]
        if missing:  # an index that lags, an answer that was cut: only what stays away is gone
            again = self._listed(path, part, missing)
            self.deleted += [named[each] for each in missing if each not in again]
            there |= again
        for each, item in there.items():
            self.standing.append(named[each])
            with suppress(InvalidPost):
                post = parse_comment(item, self._account) if path == "comments" else None
                if post is not None and post.edited_at is not None:
                    self.changed.append(post)

    def _listed(self, path: str, part: str, ids: list[str]) -> dict[str, Any]:
        params = {"part": part, "id": ",".join(ids)} | ({"textFormat": "plainText"} if path == "comments" else {})
        self.spent += 1
        try:
            items = self._google.read(f"{API}/{path}", params).get("items")
        except Missing:
            raise RetryLater(f"YouTube has no list of {path} at this moment") from None
        if not isinstance(items, list):
            raise RetryLater(f"YouTube gave no list of {path}")
        return {name_of(item, "id"): item for item in items if name_of(item, "id") in ids}
