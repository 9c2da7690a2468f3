"""Reading a channel of YouTube within a daily budget of quota units.

- "comments": threads on own videos, newest first, one unit a page. Answers to older threads and deletions do not show
  at the top of that list, so every quarter of an hour the newest threads are swept: a changed number of answers is
  read, a thread that is gone is asked for by its id and, if YouTube does not know it any more, taken down.
- "held": threads that wait for the channel's review, when the setting asks for them.
- "search:WORDS": videos found by words, a hundred units a page, spread evenly over the day.

What was spent stands in the cursor of each stream, by day in Pacific time, as Google counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.networks.backwards import Found, Place, floor_of, is_resting, oldest_first, read_place
from rapport.networks.base import Account, Page
from rapport.networks.google import Google, pacific_day, until_midnight
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of
from rapport.networks.youtube.parse import items_of, next_page, parse_comment, parse_thread, parse_video

API = "https://youtube.googleapis.com/youtube/v3"
#: units: of a day, as Google grants them to a new project; what a list, a search and an answer cost
DAILY, LIST_COST, SEARCH_COST, ANSWER_COST = 10_000, 1, 100, 50
#: defaults of the settings: what is left is for answers
DAILY_BUDGET, SEARCH_BUDGET = 9_000, 4_000
REST = dt.timedelta(seconds=60)  # 1,440 units a day
SWEEP_EVERY = dt.timedelta(minutes=15)  # 5 units each, 480 a day
_SWEEP_PAGES, _MOST_PAGES, _FIRST_PAGES = 5, 20, 2
_ANSWER_PAGES = 10  # of one thread
_SEARCH_PAGES = 5
_PAGE, _SEARCH_PAGE, _BY_ID = 100, 50, 50
_FIRST_SEARCH = dt.timedelta(days=7)


class Spot(Place):
    """The cursor of a stream of YouTube."""

    #: of the first page, so that an unchanged one is not sent again
    etag: str = ""
    #: the day in Pacific time, what was spent on it, and whether people were told that all is spent
    day: str = ""
    spent: int = 0
    told: bool = False
    #: top comment -> number of answers, of the threads that the last sweep saw
    threads: dict[str, int] = {}
    swept: dt.datetime | None = None


class _Spent(Exception):  # not an error: the way out of reading
    """The budget of the day does not cover the next request."""


def streams_of(account: Account) -> tuple[str, ...]:
    """Comments, what is held for review if asked for, and one stream for each search."""
    held = ("held",) if account.settings.get("held") is True else ()
    return ("comments", *held, *(f"search:{words}" for words in searches_of(account)))


def searches_of(account: Account) -> list[str]:
    """The searches that an admin wrote."""
    found = account.settings.get("searches")
    return [str(words).strip() for words in found if str(words).strip()] if isinstance(found, list) else []


def budget_of(account: Account, stream: str) -> int:
    """The units that a stream may spend a day: searches share theirs, comments have the rest."""
    daily, search = _units(account, "daily_units", DAILY_BUDGET), _units(account, "search_units", SEARCH_BUDGET)
    daily -= recheck_units(account)
    if stream.startswith("search:"):
        return min(search, daily) // max(len(searches_of(account)), 1)
    rest = daily - (min(search, daily) if searches_of(account) else 0)
    return rest // 2 if account.settings.get("held") is True else rest


def recheck_units(account: Account) -> int:
    """The units that looking at comments again may spend a day."""
    return _units(account, "daily_units", DAILY_BUDGET) // 20


def _units(account: Account, name: str, default: int) -> int:
    value = str(account.settings.get(name) or "")
    return int(value) if value.isdecimal() and len(value) < 10 else default


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession, now: dt.datetime) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that there is not."""
    if stream not in {"comments", "held"} and not stream.startswith("search:"):
        raise InvalidInput(f"YouTube has no stream {stream!r}")
    spot, doubt = read_place(cursor, Spot, now)
    if _rests(account, stream, spot, now):
        return
    if spot.day != pacific_day(now):
        spot = msgspec.structs.replace(spot, day=pacific_day(now), spent=0, told=False)
    found = Found()
    if doubt:
        found.miss(doubt)
    reading = _Reading(account, Google.of(account, session, now), stream, spot, now, found)
    is_whole = True
    try:
        if stream.startswith("search:"):
            reading.search(stream.partition(":")[2])
        else:
            reading.threads()
    except _Spent:
        is_whole = False
        reading.say_spent()
    yield from oldest_first(stream, found, reading.spot, now, moves=is_whole)


