"""What a request may bring."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from rapport.config.asgi import BodyCap

Message = MutableMapping[str, Any]


async def swallow(_scope: Message, receive: Any, send: Any) -> None:
    """Reads the whole body, as Django does, and says how much came and how it ended."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            await send({"type": "cut", "size": size})
            return
        size += len(message["body"])
        more = message["more_body"]
    await send({"type": "whole", "size": size})


def ask(parts: list[bytes], headers: list[tuple[bytes, bytes]]) -> list[Message]:
    sent: list[Message] = []
    queue = [
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1} for place, part in enumerate(parts)
    ]

    async def receive() -> Message:
        return queue.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(BodyCap(swallow, most=100)({"type": "http", "headers": headers}, receive, send))
    return sent


def test_a_body_within_the_cap_passes_whole() -> None:
    assert ask([b"x" * 60, b"x" * 40], []) == [{"type": "whole", "size": 100}]


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read() -> None:
    assert ask([b""], [(b"content-length", b"101")])[0]["status"] == 413


@pytest.mark.parametrize("parts", [[b"x" * 101], [b"x" * 60, b"x" * 60]])
def test_a_body_that_turns_out_too_large_is_cut_off(parts: list[bytes]) -> None:
    assert ask(parts, [])[0]["type"] == "cut"
