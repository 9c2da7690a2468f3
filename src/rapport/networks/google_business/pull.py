"""Reading the reviews of a location, those changed last first, so that edits and answers come by themselves.

Deleted reviews are told by nobody. Four times a day all of them (the newest thousand) are read, and those that are
gone are asked for one by one: what Google does not know any more is taken down.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.networks.backwards import Found, Place, floor_of, is_resting, oldest_first, read_place
from rapport.networks.base import Account, Page
from rapport.networks.google import Google, Missing
from rapport.networks.google_business.parse import REVIEW, parse_review, position_of
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of

API = "https://mybusiness.googleapis.com/v4"
REST = dt.timedelta(minutes=2)
SWEEP_EVERY = dt.timedelta(hours=6)
_PAGE = 50  # the most that Google gives
_MOST_PAGES, _FIRST_PAGES = 20, 4
_MOST_ASKED = 20  # missing reviews that one sweep asks for


class Spot(Place):
    """The cursor of the reviews."""

    #: the last part of the names of the reviews that the last sweep saw
    known: list[str] = []
    swept: dt.datetime | None = None


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession, now: dt.datetime) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that there is not."""
    if stream != "reviews":
        raise InvalidInput(f"Google Business has no stream {stream!r}")
    spot, doubt = read_place(cursor, Spot, now)
    if is_resting(account, spot, now, REST):
        return
    found = Found()
    if doubt:
        found.miss(doubt)
    google = Google.of(account, session, now)
    sweeps = spot.swept is None or now - spot.swept >= SWEEP_EVERY
    seen, is_all = _read_reviews(google, account, spot, sweeps, now, found)
    if sweeps:
        if is_all:
            _take_down(google, account, [each for each in spot.known if each not in seen], found)
        spot = msgspec.structs.replace(spot, known=list(seen), swept=now)
    else:
        spot = msgspec.structs.replace(spot, known=list(dict.fromkeys([*seen, *spot.known]))[: _PAGE * _MOST_PAGES])
    yield from oldest_first(stream, found, spot, now, position=position_of)


def _read_reviews(
    google: Google, account: Account, spot: Spot, sweeps: bool, now: dt.datetime, found: Found
) -> tuple[dict[str, None], bool]:
    """Keep what changed since the floor; returns the ids that were seen, and whether these are all there are."""
    floor = floor_of(spot)
    most = _FIRST_PAGES if floor is None else _MOST_PAGES
    params: dict[str, Any] = {"pageSize": _PAGE, "orderBy": "updateTime desc"}
    seen: dict[str, None] = {}
    below = False
    for _ in range(most):
        answer = google.read(f"{API}/{account.account_id}/reviews", params)
        reviews = answer.get("reviews")
        for item in reviews if isinstance(reviews, list) else ():
            identifier = name_of(item, "name").rpartition("/")[2]
            if REVIEW.fullmatch(identifier):
                seen[identifier] = None
            below = _keep(item, account, floor, now, found) or below
        token = answer.get("nextPageToken")
        if not isinstance(token, str) or not token:
            return seen, True
        if below and not sweeps:
            return seen, False
        params["pageToken"] = token
    if floor is None:
        found.miss(f"Only the newest {most * _PAGE} reviews were read when this location was connected.")
    elif not below:
        found.miss(f"More than {most * _PAGE} reviews changed; older ones were not read.", floor)
    return seen, False


def _keep(item: Any, account: Account, floor: dt.datetime | None, now: dt.datetime, found: Found) -> bool:
    """Keep a review and the answer to it; True when it lies below the floor."""
    what = f"review {name_of(item, 'name').rpartition('/')[2]}".strip()
    try:
        review, answer = parse_review(item, account)
    except InvalidPost as error:
        found.rejected.append(f"{what}: {error}")
        return False
    is_new = floor is None or position_of(review) >= floor
    if is_new:
        found.keep(lambda: review, what, now)
    if answer is not None and (floor is None or answer.created_at >= floor):
        found.keep(lambda: answer, f"answer to {what}", now)
    return not is_new


def _take_down(google: Google, account: Account, missing: list[str], found: Found) -> None:
    for identifier in filter(REVIEW.fullmatch, missing[:_MOST_ASKED]):
        try:
            google.read(f"{API}/{account.account_id}/reviews/{identifier}")
        except Missing:
            found.deleted += [identifier, f"{identifier}/reply"]
