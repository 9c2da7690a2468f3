"""What Meta brings to the door of an Instagram account."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import instagram_payloads as told
from graph_server import ANN, IG, NOON, SECRET, asked, signed
from mutations import mutated
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Grant, Incoming, Page
from rapport.networks.instagram.network import Instagram

INSTAGRAM = Instagram()
TOKEN = Grant("EAApage", "EAAlong", None, {"app_secret": SECRET}).encode()
BRAND = Account(1, "https://graph.facebook.com", "fernway", IG, TOKEN, {"verify_token": "meatyhamhock1"})


def take(payload: Any) -> Page:
    answer = INSTAGRAM.receive(BRAND, signed(payload))
    assert (answer.status, len(answer.pages)) == (200, 1)
    return answer.pages[0]


def one(payload: Any) -> Post:
    page = take(payload)
    assert (page.rejected, len(page.posts)) == ((), 1)
    return page.posts[0]


def test_the_address_is_confirmed_and_only_signed_bytes_are_taken() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "77", "hub.verify_token": "meatyhamhock1"}
    assert INSTAGRAM.receive(BRAND, asked(query)).body == "77"
    good = signed(told.change())
    forged = Incoming("POST", {}, {"x-hub-signature-256": "sha256=" + "a" * 64}, good.body, NOON)
    assert INSTAGRAM.receive(BRAND, forged).status == 401


def test_a_comment_begins_a_conversation_and_answers_to_it_belong_to_it() -> None:
    post = one(told.change())
    assert (post.id, post.thread, post.kind) == (told.COMMENT_ID, told.COMMENT_ID, "comment")
    assert (post.author.key, post.author.handle) == (ANN, "ann.field")
    assert (post.mentions, post.hashtags) == (("oslo",), ("help",))
    answer = one(
        told.change(id=told.ANSWER_ID, parent_id=told.COMMENT_ID, **{"from": {"id": IG, "username": "fernway"}})
    )
    assert (answer.in_reply_to, answer.thread, answer.author.ours) == (told.COMMENT_ID, told.COMMENT_ID, True)


def test_a_mention_of_which_only_ids_are_told_is_shown_as_one_and_can_be_answered() -> None:
    caption, comment = one(told.mention()), one(told.mention(comment_id="17894227972186120"))
    assert caption.id == "mention:17887498072083520"
    assert comment.id == "mention:17887498072083520:17894227972186120"
    assert "Mentioned @fernway in a comment" in comment.text
    assert caption.author.key != comment.author.key


def test_a_story_mention_and_an_answer_to_a_story_say_what_they_are() -> None:
    mention, reply = one(told.messaging(told.STORY_MENTION)), one(told.messaging(told.STORY_REPLY))
    assert mention.text == "(Mentioned you in their story.)"
    assert (mention.media[0].kind, mention.media[0].url) == ("story_mention", "https://lookaside.example/story.jpg")
    assert reply.text == "(Answer to your story.)\n\nLovely bus"
    assert reply.media[0].kind == "story"


def test_messages_are_private_unsent_ones_go_and_ours_are_ours() -> None:
    page = take(told.messaging(told.TEXT, told.ECHO, told.UNSUPPORTED, told.GONE))
    assert page.deleted == (f"dm:{ANN}:aWdfZAG1=1",)
    assert {(post.visibility, post.thread) for post in page.posts} == {("direct", f"dm:{IG}:{ANN}")}
    assert [post.author.ours for post in sorted(page.posts, key=lambda post: post.id)] == [False, False, True]
    unsupported = next(post for post in page.posts if post.id.endswith("=4"))
    assert "Look in the inbox" in unsupported.text


EVERY_DELIVERY = [
    told.change(), told.change(id=told.ANSWER_ID, parent_id=told.COMMENT_ID), told.mention(),
    told.mention(comment_id="17894227972186120"),
    told.messaging(told.TEXT, told.STORY_MENTION, told.STORY_REPLY, told.GONE, told.UNSUPPORTED, told.ECHO),
]  # fmt: skip


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(EVERY_DELIVERY).flatmap(mutated))
def test_a_hostile_delivery_is_read_or_refused_and_what_is_read_may_be_stored(payload: Any) -> None:
    answer = INSTAGRAM.receive(BRAND, signed(payload))
    assert answer.status in {200, 400}
    for page in answer.pages:
        for post in page.posts:
            assert admit(post, NOON) == post
