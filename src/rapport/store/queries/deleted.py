"""What was deleted on its network, and whose words are hidden."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

from rapport.store.models import Tombstone
from rapport.store.queries.sql import select_in

#: how long deleted posts are remembered: no network repeats them for so long
KEPT, KEPT_BRIEFLY = dt.timedelta(days=365), dt.timedelta(days=1)
#: before the key of an author: this account is hidden (a post's id never looks so on any network that we know)
AUTHOR = "author/"


def write_tombstones(workspace_id: int, posts: Collection[tuple[str, str]], now: dt.datetime) -> None:
    """Remember that these posts, (network, id), were deleted. Those that are remembered already stay as they are."""
    Tombstone.objects.bulk_create(
        [
            Tombstone(workspace_id=workspace_id, network=network, external_id=each, at=now)
            for network, each in dict.fromkeys(posts)
        ],
        batch_size=500,
        ignore_conflicts=True,
    )


def write_brief_tombstones(workspace_id: int, posts: Collection[tuple[str, str]], now: dt.datetime) -> None:
    """As `write_tombstones`, for a day: they are dated back, so that the sweep finds them by then."""
    write_tombstones(workspace_id, posts, now - (KEPT - KEPT_BRIEFLY))


def lift_tombstones(workspace_id: int, posts: Collection[tuple[str, str]]) -> None:
    """Forget these, (network, id): what they stood for is back."""
    for network, each in posts:
        Tombstone.objects.of(workspace_id).filter(network=network, external_id=each).delete()


def read_tombstones(workspace_id: int, posts: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these posts, (network, id), that were deleted. One query a network."""
    by_network: dict[str, list[str]] = defaultdict(list)
    for network, each in posts:
        by_network[network].append(each)
    return {
        (network, each)
        for network, ids in by_network.items()
        for (each,) in select_in(
            "SELECT external_id FROM store_tombstone WHERE workspace_id = %s AND network = %s AND external_id {among}",
            [workspace_id, network],
            ids,
        )
    }


def read_hidden_posts(workspace_id: int, rows: Sequence[int]) -> set[int]:
    """Those of these posts, by row id, whose author is hidden. One query."""
    found = select_in(
        "SELECT p.id FROM store_post p JOIN store_handle h ON h.id = p.handle_id "
        "WHERE h.workspace_id = %s AND h.suspended_at IS NOT NULL AND p.id {among}",
        [workspace_id],
        rows,
    )
    return {row for (row,) in found}
