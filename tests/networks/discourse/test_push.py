"""Answers in the topics of a forum, and finding them again."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discourse import Forum, Refusal
from rapport.core.errors import GiveUp, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.discourse.network import Discourse
from rapport.networks.discourse.parse import post_id, split_id
from rapport.networks.http import GuardedSession

NETWORK = Discourse()


def reply_to(target: str, text: str) -> Reply:
    return Reply(network="discourse", channel=1, target=target, text=text, approved_by=1)


@pytest.fixture
def asked(server: Forum) -> str:
    """The id of a post that wants an answer."""
    topic = server.open_topic("ben", "Trains", "What do you think?")
    return server.place(server.add("ann", topic, "where is my train?", to=1))


def own(server: Forum) -> list[tuple[str, int]]:
    return [
        (post["raw"], post["reply_to_post_number"]) for post in server.posts.values() if post["username"] == "brand"
    ]


def test_a_reply_stands_in_the_topic_and_answers_the_post(
    server: Forum, brand: Account, session: GuardedSession, asked: str
) -> None:
    sent = NETWORK.push(brand, reply_to(asked, "On its way. *Sorry*"), "k", session)
    assert own(server) == [("On its way. *Sorry*", 2)]
    assert sent.id == server.place(max(server.posts))
    assert sent.url == f"{server.url}/t/a-topic/1/3"
    page = list(NETWORK.pull(brand, "own", "", session))[-1]
    assert [(post.id, post.in_reply_to, post.author.ours) for post in page.posts] == [(sent.id, asked, True)]


def test_a_repeat_has_one_effect_at_once_and_later(
    server: Forum, brand: Account, session: GuardedSession, asked: str
) -> None:
    first = NETWORK.push(brand, reply_to(asked, "Only once."), "k", session)
    assert NETWORK.push(brand, reply_to(asked, "Only once."), "k", session) == first
    server.forget_requests()  # now the forum says that it has heard these words before
    assert NETWORK.push(brand, reply_to(asked, "Only once."), "k", session) == first
    assert len(own(server)) == 1


def test_the_same_words_elsewhere_are_a_refusal_and_no_success(
    server: Forum, brand: Account, session: GuardedSession, asked: str
) -> None:
    other = f"{server.host}/t/{server.open_topic('ann', 'Other', 'words')}/1"
    NETWORK.push(brand, reply_to(other, "Here we are."), "k", session)
    with pytest.raises(GiveUp, match="too similar"):
        NETWORK.push(brand, reply_to(asked, "Here we are."), "k", session)


def test_a_lost_answer_is_unconfirmed_and_found_by_reading(
    server: Forum, brand: Account, session: GuardedSession, asked: str
) -> None:
    reply, since = reply_to(asked, "Here we are."), dt.datetime.now(dt.UTC)
    assert NETWORK.find(brand, reply, since, "k", session) is None
    server.loses_answers = True
    with pytest.raises(Unconfirmed):
        NETWORK.push(brand, reply, "k", session)
    found = NETWORK.find(brand, reply, since, "k", session)
    assert found is not None
    assert found.id == server.place(max(server.posts))
    assert NETWORK.find(brand, reply_to(asked, "Other words."), since, "k", session) is None


def test_a_reply_in_a_long_topic_is_found_or_left_open(
    server: Forum, brand: Account, session: GuardedSession, asked: str
) -> None:
    reply, since = reply_to(asked, "Here we are."), dt.datetime.now(dt.UTC)
    NETWORK.push(brand, reply, "k", session)
    for number in range(60):
        server.add("ann", 1, f"noise {number}")
    assert NETWORK.find(brand, reply, since, "k", session) is not None
    for number in range(60):
        server.add("ann", 1, f"more noise {number}")
    with pytest.raises(Unconfirmed):
        NETWORK.find(brand, reply, since, "k", session)


def test_what_waits_for_a_moderator_is_not_sent_again(
    server: Forum, brand: Account, session: GuardedSession, asked: str
) -> None:
    server.holds_posts = True
    with pytest.raises(GiveUp, match="moderator"):
        NETWORK.push(brand, reply_to(asked, "Please wait."), "k", session)


def test_refusals_of_a_reply_are_told_in_the_words_of_the_forum(
    server: Forum, brand: Account, session: GuardedSession, asked: str
) -> None:
    with pytest.raises(GiveUp, match="too short"):
        NETWORK.push(brand, reply_to(asked, "No"), "k", session)
    with pytest.raises(GiveUp, match="not permitted"):
        NETWORK.push(brand, reply_to(f"{server.host}/t/77/1", "Hello there."), "k", session)
    server.faults.append(("/posts", Refusal(429, "rate_limit", "Slow down.", wait_seconds=33)))
    with pytest.raises(RetryLater) as waiting:
        NETWORK.push(brand, reply_to(asked, "Hello there."), "k", session)
    assert waiting.value.after == 33
    server.faults.append(("/posts", Refusal(502, "x", "bad gateway")))
    with pytest.raises(Unconfirmed):
        NETWORK.push(brand, reply_to(asked, "Hello there."), "k", session)


def test_a_post_of_another_forum_is_not_answered_and_a_dead_key_is_told_first(
    server: Forum, brand: Account, session: GuardedSession
) -> None:
    for target in ("elsewhere.example/t/1/1", "1", "", f"{server.host}/t/1/x"):
        with pytest.raises(GiveUp):
            NETWORK.push(brand, reply_to(target, "Hello there."), "k", session)
        with pytest.raises(Reauthorise):
            NETWORK.push(msgspec.structs.replace(brand, token="dead-key"), reply_to(target, "x"), "k", session)
    assert own(server) == []


@given(st.text(max_size=60))
def test_an_id_of_any_kind_is_taken_apart_without_a_crash(text: str) -> None:
    topic, number = split_id(text, "forum.example")
    assert (topic, number) == (0, 0) or split_id(post_id("forum.example", topic, number), "forum.example")
