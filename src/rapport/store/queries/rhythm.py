"""How much each source brings, hour by hour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import connection

from rapport.store.models import Channel
from rapport.store.queries.sql import adapt, moment, select_in


def count_heard(channel: Channel, posts: int, now: dt.datetime) -> None:
    """Add `posts` to the hour of `now`. Inside the transaction that stores them."""
    hour = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_channelhour (workspace_id, channel_id, hour, posts) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (channel_id, hour) DO UPDATE SET posts = store_channelhour.posts + excluded.posts",
            [channel.workspace_id, channel.pk, adapt(hour), posts],
        )


def read_hours(
    workspace_id: int, channels: Collection[int], since: dt.datetime
) -> dict[int, list[tuple[dt.datetime, int]]]:
    """Channel id -> (beginning of the hour, posts), oldest first; hours without posts are left out. One query."""
    found: dict[int, list[tuple[dt.datetime, int]]] = {channel: [] for channel in channels}
    rows = select_in(
        "SELECT channel_id, hour, posts FROM store_channelhour WHERE workspace_id = %s AND channel_id {among} "
        "AND hour >= %s ORDER BY hour",
        [workspace_id],
        list(channels),
        [adapt(since)],
    )
    for channel, hour, posts in rows:
        found[channel].append((moment(hour), posts))
    return found
