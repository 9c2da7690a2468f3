"""Answers in the rooms of a real homeserver, and finding them again."""

from __future__ import annotations

import datetime as dt
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import GiveUp, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.network import Matrix
from rapport.networks.matrix.parse import split_id
from rapport.networks.matrix.pull import pull_pages
from rapport.networks.matrix.push import MAX_LENGTH, counted_length
from synapse import Synapse
from wires import Caller, byte_server

NETWORK = Matrix()
LONG_AGO = dt.timedelta(hours=1)


def reply_to(target: str, text: str, *to: str) -> Reply:
    return Reply(network="matrix", channel=1, target=target, text=text, to=to, approved_by=1)


def test_a_reply_names_what_it_answers_and_whom(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    cursor = list(pull_pages(brand, "rooms", "", session))[-1].cursor
    asked = homeserver.say("ann", room, "where is my train?")
    sent = NETWORK.push(brand, reply_to(f"{room}/{asked}", "On its way. *Sorry*", "ann:rapport.test"), "key-1", session)
    event = homeserver.messages("ann", room)[0]
    assert sent.id == f"{room}/{event['event_id']}"
    assert event["content"] == {
        "msgtype": "m.text",
        "body": "On its way. *Sorry*",
        "m.relates_to": {"m.in_reply_to": {"event_id": asked}},
        "m.mentions": {"user_ids": ["@ann:rapport.test"]},
    }
    posts = [post for page in pull_pages(brand, "rooms", cursor, session) for post in page.posts]
    assert [(post.id, post.in_reply_to, post.author.ours) for post in posts][1:] == [(sent.id, f"{room}/{asked}", True)]


def test_a_reply_stays_in_its_thread(homeserver: Synapse, brand: Account, room: str, session: GuardedSession) -> None:
    root = homeserver.say("ann", room, "root")
    inside = homeserver.say("ann", room, "inside", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    NETWORK.push(brand, reply_to(f"{room}/{inside}", "Answer."), "key-thread", session)
    assert homeserver.messages("ann", room)[0]["content"]["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": False,
        "m.in_reply_to": {"event_id": inside},
    }


def test_a_repeat_with_the_same_key_is_the_same_message_also_after_a_restart(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    target = f"{room}/{homeserver.say('ann', room, 'once, please')}"
    sent = {NETWORK.push(brand, reply_to(target, "Once."), "key-same", session).id for _ in range(2)}
    homeserver.restart()
    sent.add(NETWORK.push(brand, reply_to(target, "Once."), "key-same", session).id)
    assert len(sent) == 1
    bodies = [event["content"].get("body") for event in homeserver.messages("ann", room)]
    assert bodies.count("Once.") == 1


def test_a_reply_is_found_by_its_transaction_and_not_taken_for_one_with_the_same_words(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    since = dt.datetime.now(dt.UTC)
    target = f"{room}/{homeserver.say('ann', room, 'please answer')}"
    reply = reply_to(target, "Here we are.")
    assert NETWORK.find(brand, reply, since, "key-find", session) is None
    sent = NETWORK.push(brand, reply, "key-find", session)
    homeserver.say("brand", room, "something else")
    assert NETWORK.find(brand, reply, since, "key-find", session) == sent
    assert NETWORK.find(brand, reply, since, "another key", session) is None, "the server says whose it is"
    assert NETWORK.find(brand, reply_to(target, "Other words."), since, "another key", session) is None


def test_what_was_deleted_or_never_was_cannot_be_answered(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    gone = homeserver.say("ann", room, "gone")
    homeserver.redact("ann", room, gone)
    for target in (f"{room}/{gone}", f"{room}/$nothing", "!no:where/$x", "1", ""):
        with pytest.raises(GiveUp):
            NETWORK.push(brand, reply_to(target, "x"), f"key-{target}", session)


def test_a_dead_token_and_an_absent_server_are_told_before_all_else(brand: Account, session: GuardedSession) -> None:
    dead = msgspec.structs.replace(brand, token="dead")
    with pytest.raises(Reauthorise):
        NETWORK.push(dead, reply_to("1", "x"), "k", session)
    away = msgspec.structs.replace(brand, server="http://127.0.0.1:1")
    with GuardedSession(allow={"127.0.0.1:1"}) as guarded, pytest.raises(RetryLater):
        NETWORK.push(away, reply_to("1", "x"), "k", guarded)


def test_a_lost_answer_is_unconfirmed_and_a_refusal_with_a_time_is_waited_for() -> None:
    def lose(caller: Caller) -> None:
        if caller.line.startswith("GET"):
            caller.send("200 OK", json.dumps(event).encode())
        else:
            caller.socket.close()

    def refuse(caller: Caller) -> None:
        caller.send("429 x", b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}')

    event = {"type": "m.room.message", "event_id": "$e", "sender": "@a:b", "origin_server_ts": 1, "content": {}}
    for answer, error in ((lose, Unconfirmed), (refuse, RetryLater)):
        with byte_server(answer) as server, GuardedSession(allow={server.authority}) as session:
            account = Account(channel=1, server=server.url, handle="b:c", account_id="@b:c", token="t")
            with pytest.raises(error) as raised:
                NETWORK.push(account, reply_to("!r:s/$e", "x"), "key/ä ?", session)
            if isinstance(raised.value, RetryLater):
                assert raised.value.after == 2.5
            else:
                assert server.callers[-1].path.endswith("/send/m.room.message/key%2F%C3%A4%20%3F")


def test_a_text_of_the_longest_length_fits_into_an_event(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    target = f"{room}/{homeserver.say('ann', room, 'tell me all')}"
    for text in (
        "x" * MAX_LENGTH,
        "ö" * (MAX_LENGTH // 2),
        '"' * (MAX_LENGTH // 2),
        "\n" * (MAX_LENGTH // 2 - 1) + "x",
    ):
        assert counted_length(text) <= MAX_LENGTH
        assert NETWORK.push(brand, reply_to(target, text), f"long-{text[0]}", session).id


@given(st.text(max_size=200))
def test_the_length_is_never_less_than_what_the_event_holds(text: str) -> None:
    assert counted_length(text) >= len(text.encode("utf-8", "replace"))


@given(st.text(max_size=60))
def test_an_id_of_any_kind_is_taken_apart_without_a_crash(text: str) -> None:
    room, event = split_id(text)
    assert (room, event) == ("", "") or f"{room}/{event}" == text
