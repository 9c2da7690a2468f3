"""Reads around what counts: the thresholds of a workspace, and posts to try other ones on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from django.db.models import Sum

from rapport.core.felt import as_felt, felt
from rapport.core.post import TO_US
from rapport.core.reading import Reading, Toward
from rapport.core.thresholds import MOODS, NAMES, SHIPPED, Thresholds, chance_of, read_thresholds
from rapport.core.understand.corrected import is_corrected
from rapport.store.models import ChannelHour, Conversation, Outcome, Post, ReadingSettings, Workspace
from rapport.store.queries.corrections import in_force
from rapport.store.queries.sql import open_cursor, select_in, update_rows

#: posts that a preview looks at
LOOKED_AT = 200
#: conversations whose mood and intents are told anew when the thresholds change, the newest ones
MOST_RESTATED = 10_000
_STEP = 1_000


class Judged(msgspec.Struct):
    """As much of a stored outcome as tells how its post was read."""

    reading: Reading
    topics: tuple[str, ...] = ()
    toward: tuple[Toward, ...] = ()

    @property
    def felt(self) -> Reading:
        """With the mood that counts."""
        return as_felt(self.reading, self.toward)


_decoder = msgspec.json.Decoder(Judged)


class Read(msgspec.Struct, frozen=True):
    """One of the last posts, as the machine read it."""

    post: int
    conversation: int
    text: str
    reading: Reading
    #: it answers a topic or was sent to us, so that a second look is worth its time
    matters: bool

    def is_corrected(self, name: str) -> bool:
        """Whether what stands under this name is the word of a person: no threshold changes it."""
        return is_corrected(self.reading, name)


def read_settings(workspace: Workspace | int) -> ReadingSettings | None:
    """What a workspace set; None while everything is as it ships."""
    return ReadingSettings.objects.of(workspace).select_related("changed_by__user").first()


def read_counting(workspace_id: int) -> Thresholds:
    """From which certainty readings count in a workspace. One query."""
    stored = ReadingSettings.objects.of(workspace_id).values_list("thresholds", flat=True).first()
    return read_thresholds(stored) if stored else SHIPPED


def read_last(workspace: Workspace) -> list[Read]:
    """The last posts of others that were read by the line, newest first. Two queries."""
    newest = Outcome.objects.of(workspace).order_by("-pk").values_list("pk", flat=True)[: 2 * LOOKED_AT]
    # read by their ids alone: the workspace named again leads SQLite to an index of everything in it
    rows = Post.objects.filter(pk__in=list(newest), ours=False, deleted=False).exclude(kind="repost")
    told = rows.order_by("-pk").values_list("pk", "conversation_id", "text", "kind", "outcome__body")[:LOOKED_AT]
    return [
        Read(pk, talk or 0, text[:300], read.felt, bool(read.topics) or kind in TO_US)
        for pk, talk, text, kind, body in told
        if (read := read_judged(body)) is not None
    ]


def read_judged(body: str) -> Judged | None:
    """The body of an outcome; None for one of a release that wrote it otherwise."""
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError:
        return None


def count_heard(workspace: Workspace, since: dt.datetime) -> int:
    """Posts that were heard since then, by the hours in which they came."""
    rows = ChannelHour.objects.of(workspace).filter(hour__gte=since)
    return rows.aggregate(found=Sum("posts"))["found"] or 0


def restate(workspace_id: int, thresholds: Thresholds) -> int:
    """Tell mood and intents of the newest conversations anew, from what was read then; how many.

    Inside a transaction that holds the lock of the workspace.
    """
    rows = Conversation.objects.of(workspace_id).filter(decided_by__isnull=False).order_by("-last_post_at")
    decided = {post or 0: pk for post, pk in rows.values_list("decided_by", "pk")[:MOST_RESTATED]}
    for some in _in_steps(sorted(decided)):
        outcomes, talks = [], []
        for post, body in select_in("SELECT post_id, body FROM store_outcome WHERE post_id {among}", [], some):
            read = read_judged(body)
            if read is not None:
                mood, intents = felt(read.felt, thresholds)
                outcomes.append((thresholds.mood(read.felt), intents, post))
                talks.append((mood, intents, decided[post]))
        with open_cursor() as cursor:
            cursor.executemany("UPDATE store_outcome SET sentiment = %s, intents = %s WHERE post_id = %s", outcomes)
        update_rows("store_conversation", ("mood", "intents"), talks)
    return len(decided)


def _in_steps(items: Sequence[int]) -> Iterator[Sequence[int]]:
    return (items[start : start + _STEP] for start in range(0, len(items), _STEP))


# ------------------------------------------------------------------ what other thresholds would change

#: posts that are shown on each side of a threshold, and corrections that are held against it
EXAMPLES, MOST_HELD_AGAINST = 3, 5_000


class Example(msgspec.Struct, frozen=True):
    """A post near a threshold."""

    text: str
    conversation: int
    chance: float

    @property
    def percent(self) -> str:
        """With the decimal that tells it from the threshold."""
        return f"{100 * self.chance:.1f} %"


class Tried(msgspec.Struct, frozen=True):
    """What one threshold does on the last posts, and beside what people corrected."""

    #: as in `core.thresholds.NAMES`, or a mood
    name: str
    before: float
    after: float
    #: posts that count, with the threshold in force and with the draft
    counted_before: int
    counted_after: int
    #: corrections of it, and with how many of them each threshold agrees
    corrections: int = 0
    agree_before: int = 0
    agree_after: int = 0
    #: the posts nearest to the draft, those that count and those that do not
    above: tuple[Example, ...] = ()
    below: tuple[Example, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the draft differs from what is in force."""
        return self.before != self.after


