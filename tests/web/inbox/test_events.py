"""Open pages stay fresh, and only for those who may look."""

import asyncio
import datetime as dt
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from rapport.web.inbox import events

pytestmark = pytest.mark.django_db(transaction=True)
LATER = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


class Page:
    """One open page: reads its stream."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def until(self, wanted: Callable[[str], bool], seconds: float = 5.0) -> str:
        """The next chunk that is wanted."""

        async def look() -> str:
            async for chunk in self._chunks:
                if wanted(chunk.decode()):
                    return chunk.decode()
            return "end"

        return await asyncio.wait_for(look(), seconds)

    async def event(self) -> dict[str, Any]:
        """What the next event says."""
        chunk = await self.until(lambda text: "event: desk" in text)
        return dict(json.loads(next(line for line in chunk.splitlines() if line.startswith("data: "))[6:]))


async def open_page(member: Any, query: str | None = None, **headers: str) -> Page:
    """The stream of a page that was rendered just now, or at `query`."""
    client = AsyncClient()
    if query is None:
        query = f"?since={await sync_to_async(events.newest_event)()}"
    await client.aforce_login(member.user)
    response = await client.get(f"/w/fernway/events{query}", headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    page = Page(response.streaming_content.__aiter__())
    await page.until(lambda text: "listening" in text)
    return page


@pytest.fixture
def announce(cast: Any) -> Callable[..., Any]:
    from rapport.actions.audit import announce as write

    @sync_to_async
    def tell(*conversations: int, baskets: tuple[int, ...] = (), workspace: Any = None) -> None:
        write(workspace or cast.workspace, LATER, conversations, baskets)

    return tell


def in_a_loop(work: Callable[[], Any]) -> None:
    """Run a test in a loop of its own and end the hub that it used."""

    async def whole() -> None:
        try:
            await work()
        finally:
            await events.hub().close()

    asyncio.run(whole())


def test_a_change_reaches_an_open_page_while_it_waits(cast: Any, announce: Any) -> None:
    async def work() -> None:
        page = await open_page(cast.alice)
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await announce(7)
        assert (await page.event())["conversations"] == [7]
        assert time.monotonic() - began < 5.0

    in_a_loop(work)


def test_many_pages_cost_one_reader(cast: Any, announce: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    real = events.events_above
    monkeypatch.setattr(events, "events_above", lambda floor: looks.append(floor) or real(floor))

    async def work() -> None:
        pages = [await open_page(cast.alice) for _ in range(5)]
        began = time.monotonic()
        await announce(1)
        for page in pages:
            assert (await page.event())["conversations"] == [1]
        assert len(looks) <= 3 + (time.monotonic() - began) / events.POLL + 5

    in_a_loop(work)


def test_what_happened_between_page_and_stream_is_caught_up(cast: Any, announce: Any) -> None:
    async def work() -> None:
        await announce(1)
        known = await sync_to_async(events.newest_event)()
        await announce(2)
        assert await (await open_page(cast.alice, f"?since={known}")).event() == {"all": True}
        assert await (await open_page(cast.alice, "", **{"Last-Event-ID": str(known)})).event() == {"all": True}

    in_a_loop(work)


def test_other_workspaces_and_other_baskets_stay_unsaid(cast: Any, announce: Any) -> None:
    from rapport.store.models import Basket

    elsewhere = cast.charlie.workspace

    async def work() -> None:
        baskets = {basket.slug: basket.pk async for basket in Basket.objects.of(cast.workspace)}
        amir, lea = await open_page(cast.amir), await open_page(cast.lea)
        await announce(5, workspace=elsewhere)
        await announce(6, baskets=(baskets["sales"],))
        await announce(7, baskets=(baskets["care"],))
        assert [(await amir.event())["conversations"] for _ in range(2)] == [[], [7]]
        assert [(await lea.event())["conversations"] for _ in range(2)] == [[6], [7]]

    in_a_loop(work)


@pytest.mark.parametrize("end", ["signs out", "is dismissed", "is locked out", "changes the password"])
def test_the_stream_ends_within_five_seconds_when_somebody(cast: Any, end: str) -> None:
    from django.contrib.sessions.models import Session

    from rapport.store.models import Membership

    @sync_to_async
    def do() -> None:
        user = cast.amir.user
        if end == "signs out":
            Session.objects.all().delete()
        elif end == "is dismissed":
            Membership.objects.filter(pk=cast.amir.pk).update(active=False)
        elif end == "is locked out":
            user.is_active = False
            user.save()
        else:
            user.set_password("another battery staple")
            user.save()

    async def work() -> None:
        page = await open_page(cast.amir)
        await do()
        began = time.monotonic()
        assert "event: bye" in await page.until(lambda text: "bye" in text, 6.0)
        assert await page.until(lambda text: True, 1.0) == "end"
        assert time.monotonic() - began < 5.0

    in_a_loop(work)


def test_an_event_names_the_baskets_that_this_person_sees_and_how_often_to_ask(cast: Any, announce: Any) -> None:
    from rapport.store.models import Basket

    async def work() -> None:
        baskets = {basket.slug: basket.pk async for basket in Basket.objects.of(cast.workspace)}
        amir, lea = await open_page(cast.amir), await open_page(cast.lea)
        await announce(7, baskets=(baskets["care"], baskets["sales"]))
        told = await amir.event()
        assert (told["conversations"], told["baskets"]) == ([7], [baskets["care"]])
        assert told["every"] == events.least_interval(2) == events.LEAST
        assert (await lea.event())["baskets"] == sorted([baskets["care"], baskets["sales"]])
        await announce(8, baskets=(baskets["sales"],))
        told = await amir.event()
        assert (told["conversations"], told["baskets"]) == ([], [])
        assert "baskets" in await lea.event()

    in_a_loop(work)


def test_the_more_pages_the_rarer_each_asks() -> None:
    assert events.least_interval(50) == 50 * events.EACH > events.LEAST


def test_a_page_that_lags_is_told_to_read_everything() -> None:
    async def work() -> None:
        listener = events.Listener(events.Scope(1, 1, None), "s", "l")
        for number in range(events.QUEUE + 1):
            listener.tell(number, {"conversations": [number]})
        assert listener.queue.get_nowait() == (events.QUEUE, {"all": True})
        assert listener.queue.empty()

    asyncio.run(work())


@pytest.mark.parametrize("who", ["charlie", "fred", None])
def test_who_may_not_look_gets_no_stream(cast: Any, who: str | None) -> None:
    client = Client()
    if who:
        client.force_login(getattr(cast, who).user)
    answer = client.get("/w/fernway/events")
    assert answer.status_code == (404 if who else 302)
    assert "event-stream" not in answer.headers["Content-Type"]
