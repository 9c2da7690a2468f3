"""The live line of X: rules as the settings ask, gaps filled, the documented waits, the budget."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest

from rapport.core.errors import GiveUp, Reauthorise, RetryLater
from rapport.networks.base import Account, Grant, Page
from rapport.networks.http import GuardedSession
from rapport.networks.x.cursor import Cursor, id_at
from rapport.networks.x.lists import MOST_PAGES
from rapport.networks.x.pull import pull_pages
from rapport.networks.x.stream import listen, set_rules, tag_of
from rapport.networks.x.wire import Wire

RULES, STREAM = "/2/tweets/search/stream/rules", "/2/tweets/search/stream"


class Stop(Exception):
    """How a test ends a line."""


class Waits:
    """Collects the waits of a line, and ends it after so many."""

    def __init__(self, most: int = 1) -> None:
        self.most = most
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        if seconds:
            self.seconds.append(seconds)
            if len(self.seconds) >= self.most:
                raise Stop


def live(account: Account, **settings: Any) -> Account:
    return msgspec.structs.replace(account, settings=account.settings | {"live": True} | settings)


def line_of(x: Any, text: str, **more: Any) -> bytes:
    identifier = x.post(text, **more)
    post = x.posts[identifier]
    user = x.users[post["author_id"]]
    return json.dumps({"data": post, "includes": {"users": [user]}, "matching_rules": [{"id": "1"}]}).encode()


def first_posts(pages: Iterator[Page], count: int) -> tuple[list[str], str]:
    texts: list[str] = []
    for page in pages:
        texts += [post.text for post in page.posts]
        if len(texts) >= count:
            return texts, page.cursor
    raise AssertionError("the line ended")


def test_rules_are_made_and_removed_as_the_settings_change_and_others_are_left_alone(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    x.rules = [{"id": "77", "value": "cats", "tag": "somebody else"}]
    for queries in (["delay", "lost bag"], ["delay", "late"], []):
        account = live(brand, queries=queries)
        set_rules(account, Wire.of(account, session))
        ours = [rule["value"] for rule in x.rules if rule.get("tag") == tag_of(brand)]
        assert sorted(ours) == sorted(queries)
        assert x.rules[0]["value"] == "cats"
    assert {asked[3] for asked in x.asked} == {"Bearer app-token"}


def test_a_search_that_x_refuses_as_a_rule_is_named(x: Any, brand: Account, session: GuardedSession) -> None:
    x.refuse(RULES, "200 OK", {})
    x.refuse(RULES, "201 Created", {"errors": [{"value": "delay", "title": "UnprocessableEntity"}]})
    with pytest.raises(GiveUp, match="'delay'"):
        set_rules(live(brand), Wire.of(brand, session))


def test_what_was_missed_comes_first_and_then_what_happens(x: Any, brand: Account, session: GuardedSession) -> None:
    cursor = list(pull_pages(brand, "search", "", session))[-1].cursor
    x.post("delay, while the line was down")
    x.lines.put(b"")
    x.lines.put(line_of(x, "late, live"))
    pages = listen(live(brand), {"search": cursor}, session, Waits())
    texts, cursor = first_posts(pages, 2)
    assert texts == ["delay, while the line was down", "late, live"]
    asked = x.count("/2/tweets/search/recent")
    assert [page.posts for page in pull_pages(live(brand), "search", cursor, session)] == [()]
    assert x.count("/2/tweets/search/recent") == asked, "while the line holds nobody pays for a second look"
    late = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)  # noqa: E731
    list(pull_pages(live(brand), "search", cursor, session, late))
    assert x.count("/2/tweets/search/recent") == asked + 1, "a line that fell silent is stood in for"


def test_a_gap_that_one_look_cannot_fill_is_filled_before_the_line_goes_on(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    many = MOST_PAGES * 100 + 50
    for number in range(many):
        x.post(f"delay {number}", at=hour_ago + dt.timedelta(seconds=number))
    cursor = json.dumps({"lists": {"delay": {"newest": id_at(hour_ago)}}})
    x.lines.put(line_of(x, "late, live"))
    texts, _ = first_posts(listen(live(brand), {"search": cursor}, session, Waits()), many + 1)
    assert len(set(texts)) == many + 1
    assert texts[-1] == "late, live"


def test_what_the_fill_has_brought_is_not_brought_again_by_the_line(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    x.lines.put(line_of(x, "delay, found by both"))
    x.lines.put(line_of(x, "late, found by the line"))
    texts, _ = first_posts(listen(live(brand), {}, session, Waits()), 2)
    assert texts == ["delay, found by both", "late, found by the line"]


def test_a_line_that_breaks_is_opened_again_at_once_and_filled(x: Any, brand: Account, session: GuardedSession) -> None:
    x.lines.put(line_of(x, "delay one"))
    waits = Waits(most=100)
    pages = listen(live(brand), {}, session, waits)
    texts, _ = first_posts(pages, 1)
    x.post("delay two, missed")
    x.lines.put(None)
    x.lines.put(b"")
    x.lines.put(line_of(x, "delay three"))
    more, _ = first_posts(pages, 2)
    assert texts[0] == "delay one"
    assert "delay two, missed" in more
    assert waits.seconds == []
    assert x.count(STREAM) == 2


@pytest.mark.parametrize(
    ("status", "waited"),
    [("503 Service Unavailable", [5.0, 10.0, 20.0]), ("429 Too Many Requests", [60.0, 120.0, 240.0])],
)
def test_refusals_are_waited_out_as_x_documents_it(
    x: Any, brand: Account, session: GuardedSession, status: str, waited: list[float]
) -> None:
    x.refuse(STREAM, status, {"detail": "not now"}, times=3)
    waits = Waits(most=3)
    with pytest.raises(Stop):
        list(listen(live(brand), {}, session, waits))
    assert waits.seconds == waited


def test_a_silent_line_is_broken_off(x: Any, brand: Account, session: GuardedSession) -> None:
    waits = Waits(most=2)
    with pytest.raises(Stop):
        list(listen(live(brand), {}, session, waits, silence=0.3))
    assert waits.seconds == [0.25, 0.5]


def test_a_dead_token_ends_the_line(x: Any, brand: Account, session: GuardedSession) -> None:
    x.refuse(RULES, "401 Unauthorized", {"detail": "Unauthorized"})
    with pytest.raises(Reauthorise):
        list(listen(live(brand), {}, session, Waits()))


def test_an_error_that_ends_the_stream_and_a_post_that_cannot_be_read_do_not_end_the_line(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    x.lines.put(b'{"data": {"id": "1"}}')
    x.lines.put(b"not json")
    x.lines.put(b'{"errors": [{"title": "operational-disconnect", "detail": "This stream has been disconnected"}]}')
    waits = Waits(most=50)
    rejected: list[str] = []
    pages = listen(live(brand), {}, session, waits)
    for page in pages:
        rejected += page.rejected
        if len(rejected) == 2:
            break
    x.lines.put(None)
    x.lines.put(line_of(x, "delay after all"))
    assert first_posts(pages, 1)[0] == ["delay after all"]
    assert rejected[0].startswith("post 1: ")


@pytest.mark.parametrize(("settings", "wanted"), [({}, None), ({"backfill": True}, "1")])
def test_backfill_is_asked_for_only_where_the_plan_has_it(
    x: Any, brand: Account, session: GuardedSession, settings: dict[str, Any], wanted: str | None
) -> None:
    pages = listen(live(brand, **settings), {}, session, Waits(most=100))
    x.lines.put(line_of(x, "late"))
    first_posts(pages, 1)
    x.lines.put(None)
    x.lines.put(line_of(x, "later"))
    first_posts(pages, 1)
    opened = [asked[1] for asked in x.asked if asked[0] == STREAM]
    assert "backfill_minutes" not in opened[0]
    assert opened[-1].get("backfill_minutes") == wanted


def test_the_line_is_quiet_when_the_budget_is_used_up(x: Any, brand: Account, session: GuardedSession) -> None:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    spent = Cursor(day=today, spent=395).encode()
    waits = Waits()
    with pytest.raises(Stop):
        list(listen(live(brand, reads_a_day=1_000), {"search": spent}, session, waits))
    assert waits.seconds
    assert x.asked == []


def test_a_line_that_stays_down_hands_over_to_the_polls(
    x: Any, brand: Account, session: GuardedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rapport.networks.x.stream._HAND_OVER", 0.0)
    x.refuse(STREAM, "503 Service Unavailable", {})
    with pytest.raises(RetryLater):
        list(listen(live(brand), {}, session, Waits(most=2)))


def test_without_the_switch_or_the_token_of_the_app_there_is_no_line(brand: Account, session: GuardedSession) -> None:
    without = msgspec.structs.replace(brand, token=Grant("t").encode())
    for account in (brand, live(without), live(brand, queries=[])):
        with pytest.raises(GiveUp):
            next(listen(account, {}, session, Waits()))


def test_the_cursor_of_the_line_moves_up_while_nothing_happens(x: Any, brand: Account, session: GuardedSession) -> None:
    week = id_at(dt.datetime.now(dt.UTC) - dt.timedelta(days=6))
    cursor = json.dumps({"lists": {"delay": {"newest": week}}})
    page = list(islice(listen(live(brand), {"search": cursor}, session, Waits()), 2))[-1]
    position = Cursor.decode(page.cursor).lists["delay"]
    assert int(position.newest) > int(week)
