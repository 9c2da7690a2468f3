"""Open pages stay fresh: server-sent events, from one poller a process however many pages listen.

An event is a hint to read again ("these conversations changed") and never carries content. A page names the last event
that it knows (`Last-Event-ID`, or `since` on its first call), so nothing is missed between its rendering and the
stream. Every few seconds the poller checks that each listener's session and membership still hold.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import msgspec
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import close_old_connections, connections
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from rapport.store.models import BasketMember, DeskEvent, Membership
from rapport.web.access import DeskRequest, desk
from rapport.web.connections import close_unused

log = logging.getLogger(__name__)
T = TypeVar("T")

POLL = 0.3  # seconds between two looks at the table
CHECK = 3.0  # seconds between two checks of who may still listen
BEAT = 15.0  # seconds of silence before a heartbeat
#: a transaction may commit after one with a higher id: so long are ids below the newest looked for
LATE_COMMITS = 5.0
LEAST = 1_500  # milliseconds between two looks of a page, however much happens
EACH = 80  # and for each page that is open here, in milliseconds: fifty of them look again within four seconds
QUEUE = 200  # events that a slow page may lag behind before it is told to read everything


class Scope(msgspec.Struct, frozen=True):
    """What one member may be told of."""

    member: int
    workspace: int
    #: None = every basket
    baskets: frozenset[int] | None


class Listener:
    """One open page."""

    def __init__(self, scope: Scope, session: str, login: str) -> None:
        self.scope = scope
        #: key of its session, and the login that it was opened with
        self.session, self.login = session, login
        self.queue: asyncio.Queue[tuple[int, dict[str, Any]] | None] = asyncio.Queue(QUEUE)

    def tell(self, event: int, payload: dict[str, Any] | None) -> None:
        """Hand over an event (None = the end). A page that lags is told to read everything instead."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            if payload is not None:
                payload = {"all": True}
        self.queue.put_nowait(None if payload is None else (event, payload))


