"""The head of a conversation: who else has answered, our last word to this person, what is known in a crisis."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rapport.actions.brands import add_brand
from rapport.actions.holds import hold_everything, release_hold
from rapport.actions.outbound import approve
from rapport.actions.people import set_relationship
from rapport.core.errors import InvalidInput
from rapport.store.models import Basket, Conversation, Delivery, Person, Post


@pytest.fixture
def jumped_on(complaint: Conversation, hear: Any, make_post: Callable[..., Any], now: dt.datetime) -> Conversation:
    """Two others answered Nadia in her thread."""
    first = Post.objects.get()
    Post.objects.update(sort_at=now - dt.timedelta(hours=1))
    for at, name in enumerate(("acme", "bolt"), 1):
        said = {"in_reply_to": first.external_id, "created_at": now - dt.timedelta(minutes=30 - at), "id": name}
        hear(make_post(f"Come to us instead, number {at}!", author=name, **said))
    assert Conversation.objects.exclude(state="merged").count() == 1
    return Conversation.objects.get(pk=complaint.pk)


def page(client: Any, row: Conversation) -> str:
    return str(client.get(f"/w/fernway/c/{row.pk}/").content.decode())


def test_firms_that_answered_are_named_and_count_before_we_answer_too(
    jumped_on: Conversation, cast: Any, enter: Any, hear: Any, make_post: Callable[..., Any], channel: Any,
    now: dt.datetime,
) -> None:  # fmt: skip
    amir = enter(cast.amir)
    assert "answered since they spoke" not in page(amir, jumped_on)
    add_brand(cast.lea, "mastodon", "@acme", "Acme Travel", now=now)
    assert "1 other firm has answered since they spoke" in page(amir, jumped_on)
    set_relationship(cast.lea, Person.objects.get(name="Bolt"), "competitor", now=now)
    shown = page(amir, jumped_on)
    for told in ("2 other firms have answered since they spoke", "Acme Travel", "Bolt"):
        assert told in shown, told
    target = Post.objects.get(handle__handle="nadia")
    sent = approve(
        cast.amir, jumped_on, "We look into it.", target=target, channel=channel, version=jumped_on.version, now=now
    )
    assert (sent.state, sent.held_by) == ("held", "pile-on")
    hear(make_post("Leave me alone, all of you", author="nadia", in_reply_to=target.external_id, created_at=now))
    assert "answered since they spoke" not in page(amir, jumped_on)


def test_leads_keep_the_list_of_firms(cast: Any, enter: Any, jumped_on: Conversation, now: dt.datetime) -> None:
    lea, address = enter(cast.lea), "/w/fernway/settings/brands/"
    assert "No firm is known yet" in lea.get(address).content.decode()
    lea.post(address, {"network": "mastodon", "handle": "@Acme", "name": "<b>Acme"})
    row = cast.workspace.brand_handles.get()
    assert (row.key, row.by) == ("id-acme", cast.lea)
    assert "&lt;b&gt;Acme" in lea.get(address).content.decode()
    assert lea.post(address, {"network": "mastodon", "handle": " "}).status_code == 422
    lea.post(f"{address}{row.pk}/remove/")
    assert not cast.workspace.brand_handles.exists()
    own = Post.objects.all()[0].handle
    type(own).objects.filter(pk=own.pk).update(ours=True)
    with pytest.raises(InvalidInput, match="our own"):
        add_brand(cast.lea, own.network, own.handle, now=now)


def test_our_last_word_to_them_elsewhere_is_told_to_those_who_may_see_it(
    complaint: Conversation, cast: Any, enter: Any, hear: Any, make_post: Callable[..., Any], channel: Any,
    now: dt.datetime,
) -> None:  # fmt: skip
    hear(make_post("And another thing, about the lamp", author="nadia"))
    other = Conversation.objects.exclude(pk=complaint.pk).get()
    Conversation.objects.filter(pk=other.pk).update(basket=Basket.objects.of(cast.workspace).get(slug="sales"))
    target = Post.objects.get(conversation_id=other.pk)
    sent = approve(cast.ben, other, "The lamp is here.", target=target, channel=channel, version=other.version, now=now)
    assert "Ben wrote to them on Mastodon" in page(enter(cast.lea), complaint)
    assert "wrote to them" not in page(enter(cast.amir), complaint)  # it lies in a basket that he does not see
    assert "wrote to them" not in page(enter(cast.lea), other)
    Delivery.objects.filter(pk=sent.pk).update(state="cancelled")
    assert "wrote to them" not in page(enter(cast.lea), complaint)


def test_in_a_crisis_everybody_reads_what_is_known(complaint: Conversation, cast: Any, enter: Any, now: Any) -> None:
    hold_everything(cast.lea, "Recall", known="Batch 7 <of> the kettles.\nNobody is hurt.", now=now)
    for member in (cast.amir, cast.rita, cast.vera):
        assert "Batch 7 &lt;of&gt; the kettles.<br>Nobody is hurt." in page(enter(member), complaint)
    release_hold(cast.lea, now=now)
    assert "Batch 7" not in page(enter(cast.amir), complaint)


def test_after_a_hold_what_waits_leaves_little_by_little_the_oldest_first(
    complaint: Conversation, cast: Any, channel: Any, now: dt.datetime
) -> None:
    target = Post.objects.get()
    sent = approve(
        cast.amir, complaint, "I look into it.", target=target, channel=channel, version=complaint.version, now=now
    )
    hold_everything(cast.lea, "Recall", now=now)
    Delivery.objects.filter(pk=sent.pk).update(state="held", held_by="crisis-hold")
    row = Delivery.objects.get()
    approval = row.approval
    for at in range(1, 6):
        approval.pk, approval.sequence = None, approval.sequence + 1
        approval.save()
        row.pk, row.approval, row.idempotency_key = None, approval, f"key-{at}"
        row.queued_at = now + dt.timedelta(seconds=at)
        row.save()
    release_hold(cast.lea, a_minute=2, now=now)
    waits = Delivery.objects.order_by("queued_at").values_list("next_try_at", flat=True)
    assert [(at - now).total_seconds() for at in waits] == [0, 0, 60, 60, 120, 120]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"queued"}


@pytest.mark.skipif("connection.vendor == 'postgresql'")
def test_a_conversation_and_a_person_are_shown_without_walking_all_that_was_ever_sent(
    complaint: Conversation, cast: Any, enter: Any, hear: Any, channel: Any, now: dt.datetime
) -> None:
    """SQLite has no statistics: a workspace that is named where a person is enough leads it over everything."""
    target = Post.objects.get(conversation_id=complaint.pk)
    approve(
        cast.amir, complaint, "We look into it.", target=target, channel=channel, version=complaint.version, now=now
    )
    amir = enter(cast.amir)
    with CaptureQueriesContext(connection) as asked:
        assert amir.get(f"/w/fernway/c/{complaint.pk}/").status_code == 200
        assert amir.get(f"/w/fernway/people/{complaint.person_id}/").status_code == 200
    about = [each["sql"] for each in asked if "store_post" in each["sql"] and "store_handle" in each["sql"]]
    about = [sql for sql in about if 'JOIN "store_approval"' in sql or 'FROM "store_approval"' in sql]
    assert about
    with connection.cursor() as cursor:
        for sql in about:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(step[-1]) for step in cursor.fetchall())
            walks = re.findall(
                r"(?:store_approval|store_delivery|U0) USING INDEX \w+ \((?:workspace_id|state)[^)]*\)", plan
            )
            assert not walks, f"{walks} in {plan}\n{sql}"
