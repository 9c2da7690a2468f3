"""Answering on X: exactly the approved text, once; what is not certain is settled by reading."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rapport.core.errors import GiveUp, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.x.push import comparable, counted_length, find_reply, push_reply

TEXT = "We are on it, see acme.example/status & thank you"


def reply(target: str, text: str = TEXT, visibility: str = "public") -> Reply:
    return Reply(network="x", channel=1, target=target, text=text, visibility=visibility, approved_by=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_a_reply_goes_out_as_it_was_approved(x: Any, brand: Account, session: GuardedSession) -> None:
    target = x.post("@brand help")
    sent = push_reply(brand, reply(target), session)
    assert x.posts[sent.id]["text"] == TEXT
    assert x.asked[-1][2] == {"text": TEXT, "reply": {"in_reply_to_tweet_id": target}}
    assert x.asked[-1][3] == "Bearer user-token"
    assert sent.url == f"https://x.com/brand/status/{sent.id}"


def test_a_message_is_answered_in_its_conversation(x: Any, brand: Account, session: GuardedSession) -> None:
    event = x.message("hello")
    sent = push_reply(brand, reply(f"dm:7-4242:{event}", visibility="direct"), session)
    assert x.asked[-1][0] == "/2/dm_conversations/7-4242/messages"
    assert sent.id == f"dm:7-4242:{x.events[-1]['id']}"


REFUSALS = [
    ("403 Forbidden", "You are not allowed to create a Tweet with duplicate content.", GiveUp, "change the wording"),
    (
        "403 Forbidden",
        "Reply to this conversation is not allowed because you were not mentioned or otherwise engaged",
        GiveUp,
        "open the post on X",
    ),
    ("403 Forbidden", "Your account is temporarily locked.", Reauthorise, "Sign in to X"),
    ("401 Unauthorized", "Unauthorized", Reauthorise, "connect the account again"),
    ("429 Too Many Requests", "Too Many Requests", RetryLater, "429"),
    ("402 Payment Required", "No credits", RetryLater, "credits"),
    ("400 Bad Request", "bad", GiveUp, "400"),
    ("500 Internal Server Error", "broken", Unconfirmed, "500"),
    ("502 Bad Gateway", "broken", Unconfirmed, "502"),
    ("503 Service Unavailable", "busy", Unconfirmed, "503"),
    ("504 Gateway Timeout", "slow", Unconfirmed, "504"),
]


@pytest.mark.parametrize(("status", "detail", "error", "words"), REFUSALS)
def test_refusals_say_what_to_do_next(
    x: Any, brand: Account, session: GuardedSession, status: str, detail: str, error: type[Exception], words: str
) -> None:
    x.refuse("/2/tweets", status, {"type": "about:blank", "title": status, "detail": detail})
    with pytest.raises(error, match=words):
        push_reply(brand, reply("1"), session)


def test_an_answer_without_an_id_is_not_taken_for_a_success(x: Any, brand: Account, session: GuardedSession) -> None:
    for body in ({}, {"data": {}}, [], {"errors": [{"detail": "odd"}]}):
        x.refuse("/2/tweets", "201 Created", body)
        with pytest.raises(Unconfirmed):
            push_reply(brand, reply("1"), session)


@pytest.mark.parametrize(
    "wrong",
    [reply("1", visibility="direct"), reply("not a post"), reply("1", visibility="private"), reply("1", "$AAPL $TSLA")],
)
def test_what_x_would_never_take_is_not_sent(x: Any, brand: Account, session: GuardedSession, wrong: Reply) -> None:
    with pytest.raises(GiveUp):
        push_reply(brand, wrong, session)
    assert x.asked == []


def test_a_reply_whose_answer_was_lost_is_found_by_text_and_target(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    before, target = now(), x.post("@brand help")
    assert find_reply(brand, reply(target), before, session) is None
    x.post("something else", "4242", referenced_posts=[{"type": "replied_to", "id": target}])
    x.post(TEXT, "4242", referenced_posts=[{"type": "replied_to", "id": "1"}])
    assert find_reply(brand, reply(target), before, session) is None
    url = {"url": "https://t.co/abc", "expanded_url": "https://acme.example/status/"}
    changed = "@ann  We are on it, see https://t.co/abc &amp; thank you"
    identifier = x.post(
        changed, "4242", referenced_posts=[{"type": "replied_to", "id": target}], entities={"urls": [url]}
    )
    found = find_reply(brand, reply(target), before, session)
    assert found is not None
    assert found.id == identifier


def test_a_message_whose_answer_was_lost_is_found(x: Any, brand: Account, session: GuardedSession) -> None:
    before, event = now(), x.message("hello")
    direct = reply(f"dm:7-4242:{event}", visibility="direct")
    assert find_reply(brand, direct, before, session) is None
    x.message(TEXT, "7")
    assert find_reply(brand, direct, before, session) is None, "they quoted us"
    ours = x.message(TEXT, "4242")
    found = find_reply(brand, direct, before, session)
    assert found is not None
    assert found.id == f"dm:7-4242:{ours}"


def test_what_does_not_go_back_far_enough_stays_unconfirmed(x: Any, brand: Account, session: GuardedSession) -> None:
    before = now()
    for number in range(301):
        x.post(f"busy {number}", "4242")
    with pytest.raises(Unconfirmed):
        find_reply(brand, reply("1"), before, session)


def test_a_post_of_ours_that_cannot_be_read_is_no_proof_of_absence(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    x.post("broken", "4242", created_at=None, entities="nonsense")
    with pytest.raises(RetryLater):
        find_reply(brand, reply("1"), now() - dt.timedelta(minutes=1), session)


def test_what_x_changes_does_not_count_and_what_a_person_changes_does() -> None:
    assert comparable("@ann @ben  Hello\nthere https://acme.example/") == comparable("Hello there acme.example")
    assert comparable("cafe\u0301") == comparable("caf\u00e9")
    assert comparable("Hello there!") != comparable("Hello there")


def test_length_counts_as_x_does() -> None:
    assert counted_length("see https://acme.example/a/very/long/path/that/is/shortened") == 27
    assert counted_length("日本語") == 6
    assert counted_length("👨‍👩‍👧‍👦") == 2
