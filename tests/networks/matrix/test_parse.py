"""Events of rooms -> posts, whatever their senders made of them."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidPost
from rapport.core.post import Media, Post, admit
from rapport.networks.matrix.parse import Event, Room, display_name, parse_message
from rapport.networks.payload import take

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def event(content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "type": "m.room.message", "event_id": "$one", "sender": "@ann:example.org",
        "origin_server_ts": 1_795_305_600_000, "content": {"msgtype": "m.text", "body": "hello", **content},
    } | fields  # fmt: skip


def parsed(content: dict[str, Any], room: Room | None = None, **fields: Any) -> Post:
    return parse_message(take(event(content, **fields), Event), room or Room("!r:example.org"), "@brand:example.org")


def test_a_message_becomes_a_post() -> None:
    post = parsed({}, Room("!r:example.org", public=True, names={"@ann:example.org": "Ann"}))
    assert (post.id, post.text) == ("!r:example.org/$one", "hello")
    assert (post.author.key, post.author.name) == ("ann:example.org", "Ann")
    assert post.url == "https://matrix.to/#/!r:example.org/$one"
    assert post.created_at == dt.datetime(2026, 11, 22, 0, tzinfo=dt.UTC)
    assert admit(post, NOW) == post


def test_emotes_notices_and_files_are_told_apart() -> None:
    assert parsed({"msgtype": "m.emote", "body": "waits"}).text == "* ann:example.org waits"
    assert parsed({"msgtype": "m.notice"}).author.bot
    picture = parsed({"msgtype": "m.image", "body": "train.png", "url": "mxc://example.org/x"})
    assert (picture.text, picture.media) == ("", (Media("image", "", "train.png"),))
    captioned = parsed({"msgtype": "m.image", "body": "Look at this", "filename": "train.png"})
    assert (captioned.text, captioned.media) == ("Look at this", (Media("image", "", "train.png"),))


def test_mentions_come_from_the_list_from_links_and_from_the_words() -> None:
    html = '<a href="https://matrix.to/#/@ben:example.org">Ben</a> <a href="https://x.example/">x</a>'
    content = {
        "body": "@carl:example.org: hello", "m.mentions": {"user_ids": ["@brand:example.org", 5, "nonsense"]},
        "format": "org.matrix.custom.html", "formatted_body": html,
    }  # fmt: skip
    post = parsed(content)
    assert post.mentions == ("brand:example.org", "ben:example.org", "carl:example.org")
    assert post.links == ("https://x.example/",)
    assert post.html == html


def test_the_name_of_a_room_is_no_hashtag() -> None:
    assert parsed({"body": "come to #support:example.org and say #hello"}).hashtags == ("hello",)


def test_an_edit_that_is_taken_back_or_broken_leaves_the_first_words() -> None:
    for edit in (5, {}, {"sender": "@ann:example.org"}, event({"m.new_content": "x"}, unsigned={"redacted_by": "$x"})):
        assert parsed({}, unsigned={"m.relations": {"m.replace": edit}}).text == "hello"
    assert parsed({}, unsigned={"m.relations": 5}).edited_at is None


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({"body": 5}, {}),
        ({"body": None}, {}),
        ({}, {"sender": "nobody"}),
        ({}, {"sender": "@x"}),
        ({}, {"origin_server_ts": 10**30}),
        ({}, {"origin_server_ts": float("inf")}),
        ({}, {"type": "m.room.encrypted"}),
        ({}, {"unsigned": {"redacted_because": {}}}),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(content: dict[str, Any], fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidPost):
        parsed(content, **fields)


def test_what_older_programs_repeat_of_the_message_answered_is_left_out() -> None:
    html = "<mx-reply><blockquote>their words</blockquote></mx-reply><b>ours</b>"
    answer = {"m.relates_to": {"m.in_reply_to": {"event_id": "$x"}}, "body": "> <@ben:b> their words\n> more\n\nours"}
    post = parsed({"format": "org.matrix.custom.html", "formatted_body": html, **answer})
    assert (post.text, post.html) == ("ours", "<b>ours</b>")
    assert parsed({"body": "> <@ben:b> a quote of my own"}).text == "> <@ben:b> a quote of my own"


@pytest.mark.parametrize("piece", ["<mx-reply>", "@a:", "https://matrix.to/#/@", "#a", "http://", "> <@"])
def test_endless_markup_costs_time_in_proportion(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    content = {"body": text, "format": "org.matrix.custom.html", "formatted_body": text}
    content["m.relates_to"] = {"m.in_reply_to": {"event_id": "$x"}}
    assert isinstance(parsed(content).mentions, tuple)


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["body", "msgtype", "format", "formatted_body", "filename", "m.relates_to", "m.mentions", "m.new_content", "url"]


@given(
    st.dictionaries(st.sampled_from(KEYS), hostile),
    st.dictionaries(
        st.sampled_from(["sender", "event_id", "unsigned", "origin_server_ts", "redacts", "type"]), hostile
    ),
)
def test_nothing_in_an_event_makes_it_crash(content: dict[str, Any], fields: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidPost):
        found = take(event(content, **fields), Event)
        assert isinstance(found.edits, str)
        assert isinstance(found.removes, str)
        post = parse_message(found, Room("!r:example.org"), "@brand:example.org")
        assert admit(post, NOW).network == "matrix"


@given(hostile)
def test_a_member_of_any_shape_is_a_name_or_nothing(item: Any) -> None:
    assert display_name(item) is None
    found = display_name({"type": "m.room.member", "state_key": "@a:b", "content": {"displayname": item}})
    assert found is not None
    assert isinstance(found[1], str)
