"""Reads of the Sources page: how each source does, in a few queries however many there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from django.db.models import Min, Prefetch

from rapport.core.rhythm import WEEKS, Rhythm, learn
from rapport.store.models import Channel, ChannelHour, Cursor, Gap, Workspace
from rapport.store.queries.recheck import RECHECK
from rapport.store.queries.rhythm import read_hours

HOUR = dt.timedelta(hours=1)
#: hours of the little picture
SHOWN = 48


class Source(msgspec.Struct, frozen=True):
    """One channel, how far it has been read, and what it brings."""

    channel: Channel
    streams: tuple[Cursor, ...]
    #: stretches that could not be filled and that nobody has seen yet, newest first
    gaps: tuple[Gap, ...]
    #: posts an hour of the last `SHOWN` hours, oldest first; the last is the running hour. Empty: not read
    hours: tuple[int, ...]
    #: when the listener last looked at it; None before the first look. Not every stream is due at every look
    checked_at: dt.datetime | None
    #: when the newest post was said
    last_post_at: dt.datetime | None

    @property
    def day(self) -> int:
        """Posts of the last 24 hours."""
        return sum(self.hours[-24:])


def list_sources(workspace: Workspace, now: dt.datetime) -> list[Source]:
    """Every channel of the workspace with its streams and gaps, by name. Four queries."""
    return _with_hours(_read_channels(workspace.pk), workspace.pk, now)


def list_sources_briefly(workspace_id: int) -> list[Source]:
    """As `list_sources`, without what each brought: enough to say how they do. Three queries."""
    return [_source(channel, ()) for channel in _read_channels(workspace_id)]


def read_source(channel: Channel, now: dt.datetime) -> Source:
    """One channel as `list_sources` shows it."""
    return _with_hours([channel], channel.workspace_id, now)[0]


def read_rhythm(channel: Channel, now: dt.datetime) -> Rhythm | None:
    """What the channel usually brings; None while it is too young to say. Two queries."""
    rows = ChannelHour.objects.of(channel.workspace_id).filter(channel=channel)
    first = rows.aggregate(first=Min("hour"))["first"]
    if first is None:
        return None
    counts = dict(read_hours(channel.workspace_id, [channel.pk], now - WEEKS)[channel.pk])
    return learn(counts, first, now)


def newest_post_at(channel: Channel) -> dt.datetime | None:
    """When the newest post of the channel was said."""
    rows = Cursor.objects.of(channel.workspace_id).filter(channel=channel, last_post_at__isnull=False)
    return rows.order_by("-last_post_at").values_list("last_post_at", flat=True).first()


def _read_channels(workspace_id: int) -> list[Channel]:
    # how far a stream was read may be a long text, and nobody here reads it
    streams = Prefetch("cursors", Cursor.objects.of(workspace_id).order_by("stream").defer("value"))
    gaps = Prefetch("gaps", Gap.objects.of(workspace_id).filter(seen_at=None).order_by("-noticed_at"))
    found = Channel.objects.of(workspace_id).order_by("name", "id").prefetch_related(streams).prefetch_related(gaps)
    return list(found)


def _with_hours(channels: Sequence[Channel], workspace_id: int, now: dt.datetime) -> list[Source]:
    running = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    first = running - (SHOWN - 1) * HOUR
    counts = read_hours(workspace_id, [channel.pk for channel in channels], first)
    hours = [first + number * HOUR for number in range(SHOWN)]
    by_channel = {pk: dict(found) for pk, found in counts.items()}
    return [_source(channel, [by_channel[channel.pk].get(hour, 0) for hour in hours]) for channel in channels]


def _source(channel: Channel, hours: Sequence[int]) -> Source:
    streams = tuple(channel.cursors.all())
    looks = [cursor.checked_at or cursor.moved_at for cursor in streams if cursor.stream != RECHECK]
    said = [cursor.last_post_at for cursor in streams if cursor.last_post_at]
    return Source(
        channel=channel,
        streams=streams,
        gaps=tuple(gap for gap in channel.gaps.all() if gap.seen_at is None),
        hours=tuple(hours),
        checked_at=channel.last_pull_at or min(looks, default=None),
        last_post_at=max(said, default=None),
    )
