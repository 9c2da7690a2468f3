"""What a query finds among the stored posts, counted piece by piece; posts to be matched again.

A count walks the posts from the one heard last to the oldest, and can stop and go on anywhere: `Count` is all that it
knows. Where every matching text must hold certain words, the index of words of migration 0006 says which posts to look
at; else the newest posts are read one by one. Either way no more than `READ_AT_MOST` are read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from django.db import OperationalError, connection
from django.db.models import Count as Counted
from django.db.models import OuterRef, QuerySet, Subquery

from rapport.core.errors import InvalidInput, InvalidQuery
from rapport.core.outline import Need, words_needed
from rapport.core.post import Author, Post
from rapport.core.query import Matcher, compile_topics
from rapport.core.understand.accounts import is_automated
from rapport.store.extra import Extra, read_extra
from rapport.store.models import Channel, Topic, TopicMatch
from rapport.store.models import Post as PostRow
from rapport.store.queries.sql import insert_rows, moment
from rapport.store.queries.topic_part import Id, Part, read_moods

#: posts that one count reads at most
READ_AT_MOST = 50_000
#: posts that are read together: few at first, so that there is an answer soon
FIRST_STEP, STEP = 100, 1_000
#: ids that one look without words covers, of which other workspaces may have most
REACH = 5_000

_COLUMNS = (
    "p.id, p.workspace_id, p.deleted, p.sort_at, p.seen_at, p.text, p.kind, p.lang, p.network, p.extra, p.rating, "
    "h.external_id, h.handle, h.followers, h.verified, h.bot, h.bot_word, h.bot_score"
)
_NOTHING = Extra()
_THEN = dt.datetime.fromtimestamp(0, dt.UTC)
#: what a page hands back is checked: a moment in some zone
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class Asked(msgspec.Struct, frozen=True):
    """What is counted. Raises nothing until it is compiled."""

    query: str
    #: the query that is in force, to be compared with; "" for a topic that is new
    saved: str = ""
    #: queries whose posts are counted and folded away
    hides: tuple[str, ...] = ()
    #: row id of the topic that was saved; 0 for a new one
    topic: int = 0

    @property
    def changed(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.saved) and self.saved.strip() != self.query.strip()

    @property
    def digest(self) -> str:
        """Tells the count of one question from that of another."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Count(Part, kw_only=True):
    """How far a count has come, and what it has found so far, whoever said it."""

    #: of the question that this is the count of
    digest: str
    #: when it began; the windows end here
    now: _Moment
    #: posts below this id are still to be read; None: all are
    below: Id | None = None
    read: Id = 0
    #: what accounts said that do not look automated
    people: Part = msgspec.field(default_factory=Part)
    #: everything that was heard since then has been counted
    since: _Moment | None = None
    done: bool = False
    #: it stopped at `READ_AT_MOST`; older posts are not counted
    capped: bool = False
    #: only posts that hold words of the query are read; the others cannot match
    by_words: bool = False

    @property
    def automated(self) -> int:
        """How many of those that match are from accounts that look automated."""
        return self.matched - self.people.matched


class Candidate(NamedTuple):
    """A stored post, as far as a query asks about it."""

    id: int
    sort_at: Any
    seen_at: Any
    post: Post
    #: its author looks automated
    automated: bool


# ---------------------------------------------------------------- counting


def compile_hides(hides: Sequence[str]) -> Matcher:
    """The list that hides, ready to be asked. Raises `InvalidInput` that names the line."""
    matcher = Matcher()
    for number, query in enumerate(hides, 1):
        try:
            matcher.add(str(number), query)
        except InvalidQuery as error:
            raise InvalidInput(f"Line {number} of the list that hides, {error}") from None
    return matcher


def count_on(
    workspace: int, asked: Asked, so_far: Count | None, *, now: dt.datetime, zone: dt.tzinfo, seconds: float
) -> Count:
    """Count on from `so_far` (None, or of another question: from the beginning) for about so many seconds.

    `zone`: whose days the sparkline shows. Raises `InvalidQuery` for the query, `InvalidInput` for what hides.
    """
    stop = time.perf_counter() + seconds
    topics = compile_topics([("new", asked.query), *([("saved", asked.saved)] if asked.changed else [])])
    hides = compile_hides(asked.hides)
    count = so_far if so_far is not None and _goes_on(so_far, asked, now) else Count(digest=asked.digest, now=now)
    needs = [words_needed(query) for query in ([asked.query, asked.saved] if asked.changed else [asked.query])]
    known = [need for need in needs if need is not None]
    need = Need("or", parts=tuple(known)) if len(known) == len(needs) else None
    count.by_words, size = need is not None, FIRST_STEP
    while not count.done:
        began = time.perf_counter()
        rows, count.below = _newest(workspace, need, count.below, min(size, READ_AT_MOST - count.read))
        _tally(count, rows, topics, hides, zone, asked.topic)
        count.capped = count.read >= READ_AT_MOST and count.below > 0
        count.done = count.below <= 0 or count.capped
        ended = time.perf_counter()
        if ended >= stop:
            break
        # as many as there is time for, judged by those before
        size = min(STEP, max(FIRST_STEP, int(size * (stop - ended) / max(ended - began, 1e-6))))
    return count


