"""What happens around posts when they are weighed: who else speaks in their threads, and how bad the hour is."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Min, Sum

from rapport.core.crisis import find_crisis, window_start
from rapport.core.decision import Crisis, Outcome
from rapport.core.post import Post
from rapport.core.rhythm import HOUR, WEEKS, Rhythm, learn
from rapport.store.models import MoodHour
from rapport.store.queries.ingest import StoredPost
from rapport.store.queries.sql import adapt, insert_rows, moment, select_in

#: authors that are read of all the threads of a batch; what goes beyond is a pile-on by any measure
MOST_AUTHORS = 2_000
#: what is usual is learnt of what lies further back
LEFT_OUT = dt.timedelta(days=1)


def count_moods(
    workspace_id: int, outcomes: Sequence[tuple[int, Outcome]], stored: Mapping[int, StoredPost], now: dt.datetime
) -> None:
    """Add what others said, read for the first time, to the hours in which they said it. In the caller's transaction.

    What is older than a rhythm looks back is left out: an import of ten years changes nothing here.
    """
    counted: dict[dt.datetime, list[int]] = {}
    for row, outcome in outcomes:
        kept = stored[row]
        if kept.ours or kept.read or (at := moment(kept.at)) < now - WEEKS:
            continue
        hour = counted.setdefault(at.replace(minute=0, second=0, microsecond=0), [0, 0])
        hour[0] += 1
        hour[1] += outcome.reading.sentiment.label == "negative"
    insert_rows(
        "store_moodhour",
        ("workspace_id", "hour", "posts", "negative"),
        # in order, so that two writers never wait for each other in a circle
        [(workspace_id, adapt(hour), *counted[hour]) for hour in sorted(counted)],
        "ON CONFLICT (workspace_id, hour) DO UPDATE SET posts = store_moodhour.posts + excluded.posts, "
        "negative = store_moodhour.negative + excluded.negative",
    )


def read_usual_trouble(workspace_id: int, now: dt.datetime) -> Rhythm | None:
    """How many negative posts the workspace usually hears, hour by hour; None while it is too young to say.

    The last day is left out: a storm would soon be what is usual.
    """
    now -= LEFT_OUT
    rows = MoodHour.objects.of(workspace_id).filter(hour__gte=now - WEEKS, hour__lt=now)
    first = rows.aggregate(first=Min("hour"))["first"]
    return learn(dict(rows.values_list("hour", "negative")), first - HOUR, now) if first else None


def read_crisis(workspace_id: int, usual: Rhythm, now: dt.datetime) -> Crisis | None:
    """Whether the last hours bring far more negative posts than usual. One query."""
    rows = MoodHour.objects.of(workspace_id).filter(hour__gte=window_start(now), hour__lte=now)
    return find_crisis(usual, rows.aggregate(found=Sum("negative"))["found"] or 0, now)


def read_crowds(workspace_id: int, posts: Sequence[Post], since: dt.datetime) -> dict[tuple[str, str], frozenset[str]]:
    """(network, id of a post that one of `posts` answers, or of its root) -> author keys of those outside who spoke in
    that thread since then. Threads in which nobody did are left out. Two queries a network, none without replies.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for post in posts:
        wanted[post.network].update(name for name in (post.in_reply_to, post.thread) if name)
    found: dict[tuple[str, str], frozenset[str]] = {}
    for network, names in wanted.items():
        links = dict(
            select_in(
                "SELECT external_id, conversation_id FROM store_threadlink WHERE workspace_id = %s AND network = %s "
                "AND external_id {among}",
                [workspace_id, network],
                sorted(names),
            )
        )
        speakers: dict[int, set[str]] = defaultdict(set)
        for conversation, author in select_in(
            "SELECT DISTINCT p.conversation_id, h.external_id FROM store_post p JOIN store_handle h "
            "ON h.id = p.handle_id WHERE p.conversation_id {among} AND p.sort_at > %s AND NOT p.ours LIMIT %s",
            [],
            sorted(set(links.values())),
            [adapt(since), MOST_AUTHORS],
        ):
            speakers[conversation].add(author)
        found |= {
            (network, name): frozenset(speakers[conversation])
            for name, conversation in links.items()
            if conversation in speakers
        }
    return found
