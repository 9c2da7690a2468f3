"""Resources of YouTube -> posts; the made-up ones are held to Google's own description first."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import youtube_payloads as told
from discovery import Described
from google_server import NOON, grant_of
from mutations import mutated
from rapport.core.errors import InvalidPost
from rapport.core.post import admit
from rapport.networks.base import Account
from rapport.networks.youtube.parse import parse_comment, parse_thread, parse_video

BRAND = Account(1, "https://youtube.googleapis.com", "fernway", told.CHANNEL, grant_of().encode())


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("CommentThreadListResponse", told.threads(told.thread(answers=(told.answer(),)), token="n")),
        ("CommentListResponse", told.comments(told.answer(), told.ours("x", 1, "y"))),
        ("SearchListResponse", told.found(told.video(), token="n")),
        ("ChannelListResponse", told.channel()),
    ],
)
def test_the_payloads_of_these_tests_are_what_google_describes(described: Described, schema: str, value: Any) -> None:
    assert described.misfits(schema, value) == []


def test_the_description_would_see_a_wrong_payload(described: Described) -> None:
    assert described.misfits("Comment", {"id": 7, "snippet": {"words": "x", "moderationStatus": "fine"}}) == [
        "Comment.id is no string",
        "Comment.snippet.words is unknown",
        f"Comment.snippet.moderationStatus is not one of {['published', 'heldForReview', 'likelySpam', 'rejected']}",
    ]


def test_a_top_comment_begins_a_conversation_and_answers_belong_to_it() -> None:
    thread = parse_thread(told.thread(answers=(told.answer(),), total=4))
    top = parse_comment(thread.top, BRAND, thread.video, thread.total)
    answer = parse_comment(thread.answers[0], BRAND, thread.video)
    assert (top.id, top.thread, top.in_reply_to, top.metrics.replies) == ("Ugx1", "Ugx1", None, 4)
    assert (top.author.key, top.author.handle, top.mentions) == (told.ANN, "ann", ("fernway",))
    assert (answer.id, answer.thread, answer.in_reply_to) == ("Ugx1.91", "Ugx1", "Ugx1")
    assert answer.url == f"https://www.youtube.com/watch?v={told.VIDEO}&lc=Ugx1.91"


def test_ours_are_ours_edits_say_when_and_held_comments_are_not_public() -> None:
    assert parse_comment(told.ours("x", 1, "yes"), BRAND).author.ours
    edited = parse_comment(told.comment(updatedAt="2026-11-21T11:59:00Z"), BRAND)
    assert edited.edited_at == dt.datetime(2026, 11, 21, 11, 59, tzinfo=dt.UTC)
    assert parse_comment(told.comment(), BRAND).edited_at is None
    assert parse_comment(told.comment(moderationStatus="heldForReview"), BRAND).visibility == "private"
    assert parse_comment(told.comment(moderationStatus="published"), BRAND).visibility == "public"


def test_people_without_a_channel_are_not_taken_for_one_person() -> None:
    first, second = (parse_comment(told.comment(name, authorChannelId={}), BRAND) for name in ("a", "b"))
    assert first.author.key != second.author.key


def test_a_video_reads_as_people_wrote_it() -> None:
    post = parse_video(told.video(), BRAND)
    assert post is not None
    assert (post.id, post.text) == ("video:aaaaaaaaaaa", "Fernway's new bus & me\n\nA ride. #fernway")
    assert (post.author.key, post.author.name, post.hashtags) == (told.ANN, "Ann rides", ("fernway",))
    assert post.media[0].url == "https://i.ytimg.example/1.jpg"
    playlist = told.video()
    playlist["id"] = {"kind": "youtube#playlist", "playlistId": "PL1"}
    assert parse_video(playlist, BRAND) is None


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(mutated(told.thread(answers=(told.answer(),))), mutated(told.video()))
def test_a_hostile_resource_is_read_or_refused(thread: Any, video: Any) -> None:
    with suppress(InvalidPost):
        found = parse_thread(thread)
        for item in (found.top, *found.answers):
            with suppress(InvalidPost):
                admit(parse_comment(item, BRAND, found.video, found.total), NOON)
    with suppress(InvalidPost):
        post = parse_video(video, BRAND)
        if post is not None:
            admit(post, NOON)
