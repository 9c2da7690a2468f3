"""A source that has gone unusually quiet is noticed by its own rhythm, and only while its network answers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from conftest import NOON
from rapport.pipeline.clock import Clock
from rapport.store.models import AuditEntry, Channel, ChannelHour, Cursor

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def lively(channel: Any) -> Channel:
    """A source that brings some ten posts in every hour, for three weeks; the last one at noon."""
    ChannelHour.objects.bulk_create(
        ChannelHour(workspace=channel.workspace, channel=channel, hour=NOON - number * HOUR, posts=8 + number % 5)
        for number in range(21 * 24)
    )
    Cursor.objects.create(
        workspace=channel.workspace, channel=channel, stream="notifications", moved_at=NOON, last_post_at=NOON
    )
    found: Channel = channel
    return found


def judged(channel: Channel, now: dt.datetime, **looked: Any) -> dt.datetime | None:
    Channel.objects.filter(pk=channel.pk).update(**({"last_pull_at": now, "failures": 0} | looked))
    Clock(lambda: now).judge_silence(now)
    return Channel.objects.get(pk=channel.pk).quiet_since


def test_silence_at_a_lively_hour_is_noticed_once_and_forgotten_with_the_next_post(lively: Channel) -> None:
    assert judged(lively, NOON + HOUR / 4) is None
    assert judged(lively, NOON + 3 * HOUR) == NOON
    assert judged(lively, NOON + 4 * HOUR) == NOON
    assert AuditEntry.objects.filter(verb="channel.quiet").count() == 1
    Cursor.objects.update(last_post_at=NOON + 4 * HOUR)
    assert judged(lively, NOON + 4 * HOUR) is None
    assert AuditEntry.objects.filter(verb="channel.speaks").count() == 1


def test_silence_says_nothing_while_the_network_does_not_answer(lively: Channel) -> None:
    later = NOON + 5 * HOUR
    assert judged(lively, later, failures=2) is None
    assert judged(lively, later, last_pull_at=NOON + 4 * HOUR) is None


def test_a_source_that_rarely_speaks_may_be_silent(lively: Channel) -> None:
    ChannelHour.objects.exclude(hour=NOON).exclude(hour=NOON - 100 * HOUR).delete()
    assert judged(lively, NOON + 5 * HOUR) is None
