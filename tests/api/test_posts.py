"""Posts that programs hand in: each list once, each post told what became of it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections

from api.conftest import Program, a_post
from rapport.store.models import AuditEntry, BusMessage, Channel, KeptAnswer, Post

#: on SQLite the tests run in memory, where connections do not wait for one another as they do in a file
side_by_side = pytest.mark.skipif(
    "sqlite" in settings.DATABASES["default"]["ENGINE"], reason="tests/api/test_served.py does it on a real file"
)


def test_posts_come_in_and_go_to_the_bus(sync: Program) -> None:
    answer = sync.hand_in(a_post(), a_post(id="2"))
    assert answer.status_code == 200
    assert answer.json() == {"read": 2, "new": 2, "known": 0, "rejected": []}
    assert Post.objects.count() == 2
    channel = Channel.objects.get(slug="shop")
    assert (channel.network, channel.state) == ("forum", "off")
    assert BusMessage.objects.get().size == 2
    assert AuditEntry.objects.get(verb="posts.hand_in").actor is not None


def test_a_known_post_changes_nothing(sync: Program) -> None:
    sync.hand_in(a_post())
    assert sync.hand_in(a_post(text="other"), a_post(id="2")).json() == {
        "read": 2, "new": 1, "known": 1, "rejected": []
    }  # fmt: skip
    assert Post.objects.get(external_id="1").text == "My parcel is broken"


def test_a_post_that_cannot_be_taken_in_is_named_and_the_others_are_taken(sync: Program) -> None:
    hostile = [
        a_post(),
        a_post(id=""),
        a_post(id="3", created_at="2099-01-01T00:00:00Z"),
        a_post(id="a\x00b"),
        7,
        a_post(id="6", kind="nonsense\ud800"),
        a_post(id="7", text="half an emoji \ud83d"),
        {"network": "forum"},
    ]
    told = sync.hand_in(*hostile).json()  # type: ignore[arg-type]
    assert (told["read"], told["new"]) == (8, 2)
    assert [(each["index"], each["field"]) for each in told["rejected"]] == [
        (1, "id"), (2, "created_at"), (3, "id"), (4, "post"), (5, "json"), (7, "post")
    ]  # fmt: skip
    assert all(each["reason"] for each in told["rejected"])
    assert Post.objects.get(external_id="7").text == "half an emoji \ufffd"


def test_networks_in_one_list_go_to_channels_side_by_side(sync: Program) -> None:
    assert sync.hand_in(a_post(), a_post(network="reviews")).json()["new"] == 2
    assert set(Channel.objects.values_list("slug", "network")) == {("shop", "forum"), ("shop-reviews", "reviews")}


def test_an_empty_list_opens_no_channel(sync: Program) -> None:
    assert sync.post("posts?channel=shop", []).json() == {"read": 0, "new": 0, "known": 0, "rejected": []}
    assert not Channel.objects.exists()


def test_the_same_key_and_body_give_the_same_bytes_and_no_second_effect(sync: Program) -> None:
    first = sync.hand_in(a_post(), key="k")
    second = sync.hand_in(a_post(), key="k")
    assert first.content == second.content
    assert json.loads(second.content)["new"] == 1
    assert second.headers["Idempotent-Replayed"] == "true"
    assert AuditEntry.objects.filter(verb="posts.hand_in").count() == 1


@pytest.mark.parametrize(
    ("body", "channel"), [([a_post(text="else")], "shop"), ([a_post()], "other"), (b"[]", "shop"), (b" []", "shop")]
)
def test_the_same_key_for_something_else_is_refused(sync: Program, body: Any, channel: str) -> None:
    assert sync.hand_in(a_post(), key="k").status_code == 200
    again = sync.post(f"posts?channel={channel}", body, "k")
    assert again.status_code == 409
    assert Post.objects.get().text == "My parcel is broken"
    assert Channel.objects.count() == 1


def test_the_bytes_count_and_not_what_they_mean(sync: Program) -> None:
    assert sync.post("posts?channel=shop", b"[]", "k").status_code == 200
    assert sync.post("posts?channel=shop", b"[ ]", "k").status_code == 409


def test_a_key_belongs_to_its_token(sync: Program, alice: Any, program: Any) -> None:
    sync.hand_in(a_post(), key="k")
    assert program(alice).hand_in(a_post(id="2"), key="k").json()["new"] == 1


def test_a_key_is_free_again_after_a_call_that_was_refused(sync: Program) -> None:
    assert sync.post("posts?channel=shop", b"[1,", "k").status_code == 400
    assert sync.hand_in(a_post(), key="k").json()["new"] == 1


def test_a_call_that_broke_leaves_nothing_behind(sync: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    from rapport.actions import api

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(api, "write_audit", broken)
        with pytest.raises(RuntimeError):
            sync.hand_in(a_post(), key="k")
    assert not Post.objects.exists()
    assert not KeptAnswer.objects.exists()
    assert sync.hand_in(a_post(), key="k").json()["new"] == 1


@side_by_side
@pytest.mark.django_db(transaction=True)
def test_fifty_calls_side_by_side_have_one_effect(sync: Program) -> None:
    answers: list[tuple[int, bytes]] = []
    start = threading.Barrier(50)

    def call() -> None:
        start.wait()
        try:
            answer = Program(sync.token).hand_in(a_post(), a_post(id="2"), key="storm")
            answers.append((answer.status_code, answer.content))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connections.close_all()
    assert set(answers) == {(200, b'{"read":2,"new":2,"known":0,"rejected":[]}')}
    assert len(answers) == 50
    assert KeptAnswer.objects.count() == 1
    assert Post.objects.count() == 2
    assert BusMessage.objects.count() == 1
    assert AuditEntry.objects.filter(verb="posts.hand_in").count() == 1


@side_by_side
@pytest.mark.django_db(transaction=True)
def test_calls_side_by_side_with_keys_of_their_own_all_come_through(sync: Program) -> None:
    told: list[int] = []

    def call(number: int) -> None:
        try:
            told.append(Program(sync.token).hand_in(a_post(id=str(number % 5)), key=f"k{number}").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [200] * 20
    assert Post.objects.count() == 5
    assert Channel.objects.count() == 1


def test_old_answers_are_forgotten(sync: Program) -> None:
    from rapport.actions.api import KEPT

    sync.hand_in(a_post(), key="old")
    kept = KeptAnswer.objects.get()
    KeptAnswer.objects.update(created_at=kept.created_at - KEPT * 2)
    sync.hand_in(a_post(), key="new")
    assert set(KeptAnswer.objects.values_list("key", flat=True)) == {"new"}


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "ключ", "a\x00b"])
def test_a_key_that_is_none_is_refused(sync: Program, key: str) -> None:
    headers = sync.headers({"Idempotency-Key": key} if key else {})
    answer = sync.client.post("/api/v1/posts?channel=x", b"[]", content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["place"] == "header.Idempotency-Key"


@pytest.mark.parametrize("channel", ["", "a/b", "%00", "%2e%2e/", "x" * 81, "ünder"])
def test_a_channel_that_can_be_none_is_refused(sync: Program, channel: str) -> None:
    assert sync.hand_in(a_post(), channel=channel).status_code == 400
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b" ", b"{}", b"null", b"[", b"[1", b"[1,", b"[,]", b"[1,]", b"[1 2]", b"[] []", b"[NaN]", b"[-Infinity]",
        b"\xef\xbb\xbf[]", b"[\xff]", "[]".encode("utf-16"), b"[" * 100_000, b"[" + b"9" * 10_000 + b"]",
        b'[{"text":"a","text":"b"}]', b'[{"author":{"id":"1","id":"2"}}]', b'[{"x":[{"y":1,"y":1}]}]',
    ],
)  # fmt: skip
def test_what_is_no_list_or_says_two_things_is_refused_with_its_place(sync: Program, body: bytes) -> None:
    answer = sync.post("posts?channel=shop", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["place"] == "body"
    assert answer.json()["errors"][0]["remedy"]
    assert not Channel.objects.exists()


def test_more_than_five_hundred_posts_are_refused(sync: Program) -> None:
    assert sync.post("posts?channel=shop", [{}] * 500).json()["read"] == 500
    assert sync.post("posts?channel=shop", [{}] * 501).status_code == 400


def test_more_than_five_megabytes_are_refused(sync: Program) -> None:
    assert sync.post("posts?channel=shop", b"[" + b" " * (5 * 1024 * 1024) + b"]").status_code == 413


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "",
        "application/json; charset=latin-1",
    ],
)  # fmt: skip
def test_only_json_is_read(sync: Program, kind: str) -> None:
    assert sync.post("posts?channel=shop", b"[]", kind=kind).status_code == 415
    assert sync.post("posts?channel=shop", b"[]", kind="application/json; charset=UTF-8").status_code == 200


def test_a_packed_body_is_refused(sync: Program) -> None:
    headers = sync.headers({"Idempotency-Key": "k", "Content-Encoding": "gzip"})
    answer = sync.client.post("/api/v1/posts?channel=x", b"[]", content_type="application/json", headers=headers)
    assert answer.status_code == 415


def test_the_channel_of_another_workspace_is_not_touched(sync: Program, charlie: Any, program: Any) -> None:
    program(charlie).hand_in(a_post())
    assert sync.hand_in(a_post()).json()["new"] == 1
    assert Channel.objects.filter(slug="shop").count() == 2
    assert Post.objects.of(charlie.workspace).count() == 1
