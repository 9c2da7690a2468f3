"""Reads around what counts: the thresholds of a workspace, and posts to try other ones on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec
from django.db.models import Sum

from rapport.core.felt import felt
from rapport.core.reading import Reading
from rapport.core.thresholds import SHIPPED, Thresholds, read_thresholds
from rapport.core.understand.corrected import is_corrected
from rapport.store.models import ChannelHour, Conversation, Outcome, Post, ReadingSettings, Workspace
from rapport.store.queries.sql import open_cursor, select_in, update_rows

#: posts that a preview looks at
LOOKED_AT = 200
#: conversations whose mood and intents are told anew when the thresholds change, the newest ones
MOST_RESTATED = 10_000
_STEP = 1_000
#: kinds of posts that are meant for us whatever they say, as in `pipeline.line`
_TO_US = frozenset({"review", "message", "mail"})


class _Body(msgspec.Struct):
    """As much of an outcome as is needed."""

    reading: Reading
    topics: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(_Body)


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
        Read(pk, talk or 0, text[:300], read.reading, bool(read.topics) or kind in _TO_US)
        for pk, talk, text, kind, body in told
        if (read := _decode(body)) is not None
    ]


def _decode(body: str) -> _Body | None:
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError:
        return None  # of a release that wrote it otherwise


def count_heard(workspace: Workspace, since: dt.datetime) -> int:
    """Posts that were heard since then, by the hours in which they came."""
    rows = ChannelHour.objects.filter(channel__workspace=workspace, hour__gte=since)
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
            read = _decode(body)
            if read is not None:
                mood, intents = felt(read.reading, thresholds)
                outcomes.append((thresholds.mood(read.reading), intents, post))
                talks.append((mood, intents, decided[post]))
        with open_cursor() as cursor:
            cursor.executemany("UPDATE store_outcome SET sentiment = %s, intents = %s WHERE post_id = %s", outcomes)
        update_rows("store_conversation", ("mood", "intents"), talks)
    return len(decided)


def _in_steps(items: Sequence[int]) -> Iterator[Sequence[int]]:
    return (items[start : start + _STEP] for start in range(0, len(items), _STEP))
