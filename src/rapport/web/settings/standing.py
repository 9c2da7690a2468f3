"""How a source does, in words: one sentence that says what is, and one that says what to do."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from rapport.networks.registry import network_named
from rapport.store.models import Channel
from rapport.store.queries.access import goes_at
from rapport.store.queries.recheck import RECHECK
from rapport.store.queries.sources import Source
from rapport.web.templatetags.desk_frame import since as how_long
from rapport.web.told import told

#: looks in a row that may fail before somebody must act
MOST_FAILURES = 3
#: looks that may be missed before a source is behind
MISSED = 5
#: width and height of the picture of the hours, in its own units
WIDTH, HEIGHT = 144, 28


class Standing(msgspec.Struct, frozen=True):
    """What the page says of a source."""

    #: care = somebody must act, ask = worth a look, praise = all is well, "" = off
    tone: str
    #: two or three words
    word: str
    #: what is the matter
    what: str = ""
    #: what to do about it
    remedy: str = ""
    #: the remedy is to connect it again
    reconnect: bool = False


def stand(source: Source, now: dt.datetime) -> Standing:
    """The most pressing thing that can be said of a source."""
    channel = source.channel
    if channel.state == Channel.State.OFF:
        return Standing("", _("off"), told(channel.state_reason))
    if channel.state == Channel.State.REAUTHORISE:
        return Standing(
            "care",
            _("must be connected again"),
            told(channel.state_reason),
            _until_it_goes(channel)
            or _("Nothing is read or sent until an admin connects it again. What waits is kept."),
            reconnect=True,
        )
    if channel.failures:
        return Standing(
            "care" if channel.failures > MOST_FAILURES else "ask",
            _("does not answer"),
            told(channel.state_reason),
            _("It is tried again by itself, less and less often, and goes on where it stopped."),
        )
    looks = (_broken, _missing, _unread, _waiting, _behind, _quiet)
    return next((found for look in looks if (found := look(source, now))), Standing("praise", _("all current")))


def _until_it_goes(channel: Channel) -> str:
    """By when it must be connected again, where the network has ended the access and wants what came from it gone."""
    goes = goes_at(channel)
    if goes is None:
        return ""
    day = date_format(timezone.localtime(goes), "j M Y, H:i")
    return _("The network has ended our access. Connect it again by %(day)s, or all that came from it is deleted.") % {
        "day": day
    }


def _broken(source: Source, now: dt.datetime) -> Standing | None:
    del now
    broken = [cursor for cursor in source.streams if cursor.error and not cursor.paused_until]
    if not broken:
        return None
    remedy = _("Everything else of this source goes on. Open it to change what is read.")
    return Standing("ask", _("partly read"), f"{broken[0].stream}: {told(broken[0].error)}", remedy)


def _missing(source: Source, now: dt.datetime) -> Standing | None:
    del now
    if not source.gaps:
        return None
    remedy = _("Open it to see all that is missing, and say that you have seen it.")
    return Standing("ask", _("something is missing"), told(source.gaps[0].reason), remedy)


def _unread(source: Source, now: dt.datetime) -> Standing | None:
    del now
    if source.checked_at is not None:
        return None
    network = network_named(source.channel.network)
    if network is not None and network.capabilities.webhook and not network.capabilities.replies:
        return Standing("", _("connected"), _("It waits for the first delivery."))
    return Standing("", _("connected"), _("The first look at the network happens within a minute."))


def _waiting(source: Source, now: dt.datetime) -> Standing | None:
    # a pause that has just ended says nothing yet: the next look takes the error away, or begins another pause
    recent = now - _patience()
    # looking at stored posts again waits for its budget every day; that holds up nothing of what is new
    streams = [row for row in source.streams if row.stream != RECHECK]
    waits = [row for row in streams if row.error and row.paused_until and row.paused_until > recent]
    if not waits:
        return None
    remedy = _("It is tried again by itself, and goes on where it stopped.")
    return Standing("ask", _("waits"), f"{waits[0].stream}: {waits[0].error}", remedy)


def _behind(source: Source, now: dt.datetime) -> Standing | None:
    if source.checked_at is None or now - source.checked_at <= _patience():
        return None
    what = _("The last look was %(time)s ago.") % {"time": how_long(source.checked_at, now)}
    return Standing("ask", _("behind"), what, _("Is the listener running? rapport doctor tells."))


def _patience() -> dt.timedelta:
    """How long a look may be overdue before it means something."""
    return max(MISSED * dt.timedelta(seconds=settings.RAPPORT.poll_seconds), dt.timedelta(minutes=2))


def _quiet(source: Source, now: dt.datetime) -> Standing | None:
    since = source.channel.quiet_since
    if since is None:
        return None
    what = _("Nothing for %(time)s, when more usually comes.") % {"time": how_long(since, now)}
    remedy = _("The network answers, so look there: was the account renamed, limited or blocked?")
    return Standing("ask", _("unusually quiet"), what, remedy)


class Bar(msgspec.Struct, frozen=True):
    """One hour of the little picture, in its own units."""

    x: float
    y: float
    width: float
    height: float


def draw_hours(hours: tuple[int, ...]) -> list[Bar]:
    """The posts of each hour as a bar; an hour without any has none."""
    most = max(hours, default=0)
    if not most:
        return []
    step = WIDTH / len(hours)
    bars = []
    for number, posts in enumerate(hours):
        if posts:
            height = max(HEIGHT * posts / most, 2.0)
            bars.append(
                Bar(round(number * step, 2), round(HEIGHT - height, 2), round(step * 0.72, 2), round(height, 2))
            )
    return bars
