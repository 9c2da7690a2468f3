"""Answering on Facebook, with every way in which the answer can get lost or come too late."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import facebook_payloads as told
from graph_server import ANN, NOON, PAGE, V, account_on, error, listing
from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.facebook.push import find_reply, push_reply
from rapport.networks.http import GuardedSession
from stand_in import StandIn, Told

WORDS = "In  five minutes.\n\nPromised 🚌 & cake <b>"
UNDER = f"{V}/{told.COMMENT_ID}/comments"
TALKS, SEND = f"{V}/{PAGE}/conversations", f"{V}/{PAGE}/messages"


def reply_to(target: str = told.COMMENT_ID, text: str = WORDS, visibility: str = "public", **more: int | None) -> Reply:
    return Reply("facebook", 1, target, text, visibility, approved_by=more.get("by", 1))


MESSAGE = reply_to(f"dm:{ANN}:m_AbC1", visibility="direct")


def test_a_comment_goes_under_its_target_exactly_as_approved(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    graph.say("POST", UNDER, {"id": "900001_777"})
    sent = push_reply(page, reply_to(), session, NOON)
    assert (sent.id, sent.url) == ("900001_777", "https://www.facebook.com/900001_777")
    assert graph.calls[0].form["message"] == WORDS


def test_a_message_within_a_day_is_a_plain_answer(graph: StandIn, page: Account, session: GuardedSession) -> None:
    graph.say("GET", TALKS, listing(told.conversation(told.stored(minutes=23 * 60))))
    graph.say("POST", SEND, {"recipient_id": ANN, "message_id": "m_New"})
    sent = push_reply(page, MESSAGE, session, NOON)
    form = graph.asked("POST", SEND)[0].form
    assert sent.id == f"dm:{ANN}:m_New"
    assert (json.loads(form["recipient"]), json.loads(form["message"])) == ({"id": ANN}, {"text": WORDS})
    assert (form["messaging_type"], "tag" in form) == ("RESPONSE", False)
    assert graph.calls[0].query["user_id"] == ANN


def test_a_message_within_a_week_bears_the_human_agent_tag_where_it_was_granted(
    graph: StandIn, session: GuardedSession
) -> None:
    granted = account_on(graph, "facebook", human_agent=True)
    graph.say("GET", TALKS, listing(told.conversation(told.stored(minutes=6 * 24 * 60))))
    graph.say("POST", SEND, {"recipient_id": ANN, "message_id": "m_New"})
    push_reply(granted, MESSAGE, session, NOON)
    form = graph.asked("POST", SEND)[0].form
    assert (form["messaging_type"], form["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")


@pytest.mark.parametrize(("minutes", "granted", "by"), [(1500, False, 1), (8 * 1440, True, 1), (1500, True, None)])
def test_a_message_outside_of_the_time_never_leaves(
    graph: StandIn, session: GuardedSession, minutes: int, granted: bool, by: int | None
) -> None:
    """The tag is for words of people: a reply that nobody approved gets none."""
    account = account_on(graph, "facebook", human_agent=granted)
    ours = told.stored("m_ours", 1, PAGE, "our own word opens no window")
    graph.say("GET", TALKS, listing(told.conversation(ours, told.stored(minutes=minutes))))
    with pytest.raises(GiveUp, match="24 hours"):
        push_reply(account, reply_to(MESSAGE.target, visibility="direct", by=by), session, NOON)
    assert graph.asked("POST", SEND) == []


def test_private_words_are_never_said_in_public_and_the_other_way_round(page: Account, session: GuardedSession) -> None:
    for wrong in (reply_to(MESSAGE.target), reply_to(visibility="direct"), reply_to("")):
        with pytest.raises(GiveUp):
            push_reply(page, wrong, session, NOON)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Told(400, error(190, 463)), Reauthorise),
        (Told(400, error(613)), RetryLater),
        (Told(400, error(80002)), RetryLater),
        (Told(403, error(200)), GiveUp),
        (Told(400, error(100)), GiveUp),
        (Told(500, error(1)), Unconfirmed),
        (Told(500, error(2)), Unconfirmed),
        (Told(400, error(506)), Unconfirmed),
        (Told(500, b"oops"), Unconfirmed),
        (Told(504, b""), Unconfirmed),
        (Told(200, b"<html>"), Unconfirmed),
        (Told(200, {"success": True}), Unconfirmed),
        (Told(hang_up=True), Unconfirmed),
    ],
)
def test_every_failure_of_a_comment_says_what_to_do_next(
    graph: StandIn, page: Account, session: GuardedSession, answer: Told, kind: type[NetworkError]
) -> None:
    graph.say("POST", UNDER, answer)
    with pytest.raises(kind):
        push_reply(page, reply_to(), session, NOON)
    assert len(graph.calls) == 1


def test_meta_s_own_word_that_it_is_too_late_comes_with_the_remedy(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    graph.say("GET", TALKS, listing(told.conversation(told.stored(minutes=5))))
    graph.say("POST", SEND, Told(400, error(10, 2018278, "outside of allowed window")))
    with pytest.raises(GiveUp, match="wait until they write again"):
        push_reply(page, MESSAGE, session, NOON)


# ---------------------------------------------------------------- finding again


SINCE = NOON - dt.timedelta(minutes=10)


def test_a_comment_whose_answer_was_lost_is_found_and_another_is_not(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    ours = {"id": PAGE, "name": "Fernway"}
    there = told.comment(777, 3, "In five minutes. Promised 🚌 & cake <b>", **{"from": ours})
    same_by_ann = told.comment(778, 2, WORDS)
    graph.say("GET", UNDER, listing(same_by_ann, there))
    graph.say("GET", f"{V}/{told.COMMENT_ID}", {"id": told.COMMENT_ID})
    found = find_reply(page, reply_to(), SINCE, session)
    assert found is not None
    assert found.id == "900001_777"
    assert find_reply(page, reply_to(text="something else"), SINCE, session) is None


def test_an_answer_to_an_answer_is_looked_for_under_the_top_comment_too(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    ours = told.comment(777, 3, WORDS, **{"from": {"id": PAGE, "name": "Fernway"}})
    graph.say("GET", f"{V}/{told.ANSWER_ID}/comments", listing())
    graph.say("GET", f"{V}/{told.ANSWER_ID}", {"parent": {"id": told.COMMENT_ID}, "id": told.ANSWER_ID})
    graph.say("GET", UNDER, listing(ours))
    found = find_reply(page, reply_to(told.ANSWER_ID), SINCE, session)
    assert found is not None


def test_not_found_is_said_only_when_all_since_the_send_was_seen(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    graph.say("GET", f"{V}/{told.COMMENT_ID}", Told(400, error(100)))
    graph.say("GET", UNDER, listing(told.comment(1, 2), told.comment(2, 60), after="older"))
    assert find_reply(page, reply_to(), SINCE, session) is None
    graph.say("GET", UNDER, listing(told.comment(1, 2), after="older"))
    with pytest.raises(Unconfirmed):
        find_reply(page, reply_to(), SINCE, session)
    graph.say("GET", UNDER, listing({"id": "x"}))
    with pytest.raises(RetryLater):
        find_reply(page, reply_to(), SINCE, session)


def test_a_message_whose_answer_was_lost_is_found(graph: StandIn, page: Account, session: GuardedSession) -> None:
    graph.say("GET", TALKS, listing(told.conversation(told.stored("m_New", 1, PAGE, WORDS), told.stored(minutes=2))))
    found = find_reply(page, MESSAGE, SINCE, session)
    assert found is not None
    assert found.id == f"dm:{ANN}:m_New"
    graph.say("GET", TALKS, listing(told.conversation(told.stored("m_Old", 50, PAGE, WORDS))))
    assert find_reply(page, MESSAGE, SINCE, session) is None
