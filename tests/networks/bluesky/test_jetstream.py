"""Which events of a Jetstream are ours to hear."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.networks.bluesky.jetstream import MOST_KNOWN, Event, Watch, read_event

US, ANN = "did:plc:us", "did:plc:ann"


def event(operation: str = "create", did: str = ANN, collection: str = "app.bsky.feed.post", **record: Any) -> Event:
    commit: dict[str, Any] = {"rev": "3l", "operation": operation, "collection": collection, "rkey": "3k"}
    if operation != "delete":
        commit["record"] = {"text": "", **record}
    found = read_event(json.dumps({"did": did, "time_us": 1_725_911_162_329_308, "kind": "commit", "commit": commit}))
    assert found is not None
    return found


def hears(text: str, searches: list[str], hashtags: list[str] | None = None, **record: Any) -> bool:
    return Watch(US, searches, hashtags or []).judge(event(text=text, **record)) == "post"


def test_an_event_is_read_as_documented() -> None:
    documented = """{
      "did": "did:plc:eygmaihciaxprqvxpfvl6flk", "time_us": 1725911162329308, "kind": "commit",
      "commit": {"rev": "3l3qo2vutsw2b", "operation": "create", "collection": "app.bsky.feed.like",
        "rkey": "3l3qo2vuowo2b", "cid": "bafy", "record": {"$type": "app.bsky.feed.like"}}}"""
    found = read_event(documented)
    assert found is not None
    assert found.at.isoformat() == "2024-09-09T19:46:02.329308+00:00"
    assert Watch("did:plc:eygmaihciaxprqvxpfvl6flk", [], []).judge(found) == ""  # a like is no post


@pytest.mark.parametrize(
    ("text", "search", "is_heard"),
    [
        ("My LOST luggage!", "lost luggage", True),
        ("lost", "lost luggage", False),
        ("luggage, lost", "lost luggage", True),
        ("luggage, lost", '"lost luggage"', False),
        ("lost\n luggage", '"lost luggage"', True),
        ("Verspätung in München", "verspatung munchen", True),
        ("caterpillar", "cat", False),
        ("a cat's life", "cat", True),
        ("飛行機が遅れた", "遅れ", True),
        ("price is $5.00 (net)", "$5.00", True),
        ("anything", "", False),
        ("anything", '""', False),
        ("from ann", "from:ann.test", False),
        ("rome", "rome -paris", False),
        ("rome", "rome lang:en", False),
        ("(a+)+$", "(a+)+$", True),
    ],
)
def test_searches_are_followed_word_by_word_and_those_with_operators_are_left_to_bluesky(
    text: str, search: str, is_heard: bool
) -> None:
    assert hears(text, [search]) is is_heard


@pytest.mark.parametrize(
    ("text", "record", "is_heard"),
    [
        ("no trains #Strike!", {}, True),
        ("no trains #strikes", {}, False),
        ("strike", {}, False),
        ("no trains", {"tags": ["strike"]}, True),
        ("no trains", {"tags": [5, None]}, False),
        ("no trains", {"tags": "strike"}, False),
    ],
)
def test_hashtags_are_followed_in_the_text_and_beside_it(text: str, record: dict[str, Any], is_heard: bool) -> None:
    assert hears(text, [], ["strike"], **record) is is_heard


@pytest.mark.parametrize(
    ("text", "is_heard"),
    [
        ("hey @Us.Test, hello", True),
        ("@us.test.", True),
        ("(@us.test)", True),
        ("@us.test.example", False),
        ("@us.testing", False),
        ("mail@us.test", False),
        ("@not.us.test", False),
        ("us.test", False),
    ],
)
def test_our_handle_is_heard_although_nobody_marked_it(text: str, is_heard: bool) -> None:
    assert (Watch(US, [], [], handle="us.test").judge(event(text=text)) == "post") is is_heard


def test_our_own_posts_are_heard_and_our_own_deletions() -> None:
    watch = Watch(US, [], [])
    assert watch.judge(event(did=US)) == "post"
    assert watch.judge(event("delete", did=US)) == "deleted"
    assert watch.judge(event("delete", did=US, collection="app.bsky.feed.like")) == ""
    assert watch.judge(event("update", did=US)) == ""


def test_deletions_are_heard_of_everybody_and_told_apart_from_those_whom_we_remember() -> None:
    watch = Watch(US, [], [], known=["ann"])
    assert watch.judge(event("delete")) == "deleted"
    assert watch.judge(event("delete", did="did:plc:ben")) == "elsewhere"
    assert watch.judge(event("delete", did="did:plc:" + "x" * 600)) == "", "no post of ours has so long an id"
    watch.remember("did:plc:ben")
    watch.remember("did:web:carla.example")
    assert watch.judge(event("delete", did="did:plc:ben")) == "deleted"
    assert watch.known == ["ann", "ben", "did:web:carla.example"]
    assert Watch(US, [], [], watch.known).knows("did:web:carla.example")


def test_only_the_newest_are_remembered() -> None:
    watch = Watch(US, [], [])
    for number in range(MOST_KNOWN + 10):
        watch.remember(f"did:plc:{number}")
        watch.remember("did:plc:regular")
    assert len(watch.known) == MOST_KNOWN
    assert watch.knows("did:plc:regular")
    assert not watch.knows("did:plc:0")


@pytest.mark.parametrize(
    ("account", "verdict"),
    [
        ({"active": False, "status": "takendown"}, "suspended"),
        ({"active": False, "status": "suspended"}, "suspended"),
        ({"active": False, "status": "deactivated"}, "suspended"),
        ({"active": False, "status": "deleted"}, "suspended"),
        ({"active": False, "status": "desynchronized"}, ""),
        ({"active": False}, ""),
        ({"active": True}, "restored"),
    ],
)
def test_the_state_of_an_account_is_heard_of_those_whom_we_remember(account: dict[str, Any], verdict: str) -> None:
    found = read_event(json.dumps({"did": ANN, "time_us": 5, "kind": "account", "account": account}))
    assert found is not None
    assert Watch(US, [], [], known=["ann"]).judge(found) == verdict
    assert Watch(US, [], []).judge(found) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_no_event_breaks_the_watch(kind: Any, commit: Any, account: Any) -> None:
    raw = {"did": ANN, "time_us": 5, "kind": kind, "commit": commit, "account": account}
    found = read_event(json.dumps(raw))
    if found is not None:
        verdict = Watch(US, ["x"], ["y"], ["ann"]).judge(found)
        assert verdict in {"post", "deleted", "elsewhere", "suspended", "restored", ""}


@given(JSON, st.text(max_size=30))
def test_no_record_and_no_search_breaks_the_watch(record: Any, search: str) -> None:
    watch = Watch(US, [search], [search])
    commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "3k", "record": record}
    found = read_event(json.dumps({"did": ANN, "time_us": 5, "kind": "commit", "commit": commit}))
    assert found is not None
    watch.judge(found)


@pytest.mark.parametrize("message", [None, "", b"", b"\xff", "[]", "{}", '{"did":"x","time_us":0}', "[" * 10_000])
def test_what_is_no_event_is_none(message: str | bytes | None) -> None:
    assert read_event(message) is None
