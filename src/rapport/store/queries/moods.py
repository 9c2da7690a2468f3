"""What happens around posts when they are weighed: who else speaks in their threads, and how bad the hour is.

Both are about people: accounts that look automated are left out of the first and counted apart in the second.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from django.db.models import Min, Sum

from rapport.core.crisis import find_crisis, window_start
from rapport.core.decision import Crisis, Outcome
from rapport.core.felt import felt_of
from rapport.core.post import Post
from rapport.core.rhythm import HOUR, WEEKS, Rhythm, learn
from rapport.store.models import MoodHour
from rapport.store.queries.accounts import looks_automated
from rapport.store.queries.ingest import StoredPost
from rapport.store.queries.sql import adapt, insert_rows, moment, select_in, update_rows

#: authors that are read of all the threads of a batch; what goes beyond is a pile-on by any measure
MOST_AUTHORS = 2_000
#: what is usual is learnt of what lies further back
LEFT_OUT = dt.timedelta(days=1)
_COUNTS = ("posts", "negative", "automated", "automated_negative")


def count_moods(
    workspace_id: int,
    outcomes: Sequence[tuple[int, Outcome]],
    stored: Mapping[int, StoredPost],
    automated: Collection[int],
    now: dt.datetime,
) -> None:
    """Add what others said, read for the first time, to the hours in which they said it. In the caller's transaction.

    `automated`: handles that look automated, which are counted apart. What is older than a rhythm looks back is left
    out: an import of ten years changes nothing here.
    """
    counted: dict[dt.datetime, list[int]] = {}
    for row, outcome in outcomes:
        kept = stored[row]
        if kept.ours or kept.read or (at := moment(kept.at)) < now - WEEKS:
            continue
        hour = counted.setdefault(hour_of(at), [0, 0, 0, 0])
        place = 2 if kept.handle in automated else 0
        hour[place] += 1
        hour[place + 1] += felt_of(outcome).sentiment.label == "negative"
    insert_rows(
        "store_moodhour",
        ("workspace_id", "hour", *_COUNTS),
        # in order, so that two writers never wait for each other in a circle
        [(workspace_id, adapt(hour), *counted[hour]) for hour in sorted(counted)],
        "ON CONFLICT (workspace_id, hour) DO UPDATE SET "
        + ", ".join(f"{name} = COALESCE(store_moodhour.{name}, 0) + excluded.{name}" for name in _COUNTS),
    )


def move_moods(workspace_id: int, turned: Mapping[int, bool], now: dt.datetime) -> None:
    """Count what these accounts said where it belongs, now that they look automated (True) or do not any more (False).

    In the caller's transaction, which holds the lock of the workspace, and before outcomes of a new batch are stored:
    what has an outcome has been counted.
    """
    moved: dict[dt.datetime, list[int]] = {}
    said = select_in(
        "SELECT p.handle_id, p.sort_at, o.sentiment FROM store_post p JOIN store_outcome o ON o.post_id = p.id "
        "WHERE p.handle_id {among} AND p.sort_at >= %s AND NOT p.ours",
        [],
        sorted(turned),
        [adapt(now - WEEKS)],
    )
    for handle, at, mood in said:
        hour, step = moved.setdefault(hour_of(moment(at)), [0, 0]), 1 if turned[handle] else -1
        hour[0] += step
        hour[1] += step * (mood == "negative")
    if not moved:
        return
    rows = MoodHour.objects.of(workspace_id).filter(hour__gte=min(moved), hour__lte=max(moved))
    changed = []
    for row in rows:
        posts, negative = moved.get(row.hour, (0, 0))
        if posts or negative:
            # a reading that was corrected since was counted as it was then: no number may fall below nothing
            changed.append(
                (
                    max(row.posts - posts, 0), max(row.negative - negative, 0),
                    max((row.automated or 0) + posts, 0), max((row.automated_negative or 0) + negative, 0), row.pk,
                )
            )  # fmt: skip
    update_rows("store_moodhour", _COUNTS, changed)


def hour_of(at: dt.datetime) -> dt.datetime:
    """The beginning of the hour, UTC."""
    return at.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def read_usual_trouble(workspace_id: int, now: dt.datetime) -> Rhythm | None:
    """How many negative posts of people the workspace usually hears, hour by hour; None while it is too young to say.

    The last day is left out: a storm would soon be what is usual.
    """
    now -= LEFT_OUT
    rows = MoodHour.objects.of(workspace_id).filter(hour__gte=now - WEEKS, hour__lt=now)
    first = rows.aggregate(first=Min("hour"))["first"]
    return learn(dict(rows.values_list("hour", "negative")), first - HOUR, now) if first else None


def read_crisis(workspace_id: int, usual: Rhythm, now: dt.datetime) -> Crisis | None:
    """Whether the last hours bring far more negative posts of people than usual. One query."""
    rows = MoodHour.objects.of(workspace_id).filter(hour__gte=window_start(now), hour__lte=now)
    found = rows.aggregate(people=Sum("negative"), machines=Sum("automated_negative"))
    return find_crisis(usual, found["people"] or 0, now, found["machines"] or 0)


def read_crowds(workspace_id: int, posts: Sequence[Post], since: dt.datetime) -> dict[tuple[str, str], frozenset[str]]:
    """(network, id of a post that one of `posts` answers, or of its root) -> author keys of those outside who spoke in
    that thread since then, without accounts that look automated. Threads in which nobody did are left out. Two queries
    a network, none without replies.
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
            "SELECT DISTINCT p.conversation_id, h.external_id FROM store_post p JOIN store_handle h "  # noqa: S608  (our names)
            "ON h.id = p.handle_id WHERE p.conversation_id {among} AND p.sort_at > %s AND NOT p.ours "
            f"AND NOT {looks_automated('h')} LIMIT %s",
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
