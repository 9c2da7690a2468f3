"""Reading a channel, each request held to Google's own description, within its budget of units."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest

import youtube_payloads as told
from google_server import NOON, account_on, grant_of, refused
from rapport.core.errors import GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Page
from rapport.networks.google import until_midnight
from rapport.networks.http import GuardedSession
from rapport.networks.youtube.pull import budget_of, pull_pages, streams_of
from stand_in import Call, StandIn, Told

THREADS, COMMENTS, SEARCH = (f"/youtube/v3/{name}" for name in ("commentThreads", "comments", "search"))
MIDNIGHT = 20 * 3600.0  # noon UTC is 04:00 in winter in Pacific time


def cursor(**fields: Any) -> str:
    base = {"at": (NOON - dt.timedelta(minutes=30)).isoformat(), "swept": (NOON - dt.timedelta(minutes=1)).isoformat()}
    return json.dumps({**base, "day": "2026-11-21", **fields})


def read(
    account: Account, session: GuardedSession, at: str = "", stream: str = "comments", now: dt.datetime = NOON
) -> list[Page]:
    return list(pull_pages(account, stream, at or cursor(), session, now))


def posts_of(pages: list[Page]) -> list[Post]:
    return [post for page in pages for post in page.posts]


def ids(pages: list[Page]) -> list[str]:
    return [post.id for post in posts_of(pages)]


def spot(pages: list[Page]) -> dict[str, Any]:
    return json.loads(pages[-1].cursor)


# ---------------------------------------------------------------- comments


def test_new_threads_and_their_answers_come_oldest_first_for_one_unit(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    items = told.thread("Ugx2", 2), told.thread("Ugx1", 5, answers=(told.answer(minutes=3),)), told.thread("old", 90)
    youtube.say("GET", THREADS, told.threads(*items))
    pages = read(brand, session)
    assert ids(pages) == ["Ugx1", "Ugx1.91", "Ugx2"]
    assert (len(youtube.calls), spot(pages)["spent"]) == (1, 1)
    assert youtube.calls[0].query["allThreadsRelatedToChannelId"] == told.CHANNEL


def test_a_page_that_has_not_changed_is_not_sent_again(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    def conditional(call: Call) -> Told:
        if call.headers.get("if-none-match") == '"v1"':
            return Told(304, headers={"ETag": '"v1"'})
        return Told(200, told.threads(told.thread("Ugx1", 5)), {"ETag": '"v1"'})

    youtube.say("GET", THREADS, conditional)
    first = read(brand, session)
    again = list(pull_pages(brand, "comments", first[-1].cursor, session, NOON + dt.timedelta(minutes=2)))
    assert (ids(first), ids(again)) == (["Ugx1"], [])
    assert youtube.calls[1].headers["if-none-match"] == '"v1"'
    assert spot(again)["at"] == spot(first)["at"]


def test_more_answers_than_come_with_a_thread_are_read_from_their_own_list(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    youtube.say("GET", THREADS, told.threads(told.thread("Ugx1", 5, answers=(told.answer(),), total=3)))
    youtube.say(
        "GET", COMMENTS,
        lambda call: told.comments(told.answer(number=3), token="p2")
        if "pageToken" not in call.query
        else told.comments(told.answer(number=2), told.answer(number=1)),
    )  # fmt: skip
    pages = read(brand, session)
    assert set(ids(pages)) == {"Ugx1", "Ugx1.91", "Ugx1.92", "Ugx1.93"}
    assert all(call.query["parentId"] == "Ugx1" for call in youtube.asked("GET", COMMENTS))
    assert spot(pages)["spent"] == 3


def test_a_sweep_finds_late_answers_edits_and_what_is_gone(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    known = {"late": 0, "same": 1, "gone": 0, "fallen": 0}
    before = cursor(threads=known, swept=(NOON - dt.timedelta(minutes=16)).isoformat())
    late = told.thread("late", 500, answers=(told.answer("late", 1, 200),))
    edited = told.thread("edited", 900, updatedAt="2026-11-21T11:50:00Z")
    same = told.thread("same", 600, answers=(told.answer("same", 1, 400),))
    youtube.say("GET", THREADS, told.threads(told.thread("new", 5), late, same, token="p2"), told.threads(edited))
    youtube.say("GET", COMMENTS, told.comments({"kind": "youtube#comment", "id": "fallen"}))
    pages = read(brand, session, before)
    assert sorted(ids(pages)) == ["edited", "late.91", "new"]
    assert pages[0].deleted == ("gone",)
    assert youtube.asked("GET", COMMENTS)[0].query == {"part": "id", "id": "fallen,gone"}
    assert spot(pages)["threads"] == {"new": 0, "late": 1, "same": 1, "edited": 0}
    assert "if-none-match" not in youtube.calls[0].headers


def test_a_new_channel_gets_the_newest_and_is_told_of_more(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    youtube.say(
        "GET", THREADS, told.threads(told.thread("a", 5), token="2"), told.threads(told.thread("b", 9), token="3")
    )
    pages = list(pull_pages(brand, "comments", "", session, NOON))
    assert ids(pages) == ["b", "a"]
    assert pages[0].gap is not None
    assert "newest 200 threads" in pages[0].gap.reason


def test_held_comments_are_a_stream_of_their_own(youtube: StandIn, session: GuardedSession) -> None:
    account = account_on(youtube, told.CHANNEL, held=True)
    assert streams_of(account) == ("comments", "held")
    youtube.say("GET", THREADS, told.threads(told.thread("h", 5, moderationStatus="heldForReview")))
    [post] = posts_of(read(account, session, stream="held"))
    assert (post.visibility, youtube.calls[0].query["moderationStatus"]) == ("private", "heldForReview")


def test_what_cannot_be_read_is_named_and_takes_nothing_with_it(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    broken = told.thread("bad", 4)
    broken["snippet"]["topLevelComment"]["snippet"]["publishedAt"] = "yesterday"
    youtube.say("GET", THREADS, told.threads(told.thread("good", 5), broken, {"id": "worse"}, 7))
    [page] = read(brand, session)
    assert ids([page]) == ["good"]
    assert [line.split(":")[0] for line in page.rejected] == ["thread bad", "thread worse", "thread"]


# ---------------------------------------------------------------- the budget


def test_when_the_budget_is_used_up_it_is_said_once_and_nothing_is_lost(
    youtube: StandIn, session: GuardedSession
) -> None:
    account = account_on(youtube, told.CHANNEL, daily_units="2")
    deep = [told.threads(told.thread(f"t{n}", n), token=f"p{n}") for n in (1, 2, 3)]
    youtube.say("GET", THREADS, *deep)
    pages = read(account, session)
    assert (ids(pages), len(youtube.calls)) == (["t2", "t1"], 2)
    assert pages[0].gap is not None
    assert "budget of 2 units" in pages[0].gap.reason
    assert "08:00 UTC" in pages[0].gap.reason
    assert spot(pages)["at"] == json.loads(cursor())["at"].replace("+00:00", "Z")  # the place stays: t3 is still unread
    later = NOON + dt.timedelta(minutes=5)
    quiet = list(pull_pages(account, "comments", pages[-1].cursor, session, later))
    assert (quiet[0].gap, ids(quiet), len(youtube.calls)) == (None, [], 2)
    tomorrow = NOON + dt.timedelta(hours=21)
    youtube.say("GET", THREADS, told.threads(*(told.thread(f"t{n}", n) for n in (1, 2, 3, 90))))
    after = list(pull_pages(account, "comments", quiet[-1].cursor, session, tomorrow))
    assert (ids(after), spot(after)["spent"]) == (["t3"], 1)


def test_searches_share_their_part_of_the_day_and_comments_have_the_rest(youtube: StandIn) -> None:
    account = account_on(
        youtube, told.CHANNEL, searches=["fernway bus", "fernway"], daily_units="9000", search_units="4000"
    )
    assert streams_of(account) == ("comments", "search:fernway bus", "search:fernway")
    assert [budget_of(account, stream) for stream in streams_of(account)] == [4550, 2000, 2000]
    assert budget_of(account_on(youtube, told.CHANNEL), "comments") == 8550


def test_a_search_costs_a_hundred_units_a_page_and_rests_so_that_the_day_is_covered(
    youtube: StandIn, session: GuardedSession
) -> None:
    account = account_on(youtube, told.CHANNEL, searches=["fernway"], search_units="4000")
    youtube.say("GET", SEARCH, told.found(told.video("a" * 11, 9), token="2"), told.found(told.video("b" * 11, 15)))
    pages = read(account, session, stream="search:fernway")
    assert ids(pages) == ["video:" + "b" * 11, "video:" + "a" * 11]
    assert spot(pages)["spent"] == 200
    query = youtube.calls[0].query
    assert (query["q"], query["publishedAfter"]) == ("fernway", "2026-11-21T11:20:00Z")
    soon = list(pull_pages(account, "search:fernway", pages[-1].cursor, session, NOON + dt.timedelta(minutes=35)))
    assert (soon, len(youtube.calls)) == ([], 2)
    list(pull_pages(account, "search:fernway", pages[-1].cursor, session, NOON + dt.timedelta(minutes=37)))
    assert len(youtube.calls) == 3


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("answer", "kind", "words", "after"),
    [
        (refused(403, "quotaExceeded", "The request cannot be completed"), RetryLater, "midnight Pacific", MIDNIGHT),
        (refused(403, "dailyLimitExceeded"), RetryLater, "midnight", MIDNIGHT),
        (refused(403, "rateLimitExceeded"), RetryLater, "rateLimit", None),
        (Told(429, {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}, {"Retry-After": "5"}),
         RetryLater, "slow", 5),
        (refused(401, "authError", "Invalid Credentials"), Reauthorise, "Connect", None),
        (refused(403, "insufficientPermissions"), Reauthorise, "allow all", None),
        (refused(403, details=[{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]), Reauthorise, "SCOPE", None),
        (refused(403, "accessNotConfigured"), GiveUp, "Turn the API on", None),
        (refused(403, "commentsDisabled"), GiveUp, "commentsDisabled", None),
        (refused(404, "channelNotFound"), GiveUp, "404", None),
        (refused(400, "processingFailure"), GiveUp, "400", None),
        (refused(500, "backendError"), RetryLater, "500", None),
        (Told(503, b"<html>"), RetryLater, "503", None),
        (Told(200, b"{"), RetryLater, "readable", None),
        (Told(403, {"error": {"errors": "x", "details": {"a": 1}, "message": None}}), GiveUp, "403", None),
    ],
)  # fmt: skip
def test_every_refusal_says_what_to_do_next(
    youtube: StandIn,
    brand: Account,
    session: GuardedSession,
    answer: Told,
    kind: type[Exception],
    words: str,
    after: Any,
) -> None:
    youtube.say("GET", THREADS, answer)
    with pytest.raises(kind, match=words) as failure:
        read(brand, session)
    assert getattr(failure.value, "after", None) == pytest.approx(after, abs=60 * 60 * 24 if after == MIDNIGHT else 0)


def test_the_quota_returns_at_midnight_pacific_in_summer_in_winter_and_when_clocks_change() -> None:
    for moment, hours in (
        ("2026-11-21T12:00:00+00:00", 20.0),
        ("2026-07-01T12:00:00+00:00", 19.0),
        ("2026-07-01T06:59:00+00:00", 1 / 60),
        ("2026-03-08T08:00:00+00:00", 23.0),  # the day that is an hour short
        ("2026-11-01T07:00:00+00:00", 25.0),
    ):
        assert until_midnight(dt.datetime.fromisoformat(moment)) == pytest.approx(hours * 3600), moment


def test_a_token_that_has_run_out_waits_for_its_renewal_and_is_no_lost_account(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    expired = msgspec.structs.replace(brand, token=grant_of(NOON - dt.timedelta(seconds=5)).encode())
    youtube.say("GET", THREADS, refused(401, "authError"))
    with pytest.raises(RetryLater, match="renewed"):
        read(expired, session)


def test_a_stream_that_there_is_not_is_refused(brand: Account, session: GuardedSession) -> None:
    with pytest.raises(InvalidInput):
        read(brand, session, stream="shorts")
