"""Answering on Instagram, and finding the answer again."""

from __future__ import annotations

import datetime as dt

import pytest

import instagram_payloads as told
from graph_server import ANN, IG, NOON, PAGE, V, error, listing
from rapport.core.errors import GiveUp, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.instagram.push import find_reply, push_reply
from stand_in import StandIn, Told

WORDS = "We do.  Two days 🚌"
REPLIES = f"{V}/{told.COMMENT_ID}/replies"
TALKS, SEND = f"{V}/{PAGE}/conversations", f"{V}/{PAGE}/messages"
SINCE = NOON - dt.timedelta(minutes=10)


def reply_to(target: str = told.COMMENT_ID, visibility: str = "public", text: str = WORDS) -> Reply:
    return Reply("instagram", 1, target, text, visibility, approved_by=1)


MESSAGE = reply_to(f"dm:{ANN}:aWdfZAG1=1", "direct")


@pytest.mark.parametrize(
    ("target", "path", "fields"),
    [
        (told.COMMENT_ID, REPLIES, {}),
        ("mention:178:179", f"{V}/{IG}/mentions", {"media_id": "178", "comment_id": "179"}),
        ("mention:178", f"{V}/{IG}/mentions", {"media_id": "178"}),
        ("media:178", f"{V}/178/comments", {}),
    ],
)
def test_an_answer_goes_where_its_target_stands_exactly_as_approved(
    graph: StandIn, brand: Account, session: GuardedSession, target: str, path: str, fields: dict[str, str]
) -> None:
    graph.say("POST", path, {"id": "17870913679156920"})
    assert push_reply(brand, reply_to(target), session, NOON).id == "17870913679156920"
    form = graph.calls[0].form
    form.pop("appsecret_proof")
    assert form == {"message": WORDS, **fields}


def test_a_message_goes_through_the_inbox_of_the_page_within_its_time(
    graph: StandIn, brand: Account, session: GuardedSession
) -> None:
    graph.say("GET", TALKS, listing(told.conversation(told.stored(minutes=60))))
    graph.say("POST", SEND, {"recipient_id": ANN, "message_id": "aWdfNew="})
    assert push_reply(brand, MESSAGE, session, NOON).id == f"dm:{ANN}:aWdfNew="
    graph.say("GET", TALKS, listing(told.conversation(told.stored(minutes=60 * 25))))
    with pytest.raises(GiveUp, match="24 hours"):
        push_reply(brand, MESSAGE, session, NOON)
    with pytest.raises(GiveUp, match="bytes"):
        push_reply(brand, reply_to(MESSAGE.target, "direct", "ä" * 501), session, NOON)


def test_what_cannot_be_answered_is_refused_here(brand: Account, session: GuardedSession) -> None:
    for wrong in (reply_to(""), reply_to("story:1"), reply_to(visibility="direct"), reply_to(MESSAGE.target)):
        with pytest.raises(GiveUp):
            push_reply(brand, wrong, session, NOON)


def test_a_lost_answer_is_unconfirmed_and_found_by_reading(
    graph: StandIn, brand: Account, session: GuardedSession
) -> None:
    graph.say("POST", REPLIES, Told(hang_up=True))
    with pytest.raises(Unconfirmed):
        push_reply(brand, reply_to(), session, NOON)
    graph.say("GET", f"{V}/{told.COMMENT_ID}", {"id": told.COMMENT_ID})
    graph.say("GET", REPLIES, listing(told.comment("1", 1, WORDS), told.ours("2", 3, "We do. Two days 🚌")))
    found = find_reply(brand, reply_to(), SINCE, session)
    assert found is not None
    assert found.id == "2"
    assert find_reply(brand, reply_to(text="else"), SINCE, session) is None
    graph.say("GET", REPLIES, listing({"nothing": 1}))
    with pytest.raises(RetryLater):
        find_reply(brand, reply_to(), SINCE, session)


def test_an_answer_to_an_answer_is_looked_for_under_the_top_comment(
    graph: StandIn, brand: Account, session: GuardedSession
) -> None:
    graph.say("GET", f"{V}/{told.ANSWER_ID}", {"id": told.ANSWER_ID, "parent_id": told.COMMENT_ID})
    graph.say("GET", REPLIES, listing(told.ours("2", 3, WORDS)))
    assert find_reply(brand, reply_to(told.ANSWER_ID), SINCE, session) is not None


def test_an_answer_to_a_mention_cannot_be_seen_and_a_person_must_look(brand: Account, session: GuardedSession) -> None:
    with pytest.raises(Unconfirmed, match="look there"):
        find_reply(brand, reply_to("mention:178"), SINCE, session)


def test_a_message_is_found_again(graph: StandIn, brand: Account, session: GuardedSession) -> None:
    graph.say("GET", TALKS, listing(told.conversation(told.stored("n=", 1, IG, WORDS))))
    found = find_reply(brand, MESSAGE, SINCE, session)
    assert found is not None
    assert found.id == f"dm:{ANN}:n="


def test_a_refusal_is_typed_as_on_facebook(graph: StandIn, brand: Account, session: GuardedSession) -> None:
    graph.say("POST", REPLIES, Told(403, error(10, message="Application does not have permission")))
    with pytest.raises(GiveUp, match="right is missing"):
        push_reply(brand, reply_to(), session, NOON)
