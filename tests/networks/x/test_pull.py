"""Reading from X: nothing lost between two looks, nothing paid for twice, never more than the budget."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from rapport.core.errors import AccessEnded, GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.x.cursor import Cursor, id_at, moment_of, seconds_to_midnight, share
from rapport.networks.x.lists import MOST_PAGES
from rapport.networks.x.pull import pull_pages, streams_of
from rapport.networks.x.wire import Wire

SEARCH = "/2/tweets/search/recent"


def read(account: Account, stream: str, cursor: str, session: GuardedSession) -> tuple[list[str], str, list[Page]]:
    """Every text of a pull in order, the last cursor, and the pages."""
    pages = list(pull_pages(account, stream, cursor, session))
    return [post.text for page in pages for post in page.posts], pages[-1].cursor, pages


def until_it_waits(pages: Iterator[Page]) -> tuple[list[Page], RetryLater | None]:
    """The pages that came before the pull asked for a pause, and that pause."""
    found: list[Page] = []
    try:
        found.extend(pages)
    except RetryLater as error:
        return found, error
    return found, None


def with_settings(account: Account, **settings: Any) -> Account:
    return msgspec.structs.replace(account, settings=account.settings | settings)


@pytest.mark.parametrize(("stream", "words"), [("mentions", "@brand hello"), ("search", "a delay")])
def test_what_comes_between_two_looks_arrives_once_and_in_order(
    x: Any, brand: Account, session: GuardedSession, stream: str, words: str
) -> None:
    _, cursor, _ = read(brand, stream, "", session)
    for number in range(230):
        x.post(f"{words} {number}")
    texts, cursor, pages = read(brand, stream, cursor, session)
    assert texts == [f"{words} {number}" for number in range(230)]
    assert [page.more for page in pages] == [True, True, False]
    assert read(brand, stream, cursor, session)[0] == []
    x.post(f"{words} last")
    assert read(brand, stream, cursor, session)[0] == [f"{words} last"]


def test_a_look_that_was_cut_off_goes_on_from_any_of_its_pages(x: Any, brand: Account, session: GuardedSession) -> None:
    _, cursor, _ = read(brand, "mentions", "", session)
    for number in range(250):
        x.post(f"@brand {number}")
    pages = pull_pages(brand, "mentions", cursor, session)
    first = next(pages)
    rest = read(brand, "mentions", first.cursor, session)[0]
    assert [post.text for post in first.posts] + rest == [f"@brand {number}" for number in range(250)]


def test_a_burst_that_one_look_cannot_hold_is_read_by_the_next_ones(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    cursor = json.dumps({"lists": {"delay": {"newest": id_at(hour_ago)}}})
    many = MOST_PAGES * 100 + 150
    for number in range(many):
        x.post(f"delay {number}", at=hour_ago + dt.timedelta(seconds=number))
    first, cursor, pages = read(brand, "search", cursor, session)
    assert pages[-1].more
    x.post("delay after the burst")
    second, cursor, _ = read(brand, "search", cursor, session)
    third, cursor, _ = read(brand, "search", cursor, session)
    assert second == [f"delay {number}" for number in range(150)]
    assert second + first + third == [*(f"delay {number}" for number in range(many)), "delay after the burst"]


def test_a_post_that_the_index_shows_late_is_not_lost(x: Any, brand: Account, session: GuardedSession) -> None:
    _, cursor, _ = read(brand, "search", "", session)
    late = x.post("delay, indexed late", at=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=20))
    x.unindexed.add(late)
    x.post("delay, indexed at once", at=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5))
    texts, cursor, _ = read(brand, "search", cursor, session)
    assert texts == ["delay, indexed at once"]
    x.unindexed.clear()
    assert read(brand, "search", cursor, session)[0] == ["delay, indexed late"]


def test_the_first_look_takes_the_newest_and_says_so(x: Any, brand: Account, session: GuardedSession) -> None:
    for number in range(210):
        x.post(f"@brand early {number}")
    texts, _, pages = read(brand, "mentions", "", session)
    assert texts == [f"@brand early {number}" for number in range(10, 210)]
    assert [page.gap is not None for page in pages] == [True, False]


def test_a_cursor_older_than_the_week_of_recent_search_leaves_a_gap_and_goes_on(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    now = dt.datetime.now(dt.UTC)
    old = json.dumps({"lists": {"delay": {"newest": id_at(now - dt.timedelta(days=20))}}})
    x.post("delay of last week", at=now - dt.timedelta(days=6))
    texts, cursor, pages = read(brand, "search", old, session)
    assert texts == ["delay of last week"]
    gap = pages[0].gap
    assert gap is not None
    assert "only 7 days back" in gap.reason
    assert gap.since is not None
    assert gap.until is not None
    assert gap.until - gap.since > dt.timedelta(days=12)
    asked = moment_of(x.asked[-1][1]["since_id"])
    assert asked is not None
    assert now - asked < dt.timedelta(days=7)
    assert read(brand, "search", cursor, session)[2][0].gap is None, "the gap is told once"


def test_a_list_that_is_quiet_for_weeks_does_not_fall_behind(x: Any, brand: Account, session: GuardedSession) -> None:
    _, cursor, _ = read(brand, "search", "", session)
    newest = Cursor.decode(cursor).lists["delay"].newest
    written = moment_of(newest)
    assert written is not None
    assert dt.datetime.now(dt.UTC) - written < dt.timedelta(minutes=2)


def test_a_cursor_in_the_future_is_read_anew_and_says_so(x: Any, brand: Account, session: GuardedSession) -> None:
    future = json.dumps({"lists": {"": {"newest": id_at(dt.datetime.now(dt.UTC) + dt.timedelta(days=2))}}})
    x.post("@brand now")
    texts, _, pages = read(brand, "mentions", future, session)
    assert texts == ["@brand now"]
    assert pages[0].gap is not None
    assert "future" in pages[0].gap.reason


def test_reading_stops_before_the_budget_and_waits_for_midnight(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    poor = with_settings(brand, reads_a_day=1_000)
    _, cursor, _ = read(poor, "search", "", session)
    for number in range(2_000):
        x.post(f"delay {number}", author=str(1_000 + number))
        x.user(str(1_000 + number), f"user{number}")
    sent: list[Page] = []
    waiting: RetryLater | None = None
    while waiting is None:
        found, waiting = until_it_waits(pull_pages(poor, "search", cursor, session))
        sent += found
        cursor = found[-1].cursor
    spent = sum(len(page.posts) * 2 for page in sent)  # each post came with its author
    assert 0 < spent <= share(poor, "search") == 400
    assert "1,000 reads" in str(waiting)
    now = dt.datetime.now(dt.UTC)
    assert waiting.after is not None
    assert abs(waiting.after - seconds_to_midnight(now)) < 60
    asked = x.count(SEARCH)
    assert until_it_waits(pull_pages(poor, "search", cursor, session))[0] == []
    assert x.count(SEARCH) == asked, "a used-up budget asks nothing"
    found, _ = until_it_waits(pull_pages(poor, "search", cursor, session, lambda: now + dt.timedelta(days=1)))
    assert [post for page in found for post in page.posts]


def test_the_limit_of_an_endpoint_is_obeyed_before_x_has_to_refuse(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    reset = int(dt.datetime.now(dt.UTC).timestamp()) + 300
    x.headers = ("x-rate-limit-remaining: 0", f"x-rate-limit-reset: {reset}")
    x.post("@brand still arrives")
    pages = pull_pages(brand, "mentions", "", session)
    assert [post.text for post in next(pages).posts] == ["@brand still arrives"]
    with pytest.raises(RetryLater) as waiting:
        next(pages)
    assert waiting.value.after is not None
    assert 290 < waiting.value.after <= 300


def test_a_search_that_has_to_wait_does_not_hold_up_the_others(x: Any, brand: Account, session: GuardedSession) -> None:
    two = with_settings(brand, queries=["delay", "lost bag"])
    x.post("my lost bag")
    x.refuse(SEARCH, "429 Too Many Requests", {"title": "Too Many Requests"}, "retry-after: 42")
    found, waiting = until_it_waits(pull_pages(two, "search", "", session))
    assert [post.text for page in found for post in page.posts] == ["my lost bag"]
    assert waiting is not None
    assert waiting.after == 42


def test_what_x_says_is_gone_is_told(x: Any, brand: Account, session: GuardedSession) -> None:
    problem = {"title": "Not Found Error", "type": "https://api.x.com/2/problems/resource-not-found"}
    x.problems = [
        problem | {"resource_type": "tweet", "resource_id": "99", "detail": "Could not find tweet: [99]."},
        problem | {"resource_type": "user", "resource_id": "66", "detail": "User has been suspended: [66]."},
        problem | {"resource_type": "user", "resource_id": "ann", "detail": "User has been suspended: [ann]."},
    ]
    x.post("@brand look")
    page = read(brand, "mentions", "", session)[2][0]
    assert (page.deleted, page.suspended) == (("99",), ("66",))


def test_one_post_that_cannot_be_read_does_not_spoil_the_page(x: Any, brand: Account, session: GuardedSession) -> None:
    _, cursor, _ = read(brand, "mentions", "", session)
    broken = x.post("@brand broken", author_id=None, username=None)
    x.post("@brand fine")
    texts, cursor, pages = read(brand, "mentions", cursor, session)
    assert texts == ["@brand fine"]
    assert pages[0].rejected == (f"post {broken}: author: is missing",)
    assert read(brand, "mentions", cursor, session)[0] == []


REFUSALS = [
    ("401 Unauthorized", {"title": "Unauthorized", "detail": "Unauthorized"}, AccessEnded),
    (
        "403 Forbidden",
        {"detail": "Your account is suspended and is not permitted to access this feature."},
        AccessEnded,
    ),
    ("403 Forbidden", {"detail": "To protect our users, this account is temporarily locked."}, Reauthorise),
    ("403 Forbidden", {"type": "https://api.x.com/2/problems/client-forbidden", "detail": "No project."}, GiveUp),
    ("403 Forbidden", {"type": "https://api.x.com/2/problems/unsupported-authentication"}, Reauthorise),
    ("402 Payment Required", {"title": "CreditsDepleted", "detail": "No credits."}, RetryLater),
    ("429 Too Many Requests", {"type": "https://api.x.com/2/problems/usage-capped", "detail": "Cap."}, RetryLater),
    ("404 Not Found", {}, GiveUp),
    ("400 Bad Request", {"errors": [{"message": "bad"}]}, GiveUp),
    ("503 Service Unavailable", {}, RetryLater),
]


@pytest.mark.parametrize(("status", "body", "error"), REFUSALS)
def test_refusals_say_what_to_do_next(
    x: Any, brand: Account, session: GuardedSession, status: str, body: Any, error: type[Exception]
) -> None:
    x.refuse(f"/2/users/{brand.account_id}/mentions", status, body)
    with pytest.raises(error) as raised:
        read(brand, "mentions", "", session)
    # what came from X goes when access has ended: nothing else may be taken for it
    assert isinstance(raised.value, AccessEnded) is (error is AccessEnded)


def test_a_token_of_the_application_or_a_renewal_that_x_refuses_is_no_end_of_access(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    wire = Wire(x.url, session, "user-token", "dead-app-token")
    with pytest.raises(Reauthorise) as raised:
        wire.read("/2/users/me", {}, as_app=True)
    assert not isinstance(raised.value, AccessEnded)
    x.refuse("/2/oauth2/token", "400 Bad Request", {"error": "invalid_request"})
    with pytest.raises(Reauthorise) as raised:
        wire.submit("/2/oauth2/token", {"grant_type": "refresh_token"}, "id", "")
    assert not isinstance(raised.value, AccessEnded)


def test_messages_come_once_and_are_asked_for_once_a_minute(x: Any, brand: Account, session: GuardedSession) -> None:
    x.message("hello", at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))
    texts, cursor, pages = read(brand, "messages", "", session)
    assert texts == ["hello"]
    post = pages[0].posts[0]
    assert (post.kind, post.visibility, post.thread, post.author.handle) == ("message", "direct", "dm:7-4242", "ann")
    for number in range(130):
        x.message(f"more {number}")
    assert read(brand, "messages", cursor, session)[0] == []
    assert x.count("/2/dm_events") == 1
    soon = list(
        pull_pages(brand, "messages", cursor, session, lambda: dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2))
    )
    assert [post.text for page in soon for post in page.posts] == [f"more {number}" for number in range(130)]


def test_the_same_messages_are_counted_once_a_day(x: Any, brand: Account, session: GuardedSession) -> None:
    for number in range(5):
        x.message(f"hello {number}")
    _, cursor, _ = read(brand, "messages", "", session)
    spent = Cursor.decode(cursor).spent
    now = dt.datetime.now(dt.UTC)
    for minutes in (2, 4, 6):
        when = now + dt.timedelta(minutes=minutes)
        if when.date() == now.date():
            cursor = list(pull_pages(brand, "messages", cursor, session, lambda when=when: when))[-1].cursor
            assert Cursor.decode(cursor).spent == spent == 6


def test_a_stream_or_a_cursor_that_makes_no_sense_is_refused(brand: Account, session: GuardedSession) -> None:
    for stream, cursor in (("nonsense", ""), ("mentions", "nonsense"), ("mentions", "[]")):
        with pytest.raises(InvalidInput):
            list(pull_pages(brand, stream, cursor, session))


def test_the_streams_of_an_account_follow_its_settings(brand: Account) -> None:
    assert streams_of(brand) == ("mentions", "search", "messages", "own")
    assert streams_of(with_settings(brand, queries=[])) == ("mentions", "messages", "own")
    assert streams_of(with_settings(brand, compliance=True))[-1] == "compliance"
    poor = with_settings(brand, reads_a_day=1_000)
    assert sum(share(poor, stream) for stream in ("mentions", "search", "own", "messages")) <= 1_000


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_whatever_is_cut_refused_or_late(
    x: Any, brand: Account, session: GuardedSession, seed: int
) -> None:
    dice = random.Random(seed)
    cursors = {stream: read(brand, stream, "", session)[1] for stream in ("mentions", "search")}
    wanted: list[str] = []
    got: dict[str, list[str]] = {"mentions": [], "search": []}
    for _ in range(25):
        for _ in range(dice.choice([0, 1, 5, 130, 260])):
            wanted.append(x.post(f"@brand delay {len(wanted)}"))
            if dice.random() < 0.02:
                x.unindexed.add(wanted[-1])
        if dice.random() < 0.3:
            x.unindexed.clear()
        for path in (SEARCH, f"/2/users/{brand.account_id}/mentions"):
            if dice.random() < 0.3:
                x.refuse(path, dice.choice(["503 Service Unavailable", "429 Too Many Requests"]), {}, "retry-after: 1")
        for stream, cursor in cursors.items():
            most = dice.choice([1, 2, 100])  # a process that dies has stored the pages so far
            with contextlib.suppress(RetryLater):
                for page in itertools.islice(pull_pages(brand, stream, cursor, session), most):
                    got[stream] += [post.id for post in page.posts]
                    cursors[stream] = page.cursor
    x.unindexed.clear()
    x.faults.clear()
    for stream, cursor in cursors.items():
        for _ in range(5):
            _, cursor, pages = read(brand, stream, cursor, session)  # noqa: PLW2901  # it moves on
            got[stream] += [post.id for page in pages for post in page.posts]
        assert set(got[stream]) == set(wanted), stream
