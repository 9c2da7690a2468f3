"""Reading lists that give the newest first and cannot be asked for what came after a moment.

A pull reads such a list down to a little below the moment in its cursor, keeps what it found, and hands it out oldest
first, so that each page's cursor can be stored: after a crash the next pull reads down to there again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.every import pause_of

#: what networks show late still lies within this of the newest that was read
OVERLAP = dt.timedelta(minutes=10)
_SLACK = dt.timedelta(minutes=5)  # how far a cursor may lie ahead of our clock
_PAGE = 100  # posts of one page
_RECENT = 500  # marks in a cursor; of a larger burst some come again, which does no harm


class Place(msgspec.Struct, omit_defaults=True):
    """What a cursor holds. Networks add fields of their own."""

    #: everything up to here was read; None: nothing was read yet
    at: dt.datetime | None = None
    #: when the network was last asked
    looked: dt.datetime | None = None
    #: marks of what was given out last, so that the overlap of two pulls gives nothing twice
    recent: list[str] = []


P = TypeVar("P", bound=Place)


class Found(msgspec.Struct):
    """What one pull or one delivery brought, in any order."""

    posts: list[Post] = []
    deleted: list[str] = []
    rejected: list[str] = []
    gap: Gap | None = None

    def read(self, parse: Callable[[], Post | None], what: str, now: dt.datetime) -> Post | None:
        """One item as a post that may be stored; None, and a line that says why, when it cannot be.

        `what` names the item for that line. `parse` may return None for an item that is no post.
        """
        try:
            post = parse()
            return None if post is None else admit(post, now)
        except InvalidPost as error:
            self.rejected.append(f"{what}: {error}")
            return None

    def keep(self, parse: Callable[[], Post | None], what: str, now: dt.datetime) -> Post | None:
        """As `read`; what can be stored is kept."""
        post = self.read(parse, what, now)
        if post is not None:
            self.posts.append(post)
        return post

    def miss(self, reason: str, since: dt.datetime | None = None, until: dt.datetime | None = None) -> None:
        """Note a stretch that could not be read. A pull has one gap: its reasons stand together."""
        if self.gap is None:
            self.gap = Gap(reason, since, until)
        elif reason not in self.gap.reason:
            self.gap = Gap(f"{self.gap.reason} {reason}", self.gap.since or since, self.gap.until or until)


def read_place(cursor: str, kind: type[P], now: dt.datetime) -> tuple[P, str]:
    """A cursor -> the place, and "" or a sentence that says why it cannot be trusted; then the place is a new one."""
    if not cursor:
        return kind(), ""
    try:
        place = msgspec.json.decode(cursor, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return kind(), "The note of where reading had stopped was not readable, so the newest were read anew."
    if any(moment is not None and moment.tzinfo is None for moment in (place.at, place.looked)):
        return kind(), "The note of where reading had stopped had no time zone, so the newest were read anew."
    if place.at is not None and place.at > now + _SLACK:
        until = place.at.isoformat(timespec="minutes")
        return kind(), f"The note of where reading had stopped lay in the future ({until}): the newest were read anew."
    if place.looked is not None and place.looked > now + _SLACK:
        place.looked = None
    return place, ""


def floor_of(place: Place) -> dt.datetime | None:
    """How far down a pull reads; None for a first one."""
    return None if place.at is None else place.at - OVERLAP


def is_resting(account: Account, place: Place, now: dt.datetime, rest: dt.timedelta) -> bool:
    """Whether the network was asked so lately that it need not be asked again.

    `rest` is the time between two reads where the settings of the account name none.
    """
    return place.looked is not None and now - place.looked < pause_of(account, rest)


def oldest_first(
    stream: str,
    found: Found,
    place: Place,
    now: dt.datetime,
    moves: bool = True,
    position: Callable[[Post], dt.datetime] = lambda post: post.created_at,
) -> Iterator[Page]:
    """What was found as pages, oldest first, at least one; the last one's cursor is `place` moved to the newest post.

    `moves`: False when the pull broke off before it reached its floor; then the place stays, and the next pull reads
    the same stretch again. `position` is what the network's list is sorted by. The cursor of an earlier page says that
    the network was not asked yet, so that after a crash it is asked at once.
    """
    known = set(place.recent)
    groups = _grouped(
        sorted((post for post in found.posts if _mark(post) not in known), key=lambda post: (position(post), post.id))
    )
    at, recent = place.at, place.recent
    for number, group in enumerate(groups):
        is_last = number == len(groups) - 1
        if moves:
            newest = min(max((position(post) for post in group), default=at or now), now)
            at = newest if at is None else max(at, newest)
        recent = [*recent, *map(_mark, group)][-_RECENT:]
        moved = msgspec.structs.replace(place, at=at, looked=now if is_last else None, recent=recent)
        yield Page(
            stream=stream,
            posts=tuple(group),
            cursor=msgspec.json.encode(moved).decode(),
            more=not is_last,
            gap=found.gap if number == 0 else None,
            deleted=tuple(dict.fromkeys(found.deleted)) if number == 0 else (),
            rejected=tuple(found.rejected) if number == 0 else (),
        )


def _mark(post: Post) -> str:
    """A short mark of a post as it stands: an edit or another visibility gives another one."""
    told = "\x1f".join((post.id, str(post.edited_at), post.visibility, post.text))
    return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _grouped(posts: Sequence[Post]) -> list[Sequence[Post]]:
    """Posts in groups of a page; at least one group, and no post twice."""
    once = list({post.id: post for post in posts}.values())
    return [once[start : start + _PAGE] for start in range(0, len(once), _PAGE)] or [[]]
