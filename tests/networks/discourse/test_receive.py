"""What a forum brings to our door."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rapport.networks.base import Account, Answer, Incoming
from rapport.networks.discourse.network import Discourse

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SECRET = "made up for this test"
ACCOUNT = Account(
    channel=1, server="https://forum.example", handle="brand@forum.example", account_id="2", token="k",
    settings={"webhook_secret": SECRET},
)  # fmt: skip
POST = {
    "id": 9, "username": "ann", "user_id": 3, "created_at": "2026-11-22T10:00:00.000Z",
    "updated_at": "2026-11-22T11:00:00.000Z", "cooked": "<p>late again</p>", "raw": "late again", "post_number": 2,
    "post_type": 1, "topic_id": 4, "topic_slug": "trains", "topic_title": "Trains", "reply_to_post_number": None,
    "version": 1, "topic_archetype": "regular",
}  # fmt: skip


def bring(event: str, payload: Any, account: Account = ACCOUNT, number: str = "7", **headers: str) -> Answer:
    kind = event.partition("_")[0]
    body = payload if isinstance(payload, bytes) else json.dumps({kind: payload}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    given_headers = {
        "x-discourse-event": event,
        "x-discourse-event-type": kind,
        "x-discourse-event-id": number,
        "x-discourse-event-signature": signature,
    }
    return Discourse().receive(account, Incoming("POST", {}, given_headers | headers, body, NOW))


def test_new_posts_and_edits_arrive() -> None:
    answer = bring("post_created", POST)
    assert answer.status == 200
    (post,) = answer.pages[0].posts
    assert (post.id, post.text, post.kind, post.edited_at) == ("forum.example/t/4/2", "late again", "reply", None)
    assert bring("post_edited", POST).pages[0].posts[0].edited_at == dt.datetime(2026, 11, 22, 11, tzinfo=dt.UTC)


def test_deletions_and_people_who_left_arrive() -> None:
    assert bring("post_destroyed", POST).pages[0].deleted == ("forum.example/t/4/2",)
    assert bring("post_edited", POST | {"user_deleted": True}).pages[0].deleted == ("forum.example/t/4/2",)
    gone = bring("topic_destroyed", {"id": 4, "highest_post_number": 3}).pages[0].deleted
    assert gone == ("forum.example/t/4/1", "forum.example/t/4/2", "forum.example/t/4/3")
    assert bring("user_destroyed", {"username": "Ann"}).pages[0].suspended == ("ann@forum.example",)


def test_what_is_not_ours_to_read_is_left() -> None:
    for change in ({"topic_archetype": "private_message"}, {"post_type": 4}, {"post_type": 3}, {"hidden": True}):
        assert bring("post_created", POST | change).pages == ()
    assert bring("ping", b'{"ping":"OK"}').status == 200
    assert bring("badge_granted", {"id": 1}).pages == ()


def test_only_the_signature_over_the_raw_bytes_opens_the_door() -> None:
    wrong = {"x-discourse-event-signature": "sha256=" + "0" * 64}
    assert bring("post_created", POST, **wrong).status == 401
    assert bring("post_created", POST, **{"x-discourse-event-signature": ""}).status == 401
    assert bring("post_created", POST, **{"x-discourse-event-signature": "sha256=ä"}).status == 401
    plain = Account(channel=1, server="https://forum.example", handle="b", account_id="2", token="k")
    assert bring("post_created", POST, account=plain).status == 401
    assert Discourse().receive(ACCOUNT, Incoming("GET", {}, {}, b"", NOW)).status == 405


def test_a_delivery_is_known_by_its_number_and_its_words() -> None:
    first = bring("post_created", POST)
    assert first.delivery == bring("post_created", POST).delivery
    # the number is not signed: an old message under the number of the next one must not take its place
    assert first.delivery != bring("post_edited", POST | {"raw": "x"}).delivery
    assert bring("post_created", POST, number="").delivery == ""


def test_what_cannot_be_read_is_said_and_not_asked_for_again() -> None:
    answer = bring("post_created", POST | {"created_at": "yesterday"})
    assert answer.status == 200
    assert "yesterday" in answer.pages[0].rejected[0]
    assert bring("post_created", b"not json").status == 200


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["post_created", "post_edited", "post_destroyed", "topic_destroyed", "user_destroyed"]),
    st.dictionaries(st.sampled_from([*POST, "highest_post_number"]), hostile, max_size=4),
)
def test_nothing_that_is_brought_makes_it_crash(event: str, changes: dict[str, Any]) -> None:
    answer = bring(event, POST | changes)
    assert answer.status == 200
    assert bring(event, json.dumps(changes).encode()).status == 200
