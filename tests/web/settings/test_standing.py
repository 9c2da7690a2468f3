"""What the Sources page says of a source: the most pressing thing, in words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from conftest import NOON
from rapport.store.models import Channel, Cursor, Gap
from rapport.store.queries.sources import read_source
from rapport.web.navigation import Navigation
from rapport.web.settings.standing import Standing, draw_hours, stand

DAY, HOUR, SECOND = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(seconds=1)


@pytest.fixture
def read(channel: Any, now: dt.datetime) -> Cursor:
    """The only stream of a connected source, read to its end a moment ago."""
    return Cursor.objects.create(
        workspace=channel.workspace, channel=channel, stream="notifications", value="1", moved_at=now, checked_at=now
    )


def said(channel: Any, now: dt.datetime, **fields: Any) -> Standing:
    Channel.objects.filter(pk=channel.pk).update(**fields)
    return stand(read_source(Channel.objects.get(pk=channel.pk), now), now)


def test_a_source_that_was_read_to_its_end_is_current(channel: Any, read: Cursor, now: dt.datetime) -> None:
    assert said(channel, now) == Standing("praise", "all current")


def test_a_source_that_was_not_read_yet_says_when_it_will_be(channel: Any, now: dt.datetime) -> None:
    assert said(channel, now).word == "connected"


def test_what_a_person_must_mend_comes_first(channel: Any, read: Cursor, now: dt.datetime) -> None:
    Cursor.objects.filter(pk=read.pk).update(error="410 Gone")
    found = said(channel, now, state="reauthorise", state_reason="the token was revoked", failures=9)
    assert (found.tone, found.word, found.reconnect) == ("care", "must be connected again", True)
    assert said(channel, now, state="off").word == "off"


def test_access_that_x_ended_says_by_when_it_must_be_connected_again(channel: Any, now: dt.datetime) -> None:
    ended = {"network": "x", "state": "reauthorise", "state_reason": "401", "state_at": now}
    assert said(channel, now, **ended).remedy.startswith("Nothing is read or sent")
    found = said(channel, now, **ended, settings={"ended_since": now.isoformat()})
    assert found.remedy.startswith("The network has ended our access. Connect it again by ")
    assert (timezone.localtime(now) + 9 * DAY).strftime("%b %Y") in found.remedy
    # another network asks for nothing, and connected again the mark stands for nothing
    assert said(channel, now, network="mastodon").remedy.startswith("Nothing is read or sent")


def test_a_server_that_does_not_answer_is_urgent_only_after_a_while(
    channel: Any, read: Cursor, now: dt.datetime
) -> None:
    assert said(channel, now, failures=1).tone == "ask"
    assert (said(channel, now, failures=30).tone, said(channel, now).word) == ("care", "does not answer")


def test_a_stream_that_is_refused_is_named(channel: Any, read: Cursor, now: dt.datetime) -> None:
    Cursor.objects.filter(pk=read.pk).update(error="410 Gone")
    assert (said(channel, now).word, said(channel, now).what) == ("partly read", "notifications: 410 Gone")


def test_a_gap_is_shown_until_somebody_has_seen_it(channel: Any, read: Cursor, now: dt.datetime) -> None:
    gap = Gap.objects.create(
        workspace=channel.workspace, channel=channel, stream="notifications", noticed_at=now, reason="Nothing was kept."
    )
    assert (said(channel, now).word, said(channel, now).what) == ("something is missing", "Nothing was kept.")
    Gap.objects.filter(pk=gap.pk).update(seen_at=now)
    assert said(channel, now).word == "all current"


def test_a_stream_that_waits_is_not_current_between_two_tries(channel: Any, read: Cursor, now: dt.datetime) -> None:
    Cursor.objects.filter(pk=read.pk).update(error="come back later", paused_until=now + SECOND)
    assert said(channel, now).word == "waits"
    later = now + 2 * SECOND  # the pause is over, the next look has not been yet
    assert said(channel, later).word == "waits"
    assert said(channel, now + HOUR).word == "behind"


def test_a_source_that_nobody_reads_any_more_is_behind(channel: Any, read: Cursor, now: dt.datetime) -> None:
    found = said(channel, now + HOUR)
    assert (found.word, found.what) == ("behind", "The last look was 1 h ago.")


def test_silence_is_told(channel: Any, read: Cursor, now: dt.datetime) -> None:
    assert said(channel, now, quiet_since=now - 5 * HOUR).word == "unusually quiet"


def noted(alice: Any) -> tuple[str, bool]:
    """What every page says of the sources, at its side."""
    request = RequestFactory().get("/w/fernway/")
    [place] = [each for _name, group in Navigation(request, alice).groups for each in group if each.icon == "radio"]
    return place.note, place.late


@pytest.mark.parametrize(
    ("channel_says", "stream_says", "note"),
    [
        ({}, {}, ("all current", False)),
        ({"state": "reauthorise"}, {}, ("1 stopped", True)),
        ({"failures": 9}, {}, ("1 stopped", True)),
        ({"failures": 1}, {}, ("1 to look at", False)),
        ({"quiet_since": NOON}, {}, ("1 to look at", False)),
        ({}, {"error": "410 Gone"}, ("1 to look at", False)),
        ({}, {"error": "come back later", "paused_until": NOON + 9999 * DAY}, ("1 to look at", False)),
        ({"last_pull_at": NOON - 9999 * DAY}, {}, ("1 to look at", False)),
        ({"state": "off"}, {}, ("", False)),
    ],
)
def test_every_page_says_of_the_sources_what_their_own_page_says(
    alice: Any, channel: Any, channel_says: dict[str, Any], stream_says: dict[str, Any], note: tuple[str, bool]
) -> None:
    now = timezone.now()
    Cursor.objects.create(workspace=channel.workspace, channel=channel, stream="home", moved_at=now, **stream_says)
    Channel.objects.filter(pk=channel.pk).update(**{"last_pull_at": now} | channel_says)
    assert noted(alice) == note


def test_a_gap_that_nobody_has_seen_is_on_every_page(alice: Any, channel: Any) -> None:
    now = timezone.now()
    Channel.objects.filter(pk=channel.pk).update(last_pull_at=now)
    gap = Gap.objects.create(workspace=channel.workspace, channel=channel, stream="home", noticed_at=now, reason="Lost")
    assert noted(alice) == ("1 to look at", False)
    Gap.objects.filter(pk=gap.pk).update(seen_at=now)
    assert noted(alice) == ("all current", False)


def test_hours_are_drawn_as_high_as_they_are_busy() -> None:
    bars = draw_hours((0, 1, 4))
    assert [(bar.x, bar.height, bar.y) for bar in bars] == [(48.0, 7.0, 21.0), (96.0, 28.0, 0.0)]
    assert draw_hours((0, 0)) == []
