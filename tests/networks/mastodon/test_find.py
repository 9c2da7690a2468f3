"""Followed searches: on a Mastodon API server, and on servers that search in other ways or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from rapport.core.errors import InvalidInput, Reauthorise
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.form import check_settings
from rapport.networks.mastodon.pull import FIRST_PULL, pull_pages, streams_of
from servers import MastodonServer
from wires import Caller, byte_server


def read(account: Account, words: str, cursor: str, session: GuardedSession) -> tuple[list[str], str, Page]:
    (page,) = pull_pages(account, f"search:{words}", cursor, session)
    return [post.text for post in page.posts], page.cursor, page


def on(authority: str) -> Account:
    return Account(channel=1, server=f"http://{authority}", handle="b", account_id="1", token="t")


def searching(ids: list[int], most: int = 40, pages: bool = True) -> Callable[[Caller], None]:
    """A search like Mastodon's: newest first, and `min_id` is a floor, not a place to page upwards from."""

    def answer(caller: Caller) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(caller.path).query).items()}
        floor, ceiling = int(asked.get("min_id", -1)), int(asked.get("max_id", 10**9)) if pages else 10**9
        found = [number for number in sorted(ids, reverse=True) if floor < number < ceiling][:most]
        statuses: list[Any] = [
            {
                "id": str(number),
                "created_at": "2026-11-21T10:00:00Z",
                "content": f"<p>{number}</p>",
                "account": {"id": "1", "acct": "ann"},
            }
            for number in found
        ]
        caller.send("200 OK", json.dumps({"accounts": [], "hashtags": [], "statuses": statuses}).encode())

    return answer


def test_searches_of_the_settings_are_streams() -> None:
    account = msgspec.structs.replace(on("s.example"), settings={"searches": [" fernway  late ", "", "refund"]})
    assert streams_of(account)[3:] == ("search:fernway late", "search:refund")


def test_searches_are_kept_once_each_and_in_bounds() -> None:
    assert check_settings({"searches": [" fernway  late", "fernway late", ""]})["searches"] == ["fernway late"]
    with pytest.raises(InvalidInput, match="line 2"):
        check_settings({"searches": ["short", "x" * 200]})


def test_what_a_search_finds_comes_in_once_and_in_order(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    mastodon.post("ann", "the zeppelin is late")
    texts, cursor, page = read(brand, "zeppelin", "", session)
    assert (texts, page.gap) == (["the zeppelin is late"], None)
    for number in range(5):
        mastodon.post("ben", f"zeppelin number {number}")
    texts, cursor, _ = read(brand, "zeppelin", cursor, session)
    assert texts == [f"zeppelin number {number}" for number in range(5)]
    assert read(brand, "zeppelin", cursor, session)[0] == []


def test_a_search_without_results_loses_nothing_of_those_that_come(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    mastodon.post("brand", "something about umbrellas")  # so that the search can be tried
    texts, cursor, page = read(brand, "dirigible", "", session)
    assert (texts, page.gap) == ([], None)
    mastodon.post("ann", "a dirigible above us")
    assert read(brand, "dirigible", cursor, session)[0] == ["a dirigible above us"]


def test_more_results_than_a_page_are_read_down_to_the_cursor() -> None:
    ids = list(range(1000, 1110))
    with byte_server(searching(ids)) as server, GuardedSession(allow={server.authority}) as session:
        texts, cursor, page = read(on(server.authority), "x", '{"id":"999"}', session)
        assert texts == [str(number) for number in ids]
        assert page.gap is None
        ids.append(1110)
        assert read(on(server.authority), "x", cursor, session)[0] == ["1110"]


def test_the_first_read_of_a_search_is_bounded_and_says_so() -> None:
    ids = list(range(1000, 1000 + FIRST_PULL + 60))
    with byte_server(searching(ids)) as server, GuardedSession(allow={server.authority}) as session:
        texts, _, page = read(on(server.authority), "x", "", session)
    assert texts == [str(number) for number in ids[-FIRST_PULL:]]
    assert page.gap is not None
    assert f"newest {FIRST_PULL}" in page.gap.reason


def test_a_server_that_shows_only_the_newest_results_is_not_taken_as_whole() -> None:
    with (
        byte_server(searching(list(range(1000, 1100)), pages=False)) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        texts, _, page = read(on(server.authority), "x", '{"id":"999"}', session)
        assert texts == [str(number) for number in range(1060, 1100)]
        assert page.gap is not None
        assert len(server.callers) == 2


def test_a_server_without_full_text_search_says_so_once() -> None:
    def answer(caller: Caller) -> None:
        if caller.path.startswith("/api/v1/accounts/1/statuses"):
            mine = {"id": "5", "created_at": "2026-11-21T10:00:00Z", "content": "<p>Greetings everybody</p>"}
            caller.send("200 OK", json.dumps([mine | {"account": {"id": "1", "acct": "b"}}]).encode())
        else:
            caller.send("200 OK", b'{"accounts":[],"statuses":[],"hashtags":[]}')

    with byte_server(answer) as server, GuardedSession(allow={server.authority}) as session:
        _, cursor, page = read(on(server.authority), "fernway", "", session)
        assert page.gap is not None
        assert "does not seem to search in the text" in page.gap.reason
        asked = len(server.callers)
        _, cursor, page = read(on(server.authority), "fernway", cursor, session)
        assert page.gap is None
        assert len(server.callers) == asked + 1  # it is tried again, and not complained about again


def test_a_token_without_the_right_to_search_hinders_the_search_alone() -> None:
    def answer(caller: Caller) -> None:
        if caller.path.startswith("/api/v2/search"):
            caller.send("403 Forbidden", b'{"error":"This action is outside the authorized scopes"}')
        else:
            caller.send("200 OK", b'{"id":"1","acct":"b"}')

    with byte_server(answer) as server, GuardedSession(allow={server.authority}) as session:
        _, cursor, page = read(on(server.authority), "fernway", "", session)
        assert page.gap is not None
        assert "Connect the account again" in page.gap.reason
        assert read(on(server.authority), "fernway", cursor, session)[2].gap is None
    with (
        byte_server(lambda caller: caller.send("401 x", b'{"error":"revoked"}')) as server,
        GuardedSession(allow={server.authority}) as session,
        pytest.raises(Reauthorise),
    ):
        read(on(server.authority), "fernway", "", session)
