"""The JSON of Mastodon servers -> posts."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidPost
from rapport.core.post import Media, Metrics, Post, admit
from rapport.networks.mastodon.parse import (
    parse_conversation,
    parse_notification,
    parse_status,
    split_ancestors,
    split_items,
)

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
CASSETTES = Path(__file__).parents[3].parent / "shared" / "data" / "09_payloads" / "mastodon_cassettes.tar.gz"


def account(**fields: Any) -> dict[str, Any]:
    return {
        "id": "7", "username": "ann", "acct": "ann@far.example", "display_name": "Ann", "url": "https://far.example/@ann",
        "note": "<p>Trains.<br>Birds.</p>", "bot": False, "followers_count": 12, "following_count": 3,
        "statuses_count": 100, "created_at": "2020-03-01T00:00:00.000Z",
    } | fields  # fmt: skip


def status(**fields: Any) -> dict[str, Any]:
    return {
        "id": "111", "created_at": "2026-11-21T10:00:00.000Z", "account": account(), "uri": "https://far.example/s/1",
        "url": "https://far.example/@ann/111", "content": "<p>still waiting</p>", "spoiler_text": "",
        "visibility": "public", "language": "en", "in_reply_to_id": None, "edited_at": None, "favourites_count": 1,
        "reblogs_count": 2, "replies_count": 3, "mentions": [], "tags": [], "media_attachments": [], "reblog": None,
    } | fields  # fmt: skip


def parsed(domain: str = "home.example", ours: str = "", **fields: Any) -> Post:
    return parse_status(json.dumps(status(**fields)).encode(), domain, ours)


def test_a_status_becomes_a_post_with_everything_that_it_says() -> None:
    post = parsed(
        edited_at="2026-11-21T10:30:00.000Z",
        mentions=[{"id": "1", "acct": "brand"}, {"id": "2", "acct": "ben@other.example"}],
        tags=[{"name": "delay"}],
        content='<p>one</p><p>two <a href="https://x.example/long"><span>x.example/long</span></a></p>',
        media_attachments=[{"type": "image", "url": "https://m.example/1.png", "description": "A train"}],
    )
    assert (post.network, post.id, post.kind, post.lang) == ("mastodon", "111", "post", "en")
    assert post.text == "one\n\ntwo https://x.example/long"
    assert post.links == ("https://x.example/long",)
    assert post.mentions == ("brand@home.example", "ben@other.example")
    assert post.hashtags == ("delay",)
    assert post.media == (Media("image", "https://m.example/1.png", "A train"),)
    assert post.metrics == Metrics(likes=1, reposts=2, replies=3)
    assert post.created_at == dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
    assert post.edited_at == dt.datetime(2026, 11, 21, 10, 30, tzinfo=dt.UTC)
    author = post.author
    assert (author.handle, author.name, author.bio) == ("ann@far.example", "Ann", "Trains.\nBirds.")
    assert (author.followers, author.following, author.posts, author.bot, author.ours) == (12, 3, 100, False, False)
    assert author.created_at == dt.datetime(2020, 3, 1, tzinfo=dt.UTC)


def test_the_kinds_are_told_apart() -> None:
    assert parsed(in_reply_to_id="5").kind == "reply"
    assert parsed(in_reply_to_id="5").in_reply_to == "5"
    assert parsed(visibility="direct", in_reply_to_id="5").kind == "message"
    assert parsed(quote={"state": "accepted"}).kind == "quote"
    assert parsed().kind == "post"


def test_a_boost_is_a_repost_of_its_own_that_names_its_original() -> None:
    original = status(id="50", content="<p>the original</p>", in_reply_to_id="49", account=account(acct="ben"))
    post = parsed(id="60", content="", reblog=original)
    assert (post.id, post.kind, post.thread, post.in_reply_to) == ("60", "repost", "50", None)
    assert (post.text, post.author.handle) == ("the original", "ann@far.example")


def test_a_content_warning_and_a_poll_are_part_of_the_text() -> None:
    poll = {"options": [{"title": "Yes", "votes_count": 1}, {"title": "No"}]}
    assert parsed(spoiler_text="Rant", poll=poll).text == "Rant\n\nstill waiting\n\n- Yes\n- No"


def test_one_person_has_one_id_on_every_server() -> None:
    at_home = parsed("far.example", account=account(id="1", acct="Ann"))
    from_afar = parsed("home.example", account=account(id="99", acct="ann@far.example"))
    assert at_home.author.id == from_afar.author.id == "ann@far.example"


def test_our_own_account_is_known_by_its_id() -> None:
    assert parsed(ours="7").author.ours
    assert not parsed(ours="8").author.ours


@pytest.mark.parametrize(
    ("told", "meant"), [("public", "public"), ("unlisted", "unlisted"), ("local", "private"), ("", "public")]
)
def test_an_unknown_visibility_is_taken_as_the_narrow_one(told: str, meant: str) -> None:
    assert parsed(visibility=told).visibility == meant


def test_what_related_servers_leave_out_or_send_differently_is_taken() -> None:
    bare = {"id": 5, "created_at": "2026-11-21T10:00:00", "account": {"id": 7, "acct": "ann", "followers_count": -1}}
    post = parse_status(json.dumps(bare).encode(), "home.example")
    assert (post.id, post.author.handle, post.author.followers) == ("5", "ann@home.example", None)
    assert post.created_at.tzinfo is not None
    nulls = {name: None for name in status() if name not in {"id", "created_at", "account"}}
    assert parsed(**nulls).text == ""


@pytest.mark.parametrize(
    "item",
    [b"", b"[]", b"{}", b"null", b'{"id":"1"}', b"\xff", b"[" * 100_000,
     json.dumps(status(created_at="yesterday")).encode(), json.dumps(status(account=None)).encode(),
     json.dumps(status(account={"id": "1"})).encode(), json.dumps(status(content=5)).encode()],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_place(item: bytes) -> None:
    with pytest.raises(InvalidPost):
        parse_status(item, "home.example")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(status())), json_values, st.sampled_from(sorted(account())), json_values)
def test_no_value_in_any_field_raises_anything_but_invalid_post(field: str, value: Any, own: str, other: Any) -> None:
    item = json.dumps(status(**{field: value}) | {"account": account(**{own: other})}).encode()
    with contextlib.suppress(InvalidPost):
        admit(parse_status(item, "home.example"), NOW)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_invalid_post(item: bytes) -> None:
    for read in (parse_status, parse_notification, parse_conversation):
        with pytest.raises(InvalidPost):
            read(item, "home.example")


def test_one_broken_item_does_not_take_the_page_with_it() -> None:
    body = b'[{"id":"1"},{"id":"2","content":"a\\ud800b","n":NaN},{"id":"3"}]'
    items = [json.loads(item) for item in split_items(body)]
    assert items == [{"id": "1"}, {"id": "2", "content": "a?b", "n": None}, {"id": "3"}]
    for broken in (b"", b"{}", b'{"error":"x"}', b"<html>", b"[" * 100_000):
        with pytest.raises(InvalidPost):
            split_items(broken)


def test_notifications_conversations_and_contexts_hold_posts() -> None:
    told = {"id": "9", "type": "mention", "status": status()}
    identifier, post = parse_notification(json.dumps(told).encode(), "home.example")
    assert (identifier, post and post.id) == ("9", "111")
    assert parse_notification(b'{"id":"9","type":"follow"}', "home.example") == ("9", None)
    message = parse_conversation(json.dumps({"id": "1", "last_status": status(visibility="direct")}).encode(), "h")
    assert message is not None
    assert message.kind == "message"
    assert parse_conversation(b'{"id":"1","last_status":null}', "h") is None
    assert len(split_ancestors(json.dumps({"ancestors": [status()], "descendants": []}).encode())) == 1


def recorded_statuses() -> Iterator[dict[str, Any]]:
    def walk(found: Any) -> Iterator[dict[str, Any]]:
        if isinstance(found, dict):
            if {"content", "account", "visibility"} <= found.keys() and isinstance(found["account"], dict):
                yield found
            for value in found.values():
                yield from walk(value)
        elif isinstance(found, list):
            for value in found:
                yield from walk(value)

    with tarfile.open(CASSETTES) as archive:
        for member in archive.getmembers():
            source = archive.extractfile(member) if member.isfile() else None
            if source is None:
                continue
            for interaction in yaml.load(source.read(), yaml.CSafeLoader)["interactions"]:
                body = interaction["response"]["body"].get("string") or ""
                try:
                    yield from walk(json.loads(body))
                except ValueError:
                    continue


@pytest.mark.data
@pytest.mark.skipif(not CASSETTES.exists(), reason="the recorded answers of real servers are not beside the project")
def test_every_status_recorded_from_real_servers_is_taken_in() -> None:
    recorded = list(recorded_statuses())
    assert len(recorded) > 40
    for found in recorded:
        post = admit(parse_status(json.dumps(found).encode(), "home.example"), NOW)
        assert post.author.handle.count("@") == 1
        assert "<p>" not in post.text
        assert "</" not in post.text
        assert post.text or post.media or not found["content"]
