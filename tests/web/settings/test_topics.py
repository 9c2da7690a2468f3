"""Topics: edited as text, with the place of an error shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

BASE = "/w/fernway/settings/topics/"


@pytest.fixture
def lea(cast: Any, enter: Any) -> Client:
    client: Client = enter(cast.lea)
    return client


def test_the_empty_page_says_how_to_begin(lea: Client) -> None:
    assert "Begin with the name of your brand" in lea.get(BASE).content.decode()


def test_a_topic_is_made_changed_and_deleted(lea: Client, cast: Any) -> None:
    from rapport.store.models import Topic

    made = {"name": "Delays", "query": 'delay* NOT "on time"\r\nOR late', "active": "on"}
    assert lea.post(f"{BASE}new/", made).headers["Location"] == BASE
    topic = Topic.objects.get()
    assert (topic.slug, topic.query, topic.active) == ("delays", 'delay* NOT "on time"\nOR late', True)
    lea.post(f"{BASE}{topic.pk}/", {"name": "Delays here", "query": "delay"})
    topic.refresh_from_db()
    assert (topic.slug, topic.name, topic.query, topic.active) == ("delays", "Delays here", "delay", False)
    lea.post(f"{BASE}{topic.pk}/delete/")
    assert not Topic.objects.exists()


def test_a_change_is_in_force_at_once(lea: Client, cast: Any) -> None:
    before = cast.workspace.config_version
    lea.post(f"{BASE}new/", {"name": "Delays", "query": "delay", "active": "on"})
    cast.workspace.refresh_from_db()
    assert cast.workspace.config_version > before


def test_an_error_shows_its_place_and_keeps_what_was_typed(lea: Client) -> None:
    from rapport.store.models import Topic

    answer = lea.post(f"{BASE}new/", {"name": "Delays", "query": "late OR\r\ncolour:red", "active": "on"})
    page = answer.content.decode().replace("\r\n", "\n")
    assert answer.status_code == 422
    assert "late OR\ncolour:red" in page
    assert 'value="Delays"' in page
    assert '<span class="no">2</span><span class="code">colour:red</span>' in page
    assert '<span class="code">^</span>' in page
    assert not Topic.objects.exists()


def test_the_list_counts_what_each_topic_found_in_as_many_queries_however_long(
    lea: Client, cast: Any, now: Any, django_assert_max_num_queries: Any
) -> None:
    from rapport.store.models import Channel, Handle, Person, Post, Topic, TopicMatch

    space = {"workspace": cast.workspace}
    channel = Channel.objects.create(network="file", slug="f", name="f", **space)
    person = Person.objects.create(first_seen=now, last_seen=now, **space)
    handle = Handle.objects.create(person=person, network="file", external_id="1", **space)
    times = {"created_at": now, "seen_at": now, "sort_at": now}
    for number in range(40):
        topic = Topic.objects.create(slug=f"t{number}", name=f"T{number}", query="x", updated_at=now, **space)
        post = Post.objects.create(
            channel=channel,
            handle=handle,
            network="file",
            external_id=str(number),
            kind="post",
            text="x",
            **times,
            **space,
        )
        TopicMatch.objects.create(topic=topic, post=post, **space)
    lea.get(BASE)
    with django_assert_max_num_queries(9):
        page = lea.get(BASE).content.decode()
    assert page.count("1 post<") == 40


def test_markup_in_a_name_stays_text(lea: Client) -> None:
    lea.post(f"{BASE}new/", {"name": "<svg/onload=alert(1)>", "query": "delay", "active": "on"})
    page = lea.get(BASE).content.decode()
    assert "<svg/onload" not in page
    assert "&lt;svg/onload" in page
