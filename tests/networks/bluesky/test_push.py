"""Replies on a real Bluesky network: sent as approved, once, and found again."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from bluesky import BlueskyAccount, until
from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.bluesky.network import Bluesky
from rapport.networks.bluesky.push import chosen_key
from rapport.networks.bluesky.syntax import decode_tid, encode_tid, is_tid
from rapport.networks.http import GuardedSession, Limits
from wires import Caller, byte_server, losing_answers

network = Bluesky()
TARGET = "at://did:plc:ann/app.bsky.feed.post/3l3qo2vuowo2b"
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def reply_to(target: str, text: str, **more: Any) -> Reply:
    return Reply(network="bluesky", channel=1, target=target, text=text, approved_by=1, **more)


@pytest.fixture
def asked(ann: BlueskyAccount, brand: BlueskyAccount) -> dict[str, Any]:
    """Something that ann said to us, and that the app view knows."""
    post = ann.post("@brand.test where is my bag?")
    until(lambda: brand.network.shows(post["uri"], brand))
    return post


def answers(brand: BlueskyAccount, target: str) -> list[dict[str, Any]]:
    return [each for each in brand.records() if each["value"].get("reply", {}).get("parent", {}).get("uri") == target]


# ---------------------------------------------------------------- the real network


def test_a_reply_arrives_as_it_was_approved_with_its_place_in_the_thread_and_its_marks(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount, ben: BlueskyAccount,
    asked: dict[str, Any],
) -> None:  # fmt: skip
    below = ben.post("mine too", to=asked)
    until(lambda: brand.network.shows(below["uri"], brand))
    text = "Ünser Fehler, @ben.test! 👩‍👩‍👧 https://help.example/x?y=(1), @nobody.test #delay"
    sent = network.push(signed_in, reply_to(below["uri"], text), "key-place", session)
    (record,) = answers(brand, below["uri"])
    assert sent.id == record["uri"]
    assert sent.url == f"https://bsky.app/profile/{brand.did}/post/{sent.id.rpartition('/')[2]}"
    value = record["value"]
    assert value["text"] == text
    assert value["reply"] == {
        "root": {"uri": asked["uri"], "cid": asked["cid"]},
        "parent": {"uri": below["uri"], "cid": below["cid"]},
    }
    raw = text.encode()
    marks = {
        raw[each["index"]["byteStart"] : each["index"]["byteEnd"]].decode(): each["features"][0]
        for each in value["facets"]
    }
    assert set(marks) == {"@ben.test", "https://help.example/x?y=(1)", "#delay"}
    assert marks["@ben.test"]["did"] == ben.did
    until(lambda: sent.id in ben.notified(), "ben was never told")


def test_the_same_key_has_one_effect_however_often_and_at_once(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, asked: dict[str, Any]
) -> None:
    reply = reply_to(asked["uri"], "Only once.")
    first = network.push(signed_in, reply, "key-once", session)
    found: list[str] = []

    def push() -> None:
        with GuardedSession(allow=brand.network.allowed) as own:
            found.append(network.push(signed_in, reply, "key-once", own).id)

    threads = [threading.Thread(target=push) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [first.id] * 5
    assert len(answers(brand, asked["uri"])) == 1


def test_two_replies_to_one_post_stand_beside_each_other(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, asked: dict[str, Any]
) -> None:
    for key in ("key-a", "key-b"):
        network.push(signed_in, reply_to(asked["uri"], "The same words."), key, session)
    assert len(answers(brand, asked["uri"])) == 2


def test_a_reply_is_found_by_its_key_and_only_by_it(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, asked: dict[str, Any]
) -> None:
    reply = reply_to(asked["uri"], "Found again.")
    assert network.find(signed_in, reply, NOW, "key-find", session) is None
    sent = network.push(signed_in, reply, "key-find", session)
    assert network.find(signed_in, reply, NOW, "key-find", session) == sent
    assert network.find(signed_in, reply, NOW, "key-other", session) is None
    body = {"repo": brand.did, "collection": "app.bsky.feed.post", "rkey": sent.id.rpartition("/")[2]}
    brand.call("com.atproto.repo.deleteRecord", body)
    assert network.find(signed_in, reply, NOW, "key-find", session) is None


def test_a_reply_whose_answer_was_lost_is_unconfirmed_then_found_and_sent_again_changes_nothing(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, asked: dict[str, Any]
) -> None:
    reply = reply_to(asked["uri"], "Did you get it?")
    with (
        swallowing(signed_in, "putRecord") as (account, allow),
        GuardedSession(allow=allow) as lossy,
        pytest.raises(Unconfirmed),
    ):
        network.push(account, reply, "key-lost", lossy)
    found = network.find(signed_in, reply, NOW, "key-lost", session)
    assert found is not None
    assert network.push(signed_in, reply, "key-lost", session) == found
    assert len(answers(brand, asked["uri"])) == 1


def test_what_lies_under_the_key_is_never_written_over(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, asked: dict[str, Any]
) -> None:
    network.push(signed_in, reply_to(asked["uri"], "The first."), "key-same", session)
    with pytest.raises(GiveUp, match="something else"):
        network.push(signed_in, reply_to(asked["uri"], "Another."), "key-same", session)
    assert [each["value"]["text"] for each in answers(brand, asked["uri"])] == ["The first."]


def test_a_post_that_is_gone_cannot_be_answered(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount, asked: dict[str, Any]
) -> None:
    ann.delete(asked)
    until(lambda: not brand.network.shows(asked["uri"], brand))
    with pytest.raises(GiveUp, match="not on Bluesky any more"):
        network.push(signed_in, reply_to(asked["uri"], "Too late."), "key-gone", session)


def test_an_author_who_takes_no_replies_is_not_answered(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount, asked: dict[str, Any]
) -> None:
    gate = {"$type": "app.bsky.feed.threadgate", "post": asked["uri"], "allow": [], "createdAt": "2026-11-22T00:00:00Z"}
    key = asked["uri"].rpartition("/")[2]
    place = {"repo": ann.did, "collection": "app.bsky.feed.threadgate", "rkey": key, "record": gate}
    ann.call("com.atproto.repo.putRecord", place)

    def is_shut() -> bool:
        (view,) = brand.call("app.bsky.feed.getPosts", uris=[asked["uri"]])["posts"]
        return bool(view["viewer"].get("replyDisabled"))

    until(is_shut)
    with pytest.raises(GiveUp, match="does not take replies"):
        network.push(signed_in, reply_to(asked["uri"], "Hello?"), "key-gate", session)


@pytest.mark.parametrize("text", ["x" * 301, "👩‍👩‍👧‍👧" * 121])
def test_a_reply_that_is_too_long_is_refused_before_anything_is_sent(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, asked: dict[str, Any], text: str
) -> None:
    with pytest.raises(GiveUp, match="shorten"):
        network.push(signed_in, reply_to(asked["uri"], text), "key-long", session)
    assert answers(brand, asked["uri"]) == []


@pytest.mark.parametrize("text", ["x" * 300, "👩‍👩‍👧‍👧" * 120, "é" * 300])
def test_what_we_call_short_enough_is_taken_by_the_server(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, asked: dict[str, Any], text: str
) -> None:
    assert network.length(text) <= network.capabilities.max_length
    network.push(signed_in, reply_to(asked["uri"], text), "key-fits", session)
    assert [each["value"]["text"] for each in answers(brand, asked["uri"])] == [text]


def test_a_dead_token_is_told(signed_in: Account, session: GuardedSession, asked: dict[str, Any]) -> None:
    dead = msgspec.structs.replace(signed_in, token="dead")
    with pytest.raises(Reauthorise):
        network.push(dead, reply_to(asked["uri"], "x"), "key-dead", session)


# ---------------------------------------------------------------- servers that behave badly


@contextlib.contextmanager
def swallowing(account: Account, method: str) -> Iterator[tuple[Account, set[str]]]:
    """The data server of `account` behind a line that loses the answer to one method, after the server has it."""
    with losing_answers(account.server, method) as line:
        yield msgspec.structs.replace(account, server=line.url), {line.authority}


def answering(answers: dict[str, tuple[str, bytes]]) -> Callable[[Caller], None]:
    view = {"posts": [{"uri": TARGET, "cid": "bafy", "record": {"text": "x"}}]}
    known = {"getPosts": ("200 OK", json.dumps(view).encode())} | answers

    def answer(caller: Caller) -> None:
        method = caller.path.partition("?")[0].rpartition(".")[2]
        status, body = known[method]
        caller.send(status, body)

    return answer


def push_at(answers: dict[str, tuple[str, bytes]]) -> Any:
    with (
        byte_server(answering(answers)) as server,
        GuardedSession(allow={server.authority}, limits=Limits(total=3.0)) as session,
    ):
        account = Account(1, server.url, "us.test", "did:plc:us", "t")
        return network.push(account, reply_to(TARGET, "hello"), "k", session)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("500 x", b"{}", Unconfirmed),
        ("502 x", b"<html>", Unconfirmed),
        ("504 x", b"", Unconfirmed),
        ("200 OK", b"", Unconfirmed),
        ("200 OK", b"nonsense", Unconfirmed),
        ("200 OK", b'{"uri":"at://did:plc:us/app.bsky.feed.post/other"}', Unconfirmed),
        ("429 x", b'{"error":"RateLimitExceeded"}', RetryLater),
        ("503 x", b"", RetryLater),
        ("400 x", b'{"error":"InvalidRequest","message":"no"}', GiveUp),
        ("400 x", b'{"error":"ExpiredToken"}', Reauthorise),
        ("401 x", b'{"error":"AccountTakedown"}', Reauthorise),
        ("401 x", b'{"error":"AuthMissing"}', Reauthorise),
    ],
)
def test_an_answer_is_typed_by_what_to_do_next(status: str, body: bytes, error: type[NetworkError]) -> None:
    with pytest.raises(error):
        push_at({"putRecord": (status, body)})


@pytest.mark.parametrize("body", [b'{"posts":[]}', b'{"posts":[{}]}', b'{"posts":5}', b"{}"])
def test_a_post_that_nobody_shows_cannot_be_answered(body: bytes) -> None:
    with pytest.raises(GiveUp):
        push_at({"getPosts": ("200 OK", body)})


def test_what_is_not_public_is_never_sent() -> None:
    account = Account(1, "https://x.example", "us.test", "did:plc:us", "t")
    with GuardedSession() as session, pytest.raises(GiveUp, match="public"):
        network.push(account, reply_to(TARGET, "x", visibility="direct"), "k", session)


# ---------------------------------------------------------------- the chosen key


def test_the_key_of_a_reply_is_made_from_ours_and_lies_just_behind_the_post_that_it_answers() -> None:
    keys = {chosen_key(f"key-{number}", TARGET) for number in range(5000)}
    assert len(keys) == 5000
    assert chosen_key("key-1", TARGET) == chosen_key("key-1", TARGET)
    asked = decode_tid("3l3qo2vuowo2b")
    for key in keys:
        assert is_tid(key)
        assert 0 < decode_tid(key) - asked <= 1 << 26


@pytest.mark.parametrize(
    "target", ["", "1", "at://did:plc:ann/app.bsky.feed.post/self", "at://x.y/a.b.c/3zzzzzzzzzzzz"]
)
def test_a_target_without_a_believable_time_gives_a_key_all_the_same(target: str) -> None:
    assert is_tid(chosen_key("k", target))
    assert decode_tid(chosen_key("k", target)) < 1 << 52


def test_a_key_holds_for_targets_at_the_edge_of_time() -> None:
    for microseconds in (0, (1 << 52) - 1, 1 << 52, (1 << 53) - 1):
        target = f"at://did:plc:ann/app.bsky.feed.post/{encode_tid(microseconds, 5)}"
        assert is_tid(chosen_key("k", target))