def _rests(account: Account, stream: str, spot: Spot, now: dt.datetime) -> bool:
    """Searches are spread over the day, so that the budget lasts."""
    if not stream.startswith("search:"):
        return is_resting(account, spot, now, REST)
    looks = max(budget_of(account, stream) // SEARCH_COST, 1)
    return spot.looked is not None and now - spot.looked < dt.timedelta(days=1) / looks


class _Reading:
    """One pull of one stream. `spot` is what its cursor becomes."""

    def __init__(
        self, account: Account, google: Google, stream: str, spot: Spot, now: dt.datetime, found: Found
    ) -> None:
        self.spot = msgspec.structs.replace(spot, threads=dict(spot.threads))
        self._account, self._google, self._stream, self._now, self._found = account, google, stream, now, found
        self._floor = floor_of(spot)
        self._budget = budget_of(account, stream)

    def say_spent(self) -> None:
        """Once a day, in words. The first page must come whole next time: what lies behind it was not read."""
        self.spot.etag = ""
        if self.spot.told:
            return
        self.spot.told = True
        back = self._now + dt.timedelta(seconds=until_midnight(self._now))
        self._found.miss(
            f"The daily budget of {self._budget:,} units for this is used up. Reading goes on at {back:%H:%M} UTC, and "
            f"what is said until then is read afterwards. The budget is in the settings of this account.",
            self.spot.at,
            back,
        )

    def threads(self) -> None:
        """Threads on own videos, down to the floor; in a sweep, further."""
        sweeps = self._stream == "comments" and (
            self.spot.swept is None or self._now - self.spot.swept >= SWEEP_EVERY or self._floor is None
        )
        known, seen = dict(self.spot.threads), set[str]()
        least = _SWEEP_PAGES if sweeps and self._floor is not None else 1
        most = _FIRST_PAGES if self._floor is None else _MOST_PAGES
        token, number, below = "", 0, False
        while number < most:
            answer = self._thread_page(token, use_etag=number == 0 and not sweeps)
            if answer is None:
                return  # the first page is as it was
            number += 1
            for item in items_of(answer):
                below = self._thread(item, known, seen) or below
            token = next_page(answer)
            if not token or (below and number >= least):
                break
        if token and self._floor is None:
            self._found.miss(f"Only the newest {most * _PAGE} threads were read when this channel was connected.")
        elif token and not below:
            self._found.miss(f"More than {most * _PAGE} new threads; older ones were not read.", self._floor)
        if sweeps:
            self._take_down(set(known) - seen)
            self.spot.threads = {thread: count for thread, count in self.spot.threads.items() if thread in seen}
            self.spot.swept = self._now

    def search(self, words: str) -> None:
        """Videos since the floor; of a new search, those of the last week."""
        since = self._floor or self._now - _FIRST_SEARCH
        if self._floor is None:
            self._found.miss("A new search begins with the videos of the last 7 days.", None, since)
        params = {
            "part": "snippet", "type": "video", "order": "date", "q": words, "maxResults": _SEARCH_PAGE,
            "publishedAfter": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip
        token = ""
        for _ in range(_SEARCH_PAGES):
            self._pay(SEARCH_COST)
            answer = self._google.read(f"{API}/search", params | ({"pageToken": token} if token else {}))
            for item in items_of(answer):
                what = f"video {name_of(item.get('id') if isinstance(item, dict) else None, 'videoId')}".strip()
                self._found.keep(partial(parse_video, item, self._account), what, self._now)
            token = next_page(answer)
            if not token:
                return
        self._found.miss(f"More than {_SEARCH_PAGES * _SEARCH_PAGE} videos; older ones were not read.", since)

    def _thread_page(self, token: str, use_etag: bool) -> dict[str, Any] | None:
        """One page of threads; None when it is the first one and has not changed."""
        self._pay(LIST_COST)
        params = {
            "part": "snippet,replies", "allThreadsRelatedToChannelId": self._account.account_id, "order": "time",
            "textFormat": "plainText", "maxResults": _PAGE,
            **({"moderationStatus": "heldForReview"} if self._stream == "held" else {}),
            **({"pageToken": token} if token else {}),
        }  # fmt: skip
        answer, etag = self._google.read_if_changed(f"{API}/commentThreads", params, self.spot.etag if use_etag else "")
        if not token:
            self.spot.etag = etag
        return answer

    def _thread(self, item: Any, known: dict[str, int], seen: set[str]) -> bool:
        """Keep what is new of a thread; True when its top comment lies below the floor."""
        what = f"thread {name_of(item, 'id')}".strip()
        try:
            thread = parse_thread(item)
        except InvalidPost as error:
            self._found.rejected.append(f"{what}: {error}")
            return False
        seen.add(thread.id)
        top = self._found.read(
            lambda: parse_comment(thread.top, self._account, thread.video, thread.total), what, self._now
        )
        below = top is not None and self._floor is not None and top.created_at < self._floor
        if top is not None and (not below or self._is_edited(top.edited_at)):
            self._found.posts.append(top)
        if thread.total != known.get(thread.id, 0) and (thread.id in known or not below):
            self._answers(thread.id, thread.answers, thread.total, thread.video)
        self.spot.threads[thread.id] = thread.total
        return below

    def _is_edited(self, edited: dt.datetime | None) -> bool:
        """Since the last sweep, with some slack: sweeps are when edits of older comments are seen."""
        since = self.spot.swept or self._floor
        return edited is not None and since is not None and edited >= since - SWEEP_EVERY

    def _answers(self, thread: str, here: list[Any], total: int, video: str) -> None:
        """The answers of a thread whose number has changed: those at hand, or all of them from their own list."""
        found, token = list(here), ""
        if total > len(here):
            found = []
            for _ in range(_ANSWER_PAGES):
                self._pay(LIST_COST)
                params = {"part": "snippet", "parentId": thread, "textFormat": "plainText", "maxResults": _PAGE}
                answer = self._google.read(f"{API}/comments", params | ({"pageToken": token} if token else {}))
                found += items_of(answer)
                token = next_page(answer)
                if not token:
                    break
        if token:
            self._found.miss(f"A thread has more than {_ANSWER_PAGES * _PAGE} answers; the others were not read.")
        for item in found:
            what = f"answer {name_of(item, 'id')}".strip()
            self._found.keep(partial(parse_comment, item, self._account, video), what, self._now)

    def _take_down(self, missing: set[str]) -> None:
        """Threads that a sweep did not see: asked for by id, those that YouTube does not know are deleted."""
        wanted = sorted(missing)
        for start in range(0, len(wanted), _BY_ID):
            part = wanted[start : start + _BY_ID]
            self._pay(LIST_COST)
            answer = self._google.read(f"{API}/comments", {"part": "id", "id": ",".join(part)})
            there = {name_of(item, "id") for item in items_of(answer)}
            self._found.deleted += [thread for thread in part if thread not in there]

    def _pay(self, units: int) -> None:
        if self.spot.spent + units > self._budget:
            raise _Spent
        self.spot.spent += units
