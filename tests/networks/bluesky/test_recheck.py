"""Looking at stored posts again on a whole Bluesky network: data server, app view, directory."""

from __future__ import annotations

import datetime as dt

from bluesky import BlueskyAccount, BlueskyNetwork, until
from rapport.networks.base import Account, Rechecked
from rapport.networks.bluesky.recheck import recheck_posts
from rapport.networks.http import GuardedSession

LATER = dt.timedelta(minutes=20)


def test_deleted_hidden_and_blocked_are_told_apart(
    bluesky: BlueskyNetwork, signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount
) -> None:
    guest, blocker = bluesky.account("wanderer"), bluesky.account("aloofone")
    kept, gone = ann.post("@brand.test stands"), ann.post("@brand.test goes")
    rude, aloof = guest.post("@brand.test rude"), blocker.post("@brand.test aloof")
    posts = (kept, gone, rude, aloof)
    until(lambda: all(bluesky.shows(post["uri"], brand) for post in posts))

    def look(now: dt.datetime) -> Rechecked:
        return recheck_posts(signed_in, {post["uri"]: "" for post in posts}, session, now)

    assert len(look(dt.datetime.now(dt.UTC)).standing) == 4
    ann.delete(gone)
    bluesky.take_down(guest)
    blocker.call(
        "com.atproto.repo.createRecord",
        {
            "repo": blocker.did,
            "collection": "app.bsky.graph.block",
            "record": {"subject": brand.did, "createdAt": dt.datetime.now(dt.UTC).isoformat()},
        },
    )
    until(lambda: not any(bluesky.shows(post["uri"], brand) for post in (gone, rude, aloof)))
    young = look(dt.datetime.now(dt.UTC))
    assert young.deleted == (), "what was said a moment ago may not be indexed yet"
    found = look(dt.datetime.now(dt.UTC) + LATER)
    bluesky.take_down(guest, applied=False)
    assert found.standing == (kept["uri"],)
    assert found.deleted == (gone["uri"],)
    assert found.hidden == (rude["uri"],)
    assert found.unseen == (aloof["uri"],), "a block is no deletion"
