"""The live stream of a Mastodon account: a doorbell, not a door.

An event says that something is new; what is new is then read through `pull`, from the cursor. So there is one way in,
an event that the server loses costs nothing, and a connection that was down for half an hour is filled before anything
else (Mastodon replays nothing). Only deletions and edits are taken from the events, because no list tells of them;
those that no event told of are found by looking at the posts again (`recheck`).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from rapport.core.errors import AddressRefused, InvalidPost, RetryLater
from rapport.core.post import admit
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession, read_lines
from rapport.networks.mastodon.parse import full_handle, parse_status
from rapport.networks.mastodon.pull import age_order, decode_newest, domain_of, pull_pages
from rapport.networks.mastodon.wire import Wire

SILENCE = 60.0  # seconds; a server sends a heartbeat every 15, so a minute without one is a dead line
_LOOK_ANYWAY = 300.0  # seconds; how late an event that the server lost can make a post
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # seconds between two tries to connect


class _Id(msgspec.Struct):
    id: str | int


def listen(
    account: Account,
    cursors: Mapping[str, str],
    session: GuardedSession,
    pause: Callable[[float], None],
    silence: float = SILENCE,
) -> Iterator[Page]:
    """See `Network.stream`. `pause` gets the seconds of a doubling wait and may add jitter.

    It is also called with 0 at every line that the server sends, so that it can raise to end the stream.
    """
    doorbell = _Doorbell(account, dict(cursors), session)
    bases = _streaming_bases(account)
    wait, tries = _FIRST_WAIT, 0
    while True:
        began = time.monotonic()
        try:
            for page in doorbell.ring(bases[tries % len(bases)], silence, pause):
                wait = _FIRST_WAIT
                yield page
            raise RetryLater("the server ended the stream")
        except (RetryLater, AddressRefused) as error:
            if isinstance(error, AddressRefused) and len(bases) == 1:
                raise
            if time.monotonic() - began > _LONGEST_WAIT:  # a line that held is no reason to wait long for the next
                wait = _FIRST_WAIT
            else:
                tries += 1
            pause(max(wait, getattr(error, "after", None) or 0.0))
            wait = min(wait * 2, _LONGEST_WAIT)


class _Doorbell:
    """One account that is listened to; `_cursors` moves with every page that is given out."""

    def __init__(self, account: Account, cursors: dict[str, str], session: GuardedSession) -> None:
        self._account, self._cursors, self._session = account, cursors, session
        self._looked = 0.0

    def ring(self, base: str, silence: float, pause: Callable[[float], None]) -> Iterator[Page]:
        """One connection. It is opened before the gap is filled, so that nothing falls between the two."""
        wire = Wire.of(self._account, self._session)
        lines = read_lines(wire.open_stream(base, "/api/v1/streaming/user", silence))
        try:
            yield from self._look_at(*self._cursors)
            event = ""
            for line in lines:
                pause(0.0)  # a heartbeat is the moment to notice that nobody listens any more
                if line.startswith("event:"):
                    event = line[6:].strip()
                elif line.startswith("data:"):
                    yield from self._answer(event, line[5:].strip())
                elif time.monotonic() - self._looked > _LOOK_ANYWAY:
                    yield from self._look_at(*self._cursors)
        finally:
            lines.close()

    def _answer(self, event: str, payload: str) -> Iterator[Page]:
        if event == "notification" and self._is_news("notifications", payload):
            yield from self._look_at("notifications")
        elif event == "update" and self._is_ours(payload):
            yield from self._look_at("own")
        elif event == "delete" and payload:
            yield self._page(deleted=(payload.strip('"'),))
        elif event in {"status.update", "status_update"}:
            yield from self._edited(payload)

    def _look_at(self, *streams: str) -> Iterator[Page]:
        for stream in streams:
            if stream not in self._cursors:
                continue
            for page in pull_pages(self._account, stream, self._cursors[stream], self._session):
                self._cursors[stream] = page.cursor
                if page.posts or page.rejected or page.gap or page.suspended:
                    yield page
        if len(streams) == len(self._cursors):
            self._looked = time.monotonic()

    def _is_news(self, stream: str, payload: str) -> bool:
        """False for an event that an earlier look has covered: a burst of a hundred costs a few looks."""
        try:
            newest = msgspec.json.decode(payload, type=_Id).id
        except msgspec.MsgspecError:
            return True
        return age_order(str(newest)) > age_order(decode_newest(self._cursors.get(stream, "")))

    def _is_ours(self, payload: str) -> bool:
        try:
            return parse_status(payload.encode(), "", self._account.account_id).author.ours
        except InvalidPost:
            return False

    def _edited(self, payload: str) -> Iterator[Page]:
        """An edit of a post that speaks to us; edits of other people's posts in the home timeline are not ours."""
        domain = domain_of(self._account)
        try:
            post = parse_status(payload.encode(), domain, self._account.account_id)
            us = full_handle(self._account.handle, domain).lower()
            if post.author.ours or us in {handle.lower() for handle in post.mentions}:
                yield self._page(posts=(admit(post, dt.datetime.now(dt.UTC)),))
        except InvalidPost as error:
            yield self._page(rejected=(f"edit: {error}",))

    def _page(self, **found: tuple[object, ...]) -> Page:
        """What came by itself: the cursor stays where it is."""
        page = Page(stream="notifications", posts=(), cursor=self._cursors.get("notifications", ""))
        return msgspec.structs.replace(page, **found)


def _streaming_bases(account: Account) -> tuple[str, ...]:
    """Where to try: what the server named when the account was connected, then its own address.

    wss:// and https:// are the same door. A server that is set up wrongly names a host that nobody can reach, while
    its own address leads to the stream as well.
    """
    parts = urlsplit(str(account.settings.get("streaming") or ""))
    scheme = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
    told = f"{scheme}://{parts.netloc}" if scheme in {"http", "https"} and parts.netloc else account.server
    return tuple(dict.fromkeys((told, account.server)))
