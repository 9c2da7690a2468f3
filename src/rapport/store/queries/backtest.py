"""Stored mentions, as far as two rule sets ask of them: read in long strides, past the ORM, nothing decoded twice.

What is kept of a decision (core.decision.Outcome) is enough to decide again. Most rule sets ask for little of it, so
the decoder is made for what is asked: a history of a hundred moments is passed over where no rule counts it, and no
text leaves the database where no rule looks at words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, get_type_hints

import msgspec
from django.db import connection
from django.db.models import Sum

from rapport.core.decision import NEW, NOBODY, UNTOLD, AuthorFacts, ConversationFacts, PersonFacts
from rapport.core.felt import as_felt
from rapport.core.post import NO_METRICS, Author, Post
from rapport.core.reading import Reading, Toward
from rapport.core.rules.cut import LOOKED_UP, Beyond, falls_short, was_read
from rapport.core.rules.fields import FIELDS, Case
from rapport.core.rules.trial import Decided, Mention, Wait
from rapport.store.extra import Extra, read_extra
from rapport.store.models import MoodHour
from rapport.store.queries.sql import adapt, moment, open_cursor, passing_over, select_in

#: rows that are fetched together: few enough that they are still in the cache of the processor when they are decided
STRIDE = 500
#: fields of rules that nothing of the post's row is needed for
_ELSEWHERE = ("person.", "conversation.", "clock.", "toward.")
#: field of a rule -> columns of the post that it is read from; a field that is not here reads them all
_COLUMNS: dict[str, tuple[str, ...]] = {
    "text": ("p.text",),
    "kind": ("p.kind",),
    "network": ("p.network",),
    "language": ("p.lang",),
    "visibility": ("p.visibility",),
    "rating": ("p.rating",),
    "created_at": ("p.created_at",),
    "addressed": ("p.kind", "p.visibility", "p.extra"),
    "author.handle": ("h.handle",),
    "author.name": ("h.name",),
    "author.bio": ("h.bio",),
    **dict.fromkeys(
        ("likes", "reposts", "replies", "has_media", "has_link", "has_mention", "has_hashtag", "mentions", "hashtags"),
        ("p.extra",),
    ),
    **dict.fromkeys(
        (
            "author.followers", "author.following", "author.posts", "author.verified", "author.bot",
            "author.bot_score", "author.ours", "complaint", "question", "request", "praise", "purchase", "report",
            "urgency", "irony", "offensive", "hate", "spam", "personal", "sentiment", "negative", "neutral", "positive",
            "anger", "joy", "optimism", "sadness", "score", "topics", "now", "business_hours",
        ),
        (),
    ),
}  # fmt: skip
_EVERY = ("p.text", "p.kind", "p.network", "p.lang", "p.visibility", "p.rating", "p.created_at", "p.extra",
          "h.handle", "h.name", "h.bio")  # fmt: skip
_NO_EXTRA = Extra()
_NONE: frozenset[str] = frozenset()


class _Score(msgspec.Struct, gc=False):
    value: float = 0.0


class _Account(msgspec.Struct, gc=False):
    bot: float


def estimate_mentions(workspace_id: int, since: dt.datetime, until: dt.datetime) -> int:
    """About how many mentions of others lie between these times, by the tallies of their hours: to tell progress by.

    Counting them would take a twentieth of the time that deciding them does.
    """
    first = since.replace(minute=0, second=0, microsecond=0)
    hours = MoodHour.objects.of(workspace_id).filter(hour__gte=first, hour__lt=until)
    tallies = hours.aggregate(posts=Sum("posts"), automated=Sum("automated"))
    return sum(tally or 0 for tally in tallies.values())


def read_mentions(
    workspace_id: int,
    since: dt.datetime,
    until: dt.datetime,
    asks: frozenset[str],
    zone: dt.tzinfo,
    beyond: Beyond,
    *,
    waits: bool = False,
) -> Iterator[list[Mention]]:
    """Every mention of others between these times (`since` inclusive, `until` not), in strides, in the order in which
    they were heard; as much of each as rules that ask for `asks` need. `beyond`: what they ask beyond what is kept of a
    long history. `waits`: with how long people waited from it on.
    """
    columns = _columns(asks)
    wanted = ", ".join(map(_plainly, ("o.post_id", "o.body", "p.sort_at", "p.deleted", "p.edited_at", *columns)))
    handles = "JOIN store_handle h ON h.id = p.handle_id " if any(name.startswith("h.") for name in columns) else ""
    # CROSS JOIN keeps SQLite to this order: outcomes by their key, and the post of each
    join = "CROSS JOIN" if connection.vendor == "sqlite" else "JOIN"
    statement = (
        f"SELECT {wanted} FROM store_outcome o {join} store_post p ON p.id = o.post_id {handles}"  # noqa: S608  (our names)
        "WHERE o.workspace_id = %s AND o.post_id > %s AND p.sort_at >= %s AND p.sort_at < %s AND NOT p.ours "
        "ORDER BY o.post_id LIMIT %s"
    )
    make = _maker(asks, columns, zone, beyond)
    last = 0
    with passing_over():
        while True:
            with open_cursor() as cursor:
                cursor.execute(statement, [workspace_id, last, adapt(since), adapt(until), STRIDE])
                rows = cursor.fetchall()
            if rows:
                mentions = [make(row) for row in rows]
                if waits:
                    _add_waits(mentions)
                yield mentions
                last = rows[-1][0]
            if len(rows) < STRIDE:
                return


def _add_waits(mentions: list[Mention]) -> None:
    """Tell each mention from which on somebody waited until we answered."""
    rows = [mention.row for mention in mentions]
    talks = {
        row[0]
        for row in select_in("SELECT conversation_id FROM store_post WHERE id {among}", [], rows)
        if row[0] is not None
    }
    found: dict[int, Wait] = {}
    talk, waiting, answered = None, None, False
    for conversation, row, at, ours in select_in(
        "SELECT conversation_id, id, sort_at, ours FROM store_post WHERE conversation_id {among} AND NOT deleted "
        "ORDER BY conversation_id, sort_at, id",
        [],
        sorted(talks),
    ):
        if conversation != talk:
            talk, waiting, answered = conversation, None, False
        if not ours:
            waiting = waiting or (row, moment(at))
        elif waiting is not None:
            found[waiting[0]] = Wait("next" if answered else "first", waiting[1], moment(at))
            waiting, answered = None, True
    for mention in mentions:
        mention.wait = found.get(mention.row)


def _plainly(column: str) -> str:
    """A column as the driver has it: Django would parse each time and truth value on SQLite, at the price of the rest.
    An expression has no type that it goes by.
    """
    if connection.vendor != "sqlite":
        return column
    if column == "o.body":
        # as it lies there: making text of it, and bytes of that for the decoder, is a second pass over the longest part
        return f"CAST({column} AS BLOB)"
    return f"+{column}" if column in {"p.sort_at", "p.deleted", "p.edited_at", "p.created_at"} else column


def _columns(asks: frozenset[str]) -> tuple[str, ...]:
    needed: set[str] = set()
    for name in asks:
        if not name.startswith(_ELSEWHERE):
            needed.update(_COLUMNS.get(name, _EVERY))
    return tuple(column for column in _EVERY if column in needed)


def _maker(
    asks: frozenset[str], columns: tuple[str, ...], zone: dt.tzinfo, beyond: Beyond
) -> Callable[[tuple[Any, ...]], Mention]:
    """The function from one row to its mention."""
    decode = _decoder(asks).decode
    history = any(name.startswith("person.") for name in asks)
    conversation = any(name.startswith("conversation.") for name in asks)
    looked_up = bool(asks & LOOKED_UP)
    hours = _Hours(zone)
    places = {column: 5 + place for place, column in enumerate(columns)}
    build = _post_builder(places)
    bot_score = "author.bot_score" in asks

    def make(row: tuple[Any, ...]) -> Mention:
        kept = decode(row[1])
        hour = hours.of(row[2])
        facts = kept.facts
        if row[3]:
            return Mention(row[0], hour, None, kept.decision, "deleted")
        if kept.decided_at is None:
            return Mention(row[0], hour, None, kept.decision, "old")
        if (row[4] is not None or kept.edited_at is not None) and (
            row[4] is None or kept.edited_at is None or moment(row[4]) != kept.edited_at
        ):
            return Mention(row[0], hour, None, kept.decision, "edited")
        if facts is None:
            if history:
                return Mention(row[0], hour, None, kept.decision, "history")
            facts = NOBODY
        elif beyond and facts.cut and falls_short(facts, beyond, kept.decided_at):
            return Mention(row[0], hour, None, kept.decision, "history")
        if bot_score and kept.account is not None:
            facts = msgspec.structs.replace(facts, bot_score=kept.account.bot)
        reading, author = kept.reading, kept.author
        post = build(row, author)
        case = Case(
            post, post.author, reading, reading.intent, reading.sentiment, reading.emotion, facts, kept.score.value,
            frozenset(kept.topics) if kept.topics else _NONE, kept.decided_at, kept.business_hours,
            frozenset(kept.handles) if kept.handles else _NONE,
            as_felt(reading, kept.toward).sentiment if kept.toward else reading.sentiment,
            kept.conversation or NEW, zone,
        )  # fmt: skip
        unknown = "conversation" if conversation and kept.conversation is None else ""
        if looked_up and not was_read(facts, asks):
            unknown = "person"
        return Mention(row[0], hour, case, kept.decision, "", unknown)

    return make


@lru_cache(maxsize=8)
def _decoder(asks: frozenset[str]) -> msgspec.json.Decoder[Any]:
    """Decodes the body of an outcome as far as these fields need it; what is left out has its default."""
    known = {"bot_score", "cut"} | ({"id", "answers_read", "steps_read"} if asks & LOOKED_UP else set())
    person = _part(PersonFacts, known | {name[7:] for name in asks if name.startswith("person.")})
    reading = _part(Reading, _asked_of_reading(asks))
    toward = any(name.startswith("toward.") for name in asks)
    fields: list[Any] = [
        ("reading", reading),
        ("score", _Score),
        ("decision", Decided),
        ("topics", tuple[str, ...], ()),
        ("facts", person | None, person()),
        ("decided_at", dt.datetime | None, None),
        ("author", AuthorFacts, UNTOLD),
        ("edited_at", dt.datetime | None, None),
        ("business_hours", bool, True),
        ("handles", tuple[str, ...], ()),
        ("account", _Account | None, None),
        ("toward", tuple[Toward, ...], ()),
        ("conversation", ConversationFacts | None, None),
    ]
    passed_over = {} if toward else {"toward": "-toward"}
    return msgspec.json.Decoder(msgspec.defstruct("KeptOutcome", fields, rename=passed_over, gc=False))


def _part(whole: type[msgspec.Struct], wanted: set[str]) -> Any:
    """The same struct, of which only some fields are decoded: the others have a name that nothing in the JSON has.

    All are decoded where something is wanted that is no field: it is worked out of several.
    """
    hints, fields = get_type_hints(whole), msgspec.structs.fields(whole)
    if wanted - hints.keys():
        return whole
    passed_over = {name: f"-{name}" for name in hints if name not in wanted}
    told = [(each.name, hints[each.name], "" if each.required else each.default) for each in fields]
    return msgspec.defstruct(f"AskedOf{whole.__name__}", told, rename=passed_over, gc=False, frozen=True)


def _asked_of_reading(asks: frozenset[str]) -> set[str]:
    """The fields of a reading that these fields of rules are read from; "*", which is none, for all."""
    found: set[str] = set()
    for name in asks:
        source = FIELDS[name].source if name in FIELDS else None
        head, _, tail = source.partition(".") if isinstance(source, str) else ("", "", "")
        if head == "reading":
            found.add(tail)
        elif head in {"intent", "sentiment", "emotion"}:
            found.add(head)
        elif name == "language":
            found.add(name)
        elif not (head or name in _COLUMNS or name.startswith(("person.", "conversation.", "clock."))):
            return {"*"}
    return found


def _post_builder(places: dict[str, int]) -> Callable[[tuple[Any, ...], AuthorFacts], Post]:
    """The function that makes the post of a row; columns that were not read have the value of an empty post."""

    def at(column: str) -> int:
        return places.get(column, -1)

    text, kind, network, lang = at("p.text"), at("p.kind"), at("p.network"), at("p.lang")
    visibility, rating, created, extra = at("p.visibility"), at("p.rating"), at("p.created_at"), at("p.extra")
    handle, name, bio = at("h.handle"), at("h.name"), at("h.bio")
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    nobody, unnamed = Author("", "", ""), max(handle, name, bio) < 0

    def build(row: tuple[Any, ...], told: AuthorFacts) -> Post:
        more = _NO_EXTRA if extra < 0 or row[extra] == "{}" else read_extra(row[extra])
        author = nobody if told is UNTOLD and unnamed else Author(
            "", row[handle] if handle >= 0 else "", row[name] if name >= 0 else "", None,
            (row[bio] or None) if bio >= 0 else None, told.followers, told.following, told.posts, None,
            told.verified, told.bot,
        )  # fmt: skip
        return Post(
            row[network] if network >= 0 else "", "", row[text] if text >= 0 else "",
            moment(row[created]) if created >= 0 else epoch, author, None, row[kind] if kind >= 0 else "post", None,
            (row[lang] or None) if lang >= 0 else None, None, False, None, None, more.mentions, more.hashtags,
            more.links, more.media, more.metrics if extra >= 0 else NO_METRICS,
            row[rating] if rating >= 0 else None, row[visibility] if visibility >= 0 else "public",
        )  # fmt: skip

    return build


class _Hours:
    """The hour of the week of a stored time; each hour of the calendar is looked up once."""

    def __init__(self, zone: dt.tzinfo) -> None:
        self._zone = zone
        self._known: dict[Any, int] = {}

    def of(self, stored: Any) -> int:
        # up to its minutes, because there are zones with half hours
        key = stored[:16] if isinstance(stored, str) else stored.replace(second=0, microsecond=0)
        found = self._known.get(key)
        if found is None:
            local = moment(stored).astimezone(self._zone)
            found = self._known[key] = local.weekday() * 24 + local.hour
        return found
