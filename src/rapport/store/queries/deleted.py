"""What was deleted on its network or erased here, and whose words are hidden."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.conf import settings

from rapport.store.models import Tombstone
from rapport.store.queries.sql import chunks, select_in

#: how long deleted posts are remembered: no network repeats them for so long
KEPT, KEPT_BRIEFLY = dt.timedelta(days=365), dt.timedelta(days=1)
#: before the key of an author: this account is hidden (a post's id never looks so on any network that we know)
AUTHOR = "author/"
#: before a keyed digest: the post of somebody who was erased. It stays out without its id being kept
ERASED = "erased/"


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


def write_erased(workspace_id: int, posts: Collection[tuple[str, str]], now: dt.datetime) -> None:
    """Remember that these posts, (network, id), were erased, by digests alone; what names them is forgotten."""
    by_network: dict[str, list[str]] = defaultdict(list)
    for network, each in posts:
        by_network[network].append(each)
    for network, ids in by_network.items():
        for part in chunks(ids, 500):
            Tombstone.objects.of(workspace_id).filter(network=network, external_id__in=part).delete()
    key = str(settings.SECRET_KEY)
    write_tombstones(workspace_id, [(network, _digest(network, each, key)) for network, each in posts], now)


def _digest(network: str, external_id: str, key: str) -> str:
    message = b"rapport.erased\x00" + network.encode() + b"\x00" + external_id.encode()
    return ERASED + hmac.digest(key.encode(), message, hashlib.sha256).hex()


def _digests(network: str, external_id: str) -> list[str]:
    """Under the key of this installation, and under those of before."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [_digest(network, external_id, str(key)) for key in keys]


def lift_tombstones(workspace_id: int, posts: Collection[tuple[str, str]]) -> None:
    """Forget these, (network, id): what they stood for is back."""
    for network, each in posts:
        known = [each, *_digests(network, each)]
        Tombstone.objects.of(workspace_id).filter(network=network, external_id__in=known).delete()


def read_tombstones(workspace_id: int, posts: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these posts, (network, id), that were deleted or erased. Two queries a network."""
    by_network: dict[str, list[str]] = defaultdict(list)
    for network, each in posts:
        by_network[network].append(each)
    return {
        (network, found)
        for network, ids in by_network.items()
        for found in (*_buried(workspace_id, network, ids), *_erased(workspace_id, network, ids))
    }


def _buried(workspace_id: int, network: str, ids: Sequence[str]) -> list[str]:
    rows = select_in(
        "SELECT external_id FROM store_tombstone WHERE workspace_id = %s AND network = %s AND external_id {among}",
        [workspace_id, network],
        ids,
    )
    return [external_id for (external_id,) in rows]


def _erased(workspace_id: int, network: str, ids: Sequence[str]) -> list[str]:
    """Those that an erasure took away; where there was none, no digest is made."""
    known = Tombstone.objects.of(workspace_id).filter(network=network)
    # "0" comes after "/": what begins with the prefix, found in the index
    if not known.filter(external_id__gte=ERASED, external_id__lt=ERASED[:-1] + "0").exists():
        return []
    digests = {digest: each for each in ids for digest in _digests(network, each)}
    return [digests[found] for found in _buried(workspace_id, network, list(digests))]


def read_hidden_posts(workspace_id: int, rows: Sequence[int]) -> set[int]:
    """Those of these posts, by row id, whose author is hidden. One query."""
    found = select_in(
        "SELECT p.id FROM store_post p JOIN store_handle h ON h.id = p.handle_id "
        "WHERE h.workspace_id = %s AND h.suspended_at IS NOT NULL AND p.id {among}",
        [workspace_id],
        rows,
    )
    return {row for (row,) in found}
