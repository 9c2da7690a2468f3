"""Reading the rooms of a Matrix account, so that nothing is lost between two reads.

There is one stream, "rooms": the server tells everything new of all rooms by one token. Where more was said than it
tells at once (a limited timeline), the rest is read backwards from the token that it gives, down to the last event
that is known of that room. So the cursor holds the token and the last event of every room; when the token itself is
of no use any more (a server that was set up anew, or put back to an older state), everything is asked for again and
each room is filled down to its last known event.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, InvalidPost
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.parse import Event, parse_message, post_id
from rapport.networks.matrix.rooms import Rooms
from rapport.networks.matrix.wire import Refused, Wire, segment
from rapport.networks.payload import take

STREAM = "rooms"
FIRST_PULL = 50  # messages of each room in one answer, and when it is new to us
_FEWER = (FIRST_PULL, 5, 1)  # where an answer becomes too large: what is left out is filled room by room
PAGE_SIZE = 100  # events of one answer to /messages
_SMALL_PAGE = 20  # of the longest that there are, they fit into an answer of two megabytes
MOST_PAGES = 20  # of one room in one fill: 2,000 events
_POSTS = 500  # of one page
_KEPT_ROOMS = 2_000  # whose last event the cursor holds, the newest of them
_KINDS = ["m.room.message", "m.room.redaction", "m.room.encrypted"]
_LAZY = {"lazy_load_members": True, "include_redundant_members": True}
_NOTHING = {"not_types": ["*"]}
_COUNTED = re.compile(r"s(\d{1,18})_")  # how Synapse begins its tokens: the place in its order of events


class Cursor(msgspec.Struct):
    """Where the stream goes on."""

    #: the server's token
    since: str = ""
    #: room -> the newest event that was read there, "" where there was none
    rooms: dict[str, str] = {}
    #: encrypted rooms of which that was said already
    told: list[str] = []


class _Timeline(msgspec.Struct):
    events: list[Any] = []
    limited: bool = False
    prev_batch: str = ""


class _Events(msgspec.Struct):
    events: list[Any] = []


class _Joined(msgspec.Struct):
    timeline: _Timeline = msgspec.field(default_factory=_Timeline)
    state: _Events = msgspec.field(default_factory=_Events)


class _Invited(msgspec.Struct):
    invite_state: _Events = msgspec.field(default_factory=_Events)


class _Rooms(msgspec.Struct):
    join: dict[str, _Joined] = {}
    invite: dict[str, _Invited] = {}


class _Sync(msgspec.Struct):
    next_batch: str
    rooms: _Rooms = msgspec.field(default_factory=_Rooms)
    account_data: _Events = msgspec.field(default_factory=_Events)


class _JoinedRooms(msgspec.Struct):
    joined_rooms: list[str]


class _Messages(msgspec.Struct):
    chunk: list[Any] = []
    end: str | None = None
    state: list[Any] = []


class _Found(msgspec.Struct):
    """What one answer of the server brought."""

    posts: list[Post] = []
    deleted: list[str] = []
    rejected: list[str] = []
    #: sentences
    missing: list[str] = []


class Reader:
    """One account that is read; what it learns of rooms holds for as long as it lives."""

    def __init__(self, account: Account, session: GuardedSession) -> None:
        self._account = account
        self._wire = Wire.of(account, session)
        self._rooms = Rooms(account, self._wire)

    def read(self, cursor: str, hold: float = 0.0) -> Iterator[Page]:
        """Everything new since `cursor`; the server may wait for `hold` seconds until there is something."""
        start = decode_cursor(cursor)
        found = _Found()
        try:
            answer = self._sync(start.since, hold if start.since else 0.0)
        except Refused as error:
            if not start.since or error.status != 400:
                raise
            answer = self._sync("", 0.0)  # a token that this server does not know
        if _runs_back(start.since, answer.next_batch):
            answer = self._sync("", 0.0)
        self._rooms.learn_direct(answer.account_data.events)
        after = Cursor(answer.next_batch, dict(start.rooms), list(start.told))
        is_new = not start.since and not start.rooms
        for room, joined in answer.rooms.join.items():
            if self._rooms.is_heard(room):
                self._take(room, joined, after, found, is_new)
        if is_new and found.missing:
            found.missing = [f"Only the newest messages of each room were read at first, {FIRST_PULL} at most."]
        for room, invited in answer.rooms.invite.items():
            found.rejected += self._rooms.accept(room, invited.invite_state.events)
        if not hold:
            found.missing += self._leave(after)
        after.rooms = dict(list(after.rooms.items())[-_KEPT_ROOMS:])
        yield from _pages(found, start, after)

    def _sync(self, since: str, hold: float) -> _Sync:
        params: dict[str, Any] = {"timeout": int(hold * 1000), "set_presence": "offline"}  # nobody reads at this moment
        if since:
            params["since"] = since
        for most in _FEWER:
            params["filter"] = _filter(most)
            try:
                return self._wire.read("/sync", _Sync, params)
            except GiveUp as error:
                if isinstance(error, Refused) or most == _FEWER[-1]:
                    raise
        raise AssertionError("the last of them is returned or raised")

    def _leave(self, after: Cursor) -> list[str]:
        """Forget the rooms that we are in no more. A filtered answer does not always tell of them."""
        joined = set(self._wire.read("/joined_rooms", _JoinedRooms).joined_rooms)
        lost = [room for room in after.rooms if room not in joined]
        for room in lost:
            del after.rooms[room]
        return [f"The account is no longer in the room {room}; nothing more is heard there." for room in lost]

    def _take(self, room: str, joined: _Joined, after: Cursor, found: _Found, is_new: bool) -> None:
        """What one room brought; the cursor moves to its newest event."""
        timeline = joined.timeline
        self._rooms.learn_names(room, joined.state.events)
        items = list(timeline.events)
        known = after.rooms.pop(room, None)  # what is put back stands at the end: the newest rooms are kept
        if known is None and timeline.limited and items and not is_new:
            name = self._rooms.name(room)
            found.missing.append(f"Only the newest messages of {name} were read when it was added.")
        elif known is None and timeline.limited and items:
            found.missing.append(room)
        elif known is not None and timeline.limited:
            items = [*self._fill(room, timeline.prev_batch, known, found), *items]
        newest = next((item["event_id"] for item in reversed(items) if _has_id(item)), known or "")
        after.rooms[room] = newest
        self._sort(room, items, after, found)

    def _fill(self, room: str, start: str, known: str, found: _Found) -> list[Any]:
        """What was said between the last known event of a room and the token `start`, oldest first."""
        missed: list[Any] = []
        params = {"dir": "b", "limit": PAGE_SIZE, "filter": msgspec.json.encode({"types": _KINDS, **_LAZY}).decode()}
        params |= {"from": start} if start else {}
        try:
            for _ in range(MOST_PAGES):
                page = self._messages(room, params)
                self._rooms.learn_names(room, page.state)
                for item in page.chunk:
                    if known and _has_id(item) and item["event_id"] == known:
                        return missed[::-1]
                    missed.append(item)
                if not page.end or page.end == params.get("from"):
                    return missed[::-1]  # the beginning of what this account may see
                params["from"] = page.end
            more = f"of {self._rooms.name(room)} more than {MOST_PAGES * PAGE_SIZE:,} messages were missed"
            found.missing.append(f"While the connection was down, {more}; the oldest of them could not be read.")
        except GiveUp as error:
            found.missing.append(f"What was missed in {self._rooms.name(room)} cannot be read: {error}")
        return missed[::-1]

    def _messages(self, room: str, params: dict[str, Any]) -> _Messages:
        """One answer of the room's history; a shorter one where the messages are very long."""
        path = f"/rooms/{segment(room)}/messages"
        try:
            return self._wire.read(path, _Messages, params)
        except Refused:
            raise
        except GiveUp:
            params["limit"] = _SMALL_PAGE
            return self._wire.read(path, _Messages, params)

    def _sort(self, room: str, items: list[Any], after: Cursor, found: _Found) -> None:
        """Events of one room, oldest first -> posts, deletions, and words about what cannot be read."""
        events: dict[str, Event] = {}
        edits: dict[str, Event] = {}
        gone: set[str] = set()
        sealed = 0
        for item in items:
            try:
                event = take(item, Event)
            except InvalidPost as error:
                found.rejected.append(f"{room} event {item.get('event_id') if _has_id(item) else '?'!s:.100}: {error}")
                continue
            if event.type == "m.room.encrypted":
                sealed += 1
            elif event.type == "m.room.redaction":
                gone.add(event.removes)
            elif event.type == "m.room.message" and event.is_redacted:
                gone.add(event.event_id)
            elif event.type == "m.room.message" and event.edits:
                edits[event.edits] = event
            elif event.type == "m.room.message":
                events[event.event_id] = event
        gone.discard("")
        found.deleted += [post_id(room, event) for event in gone]
        if sealed and room not in after.told:
            after.told.append(room)
            found.missing.append(
                f"{self._rooms.name(room)} is encrypted from end to end: its messages cannot be read here. "
                "Ask for a room without encryption."
            )
        self._write(room, events, edits, gone, found)

    def _write(
        self, room: str, events: dict[str, Event], edits: dict[str, Event], gone: set[str], found: _Found
    ) -> None:
        """Messages, each with its newest edit -> posts. An edit of an older message brings that message again."""
        for target, edit in edits.items():
            if target not in events and target not in gone and edit.event_id not in gone:
                original = self._fetch(room, target, found)
                if original is not None and original.sender == edit.sender:
                    events[target] = original
        if not events:
            return
        facts = self._rooms.facts(room, {event.sender for event in events.values()})
        now = dt.datetime.now(dt.UTC)
        for identifier, event in events.items():
            if identifier in gone:
                continue
            try:
                latest = edits.get(identifier)
                post = parse_message(event, facts, self._account.account_id, latest)
                found.posts.append(admit(post, now))
            except InvalidPost as error:
                found.rejected.append(f"{post_id(room, identifier)[:300]}: {error}")

    def _fetch(self, room: str, event: str, found: _Found) -> Event | None:
        """One older event; None when it is gone or is no message. The server sends its newest edit along."""
        try:
            original = self._wire.read(f"/rooms/{segment(room)}/event/{segment(event)}", Event)
        except GiveUp as error:
            found.rejected.append(f"{post_id(room, event)[:300]}: an edit of what cannot be read: {error}")
            return None
        if original.is_redacted or original.type != "m.room.message" or original.event_id != event:
            return None
        return original


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that Matrix does not have."""
    if stream != STREAM:
        raise InvalidInput(f"Matrix has no stream {stream!r}")
    yield from Reader(account, session).read(cursor)


def decode_cursor(cursor: str) -> Cursor:
    """Raises `InvalidInput` for what `encode_cursor` did not make."""
    if not cursor:
        return Cursor()
    try:
        return msgspec.json.decode(cursor, type=Cursor)
    except msgspec.MsgspecError:
        raise InvalidInput("the cursor of a Matrix stream is not readable; reset it to read from the start") from None


def encode_cursor(cursor: Cursor) -> str:
    """Opaque JSON."""
    return msgspec.json.encode(cursor).decode()


def _filter(most: int) -> str:
    """What we want to hear of: messages, `most` of each room, who wrote them, and which rooms are private."""
    room = {
        "timeline": {"limit": most, "types": _KINDS, **_LAZY},
        "state": {"types": ["m.room.member"], **_LAZY},
        "ephemeral": _NOTHING,
        "account_data": _NOTHING,
    }
    return msgspec.json.encode({"room": room, "presence": _NOTHING, "account_data": {"types": ["m.direct"]}}).decode()


def _pages(found: _Found, start: Cursor, after: Cursor) -> Iterator[Page]:
    """Pages of a bounded length. The cursor moves with the last of them only: what comes before may be repeated."""
    posts = sorted(found.posts, key=lambda post: post.created_at)
    gap = Gap(" ".join(dict.fromkeys(found.missing))) if found.missing else None
    while len(posts) > _POSTS:
        yield Page(stream=STREAM, posts=tuple(posts[:_POSTS]), cursor=encode_cursor(start), more=True, gap=gap)
        posts, gap = posts[_POSTS:], None
    yield Page(
        stream=STREAM,
        posts=tuple(posts),
        cursor=encode_cursor(after),
        gap=gap,
        deleted=tuple(found.deleted),
        rejected=tuple(found.rejected),
    )


def _runs_back(since: str, after: str) -> bool:
    """The token that we hold lies ahead of the server: it was put back to an older state."""
    ours, theirs = _COUNTED.match(since), _COUNTED.match(after)
    return bool(ours and theirs and int(theirs[1]) < int(ours[1]))


def _has_id(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("event_id"), str)
