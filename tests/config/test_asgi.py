"""What a request may bring, and how many are served at one instant."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from rapport.config.asgi import BodyCap, Turns

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


class House:
    """An application whose requests begin and answer when a test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = {name: asyncio.Event() for name in "abcd"}
        self.end = asyncio.Event()

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        name = scope["path"]
        while (await receive()).get("more_body"):
            pass
        self.begun.append(name)
        await self.go[name].wait()
        if name == "a" and scope.get("fails"):
            raise ValueError(name)
        await send({"type": "http.response.start", "status": 200})
        await self.end.wait()  # a stream goes on and on


class Caller:
    """Sends a request to `house`, its body when it is told to."""

    def __init__(self, turns: Turns, name: str, slow: bool = False, fails: bool = False, method: str = "GET") -> None:
        self.whole = asyncio.Event()
        if not slow:
            self.whole.set()
        scope: Message = {"type": "http", "method": method, "path": name, "fails": fails}
        self.task = asyncio.ensure_future(turns(scope, self.receive, self.send))

    async def receive(self) -> Message:
        await self.whole.wait()
        return {"type": "http.request", "body": b""}

    async def send(self, message: Message) -> None:
        pass


async def soon() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_who_comes_while_all_are_at_work_waits_until_an_answer_begins() -> None:
    async def story() -> None:
        house = House()
        turns = Turns(house, looks=2, acts=1)
        callers = [Caller(turns, name) for name in "abc"]
        await soon()
        assert house.begun == ["a", "b"]
        house.go["b"].set()
        await soon()
        assert house.begun == ["a", "b", "c"]  # though the answer to b goes on
        assert not callers[1].task.done()
        for name in "ac":
            house.go[name].set()
        house.end.set()
        await asyncio.gather(*(each.task for each in callers))
        assert turns.looks._value == 2

    asyncio.run(story())


def test_pages_do_not_wait_for_those_that_change_something() -> None:
    async def story() -> None:
        house = House()
        turns = Turns(house, looks=1, acts=1)
        names = {"a": "POST", "b": "DELETE", "c": "GET", "d": "HEAD"}
        callers = [Caller(turns, name, method=method) for name, method in names.items()]
        await soon()
        assert house.begun == ["a", "c"]
        house.go["c"].set()
        await soon()
        assert house.begun == ["a", "c", "d"]
        for name in "abd":
            house.go[name].set()
        house.end.set()
        await asyncio.gather(*(each.task for each in callers))
        assert (turns.looks._value, turns.acts._value) == (1, 1)

    asyncio.run(story())


def test_who_sends_slowly_keeps_nobody_waiting() -> None:
    async def story() -> None:
        house = House()
        turns = Turns(house, looks=1, acts=1)
        slow = Caller(turns, "a", slow=True)
        Caller(turns, "b")
        await soon()
        assert house.begun == ["b"]
        slow.whole.set()
        await soon()
        assert house.begun == ["b"]
        house.go["b"].set()
        await soon()
        assert house.begun == ["b", "a"]
        house.go["a"].set()
        house.end.set()
        await slow.task

    asyncio.run(story())


def test_a_request_that_fails_or_is_given_up_leaves_its_turn() -> None:
    async def story() -> None:
        house = House()
        turns = Turns(house, looks=1, acts=1)
        failing = Caller(turns, "a", fails=True)
        given_up = Caller(turns, "b")
        waiting = Caller(turns, "c")
        await soon()
        given_up.task.cancel()
        house.go["a"].set()
        await soon()
        assert house.begun == ["a", "c"]
        with pytest.raises(ValueError, match="a"):
            await failing.task
        waiting.task.cancel()
        await soon()
        assert turns.looks._value == 1

    asyncio.run(story())
