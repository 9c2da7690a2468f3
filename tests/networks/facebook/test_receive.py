"""What Meta brings to the door of a page: checks, signatures, and every documented kind of delivery."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import facebook_payloads as told
from graph_server import ANN, NOON, PAGE, SECRET, asked, seconds, signed
from mutations import mutated
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Grant, Incoming, Page
from rapport.networks.facebook.network import Facebook

FACEBOOK = Facebook()
TOKEN = Grant("EAApage", "EAAlong", None, {"app_secret": SECRET}).encode()
BRAND = Account(1, "https://graph.facebook.com", "fernway", PAGE, TOKEN, {"verify_token": "meatyhamhock1"})


def take(payload: Any) -> Page:
    answer = FACEBOOK.receive(BRAND, signed(payload))
    assert (answer.status, len(answer.pages)) == (200, 1)
    return answer.pages[0]


def one(payload: Any) -> Post:
    page = take(payload)
    assert (page.rejected, len(page.posts)) == ((), 1)
    return page.posts[0]


# ---------------------------------------------------------------- the check of the address


def test_the_address_is_confirmed_with_the_verify_token_and_with_nothing_else() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "meatyhamhock1"}
    answer = FACEBOOK.receive(BRAND, asked(query))
    assert (answer.status, answer.body, answer.pages) == (200, "1158201444", ())
    for wrong in (
        {"hub.verify_token": "meatyhamhock2"}, {"hub.verify_token": ""}, {"hub.verify_token": "méaty"},
        {"hub.mode": "unsubscribe"}, {"hub.challenge": "<script>"}, {"hub.challenge": ""},
    ):  # fmt: skip
        assert FACEBOOK.receive(BRAND, asked(query | wrong)).status in {400, 403}, wrong
    without = msgspec.structs.replace(BRAND, settings={})
    assert FACEBOOK.receive(without, asked(query | {"hub.verify_token": ""})).status == 403


def test_only_the_raw_bytes_that_meta_signed_are_taken() -> None:
    good = signed(told.change())
    assert FACEBOOK.receive(BRAND, good).status == 200
    body = good.body
    respelled = json.dumps(json.loads(body), separators=(",", ":")).encode()
    signature = good.headers["x-hub-signature-256"]
    for headers, sent in (
        ({}, body),
        ({"x-hub-signature-256": ""}, body),
        ({"x-hub-signature-256": signature.replace("sha256=", "sha1=")}, body),
        ({"x-hub-signature-256": signature.upper()}, body),
        ({"x-hub-signature-256": "sha256=" + "0" * 64}, body),
        ({"x-hub-signature": signature}, body),
        (good.headers, body + b" "),
        (good.headers, respelled),
        (good.headers, b""),
    ):
        answer = FACEBOOK.receive(BRAND, Incoming("POST", {}, headers, sent, NOON))
        assert (answer.status, answer.pages, answer.delivery) == (401, (), "")
    keyless = msgspec.structs.replace(BRAND, token="EAApage")
    assert FACEBOOK.receive(keyless, good).status == 401
    assert FACEBOOK.receive(BRAND, Incoming("PUT", {}, good.headers, body, NOON)).status == 405


def test_a_delivery_that_comes_again_has_the_same_id_and_another_has_another() -> None:
    first, again = (FACEBOOK.receive(BRAND, signed(told.change())).delivery for _ in range(2))
    other = FACEBOOK.receive(BRAND, signed(told.change(verb="remove"))).delivery
    assert first == again != other
    assert first


def test_deliveries_never_move_the_cursors_of_pulls() -> None:
    assert take(told.change()).stream not in FACEBOOK.streams(BRAND)


# ---------------------------------------------------------------- the feed


def test_a_comment_begins_a_conversation_of_its_own() -> None:
    post = one(told.change())
    assert (post.id, post.kind, post.text) == (told.COMMENT_ID, "comment", "Where is my parcel?")
    assert (post.in_reply_to, post.thread, post.visibility) == (None, told.COMMENT_ID, "public")
    assert (post.author.key, post.author.name, post.author.ours) == (ANN, "Ann Field", False)
    assert post.created_at == NOON - dt.timedelta(minutes=5)


def test_an_answer_belongs_to_the_comment_above_it_and_ours_is_known_as_ours() -> None:
    ours = {"id": PAGE, "name": "Fernway"}
    post = one(told.change(comment_id=told.ANSWER_ID, parent_id=told.COMMENT_ID, **{"from": ours}))
    assert (post.in_reply_to, post.thread) == (told.COMMENT_ID, told.COMMENT_ID)
    assert (post.author.ours, post.author.handle) == (True, "fernway")


def test_an_edit_brings_the_new_words_and_says_when() -> None:
    post = one(told.change(verb="edited", message="Where is my parcel today?"))
    assert (post.text, post.edited_at) == ("Where is my parcel today?", NOON - dt.timedelta(minutes=4))


def test_a_removed_comment_or_post_is_taken_down() -> None:
    assert take(told.change(verb="remove")).deleted == (told.COMMENT_ID,)
    gone = told.change(verb="remove", item="status", comment_id=None, message=None)
    page = take(gone)
    assert (page.deleted, page.posts) == ((told.POST_ID,), ())


def test_a_hidden_comment_stays_and_is_not_public_until_it_is_shown_again() -> None:
    assert one(told.change(verb="hide")).visibility == "private"
    assert one(told.change(verb="unhide")).visibility == "public"


def test_a_post_of_a_visitor_is_a_post_and_a_reaction_is_nothing() -> None:
    post = one(told.change(item="post", comment_id=None, photo="https://scontent.example/4.jpg"))
    assert (post.id, post.kind, post.author.ours) == (told.POST_ID, "post", False)
    assert post.media[0].url == "https://scontent.example/4.jpg"
    assert take(told.change(item="reaction", comment_id=None, reaction_type="like")).posts == ()


def test_a_mention_elsewhere_arrives_with_whoever_said_it() -> None:
    post = one(
        told.change("mention", item="post", post_id="777_1", comment_id=None, parent_id=None, sender_id=int(ANN),
                    sender_name="Ann Field", **{"from": None})
    )  # fmt: skip
    assert (post.id, post.author.key, post.author.name) == ("777_1", ANN, "Ann Field")


def test_people_whom_meta_does_not_name_are_not_taken_for_one_person() -> None:
    first = one(told.change(**{"from": None}))
    second = one(told.change(comment_id="900001_777", **{"from": None}))
    assert first.author.key != second.author.key


def test_what_is_about_another_page_or_another_kind_of_account_is_named_and_left_out() -> None:
    other = told.change()
    other["entry"][0]["id"] = "42"
    assert "another" in take(other).rejected[0]
    assert "instagram" in take(told.change() | {"object": "instagram"}).rejected[0]


# ---------------------------------------------------------------- messages


def test_a_message_is_private_and_one_person_is_one_conversation() -> None:
    page = take(told.messaging(told.TEXT, told.PICTURE, told.ECHO, told.POSTBACK))
    assert page.rejected == ()
    text, picture, echo, button = sorted(page.posts, key=lambda post: post.id)
    assert {post.thread for post in page.posts} == {f"dm:{PAGE}:{ANN}"}
    assert {(post.kind, post.visibility) for post in page.posts} == {("message", "direct")}
    assert (text.id, text.text, text.author.key) == (f"dm:{ANN}:m_AbC1", "Is anybody there?", ANN)
    assert (picture.in_reply_to, picture.media[0].kind) == (text.id, "image")
    assert (echo.author.ours, button.text) == (True, "Talk to a person")


def test_an_edited_message_brings_its_new_words_and_receipts_bring_nothing() -> None:
    post = one(told.messaging(told.EDIT))
    assert (post.text, post.edited_at is not None) == ("Is anybody there today?", True)
    assert take(told.messaging(told.READ, told.REACTION)).posts == ()


def test_a_message_that_was_taken_back_is_taken_down() -> None:
    gone = told.event(message={"mid": "m_AbC1", "is_deleted": True})
    assert take(told.messaging(gone)).deleted == (f"dm:{ANN}:m_AbC1",)


# ---------------------------------------------------------------- hostile deliveries

EVERY_DELIVERY = [
    told.change(), told.change(verb="edited"), told.change(verb="remove"),
    told.change("mention", item="post", comment_id=None, sender_id=int(ANN)),
    told.change(comment_id=told.ANSWER_ID, parent_id=told.COMMENT_ID, created_time=seconds(1)),
    told.messaging(told.TEXT, told.PICTURE, told.ECHO, told.EDIT, told.POSTBACK, told.READ, told.REACTION),
]  # fmt: skip


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(EVERY_DELIVERY).flatmap(mutated))
def test_a_hostile_delivery_is_read_or_refused_and_what_is_read_may_be_stored(payload: Any) -> None:
    answer = FACEBOOK.receive(BRAND, signed(payload))
    assert answer.status in {200, 400}
    for page in answer.pages:
        for post in page.posts:
            assert admit(post, NOON) == post
            assert post.author.ours == (post.author.id == PAGE)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nul", b"\xff\xfe", b"[" * 100_000, b'{"object":"page"}', b'{"a":1,"a":2}']
)
def test_a_body_that_is_no_delivery_is_refused_without_a_crash(body: bytes) -> None:
    answer = FACEBOOK.receive(BRAND, signed(body))
    assert answer.status in {200, 400}
    assert not any(page.posts for page in answer.pages)
