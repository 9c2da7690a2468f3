"""The markup of a forum -> words, people, links and pictures."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidPost
from rapport.core.post import Media, Post, admit
from rapport.networks.discourse.parse import Forum, Topic, read_post, to_post

FORUM = Forum("https://forum.example", "forum.example", "2")
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
#: as docs.discourse.org shows a post, with invented words
POST: dict[str, Any] = {
    "id": 9, "name": "Ann", "username": "Ann", "user_id": 3, "created_at": "2026-11-22T10:00:00.000Z",
    "updated_at": "2026-11-22T10:00:00.000Z", "cooked": "<p>hello</p>", "post_number": 2, "post_type": 1,
    "topic_id": 4, "topic_slug": "trains", "reply_to_post_number": None, "version": 1, "hidden": False,
    "deleted_at": None, "user_deleted": False, "actions_summary": [{"id": 2, "count": 3, "can_act": True}],
    "reply_count": 1, "avatar_template": "/a/{size}.png", "moderator": False, "admin": False, "staff": False,
}  # fmt: skip


def parsed(topic: Topic | None = None, **fields: Any) -> Post:
    return to_post(read_post(POST | fields), FORUM, topic)


def test_what_others_said_is_not_taken_for_the_words_of_the_author() -> None:
    quote = (
        '<aside class="quote no-group" data-username="ben" data-post="1" data-topic="4"><div class="title">ben:</div>'
        '<blockquote><p>you are all thieves @ann</p><aside class="quote">inner</aside></blockquote></aside>'
    )
    post = parsed(cooked=f"{quote}<p>No, we are not.</p>{quote}<p>Really.</p>")
    assert post.text == "No, we are not.\n\nReally."
    assert post.mentions == ()
    box = '<aside class="onebox"><a href="https://x.example/">X</a></aside><p>look</p>'
    assert parsed(cooked=box).links == ("https://x.example/",)


def test_mentions_hashtags_emoji_and_pictures_are_understood() -> None:
    cooked = (
        '<p><a class="mention" href="/u/ben">@Ben</a> <a class="mention-group notify" href="/groups/crew">@crew</a> '
        '<img src="/images/emoji/x.png" title=":smile:" class="emoji" alt=":smile:"> '
        '<a class="hashtag-cooked" href="/tag/delay" data-type="tag" data-slug="delay">delay</a>'
        '<img src="/uploads/a.png" alt="A train"><img src="//cdn.example/b.png" alt=""></p>'
    )
    post = parsed(cooked=cooked)
    assert post.text == "@Ben @crew :smile: delay"
    assert post.mentions == ("Ben@forum.example", "crew@forum.example")
    assert post.hashtags == ("delay",)
    assert post.media == (
        Media("image", "https://forum.example/uploads/a.png", "A train"),
        Media("image", "https://cdn.example/b.png", ""),
    )
    assert post.metrics.likes == 3


def test_tags_are_understood_as_names_and_as_descriptions() -> None:
    topic = Topic(4, "Trains", tags=["delay", {"id": 1, "name": "refund"}, 5])
    post = parsed(topic, post_number=1)
    assert (post.kind, post.text, post.hashtags) == ("topic", "Trains\n\nhello", ("delay", "refund"))


def test_an_answer_to_nobody_is_one_to_the_topic_and_numbers_may_be_text() -> None:
    assert parsed().in_reply_to == "forum.example/t/4/1"
    assert parsed(reply_to_post_number="7").in_reply_to == "forum.example/t/4/7"
    assert parsed(reply_to_post_number=2).in_reply_to is None


def test_the_forum_itself_is_a_bot_and_our_own_account_is_ours() -> None:
    assert parsed(user_id=-1).author.bot
    assert parsed(user_id=2).author.ours
    assert parsed().author.key == "ann@forum.example"


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"username": " "},
        {"topic_id": 0},
        {"post_number": -1},
        {"created_at": "now"},
        {"post_number": "x"},
    ],
)
def test_what_is_no_post_is_refused_with_a_reason(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidPost):
        parsed(**fields)


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*POST, "raw", "topic_title"]), hostile, max_size=5), hostile)
def test_nothing_in_a_post_makes_it_crash(fields: dict[str, Any], tags: Any) -> None:
    with contextlib.suppress(InvalidPost):
        topic = Topic(4, "x", tags=tags if isinstance(tags, list) else None)
        assert admit(parsed(topic, **fields), NOW).network == "discourse"


@pytest.mark.parametrize(
    "piece", ['<a class="mention"', "<a ", '<aside class="quote" ', '<img src="', 'class="hashtag" ', "<aside ", "@x<"]
)
def test_endless_markup_costs_time_in_proportion(piece: str) -> None:
    assert isinstance(parsed(cooked=piece * (500_000 // len(piece))).text, str)


@given(st.lists(st.sampled_from(['<aside class="quote">', "<aside>", "</aside>", "word ", "<p>", "</p>"]), max_size=30))
def test_quotes_that_are_not_closed_cost_time_in_proportion_and_no_crash(pieces: list[str]) -> None:
    assert "<aside" not in parsed(cooked="".join(pieces) * 20).text
