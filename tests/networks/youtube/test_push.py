"""Answering on YouTube, each request held to Google's own description, and finding the answer again."""

from __future__ import annotations

import datetime as dt

import pytest

import youtube_payloads as told
from google_server import NOON, refused
from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.youtube.push import find_reply, push_reply
from stand_in import StandIn, Told

THREADS, COMMENTS = "/youtube/v3/commentThreads", "/youtube/v3/comments"
WORDS = "At  noon.\n\nPromised 🚌 & <b>"
SINCE = NOON - dt.timedelta(minutes=10)


def reply_to(target: str = "Ugx1", text: str = WORDS, visibility: str = "public") -> Reply:
    return Reply("youtube", 1, target, text, visibility, approved_by=1)


@pytest.mark.parametrize("target", ["Ugx1", "Ugx1.91"])
def test_an_answer_goes_under_the_top_comment_exactly_as_approved(
    youtube: StandIn, brand: Account, session: GuardedSession, target: str
) -> None:
    youtube.say("POST", COMMENTS, told.ours("Ugx1.99", 0, WORDS))
    sent = push_reply(brand, reply_to(target), session, NOON)
    assert youtube.calls[0].json == {"snippet": {"parentId": "Ugx1", "textOriginal": WORDS}}
    assert (sent.id, sent.url) == ("Ugx1.99", f"https://www.youtube.com/watch?v={told.VIDEO}&lc=Ugx1.99")


def test_a_video_that_was_found_is_answered_by_a_comment_under_it(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    youtube.say("POST", THREADS, told.thread("UgxNew", 0))
    assert push_reply(brand, reply_to("video:aaaaaaaaaaa"), session, NOON).id == "UgxNew"
    body = {"snippet": {"videoId": "aaaaaaaaaaa", "topLevelComment": {"snippet": {"textOriginal": WORDS}}}}
    assert youtube.calls[0].json == body


def test_there_is_nothing_private_and_nothing_without_a_target(brand: Account, session: GuardedSession) -> None:
    for wrong in (reply_to(""), reply_to(visibility="direct")):
        with pytest.raises(GiveUp):
            push_reply(brand, wrong, session, NOON)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(401, "authError"), Reauthorise),
        (refused(403, "quotaExceeded"), RetryLater),
        (refused(403, "rateLimitExceeded"), RetryLater),
        (refused(403, "ineligibleAccount"), GiveUp),
        (refused(400, "commentTextTooLong"), GiveUp),
        (refused(404, "parentCommentNotFound"), GiveUp),
        (refused(500, "backendError"), Unconfirmed),
        (Told(503, b""), Unconfirmed),
        (Told(hang_up=True), Unconfirmed),
        (Told(200, b"<html>"), Unconfirmed),
        (Told(200, {"kind": "youtube#comment"}), Unconfirmed),
    ],
)
def test_every_failure_says_what_to_do_next(
    youtube: StandIn, brand: Account, session: GuardedSession, answer: Told, kind: type[NetworkError]
) -> None:
    youtube.say("POST", COMMENTS, answer)
    with pytest.raises(kind):
        push_reply(brand, reply_to(), session, NOON)
    assert len(youtube.calls) == 1


def test_an_answer_that_was_lost_on_its_way_is_found_and_another_is_not(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    there = told.ours("Ugx1.99", 2, "At noon. Promised 🚌 & <b>", parentId="Ugx1")
    youtube.say("GET", COMMENTS, told.comments(told.answer(text=WORDS), there))
    found = find_reply(brand, reply_to("Ugx1.91"), SINCE, session, NOON)
    assert found is not None
    assert found.id == "Ugx1.99"
    assert find_reply(brand, reply_to(text="else"), SINCE, session, NOON) is None
    assert find_reply(brand, reply_to(), NOON + dt.timedelta(minutes=6), session, NOON) is None


def test_not_found_is_said_only_when_all_was_seen(youtube: StandIn, brand: Account, session: GuardedSession) -> None:
    youtube.say("GET", COMMENTS, told.comments(told.answer(), token="more"))
    with pytest.raises(Unconfirmed):
        find_reply(brand, reply_to(), SINCE, session, NOON)
    youtube.say("GET", COMMENTS, told.comments({"id": "x"}))
    with pytest.raises(RetryLater):
        find_reply(brand, reply_to(), SINCE, session, NOON)
    youtube.say("GET", THREADS, told.threads(told.thread("a", 90), token="more"))
    assert find_reply(brand, reply_to("video:aaaaaaaaaaa"), SINCE, session, NOON) is None
