"""Which stored posts are to be looked at again on their network."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db.models import Q

from rapport.store.models import Channel, Post

#: the name under which the progress of these looks stands among the cursors of a channel
RECHECK = "recheck"
#: rows that one step walks over at most
_STRIDE = 500


class Due(msgspec.Struct, frozen=True):
    """The next posts of a walk from the newest row downwards."""

    #: external id -> `Author.key`, in the order of the walk
    ids: dict[str, str]
    #: where the walk goes on: rows below this one; 0: it came to its end
    below: int


def read_due(channel: Channel, below: int, since: dt.datetime, before: dt.datetime, most: int) -> Due:
    """The newest `most` posts of a channel below the row `below` (0: from the top) that came after `since`.

    Those that came after `before` were seen so lately that they wait for the next walk. Posts that were taken down are
    left out, posts of hidden authors are not: they may be back. One query.
    """
    rows = Post.objects.of(channel.workspace_id).filter(channel=channel, network=channel.network)
    if below:
        rows = rows.filter(pk__lt=below)
    ids: dict[str, str] = {}
    scanned = 0
    fields = ("pk", "external_id", "seen_at", "sort_at", "deleted", "text", "handle__external_id")
    for pk, each, seen, said, deleted, text, key in rows.order_by("-pk").values_list(*fields)[:_STRIDE]:
        if seen < since:
            return Due(ids, 0)  # rows are in the order in which they were heard
        scanned, below = scanned + 1, pk
        if said >= since and seen <= before and (text or not deleted):
            ids[each] = key
            if len(ids) == most:
                return Due(ids, below)
    return Due(ids, below if scanned == _STRIDE else 0)


def count_due(channel: Channel, since: dt.datetime) -> int:
    """How many posts a walk passes: those that were heard since."""
    return Post.objects.of(channel.workspace_id).filter(channel=channel, seen_at__gte=since).count()


def read_known(channel: Channel, ids: list[str]) -> list[Post]:
    """Our rows of these ids that are not taken down for good, with their authors."""
    rows = Post.objects.of(channel.workspace_id).filter(network=channel.network, external_id__in=ids)
    return list(rows.filter(Q(deleted=False) | ~Q(text="")).select_related("handle"))