def _goes_on(so_far: Count, asked: Asked, now: dt.datetime) -> bool:
    """Whether this is an unfinished count of this question, of today."""
    return so_far.digest == asked.digest and not so_far.done and abs(now - so_far.now) < dt.timedelta(hours=1)


def _tally(
    count: Count, rows: Sequence[Candidate], topics: Matcher, hides: Matcher, zone: dt.tzinfo, topic: int
) -> None:
    posts = [row.post for row in rows]
    today, compared = count.now.astimezone(zone).date(), "saved" in topics
    answers = topics.match(posts)
    moods = read_moods([row.id for row, found in zip(rows, answers, strict=True) if "new" in found], topic)
    for row, found in zip(rows, answers, strict=True):
        parts: list[Part] = [count] if row.automated else [count, count.people]
        if "new" in found:
            folds = bool(len(hides)) and bool(hides.match([row.post])[0])
            said = moment(row.sort_at)
            days_ago = (today - said.astimezone(zone).date()).days
            for part in parts:
                part.note(row.id, folds, moods.get(row.id, 0), count.now - said, days_ago)
        if compared and len(found) == 1:
            for part in parts:
                part.note_change(row.id, found == ("new",))
    count.read += len(rows)
    if rows:
        count.since = moment(rows[-1].seen_at)


def read_count(text: str) -> Count | None:
    """A count as a page hands it back; None for anything else."""
    try:
        return msgspec.json.decode(text, type=Count)
    except msgspec.DecodeError:
        return None


def walk(workspace: int, query: str) -> Iterator[tuple[int, list[Candidate]]]:
    """Stored posts from the one heard last to the oldest, step by step: how many were looked at, and which match.

    It ends at the first post or when `READ_AT_MOST` were looked at. Raises `InvalidQuery`.
    """
    topics, need = compile_topics([("it", query)]), words_needed(query)
    below: int | None = None
    read = 0
    while (below is None or below > 0) and read < READ_AT_MOST:
        rows, below = _newest(workspace, need, below, min(STEP, READ_AT_MOST - read))
        read += len(rows)
        answers = topics.match([row.post for row in rows])
        yield len(rows), [row for row, found in zip(rows, answers, strict=True) if found]


# ---------------------------------------------------------------- reading


def _newest(workspace: int, need: Need | None, below: int | None, size: int) -> tuple[list[Candidate], int]:
    """The newest posts below an id (those that may hold the words, where some are needed), and below which id to go on.

    0 when there are no more.
    """
    if below is None:
        below = stored_ids()[1] + 1
    if need is not None:
        try:
            return _holding(workspace, need, below, size)
        except OperationalError:
            pass  # a letter that SQLite's tables of Unicode cut where ours do not
    floor = max(below - max(REACH, size), 0)
    order = "ORDER BY p.id DESC LIMIT %s"
    rows = _fetch(
        workspace,
        "p.id < %s AND p.id >= %s AND +p.workspace_id = %s AND NOT p.deleted",
        [below, floor, workspace],
        order,
        size,
    )
    return rows, rows[-1].id if len(rows) == size else floor


def read_between(workspace: int, floor: int, below: int) -> list[Candidate]:
    """Every post with an id from `floor` to below `below` that is not deleted, newest first."""
    bounds = [below, floor, workspace]
    return _fetch(
        workspace,
        "p.id < %s AND p.id >= %s AND +p.workspace_id = %s AND NOT p.deleted",
        bounds,
        "ORDER BY p.id DESC",
        None,
    )


def _holding(workspace: int, need: Need, below: int, size: int) -> tuple[list[Candidate], int]:
    if connection.vendor == "postgresql":
        return _holding_on_server(workspace, need, below, size)
    statement = (
        f"SELECT {_COLUMNS} FROM (SELECT rowid AS found FROM store_post_words WHERE store_post_words MATCH %s "  # noqa: S608  (our names)
        "AND rowid < %s ORDER BY rowid DESC LIMIT %s) CROSS JOIN store_post p ON p.id = found "
        "CROSS JOIN store_handle h ON h.id = p.handle_id ORDER BY p.id DESC"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [f"zzworkspace{workspace} AND ({_as_match(need)})", below, size])
        found = cursor.fetchall()
    return _candidates(workspace, found), found[-1][0] if len(found) == size else 0


def _as_match(need: Need) -> str:
    """A need in the language of FTS5."""
    if need.kind == "word":
        return f'"{need.word}"'
    if need.kind == "beginning":
        return f'"{need.word}"*'
    return "(" + f" {need.kind.upper()} ".join(map(_as_match, need.parts)) + ")"


