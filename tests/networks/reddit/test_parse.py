"""Things of Reddit -> posts: every kind, what is gone, and what nobody should send."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidPost
from rapport.core.post import admit
from rapport.networks.reddit.parse import parse_thing, read_listing

NOW = dt.datetime.now(dt.UTC)
COMMENT: dict[str, Any] = {
    "name": "t1_abc", "author": "Ann_K", "body": "Hi [you](https://acme.example/a) &amp; u/Brand",
    "body_html": '&lt;div class="md"&gt;&lt;p&gt;Hi &lt;a href="https://acme.example/a"&gt;you&lt;/a&gt; &amp;amp; '
    'u/Brand&lt;/p&gt;&lt;/div&gt;',
    "created_utc": 1760000000.0, "edited": 1760000100.0, "parent_id": "t3_xyz", "link_id": "t3_xyz", "score": -4,
    "permalink": "/r/trains/comments/xyz/late/abc/", "subreddit": "trains",
}  # fmt: skip
TOPIC: dict[str, Any] = {
    "name": "t3_xyz", "author": "ben", "title": "Late &amp; slow", "selftext": "", "selftext_html": None,
    "is_self": False, "url": "https://news.example/late", "created_utc": 1760000000.0, "edited": False, "score": 12,
    "num_comments": 3, "permalink": "/r/trains/comments/xyz/late/",
}  # fmt: skip


def thing(data: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"kind": data["name"][:2], "data": data | more}).encode()


def test_a_comment_with_every_field() -> None:
    post = parse_thing(thing(COMMENT), "ann_k")
    assert post is not None
    assert admit(post, NOW).id == "t1_abc"
    assert (post.kind, post.in_reply_to, post.thread) == ("comment", "t3_xyz", "t3_xyz")
    assert post.text == "Hi you (https://acme.example/a) & u/Brand"
    assert (post.links, post.mentions) == (("https://acme.example/a",), ("Brand",))
    assert (post.author.id, post.author.handle, post.author.ours) == ("ann_k", "Ann_K", True)
    assert post.edited_at == dt.datetime(2025, 10, 9, 8, 55, tzinfo=dt.UTC)
    assert post.metrics.likes == 0, "a score below zero is no number of likes"


def test_a_link_a_picture_and_a_text_are_posts() -> None:
    link = parse_thing(thing(TOPIC))
    picture = parse_thing(thing(TOPIC, url="https://i.redd.it/a.jpg"))
    words = parse_thing(thing(TOPIC, is_self=True, selftext="Why?", selftext_html="<p>Why?</p>"))
    assert link is not None
    assert picture is not None
    assert words is not None
    assert (link.kind, link.text, link.links) == (
        "topic", "Late & slow\n\nhttps://news.example/late", ("https://news.example/late",),
    )  # fmt: skip
    assert [item.url for item in picture.media] == ["https://i.redd.it/a.jpg"]
    assert words.text == "Late & slow\n\nWhy?"
    assert link.thread == link.id


@pytest.mark.parametrize(
    "item",
    [
        thing(COMMENT, body="[deleted]", author="[deleted]"),
        thing(COMMENT, body="[removed]"),
        thing(TOPIC, is_self=True, selftext="[removed]"),
        thing(TOPIC, removed_by_category="moderator"),
        thing(TOPIC, title="[deleted by user]", removed_by_category="deleted"),
    ],
)
def test_what_was_deleted_or_removed_is_told_apart(item: bytes) -> None:
    assert parse_thing(item) is None
    items, _ = read_listing(b'{"data": {"children": [' + item + b"]}}", "")
    assert items[0].gone


def test_a_post_of_a_closed_account_keeps_its_words() -> None:
    post = parse_thing(thing(COMMENT, author="[deleted]"))
    assert post is not None
    assert post.author.handle == "[deleted]"


@pytest.mark.parametrize(
    "item",
    [
        b"", b"[]", b"{}", b"null", b'{"kind": "t1"}', thing(COMMENT, created_utc=None),
        thing(COMMENT, created_utc="x"),
        thing(COMMENT, created_utc=1e300), thing(COMMENT, body=None, body_html=None),
        thing(COMMENT | {"name": "t5_sub"}), b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_post_is_refused_with_a_reason(item: bytes) -> None:
    with pytest.raises(InvalidPost):
        parse_thing(item)


def test_half_an_emoji_does_not_cost_the_words_around_it() -> None:
    post = parse_thing(thing(COMMENT, body_html="<p>late \ud83d train</p>"))
    assert post is not None
    assert post.text == "late ? train"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([COMMENT, TOPIC]), st.data())
def test_hostile_values_are_refused_or_bounded_and_nothing_else_happens(
    base: dict[str, Any], data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(sorted(base)))
    item = json.dumps({"kind": "t1", "data": base | {field: data.draw(values)}}).encode()
    with contextlib.suppress(InvalidPost):
        post = parse_thing(item)
        assert post is None or admit(post, NOW).network == "reddit"