def try_thresholds(
    posts: Sequence[Read], said: Mapping[str, Sequence[tuple[float, bool]]], before: Thresholds, after: Thresholds
) -> list[Tried]:
    """Every threshold in the order of the form; `said` as `read_held_against` gives it. Pure.

    What a person corrected counts as they said, whatever the threshold, so it is left out here.
    """
    found = []
    for name in (*NAMES, *MOODS):
        old, new = before.least(name), after.least(name)
        rated = [(chance_of(each.reading, name), each) for each in posts if not each.is_corrected(_kept_as(name))]
        if name in MOODS:  # below its threshold a mood is neutral; no threshold makes another one of it
            rated = [(chance, each) for chance, each in rated if each.reading.sentiment.label == name]
        rated.sort(key=lambda pair: (pair[0], pair[1].post))
        above = [pair for pair in rated if pair[0] >= new]
        below = [pair for pair in rated if pair[0] < new]
        told = said.get(name, ())
        found.append(
            Tried(
                name, old, new, sum(chance >= old for chance, _ in rated), len(above),
                len(told), _agreeing(told, old), _agreeing(told, new),
                tuple(_example(*pair) for pair in above[:EXAMPLES]),
                tuple(_example(*pair) for pair in reversed(below[-EXAMPLES:])),
            )
        )  # fmt: skip
    return found


def read_held_against(workspace: Workspace) -> dict[str, list[tuple[float, bool]]]:
    """For each threshold, what the machine had read of the posts that people corrected in it, and whether they say that
    it holds. One query.
    """
    rows = in_force(workspace).order_by("-pk").values_list("reading", "value", "machine")[:MOST_HELD_AGAINST]
    found: dict[str, list[tuple[float, bool]]] = {}
    for reading, value, machine in rows:
        numbers = machine[0] if machine else []
        if reading == "sentiment" and len(numbers) == 4 and numbers[0] in MOODS:
            found.setdefault(numbers[0], []).append(
                (numbers[1 if numbers[0] == "negative" else 3], value == numbers[0])
            )
        elif reading in NAMES and len(numbers) == 1:
            found.setdefault(reading, []).append((numbers[0], value == "true"))
    return found


def _agreeing(told: Sequence[tuple[float, bool]], least: float) -> int:
    return sum((chance >= least) == holds for chance, holds in told)


def _kept_as(name: str) -> str:
    return "sentiment" if name in MOODS else name


def _example(chance: float, read: Read) -> Example:
    return Example(read.text, read.conversation, chance)
