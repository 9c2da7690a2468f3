"""Deliveries of Meta through the real door, onto the desk."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from django.test import Client

import facebook_payloads as told
from graph_server import APP, NOON, PAGE, SECRET, signed
from rapport.networks.base import Grant
from rapport.store.models import Channel, Post

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(alice: Any) -> Channel:
    from rapport.actions.listening import connect_channel

    token = Grant("EAApage", "EAAlong", None, {"app_id": APP, "app_secret": SECRET}).encode()
    return connect_channel(
        alice, "facebook", server="https://graph.facebook.com", handle="fernway", external_id=PAGE, name="Fernway",
        token=token, settings={"verify_token": "meatyhamhock1"}, now=NOON,
    )  # fmt: skip


def deliver(source: Channel, payload: Any, **headers: str) -> Any:
    incoming = signed(payload)
    path = f"/hooks/{source.workspace.slug}/{source.slug}/"
    return Client().post(path, incoming.body, content_type="application/json", headers=dict(incoming.headers) | headers)


def test_meta_may_check_the_address(source: Channel) -> None:
    path = f"/hooks/{source.workspace.slug}/{source.slug}/"
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "meatyhamhock1"}
    answer = Client().get(path, query)
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert Client().get(path, query | {"hub.verify_token": "guess"}).status_code == 403


def test_a_delivery_that_comes_five_times_is_one_comment_and_a_forged_one_is_none(source: Channel) -> None:
    assert [deliver(source, told.change()).status_code for _ in range(5)] == [200] * 5
    assert Post.objects.of(source.workspace_id).count() == 1
    forged = deliver(source, told.change(comment_id="900001_9"), **{"x-hub-signature-256": "sha256=" + "0" * 64})
    assert forged.status_code == 401
    assert Post.objects.of(source.workspace_id).count() == 1


def test_an_edit_and_a_removal_reach_what_is_stored_and_a_late_beginning_stays_out(source: Channel) -> None:
    deliver(source, told.change())
    deliver(source, told.change(verb="edited", message="Where is it today?"))
    post = Post.objects.of(source.workspace_id).get()
    assert post.text == "Where is it today?"
    deliver(source, told.change(verb="remove"))
    post.refresh_from_db()
    assert (post.deleted, post.text) == (True, "")
    deliver(source, told.change(verb="remove", comment_id="900001_8"))
    deliver(source, told.change(comment_id="900001_8"))
    assert not Post.objects.of(source.workspace_id).filter(external_id="900001_8", deleted=False).exists()


def test_what_a_webhook_brought_and_a_pull_brings_again_is_one_post(source: Channel, bus: Any) -> None:
    from rapport.actions.hearing import hear
    from rapport.networks.facebook.parse import parse_comment
    from rapport.pipeline.sender import account_of

    deliver(source, told.change())
    again = parse_comment(json.loads(json.dumps(told.comment())), account_of(source))
    assert hear(source, [msgspec.structs.replace(again)], bus, now=NOON).new == 0
    assert Post.objects.of(source.workspace_id).count() == 1
