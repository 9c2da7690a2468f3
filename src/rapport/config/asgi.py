"""The ASGI entry: Django, with its event streams, behind caps on what a request may bring and how many are served."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application
from django.template.loader import get_template
from django.urls import get_resolver

from rapport.web.connections import close_after_requests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: bytes of one request's body; Django would write an endless one to disk before any view sees it
MOST = 16 * 1024 * 1024
#: pages at work at one instant: more share the same processors, and take longer than one after the other
LOOKS = 8
#: requests that change something: these may wait for the lock of a database or for a network, and keep no page waiting
ACTS = 16
#: each holds a connection to the database, of which PostgreSQL gives a hundred
AT_ONCE = LOOKS + ACTS
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class BodyCap:
    """Refuses a body that says it is too large, and hangs up on one that turns out to be."""

    def __init__(self, application: Any, most: int = MOST) -> None:
        self.application = application
        self.most = most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.most:
            await send({"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"This is more than the desk takes in one request."})
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            return message if seen <= self.most else {"type": "http.disconnect"}

        await self.application(scope, counted, send)


class Turns:
    """So many requests are at work at one instant; the others wait, in the order in which they came.

    Those that only read take turns among themselves. A request has its turn from when its body is there until its
    answer begins: neither somebody who sends slowly nor a stream that lasts for hours keeps others waiting.
    """

    def __init__(self, application: Any, looks: int = LOOKS, acts: int = ACTS) -> None:
        self.application = application
        self.looks = asyncio.Semaphore(looks)
        self.acts = asyncio.Semaphore(acts)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        free = self.looks if scope["method"] in _READS else self.acts
        at_work = False

        async def in_turn() -> Message:
            nonlocal at_work
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False) and not at_work:
                await free.acquire()
                at_work = True
            return message

        async def answered(message: Message) -> None:
            leave()
            await send(message)

        def leave() -> None:
            nonlocal at_work
            if at_work:
                at_work = False
                free.release()

        try:
            await self.application(scope, in_turn, answered)
        finally:
            leave()


def get_ready() -> None:
    """Load what every page needs: after a restart all open pages come back at once, and none shall wait for this."""
    _ = get_resolver().url_patterns  # imports every view
    get_template("desk/page.html")


application = BodyCap(Turns(get_asgi_application()))
close_after_requests()
get_ready()
