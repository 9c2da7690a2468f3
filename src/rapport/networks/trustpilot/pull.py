"""Reading the reviews of a business, newest first.

That list is sorted by when a review was written, so edits, answers and deletions of older ones do not show at its top.
Four times a day the newest five hundred are swept: what changed is given again, and what is gone is asked for by its
id and taken down when Trustpilot does not know it any more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.networks.backwards import Found, Place, floor_of, is_resting, oldest_first, read_place
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of
from rapport.networks.trustpilot.parse import REVIEW, parse_review, stamp_of
from rapport.networks.trustpilot.wire import Missing, Trust

REST = dt.timedelta(minutes=2)
SWEEP_EVERY = dt.timedelta(hours=6)
_PAGE = 100  # the most that Trustpilot gives
_SWEEP_PAGES, _MOST_PAGES, _FIRST_PAGES = 5, 50, 2
_MOST_ASKED = 20  # missing reviews that one sweep asks for


class Spot(Place):
    """The cursor of the reviews."""

    #: review -> its stamp, of those that the last sweep saw and those that came since
    known: dict[str, str] = {}
    swept: dt.datetime | None = None


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession, now: dt.datetime) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that there is not."""
    if stream != "reviews":
        raise InvalidInput(f"Trustpilot has no stream {stream!r}")
    spot, doubt = read_place(cursor, Spot, now)
    if is_resting(account, spot, now, REST):
        return
    reading = _Reading(account, Trust.of(account, session, now), spot, now)
    if doubt:
        reading.found.miss(doubt)
    reading.read()
    yield from oldest_first(stream, reading.found, reading.spot, now)


class _Reading:
    """One pull. `spot` is what the cursor becomes."""

    def __init__(self, account: Account, trust: Trust, spot: Spot, now: dt.datetime) -> None:
        self.found = Found()
        self.spot = msgspec.structs.replace(spot, known=dict(spot.known))
        self._account, self._trust, self._now = account, trust, now
        self._floor = floor_of(spot)
        self._before = spot.known
        self._seen: dict[str, str] = {}

    def read(self) -> None:
        """Down to the floor; in a sweep, further."""
        sweeps = self.spot.swept is None or self._now - self.spot.swept >= SWEEP_EVERY
        least = _SWEEP_PAGES if sweeps and self._floor is not None else 1
        most = _FIRST_PAGES if self._floor is None else _MOST_PAGES
        path = f"/v1/private/business-units/{quote(self._account.account_id, safe='')}/reviews"
        below = ends = False
        for page in range(1, most + 1):
            answer = self._trust.read(path, {"orderBy": "createdat.desc", "perPage": _PAGE, "page": page})
            reviews = answer.get("reviews")
            items = reviews if isinstance(reviews, list) else []
            for item in items:
                below = self._keep(item) or below
            ends = len(items) < _PAGE
            if ends or (below and page >= least):
                break
        if not (ends or below):
            told = (
                f"Only the newest {most * _PAGE} reviews were read when this business was connected."
                if self._floor is None
                else f"More than {most * _PAGE} new reviews; older ones were not read."
            )
            self.found.miss(told, self._floor)
        if sweeps:
            self._take_down([each for each in self._before if each not in self._seen])
            self.spot = msgspec.structs.replace(self.spot, known=self._seen, swept=self._now)
        else:
            self.spot.known.update(self._seen)

    def _keep(self, item: Any) -> bool:
        """Keep a review that is new or has changed, and the answer to it; True when it lies below the floor."""
        what = f"review {name_of(item, 'id')}".strip()
        try:
            review, answer = parse_review(item, self._account)
            stamp = stamp_of(item)
        except InvalidPost as error:
            self.found.rejected.append(f"{what}: {error}")
            return False
        below = self._floor is not None and review.created_at < self._floor
        has_changed = self._before.get(review.id, stamp) != stamp
        self._seen[review.id] = stamp
        if not below or has_changed:
            self.found.keep(lambda: review, what, self._now)
            self.found.keep(lambda: answer, f"answer to {what}", self._now)
        return below

    def _take_down(self, missing: list[str]) -> None:
        for review in missing[:_MOST_ASKED]:
            if not REVIEW.fullmatch(review):
                continue
            try:
                self._trust.read(f"/v1/private/reviews/{review}")
            except Missing:
                self.found.deleted += [review, f"{review}/reply"]
