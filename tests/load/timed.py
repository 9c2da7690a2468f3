"""The desk as it is served, with the time that each answer took inside the server in a header."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from rapport.config.asgi import application as desk

Message = MutableMapping[str, Any]


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """One ASGI connection; `Server-Timing: app;dur=MILLISECONDS` on every answer."""
    began = time.perf_counter()

    async def timed(message: Message) -> None:
        if message["type"] == "http.response.start":
            took = f"app;dur={(time.perf_counter() - began) * 1000:.1f}"
            message["headers"] = [*message.get("headers", ()), (b"server-timing", took.encode())]
        await send(message)

    await desk(scope, receive, timed)