class Hub:
    """The listeners of one process and the task that reads for all of them."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        # one thread, so one database connection, for everything that the hub reads
        self._thread = ThreadPoolExecutor(1, "desk-events")
        self._floor = 0
        self._seen: dict[int, float] = {}

    async def read(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work` in the hub's own thread, with a living database connection."""

        def run() -> T:
            close_old_connections()
            return work(*args)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    async def listen(self, listener: Listener, since: int) -> AsyncGenerator[str, None]:
        """The stream of one page, as lines of the event-stream format."""
        self._listeners.add(listener)
        try:
            if self._task is None or self._task.done():
                self._floor = await self.read(newest_event)
                self._seen = {}
                self._task = asyncio.create_task(self._poll())
            newest = await self.read(newest_event, listener.scope.workspace)
            yield f"retry: 2000\nid: {newest}\n: listening\n\n"
            if newest > since:
                yield line(newest, {"all": True})
            while True:
                try:
                    told = await asyncio.wait_for(listener.queue.get(), BEAT)
                except TimeoutError:
                    yield ": beat\n\n"
                    continue
                if told is None:
                    yield "event: bye\ndata: {}\n\n"
                    return
                yield line(*told)
        finally:
            self._listeners.discard(listener)

    async def close(self) -> None:
        """End the poller and give its database connection back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.read(connections.close_all)
        self._thread.shutdown()

    async def _poll(self) -> None:
        checked = time.monotonic()
        while self._listeners:
            try:
                for event in await self.read(events_above, self._floor):
                    self._hand_out(event)
                self._forget()
                if time.monotonic() - checked >= CHECK:
                    checked = time.monotonic()
                    await self._check()
            except Exception:  # the outermost loop of the stream: one bad look must not end it
                log.exception("The event stream could not read the database; it tries again")
                await asyncio.sleep(1)
            await asyncio.sleep(POLL)
        await self.read(connections.close_all)

    def _hand_out(self, event: DeskEvent) -> None:
        if event.pk in self._seen:
            return
        self._seen[event.pk] = time.monotonic()
        for listener in list(self._listeners):
            payload = told(event, listener.scope)
            if payload is not None:
                listener.tell(event.pk, {**payload, "every": least_interval(len(self._listeners))})

    def _forget(self) -> None:
        old = [pk for pk, at in self._seen.items() if time.monotonic() - at > LATE_COMMITS]
        for pk in old:
            del self._seen[pk]
            self._floor = max(self._floor, pk)

    async def _check(self) -> None:
        listeners = list(self._listeners)
        scopes = await self.read(still_allowed, [(each.scope.member, each.session, each.login) for each in listeners])
        for listener, scope in zip(listeners, scopes, strict=True):
            if scope is None:
                listener.tell(0, None)
            else:
                listener.scope = scope


def told(event: DeskEvent, scope: Scope) -> dict[str, Any] | None:
    """What a listener of this scope is told of an event; None = nothing. Ids of other baskets stay unsaid."""
    if event.workspace_id != scope.workspace:
        return None
    if event.kind == "notices":
        # somebody's own bell is nobody else's affair
        return {"kind": event.kind} if scope.member in event.payload.get("members", []) else None
    touched = list(event.payload.get("conversations", []))
    baskets = set(event.payload.get("baskets", []))
    # where an event does not say which baskets it is about, every list may be
    where = {"baskets": sorted(baskets)} if baskets else {}
    if scope.baskets is None:
        return {"kind": event.kind, "conversations": touched, **where}
    if baskets and not baskets & scope.baskets:
        # a colleague's basket; what was given to this member may lie there
        return {"kind": event.kind, "conversations": [], "baskets": []}
    if not baskets and touched:
        return {"kind": event.kind, "all": True}
    return {
        "kind": event.kind,
        "conversations": touched,
        **({"baskets": sorted(baskets & scope.baskets)} if baskets else {}),
    }


def least_interval(listeners: int) -> int:
    """Milliseconds that a page lets pass between two looks, when so many pages look: the more, the longer."""
    return max(LEAST, EACH * listeners)


def line(event: int, payload: dict[str, Any]) -> str:
    """One event in the event-stream format."""
    return f"id: {event}\nevent: desk\ndata: {json.dumps(payload)}\n\n"


# ---------------------------------------------------------------- what the hub's thread reads


def newest_event(workspace: int | None = None) -> int:
    """Id of the newest event of a workspace, or of all; 0 before the first."""
    rows = DeskEvent.objects.of(workspace) if workspace else DeskEvent.objects.all()
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0


def events_above(floor: int) -> list[DeskEvent]:
    """Events of all workspaces with an id above `floor`, oldest first."""
    return list(DeskEvent.objects.filter(pk__gt=floor).order_by("pk")[:2_000])


def still_allowed(listening: list[tuple[int, str, str]]) -> list[Scope | None]:
    """For each (membership, session key, login hash): its scope as of now, or None when it may not listen any more."""
    members = {
        member.pk: member
        for member in Membership.objects.filter(pk__in={member for member, _, _ in listening}).select_related("user")
    }
    keys = {session for _, session, _ in listening}
    alive = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).values_list(
            "session_key", flat=True
        )
    )
    answers: list[Scope | None] = []
    for pk, session, login in listening:
        member = members.get(pk)
        fine = member is not None and member.may("read") is True and session in alive
        same_login = fine and member is not None and constant_time_compare(member.user.get_session_auth_hash(), login)
        answers.append(scope_of(member) if member is not None and same_login else None)
    return answers


def scope_of(member: Membership) -> Scope:
    """What this member may be told of now."""
    baskets = None
    if member.sees_every_basket is not True:
        own = BasketMember.objects.of(member.workspace_id).filter(membership=member)
        baskets = frozenset(own.values_list("basket_id", flat=True))
    return Scope(member.pk, member.workspace_id, baskets)


# ---------------------------------------------------------------- the address

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


@require_GET
@desk("read")
async def events(request: DeskRequest) -> HttpResponseBase:
    """The stream. It ends by itself when the session, the login or the membership does."""
    session, login = request.session.session_key or "", request.session.get("_auth_user_hash", "")
    here = hub()
    scope = await here.read(scope_of, request.membership)
    known = request.headers.get("Last-Event-ID", "") or request.GET.get("since", "")
    since = int(known) if known.isascii() and known.isdigit() and len(known) < 19 else 0
    stream = here.listen(Listener(scope, session, login), since)
    response = StreamingHttpResponse(without_connection(stream), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-cache, private"
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def without_connection(stream: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """The same lines, after the request has given back what it opened to let somebody in: a stream lasts for hours."""
    await sync_to_async(close_unused)()
    async with aclosing(stream) as lines:
        async for each in lines:
            yield each


def stream_address(member: Membership) -> str:
    """Where a page that is rendered now listens from."""
    return f"/w/{member.workspace.slug}/events?since={newest_event(member.workspace_id)}"
