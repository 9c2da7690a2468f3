"""What a count of a topic looks like: sentences, bars, and posts with the matching words marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rapport.core.errors import InvalidQuery
from rapport.core.felt import mood_number
from rapport.core.query import Query, highlight, parse
from rapport.store.models import Post
from rapport.store.queries.topic_part import DAYS, WINDOWS, Part
from rapport.store.queries.topics import READ_AT_MOST, Asked, Count, read_rows
from rapport.web.words import words_as_html

#: characters of a post that a sample shows, and those before the first match
SHOWN, BEFORE = 420, 90
#: the sparkline: width of a day and height, in units of its own
DAY, HEIGHT = 10, 40


class Sample(msgspec.Struct, frozen=True):
    """A post that is shown, its matching words marked."""

    post: Post
    html: SafeString


class Bar(msgspec.Struct, frozen=True):
    """One day of the sparkline."""

    #: numbers as SVG writes them, whatever the language
    x: str
    y: str
    height: str
    title: str


class Share(msgspec.Struct, frozen=True):
    """One mood of what was found."""

    #: of the bar and the dot
    tone: str
    label: str
    #: 0 to 1, of the posts that were read
    share: float
    #: where its piece of the bar begins and how long it is, of 100
    x: str
    width: str


#: mood -> tone
TONES = {"negative": "care", "neutral": "", "positive": "praise"}


def show_count(workspace: int, asked: Asked, count: Count, *, people_only: bool = False) -> dict[str, Any]:
    """What templates/settings/topic_found.html needs. One query.

    `people_only`: what accounts said that look automated is left out of all that is shown, and only its number is told.
    """
    part: Part = count.people if people_only else count
    ids = {*part.samples, *part.folded, *part.added_samples, *part.dropped_samples}
    rows = read_rows(workspace, sorted(ids))
    query, saved = parse(asked.query), _read(asked.saved)
    return {
        "count": count,
        "part": part,
        "people_only": people_only,
        "moods": mood_shares(part),
        "contrast": "" if people_only else contrast(count),
        # the attribute holds JSON, and in it the count as JSON
        "go_on": msgspec.json.encode({"so_far": msgspec.json.encode(count).decode()}).decode(),
        "windows": list(zip(WINDOWS, part.windows, strict=True)),
        "bars": bars(count, count.people.days, part),
        "machine_bars": bars(count, count.days, part) if count.automated and not people_only else [],
        "busiest": describe_days(count, part),
        "samples": _samples(rows, part.samples, query),
        "folded": _samples(rows, part.folded, query),
        "added": _samples(rows, part.added_samples, query),
        "dropped": _samples(rows, part.dropped_samples, saved or query),
        "changed": asked.changed,
        "limit": READ_AT_MOST,
        "said": announce(count, part, asked),
    }


def mood_shares(part: Part) -> list[Share]:
    """The moods of what was found and read; empty where nothing was read yet."""
    read, begin, found = sum(part.moods[1:]), 0.0, []
    labels = {"negative": _("negative"), "neutral": _("neutral"), "positive": _("positive")}
    for mood, label in labels.items() if read else ():
        share = part.moods[mood_number(mood)] / read
        found.append(Share(TONES[mood], label, share, f"{100 * begin:.2f}", f"{100 * share:.2f}"))
        begin += share
    return found


def contrast(count: Count) -> str:
    """What leaving out the accounts that look automated would change; "" where there are none."""
    if not count.automated:
        return ""
    told = ngettext(
        "%(n)s of them is from an account that looks automated.",
        "%(n)s of them are from accounts that look automated.",
        count.automated,
    ) % {"n": number_format(count.automated, force_grouping=True)}
    without = mood_shares(count.people)
    if not without:
        return told
    bad, bad_without = (round(100 * shares[0].share) for shares in (mood_shares(count), without))
    if bad == bad_without:
        return told + " " + _("Without them the mood is the same.")
    return told + " " + _("Without them %(without)d %% are negative instead of %(all)d %%.") % {
        "without": bad_without, "all": bad,
    }  # fmt: skip


def announce(count: Count, part: Part, asked: Asked) -> str:
    """The result in a sentence, for those who hear the page."""
    if not count.done:
        return ""
    found = ngettext("%(n)d post matches.", "%(n)d posts match.", part.matched) % {"n": part.matched}
    if not asked.changed:
        return found
    return found + " " + _("The change adds %(more)d and drops %(less)d.") % {
        "more": part.added, "less": part.dropped,
    }  # fmt: skip


def bars(count: Count, numbers: Sequence[int], part: Part) -> list[Bar]:
    """A bar for each of the last `DAYS` days; the busiest one of what is shown (`part`) fills the height."""
    most = max(part.days) or 1
    found = []
    for index, (day, posts) in enumerate(zip(_dates(count), numbers, strict=True)):
        height = HEIGHT * posts / most
        title = f"{date_format(day, 'j M')}: {posts}"
        found.append(Bar(f"{DAY * index}", f"{HEIGHT - height:g}", f"{height:g}", title))
    return found


def describe_days(count: Count, part: Part) -> str:
    """The sparkline in words."""
    most = max(part.days)
    if not most:
        return _("No post in the last %(n)d days") % {"n": DAYS}
    day = _dates(count)[part.days.index(most)]
    return _("Posts a day over the last %(n)d days: at most %(most)d, on %(day)s; %(today)d today") % {
        "n": DAYS, "most": most, "day": date_format(day, _("j F")), "today": part.days[-1],
    }  # fmt: skip


def _dates(count: Count) -> list[dt.date]:
    today = timezone.localdate(count.now)
    return [today - dt.timedelta(days=DAYS - 1 - index) for index in range(DAYS)]


def _read(query: str) -> Query | None:
    try:
        return parse(query)
    except InvalidQuery:
        return None


def _samples(rows: dict[int, Post], ids: Sequence[int], query: Query) -> list[Sample]:
    return [Sample(rows[number], excerpt(rows[number].text, query)) for number in ids if number in rows]


def excerpt(text: str, query: Query) -> SafeString:
    """About `SHOWN` characters of a text around the first word that matches, with all such words marked."""
    first = next((start for start, _end in highlight(query, text)), 0) if len(text) > SHOWN else 0
    begin = _blank_before(text, first - BEFORE) if first > SHOWN // 2 else 0
    end = begin + SHOWN
    shown = text[begin:] if len(text) <= end + 20 else text[begin : _blank_before(text, end)].rstrip() + " …"
    lead = "… " if begin else ""
    marks = [(start + len(lead), stop + len(lead), "") for start, stop in highlight(query, shown)]
    return words_as_html(lead + shown, marks)


def _blank_before(text: str, place: int) -> int:
    """The start of the word at a place, or the place itself where there are no blanks."""
    found = max(text.rfind(" ", 0, place), text.rfind("\n", 0, place))
    return found + 1 if found > place - 40 else place
