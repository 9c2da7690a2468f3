"""What a count of a topic looks like: sentences, bars, and posts with the matching words marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rapport.core.errors import InvalidQuery
from rapport.core.query import Query, highlight, parse
from rapport.store.models import Post
from rapport.store.queries.topics import DAYS, READ_AT_MOST, WINDOWS, Asked, Count, read_rows
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


def show_count(workspace: int, asked: Asked, count: Count) -> dict[str, Any]:
    """What templates/settings/topic_found.html needs. One query."""
    ids = {*count.samples, *count.folded, *count.added_samples, *count.dropped_samples}
    rows = read_rows(workspace, sorted(ids))
    query, saved = parse(asked.query), _read(asked.saved)
    return {
        "count": count,
        # the attribute holds JSON, and in it the count as JSON
        "go_on": msgspec.json.encode({"so_far": msgspec.json.encode(count).decode()}).decode(),
        "windows": list(zip(WINDOWS, count.windows, strict=True)),
        "bars": bars(count),
        "busiest": describe_days(count),
        "samples": _samples(rows, count.samples, query),
        "folded": _samples(rows, count.folded, query),
        "added": _samples(rows, count.added_samples, query),
        "dropped": _samples(rows, count.dropped_samples, saved or query),
        "changed": asked.changed,
        "limit": READ_AT_MOST,
        "said": announce(count, asked),
    }


def announce(count: Count, asked: Asked) -> str:
    """The result in a sentence, for those who hear the page."""
    if not count.done:
        return ""
    found = ngettext("%(n)d post matches.", "%(n)d posts match.", count.matched) % {"n": count.matched}
    if not asked.changed:
        return found
    return found + " " + _("The change adds %(more)d and drops %(less)d.") % {
        "more": count.added, "less": count.dropped,
    }  # fmt: skip


def bars(count: Count) -> list[Bar]:
    """A bar for each of the last `DAYS` days; the busiest fills the height."""
    most = max(count.days) or 1
    days = _dates(count)
    found = []
    for index, (day, posts) in enumerate(zip(days, count.days, strict=True)):
        height = HEIGHT * posts / most
        title = f"{date_format(day, 'j M')}: {posts}"
        found.append(Bar(f"{DAY * index}", f"{HEIGHT - height:g}", f"{height:g}", title))
    return found


def describe_days(count: Count) -> str:
    """The sparkline in words."""
    most = max(count.days)
    if not most:
        return _("No post in the last %(n)d days") % {"n": DAYS}
    day = _dates(count)[count.days.index(most)]
    return _("Posts a day over the last %(n)d days: at most %(most)d, on %(day)s; %(today)d today") % {
        "n": DAYS, "most": most, "day": date_format(day, "j F"), "today": count.days[-1],
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
