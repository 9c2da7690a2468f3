"""Posts of X -> posts: texts as people read them, edits, reposts, polls, pictures, and what nobody should send."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidPost
from rapport.core.post import Post, admit
from rapport.networks.x.answer import read_answer
from rapport.networks.x.compliance import Verdict, read_event, read_job_line
from rapport.networks.x.parse import parse_message, parse_tweet

NOW = dt.datetime.now(dt.UTC)
TWEET: dict[str, Any] = {
    "id": "1900000000000000002", "text": "late &amp; &lt;slow&gt; https://t.co/a", "author_id": "7", "lang": "iw",
    "created_at": "2025-03-13T10:00:00.000Z", "conversation_id": "1900000000000000001",
    "edit_history_tweet_ids": ["1900000000000000002"],
    "entities": {
        "urls": [{"url": "https://t.co/a", "expanded_url": "https://sho.rt/x", "unwound_url": "https://acme.example/x"}],
        "mentions": [{"username": "brand"}], "hashtags": [{"tag": "delay"}],
    },
    "referenced_tweets": [{"type": "replied_to", "id": "1900000000000000001"}],
    "public_metrics": {"like_count": 3, "retweet_count": 2, "reply_count": 1},
}  # fmt: skip
USER = {"id": "7", "username": "ann", "name": "Ann", "verified_type": "blue", "description": "see https://t.co/b",
        "entities": {"description": {"urls": [{"url": "https://t.co/b", "expanded_url": "https://ann.example"}]}},
        "public_metrics": {"followers_count": 12, "following_count": 3, "tweet_count": 100}}  # fmt: skip


def parsed(tweet: dict[str, Any], includes: dict[str, Any] | None = None, **more: Any) -> Post:
    answer = read_answer(
        json.dumps({"data": [tweet | more], "includes": {"users": [USER], **(includes or {})}}).encode()
    )
    return admit(parse_tweet(answer.items[0], answer), NOW)


def test_a_reply_with_every_field() -> None:
    post = parsed(TWEET)
    assert post.text == "late & <slow> https://sho.rt/x"
    assert post.links == ("https://acme.example/x",)
    assert (post.kind, post.in_reply_to, post.thread) == ("reply", "1900000000000000001", "1900000000000000001")
    assert (post.mentions, post.hashtags, post.lang) == (("brand",), ("delay",), "he")
    assert (post.metrics.likes, post.metrics.reposts, post.metrics.replies) == (3, 2, 1)
    assert (post.author.id, post.author.handle, post.author.followers, post.author.verified) == ("7", "ann", 12, True)
    assert post.author.bio == "see https://ann.example"
    assert post.url == "https://x.com/ann/status/1900000000000000002"


def test_the_new_words_of_the_api_mean_the_same() -> None:
    new = {key: value for key, value in TWEET.items() if "tweet" not in key} | {
        "referenced_posts": TWEET["referenced_tweets"], "edit_history_post_ids": TWEET["edit_history_tweet_ids"],
        "public_metrics": {"like_count": 3, "repost_count": 2, "reply_count": 1},
    }  # fmt: skip
    assert parsed(new) == parsed(TWEET)


def test_an_edited_post_keeps_its_first_id_and_has_the_newest_text() -> None:
    edited = parsed(
        TWEET,
        id="1900000000000000009",
        text="better",
        edit_history_tweet_ids=["1900000000000000002", "1900000000000000009"],
    )
    assert (edited.id, edited.text) == ("1900000000000000002", "better")
    assert edited.edited_at == dt.datetime(2025, 3, 13, 10, tzinfo=dt.UTC)
    assert edited.created_at < edited.edited_at


def test_an_answer_to_an_edited_post_answers_its_first_version() -> None:
    parent = {
        "id": "1900000000000000001",
        "text": "x",
        "edit_history_tweet_ids": ["1899999999999999999", "1900000000000000001"],
    }
    post = parsed(TWEET, {"tweets": [parent]})
    assert (post.in_reply_to, post.thread) == ("1899999999999999999", "1899999999999999999")


def test_a_long_text_is_whole() -> None:
    note = {
        "text": "long " * 100 + "https://t.co/z",
        "entities": {"urls": [{"url": "https://t.co/z", "expanded_url": "https://z.example"}]},
    }
    post = parsed(TWEET, note_tweet=note)
    assert post.text.endswith("long https://z.example")
    assert post.links == ("https://z.example",)


def test_a_repost_has_the_text_of_the_original() -> None:
    original = {"id": "5", "text": "the whole text", "author_id": "8"}
    repeats = [{"type": "retweeted", "id": "5"}]
    post = parsed(TWEET, {"tweets": [original]}, text="RT @ben: the…", referenced_tweets=repeats)
    assert (post.kind, post.text, post.thread, post.in_reply_to) == ("repost", "the whole text", "5", None)
    assert post.author.handle == "ann"
    alone = parsed(TWEET, text="RT @ben: cut", entities={}, referenced_tweets=repeats)
    assert alone.text == "RT @ben: cut"


def test_links_to_its_own_pictures_and_to_the_quoted_post_are_no_part_of_the_text() -> None:
    urls = [
        {
            "url": "https://t.co/p",
            "expanded_url": "https://x.com/ann/status/1900000000000000002/photo/1",
            "media_key": "3_1",
        },
        {"url": "https://t.co/q", "expanded_url": "https://twitter.com/ben/status/77"},
    ]
    post = parsed(
        TWEET,
        {"media": [{"media_key": "3_1", "type": "photo", "url": "https://pbs.twimg.com/1.jpg", "alt_text": "A train"}]},
        text="look https://t.co/q https://t.co/p", entities={"urls": urls},
        referenced_tweets=[{"type": "quoted", "id": "77"}], attachments={"media_keys": ["3_1", "3_missing"]},
    )  # fmt: skip
    assert (post.kind, post.text) == ("quote", "look")
    assert post.links == ("https://twitter.com/ben/status/77",)
    assert [(item.kind, item.alt) for item in post.media] == [("image", "A train")]


def test_a_poll_shows_its_choices_in_order() -> None:
    poll = {"id": "9", "options": [{"position": 2, "label": "No"}, {"position": 1, "label": "Yes"}]}
    post = parsed(TWEET, {"polls": [poll]}, text="Late?", entities={}, attachments={"poll_ids": ["9"]})
    assert post.text == "Late?\n\n- Yes\n- No"


def test_entities_are_found_where_x_tells_none_and_the_time_is_in_the_id() -> None:
    answer = read_answer(
        b'{"data": {"id": "1900000000000000002", "author_id": "7", "text": "@brand #delay see acme.com/x"}}'
    )
    post = parse_tweet(answer.items[0], answer)
    assert (post.mentions, post.hashtags, post.links) == (("brand",), ("delay",), ("https://acme.com/x",))
    assert post.created_at.year == 2025


def test_a_post_of_a_protected_account_is_private() -> None:
    post = parsed(TWEET, {"users": [USER | {"protected": True}]})
    assert post.visibility == "private"


@pytest.mark.parametrize(
    "broken",
    [{"id": None}, {"text": None}, {"author_id": None},
     {"id": "12", "created_at": None, "edit_history_tweet_ids": None},
     {"id": "x" * 600, "edit_history_tweet_ids": None}, {"entities": 5}, {"created_at": "1900-01-01T00:00:00Z"}],
)  # fmt: skip
def test_what_is_no_post_is_refused_with_a_reason(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidPost):
        parsed(TWEET, **broken)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"[" * 100_000, b'{"data": 5}', b'{"includes": []}'])
def test_what_is_no_answer_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(InvalidPost):
        read_answer(body)


def test_a_broken_account_or_picture_does_not_cost_the_post() -> None:
    post = parsed(TWEET, {"users": [{"id": []}, USER], "media": "no", "polls": [5]})
    assert post.author.handle == "ann"


def test_half_an_emoji_does_not_cost_the_words_around_it() -> None:
    body = b'{"data": [{"id": "1900000000000000002", "author_id": "7", "text": "late \\ud83d train", "entities": {}}]}'
    answer = read_answer(body)
    assert parse_tweet(answer.items[0], answer).text == "late ? train"


def test_a_message_is_private_and_knows_its_conversation() -> None:
    event = {"id": "1900000000000000002", "event_type": "MessageCreate", "text": "hi &amp; bye", "sender_id": "7",
             "dm_conversation_id": "7-4242"}  # fmt: skip
    answer = read_answer(json.dumps({"data": [event, event | {"event_type": "ParticipantsJoin"}]}).encode())
    post = parse_message(answer.items[0], answer, "7")
    assert post is not None
    assert (post.id, post.thread, post.text) == ("dm:7-4242:1900000000000000002", "dm:7-4242", "hi & bye")
    assert (post.visibility, post.author.ours) == ("direct", True)
    assert parse_message(answer.items[1], answer) is None


def test_compliance_events_say_what_must_go() -> None:
    verdict = Verdict()
    for line in (
        '{"data": {"delete": {"tweet": {"id": "1", "author_id": "7"}, "event_at": "2025-01-01T00:00:00Z"}}}',
        '{"data": {"drop": {"tweet": {"id": "2", "author_id": "7"}}}}',
        '{"data": {"withheld": {"tweet": {"id": "3"}, "withheld_in_countries": ["DE"]}}}',
        '{"data": {"tweet_edit": {"tweet": {"id": "4"}, "initial_tweet_id": "3", "edit_tweet_ids": ["4"]}}}',
        '{"data": {"user_suspend": {"user": {"id": "8"}}}}', '{"data": {"user_protect": {"user": {"id": "9"}}}}',
        '{"data": {"user_unsuspend": {"user": {"id": "8"}}}}', '{"data": {"odd": 5}}', "nonsense",
    ):  # fmt: skip
        read_event(line, verdict)
    assert (verdict.deleted, verdict.suspended, verdict.restored) == (["1", "2"], ["8", "9"], ["8"])
    assert len(verdict.rejected) == 2
    read_job_line('{"id": "5", "action": "delete", "reason": "deleted"}', verdict, of_users=False)
    read_job_line('{"id": "6", "action": "delete", "reason": "suspended"}', verdict, of_users=True)
    read_job_line("nonsense", verdict, of_users=True)
    assert (verdict.deleted[-1], verdict.suspended[-1], len(verdict.rejected)) == ("5", "6", 3)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_hostile_values_are_refused_or_bounded_and_nothing_else_happens(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(TWEET)))
    users = data.draw(st.sampled_from([[USER], [], "no", [{"id": "7", "username": None, "public_metrics": {}}]]))
    body = json.dumps({"data": [TWEET | {field: data.draw(values)}], "includes": {"users": users}}).encode()
    with contextlib.suppress(InvalidPost):
        answer = read_answer(body)
        assert admit(parse_tweet(answer.items[0], answer), NOW).network == "x"
