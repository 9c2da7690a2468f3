"""The live line of a Bluesky account: a Jetstream, with its cursor, and the lists of the app view beside it.

While the Jetstream talks, the lists are read once a minute: what either of them misses, the other brings. While there
is no Jetstream (it is switched off, down, or out of reach), mentions are looked for every second instead, as fast as
the limits of the server allow, and the Jetstream is tried again in between.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import msgspec

from rapport.core.errors import AddressRefused, GiveUp, InvalidInput, InvalidPost, NetworkError, Reauthorise, RetryLater
from rapport.core.post import Author, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.bluesky import jetstream
from rapport.networks.bluesky.jetstream import Cursor, Event, Watch
from rapport.networks.bluesky.parse import Profile, parse_record, read_author
from rapport.networks.bluesky.pull import LIVE, pull_through, words_of
from rapport.networks.bluesky.syntax import written_before
from rapport.networks.bluesky.wire import Wire
from rapport.networks.http import GuardedSession
from rapport.networks.websocket import WebSocket, open_websocket

_MOST_SEEN = 2_000  # ids of posts that were given out already
_MOST_AUTHORS = 1_000  # profiles that are not asked for again
_QUIET_NETWORK = dt.timedelta(minutes=10)  # Bluesky's own network is never silent for so long
_CLOCKS = dt.timedelta(minutes=1)  # how far our clock may be behind the server's
_YOUNG = dt.timedelta(hours=1)  # of a deleted post: its beginning may still be on its way
_TOGETHER = 1_000  # deletions of one page
_BEHIND = dt.timedelta(minutes=5)  # how late an event may reach a Jetstream that is well


class Pace(msgspec.Struct, frozen=True):
    """How often what is done, in seconds."""

    #: the list of notifications, without a Jetstream
    poll: float = 1.0
    #: the other lists, without a Jetstream
    lists: float = 15.0
    #: all lists, beside a Jetstream
    look: float = 60.0
    #: deletions of people whom we have not heard lately are handed on together
    deletions: float = 10.0
    #: the cursor is stored, where nothing else does it
    save: float = 30.0
    #: how long a quiet line is waited for before we look around
    pulse: float = 1.0
    #: a Jetstream of Bluesky's that says nothing for so long is ill
    silence: float = 60.0
    #: between two tries to connect: the first wait, doubled up to the longest
    first_wait: float = 1.0
    longest_wait: float = 60.0


def listen(
    account: Account,
    cursors: Mapping[str, str],
    session: GuardedSession,
    pause: Callable[[float], None],
    pace: Pace | None = None,
) -> Iterator[Page]:
    """See `Network.stream`. `pause` is also called with 0 once a pulse, so that it can raise to end the stream."""
    line = _Line(account, cursors, session, pause, pace or Pace())
    yield from line.run()


class _Line:
    """One account that is listened to; the cursors move with every page that is given out."""

    def __init__(
        self,
        account: Account,
        cursors: Mapping[str, str],
        session: GuardedSession,
        pause: Callable[[float], None],
        pace: Pace,
    ) -> None:
        self._account, self._session, self._pause, self._pace = account, session, pause, pace
        self._wire = Wire.of(account, session)
        self._lists = {stream: cursor for stream, cursor in cursors.items() if stream != LIVE}
        self._is_live = LIVE in cursors
        self._place, self._doubt = _read_cursor(cursors.get(LIVE, ""))
        searches, hashtags = words_of(account, "searches"), words_of(account, "hashtags")
        tags = [name.lstrip("#") for name in hashtags]
        self._watch = Watch(account.account_id, searches, tags, self._place.known, account.handle)
        self._seen: dict[str, None] = {}
        self._authors: dict[str, Author] = {}
        self._not_before = 0.0
        self._looked: dict[str, float] = {}
        #: posts of anybody that were deleted; when the first of them was noted, here and on the stream
        self._elsewhere: dict[str, None] = {}
        self._noted, self._noted_us = 0.0, 0

    def run(self) -> Iterator[Page]:
        wait, tries = self._pace.first_wait, 0
        bases = _bases(self._account)
        while self._is_live:
            began = time.monotonic()
            with suppress(RetryLater, GiveUp):
                yield from self._follow(bases[tries % len(bases)])
            if time.monotonic() - began > self._pace.longest_wait:  # a line that held
                wait = self._pace.first_wait
            tries += 1
            yield from self._poll(time.monotonic() + wait)
            wait = min(wait * 2, self._pace.longest_wait)
        yield from self._poll(float("inf"))

    # ---------------------------------------------------------------- with a Jetstream

    def _follow(self, base: str) -> Iterator[Page]:
        """One connection, until it breaks. It is opened before the lists are read: nothing falls between the two."""
        gap, start = self._start(dt.datetime.now(dt.UTC))
        with self._open(base + jetstream.query_of(start)) as socket:
            if gap is not None:
                yield self._page(gap=gap)
            yield from self._look(0.0)
            is_public = base in jetstream.PUBLIC
            said = saved = rested = time.monotonic()
            is_first = is_public and start > 0
            for message in socket.messages(self._pace.pulse):
                now = time.monotonic()
                event = jetstream.read_event(message)
                if event is not None:
                    said = now
                    if is_first:
                        yield from self._jumped(start, event)
                        is_first = False
                    yield from self._hear(event)
                elif is_public and now - said > self._pace.silence:
                    raise RetryLater("the Jetstream fell silent")
                if self._elsewhere and (now - self._noted >= self._pace.deletions or len(self._elsewhere) >= _TOGETHER):
                    yield self._handed_on()
                if message is not None and now - rested < self._pace.pulse:
                    continue
                rested = now
                self._pause(0.0)
                yield from self._look(self._pace.look)
                if now - saved >= self._pace.save:
                    self._move(dt.datetime.now(dt.UTC) - _BEHIND)
                    yield self._page()
                    saved = now

    def _open(self, url: str) -> WebSocket:
        """Whatever a Jetstream refuses says nothing about our account: there is no line, and it is tried again."""
        try:
            return open_websocket(url, self._session, longest_message=jetstream.LONGEST_MESSAGE)
        except (Reauthorise, AddressRefused) as error:
            raise RetryLater(f"no Jetstream: {error}") from error

    def _start(self, now: dt.datetime) -> tuple[Gap | None, int]:
        """Where to begin, and what is missing before it. 0 begins now."""
        doubt, self._doubt = self._doubt, ""
        known = self._place.us
        if known == 0:
            self._place.us = jetstream.microseconds_of(now)
            return (Gap(doubt) if doubt else None), 0
        at = jetstream.moment_of(known)
        oldest = now - jetstream.LOOKBACK
        if at > now + _CLOCKS:
            self._place.us = jetstream.microseconds_of(now)
            reason = "The note of where the live stream had stopped lay in the future; it goes on from now."
            return Gap(reason, until=now), 0
        if at < oldest:
            # a little inside of what is kept, so that a line that breaks again at once does not find a second gap
            begin = oldest + _BEHIND
            self._place.us = jetstream.microseconds_of(begin)
            reason = _missed("The live stream keeps 36 hours, and it was not heard for longer.")
            return Gap(reason, at, begin), self._place.us
        return None, known - jetstream.REWIND

    def _jumped(self, start: int, event: Event) -> Iterator[Page]:
        """The server begins later than it was asked to: it keeps less than it says."""
        since = jetstream.moment_of(start)
        if event.at - since > _QUIET_NETWORK:
            yield self._page(gap=Gap(_missed("The live stream did not go back far enough."), since, event.at))

    def _hear(self, event: Event) -> Iterator[Page]:
        self._move(event.at)
        verdict = self._watch.judge(event)
        if verdict == "post":
            yield from self._take(event)
        elif verdict == "deleted":
            self._seen.pop(event.uri, None)
            yield self._page(deleted=(event.uri,))
        elif verdict == "elsewhere":
            if not self._elsewhere:
                self._noted, self._noted_us = time.monotonic(), event.time_us
            self._elsewhere[event.uri] = None
        elif verdict == "suspended":
            yield self._page(suspended=(event.did,))
        elif verdict == "restored":
            yield self._page(restored=(event.did,))

    def _handed_on(self) -> Page:
        """Deletions of the whole network: nearly all of posts that we never had.

        One whose post is young may overtake it: the app view lists late.
        """
        gone, self._elsewhere = tuple(self._elsewhere), {}
        old = dt.datetime.now(dt.UTC) - _YOUNG
        young = tuple(uri for uri in gone if not written_before(uri.rpartition("/")[2], old))
        page = self._page(deleted=gone, young=young)
        return msgspec.structs.replace(page, known_only=True)

    def _take(self, event: Event) -> Iterator[Page]:
        if event.commit is None or event.uri in self._seen:
            return
        self._mark(event.uri)
        self._watch.remember(event.did)
        us, handle = self._account.account_id, self._account.handle
        try:
            author = self._author(event.did)
            post = parse_record(event.uri, author, event.commit.record, event.at, us, handle)
            yield self._page(posts=(admit(post, dt.datetime.now(dt.UTC)),))
        except InvalidPost as error:
            yield self._page(rejected=(f"{event.uri}: {error}",))

    def _author(self, did: str) -> Author:
        """Who a DID is; without the app view's help only its DID."""
        if did not in self._authors:
            try:
                profile = self._wire.read(Profile, "app.bsky.actor.getProfile", {"actor": did})
                author = read_author(profile, self._account.account_id)
            except Reauthorise:
                raise
            except (NetworkError, InvalidPost):
                return Author(id=did, handle=did, ours=did == self._account.account_id)
            self._authors[did] = author
            while len(self._authors) > _MOST_AUTHORS:
                del self._authors[next(iter(self._authors))]
        return self._authors[did]

    def _move(self, at: dt.datetime) -> None:
        self._place.us = max(self._place.us, jetstream.microseconds_of(at))

    def _page(self, **found: tuple[object, ...] | Gap) -> Page:
        self._place.known = self._watch.known
        # what waits to be handed on must be heard again after a crash
        us = min(self._place.us, self._noted_us - 1) if self._elsewhere else self._place.us
        place = msgspec.structs.replace(self._place, us=us)
        page = Page(stream=LIVE, posts=(), cursor=msgspec.json.encode(place).decode())
        return msgspec.structs.replace(page, **found)

    # ---------------------------------------------------------------- the lists

    def _poll(self, until: float) -> Iterator[Page]:
        """Without a Jetstream: look for what speaks to us, again and again."""
        while time.monotonic() < until:
            yield from self._look(self._pace.lists, often=("notifications",))
            self._pause(max(min(self._wire.breath(self._pace.poll), until - time.monotonic()), 0.0))

    def _look(self, every: float, often: tuple[str, ...] = ()) -> Iterator[Page]:
        """Read each list that was not read for `every` seconds; those in `often` at once."""
        for stream in list(self._lists):
            now = time.monotonic()
            due = stream in often or now - self._looked.get(stream, -1e9) >= every
            if not due or now < self._not_before:
                continue
            self._looked[stream] = now
            try:
                yield from self._read_list(stream)
            except RetryLater as error:
                # the polls of the listener tell of it; this line goes on when the server does
                self._not_before = time.monotonic() + (error.after or self._pace.first_wait * 5)
            except (GiveUp, InvalidInput):
                del self._lists[stream]  # a search that the server does not take must not end the line

    def _read_list(self, stream: str) -> Iterator[Page]:
        for page in pull_through(self._wire, self._account, stream, self._lists[stream]):
            posts = tuple(post for post in page.posts if post.id not in self._seen)
            rejected = tuple(line for line in page.rejected if line not in self._seen)
            for post in posts:
                self._mark(post.id)
                self._watch.remember(post.author.id)
            for line in rejected:
                self._mark(line)
            if posts or rejected or page.gap:
                yield msgspec.structs.replace(page, posts=posts, rejected=rejected)
            self._lists[stream] = page.cursor

    def _mark(self, what: str) -> None:
        self._seen[what] = None
        while len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]


def _bases(account: Account) -> tuple[str, ...]:
    chosen = str(account.settings.get("jetstream") or "")
    return (chosen,) if chosen and chosen != "off" else jetstream.PUBLIC


def _read_cursor(cursor: str) -> tuple[Cursor, str]:
    """The cursor, and a sentence where it cannot be read."""
    if not cursor:
        return Cursor(), ""
    try:
        place = msgspec.json.decode(cursor, type=Cursor)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        place = Cursor(us=-1)
    if not 0 <= place.us < 1 << 53:
        return Cursor(), _missed("The note of where the live stream had stopped was not readable.")
    return place, ""


def _missed(reason: str) -> str:
    return (
        f"{reason} Mentions and searches were read from their lists; posts that were deleted, and accounts that were "
        "taken down, in between were not noticed."
    )