def _holding_on_server(workspace: int, need: Need, below: int, size: int) -> tuple[list[Candidate], int]:
    """As `_holding`. Its index knows no order: what a common word finds is narrowed by id, newest first."""
    words: list[str] = []
    where = (
        f"rapport_words(p.text) @@ ({_as_tsquery(need, words)}) AND p.workspace_id = %s "
        "AND p.id < %s AND p.id >= %s AND NOT p.deleted"
    )
    found: list[Candidate] = []
    for floor in (below - 30_000, below - 300_000, 0):
        values = [*words, workspace, below, max(floor, 0)]
        found += _fetch(workspace, where, values, "ORDER BY p.id DESC LIMIT %s", size - len(found))
        if len(found) >= size:
            return found, found[-1].id
        below = max(floor, 0)
        if below == 0:
            break
    return found, 0


def _as_tsquery(need: Need, words: list[str]) -> str:
    """A need as an expression of PostgreSQL; its words are added to `words` in order."""
    if need.kind in {"word", "beginning"}:
        words.append(need.word)
        ending = " || ':*'" if need.kind == "beginning" else ""
        return f"to_tsquery('simple', quote_literal(rapport_fold(%s)){ending})"
    sign = " && " if need.kind == "and" else " || "
    return "(" + sign.join(_as_tsquery(part, words) for part in need.parts) + ")"


def _fetch(workspace: int, where: str, values: Sequence[Any], order: str, limit: int | None) -> list[Candidate]:
    statement = f"SELECT {_COLUMNS} FROM store_post p JOIN store_handle h ON h.id = p.handle_id WHERE {where} {order}"  # noqa: S608  (our names)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *([limit] if limit is not None else [])])
        return _candidates(workspace, cursor.fetchall())


def _candidates(workspace: int, rows: Sequence[tuple[Any, ...]]) -> list[Candidate]:
    return [_candidate(row) for row in rows if row[1] == workspace and not row[2]]


def _candidate(row: tuple[Any, ...]) -> Candidate:
    number, _, _, said, seen, text, kind, lang, network, extra, rating, key, handle, *account = row
    followers, verified, bot, word, score = account
    more = _NOTHING if extra == "{}" else read_extra(extra)
    author = Author(id=key, handle=handle, followers=followers, verified=bool(verified), bot=bool(bot))
    post = Post(
        network, key, text, _THEN, author, kind=kind, lang=lang or None, mentions=more.mentions,
        hashtags=more.hashtags, links=more.links, media=more.media, rating=rating,
    )  # fmt: skip
    return Candidate(number, said, seen, post, is_automated(bool(bot), word, score))


# ---------------------------------------------------------------- topics


def listed_topics(workspace: int) -> QuerySet[Topic]:
    """Topics by name, each with `found`: how many posts it has matched so far. Counted in one narrow index."""
    matches = TopicMatch.objects.filter(topic=OuterRef("pk")).order_by().values("topic")
    return Topic.objects.of(workspace).annotate(found=Subquery(matches.annotate(n=Counted("pk")).values("n")))


# ---------------------------------------------------------------- matching again


def stored_ids() -> tuple[int, int]:
    """The ids of the post that was stored first and of the one that was stored last; 0 and 0 where there is none."""
    # one by one: for both at once SQLite reads every post
    first, last = (PostRow.objects.order_by(order).values_list("pk", flat=True).first() for order in ("pk", "-pk"))
    return first or 0, last or 0


def correct_matches(topic: Topic, floor: int, below: int) -> tuple[int, int, int]:
    """Let the matches of a topic among the posts of these ids be what its query says now.

    Returns how many posts were read, and how many matches were written and taken back. Posts that were deleted on
    their network keep what they had.
    """
    matcher = compile_topics([("it", topic.query)])
    rows = read_between(topic.workspace_id, floor, below)
    answers = matcher.match([row.post for row in rows])
    here = TopicMatch.objects.filter(topic=topic, post_id__gte=floor, post_id__lt=below)
    had = set(here.values_list("post_id", flat=True))
    wanted = {row.id for row, found in zip(rows, answers, strict=True) if found}
    fresh = sorted(wanted - had)
    stale = sorted(had & ({row.id for row in rows} - wanted))
    columns = ("workspace_id", "topic_id", "post_id")
    values = [(topic.workspace_id, topic.pk, row) for row in fresh]
    insert_rows("store_topicmatch", columns, values, "ON CONFLICT (topic_id, post_id) DO NOTHING")
    for start in range(0, len(stale), 500):
        TopicMatch.objects.filter(topic=topic, post_id__in=stale[start : start + 500]).delete()
    return len(rows), len(fresh), len(stale)


# ---------------------------------------------------------------- by id


def read_rows(workspace: int, ids: Sequence[int]) -> dict[int, PostRow]:
    """Posts of the workspace by id, with their authors; without those that are gone. One query."""
    found = PostRow.objects.of(workspace).filter(pk__in=ids, deleted=False).select_related("handle")
    return {row.pk: row for row in found}


def networks_of(workspace: int) -> list[str]:
    """The networks from which posts come, by name."""
    return sorted(set(Channel.objects.of(workspace).values_list("network", flat=True)))
