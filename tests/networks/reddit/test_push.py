"""Answering on Reddit: exactly the approved text, once; what is not certain is settled by reading."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rapport.core.errors import GiveUp, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.push import comparable, find_reply, push_reply

TEXT = "We are on it & will write *tomorrow*.\n\nhttps://acme.example/status"


def reply(target: str, visibility: str = "public") -> Reply:
    return Reply(network="reddit", channel=1, target=target, text=TEXT, visibility=visibility, approved_by=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.mark.parametrize(("target", "visibility"), [("t1_c9", "public"), ("t3_p9", "public"), ("t4_m9", "direct")])
def test_a_reply_goes_out_as_it_was_approved_and_is_found_again(
    reddit: Any, brand: Account, session: GuardedSession, target: str, visibility: str
) -> None:
    before = now()
    assert find_reply(brand, reply(target, visibility), before, session) is None
    sent = push_reply(brand, reply(target, visibility), session)
    form = next(asked[2] for asked in reddit.asked if asked[0] == "/api/comment")
    assert form == {"api_type": "json", "raw_json": "1", "thing_id": target, "text": TEXT}
    assert sent.url is not None
    reddit.comment("/user/brand/comments", TEXT, author="brand", parent_id="t1_other")
    reddit.message("/message/sent", "something else", author="brand", parent_id=target)
    assert find_reply(brand, reply(target, visibility), before, session) == sent


def test_a_reply_of_yesterday_with_the_same_words_is_not_taken_for_this_one(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    reddit.comment("/user/brand/comments", TEXT, ago=86_400, author="brand", parent_id="t1_c9")
    assert find_reply(brand, reply("t1_c9"), now(), session) is None


ERRORS = [
    (["RATELIMIT", "you are doing that too much. try again in 9 minutes.", "ratelimit"], RetryLater, "too much", 540),
    (["THREAD_LOCKED", "Comments are locked.", "parent"], GiveUp, "locked", None),
    (["TOO_OLD", "that's a piece of history now", "parent"], GiveUp, "archived", None),
    (["DELETED_COMMENT", "that comment has been deleted", "parent"], GiveUp, "deleted", None),
    (["USER_BLOCKED", "blocked", "parent"], GiveUp, "blocked", None),
    (["TOO_LONG", "this is too long (max: 10000)", "text"], GiveUp, "shorten", None),
    (["USER_REQUIRED", "Please log in to do that.", None], Reauthorise, "connect it again", None),
    (["SOMETHING_NEW", "odd", None], GiveUp, "SOMETHING_NEW", None),
]


@pytest.mark.parametrize(("told", "error", "words", "after"), ERRORS)
def test_refusals_within_a_200_say_what_to_do_next(
    reddit: Any, brand: Account, session: GuardedSession, told: Any, error: type[Exception], words: str,
    after: float | None,
) -> None:  # fmt: skip
    reddit.refuse("/api/comment", "200 OK", {"json": {"errors": [told]}})
    with pytest.raises(error, match=words) as refused:
        push_reply(brand, reply("t1_c9"), session)
    assert getattr(refused.value, "after", None) == after


@pytest.mark.parametrize("status", ["500 Internal Server Error", "502 Bad Gateway", "504 Gateway Timeout"])
def test_a_lost_answer_is_unconfirmed(reddit: Any, brand: Account, session: GuardedSession, status: str) -> None:
    reddit.refuse("/api/comment", status)
    with pytest.raises(Unconfirmed):
        push_reply(brand, reply("t1_c9"), session)


def test_an_answer_without_an_id_is_not_taken_for_a_success(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    for body in ([], {"json": {"errors": []}}, {"json": {"errors": [], "data": {"things": []}}}):
        reddit.refuse("/api/comment", "200 OK", body)
        with pytest.raises(Unconfirmed):
            push_reply(brand, reply("t1_c9"), session)


@pytest.mark.parametrize("wrong", [reply("t1_c", "direct"), reply("t4_m", "public")])
def test_what_reddit_would_never_take_is_not_sent(
    reddit: Any, brand: Account, session: GuardedSession, wrong: Reply
) -> None:
    with pytest.raises(GiveUp):
        push_reply(brand, wrong, session)
    assert reddit.asked == []


def test_what_does_not_go_back_far_enough_stays_unconfirmed(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    before = now()
    for number in range(520):
        reddit.comment("/user/brand/comments", f"busy {number}", author="brand")
    with pytest.raises(Unconfirmed):
        find_reply(brand, reply("t1_c9"), before, session)


def test_what_cannot_be_read_is_no_proof_of_absence(reddit: Any, brand: Account, session: GuardedSession) -> None:
    reddit.refuse("/user/brand/comments", "200 OK", {"odd": 1})
    with pytest.raises(RetryLater):
        find_reply(brand, reply("t1_c9"), now(), session)


def test_what_reddit_changes_does_not_count() -> None:
    assert comparable("A &amp; B\r\n\r\nC ") == comparable("A & B\n\nC")
    assert comparable("A") != comparable("B")
