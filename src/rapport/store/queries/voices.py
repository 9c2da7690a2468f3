"""Share of voice: what each topic found in a period, what is felt in it, and how much of it machines wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db import connection

from rapport.store.models import Topic
from rapport.store.queries.accounts import which_look_automated
from rapport.store.queries.sql import adapt


class Voice(msgspec.Struct, frozen=True):
    """What one topic found in a period."""

    topic: Topic
    found: int
    #: its part of what all topics found, 0 to 1; a post that two topics found counts for each
    share: float
    #: how many of `found` feel bad and how many feel good toward it
    negative: int = 0
    positive: int = 0
    #: of those that the topic found, how many are from accounts that look automated; counted in `found` or left out
    automated: int = 0

    @property
    def people_share(self) -> float:
        """The part of `share` that accounts made which do not look automated, where `found` counts both."""
        return self.share * max(self.found - self.automated, 0) / self.found if self.found else 0.0


def share_of_voice(
    workspace: int, since: dt.datetime, topics: Iterable[Topic] | None = None, *, people_only: bool = False
) -> list[Voice]:
    """What each topic of the workspace found among the posts said since then, most first, those without any last.

    `topics`: the same, where the caller has them already. `people_only`: shares of what accounts said that do not look
    automated. Posts that a list hides count; deleted ones do not.
    """
    topics = list(Topic.objects.of(workspace) if topics is None else topics)
    # the few accounts are looked up once, not with every post
    statement = (
        "SELECT m.topic_id, count(*), sum(CASE WHEN p.handle_id IN (SELECT h.id FROM store_handle h "  # noqa: S608  (our names)
        f"WHERE h.workspace_id = %s AND {which_look_automated('h')}) THEN 1 ELSE 0 END) "
        "FROM store_topicmatch m JOIN store_post p ON p.id = m.post_id "
        "WHERE m.topic_id IN (SELECT id FROM store_topic WHERE workspace_id = %s) "
        "AND m.post_id >= %s AND p.sort_at >= %s AND NOT p.deleted GROUP BY m.topic_id"
    )
    first = first_heard(since)
    with connection.cursor() as cursor:
        cursor.execute(statement, [workspace, workspace, first, adapt(since)])
        counted = {topic: (found, machines) for topic, found, machines in cursor.fetchall()}
    found = {topic.pk: counted.get(topic.pk, (0, 0)) for topic in topics}
    shown = {topic: every - machines if people_only else every for topic, (every, machines) in found.items()}
    total = sum(shown.values())
    moods = _count_moods(workspace, since, first, people_only)
    voices = [
        Voice(
            topic,
            shown[topic.pk],
            shown[topic.pk] / total if total else 0.0,
            *moods.get(topic.pk, (0, 0)),
            automated=found[topic.pk][1],
        )
        for topic in topics
    ]
    return sorted(voices, key=lambda voice: (-voice.found, voice.topic.name.casefold()))


def _count_moods(workspace: int, since: dt.datetime, first: int, people_only: bool) -> dict[int, tuple[int, int]]:
    """Topic -> how many of the posts that it found feel bad and how many good toward it. Of a text with one mood, none
    stands beside the match. `first`: as `first_heard` says.
    """
    people = (
        "AND p.handle_id NOT IN (SELECT h.id FROM store_handle h "  # noqa: S608  (our names)
        f"WHERE h.workspace_id = %s AND {which_look_automated('h')}) "
    )
    statement = (
        "SELECT m.topic_id, "  # noqa: S608  (our names)
        "count(CASE WHEN m.mood = 1 OR m.mood IS NULL AND o.sentiment = 'negative' THEN 1 END), "
        "count(CASE WHEN m.mood = 3 OR m.mood IS NULL AND o.sentiment = 'positive' THEN 1 END) "
        "FROM store_topicmatch m JOIN store_post p ON p.id = m.post_id JOIN store_outcome o ON o.post_id = p.id "
        "WHERE m.topic_id IN (SELECT id FROM store_topic WHERE workspace_id = %s) "
        f"AND m.post_id >= %s AND p.sort_at >= %s AND NOT p.deleted {people if people_only else ''}GROUP BY m.topic_id"
    )
    given = [workspace, first, adapt(since), *([workspace] if people_only else [])]
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return {topic: (negative, positive) for topic, negative, positive in cursor.fetchall()}


def first_heard(since: dt.datetime) -> int:
    """An id such that every post with a lower one was heard before `since`, and so was said before it, too.

    Ids rise with the time at which posts are heard; an hour is left for processes that store side by side.
    """
    heard = "(SELECT seen_at FROM store_post WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1)"
    statement = (
        "WITH RECURSIVE halves(low, high) AS ("  # noqa: S608  (our names)
        "SELECT CAST(0 AS bigint), (SELECT coalesce(max(id), 0) + 1 FROM store_post) UNION ALL "
        f"SELECT CASE WHEN {heard} < %s THEN (low + high) / 2 + 1 ELSE low END, "
        f"CASE WHEN {heard} < %s THEN high ELSE (low + high) / 2 END FROM halves WHERE low < high"
        ") SELECT max(low) FROM halves"
    )
    bound = adapt(since - dt.timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute(statement, [bound, bound])
        return int(cursor.fetchone()[0])
