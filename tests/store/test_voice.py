"""What went out before: found among more than anybody reads, and never what was taken back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from conftest import NOON
from rapport.actions.outbound import approve
from rapport.core.post import Post
from rapport.core.voice_index import sketch
from rapport.store.models import Approval, BasketMember, Channel, Conversation, Delivery
from rapport.store.models import Post as PostRow
from rapport.store.queries.voice import like_for_guard, like_for_people

pytestmark = pytest.mark.django_db

TEXT = "We found your parcel in Leeds, it goes out again tonight and comes on Monday."


@pytest.fixture
def said(hear: Any, make_post: Callable[..., Post], alice: Any, channel: Channel) -> Callable[..., list[Approval]]:
    """Replies that left already, written straight into the tables: texts, all to the same person."""
    hear(make_post("My parcel is broken, @fernway", id="1"))
    conversation, target = Conversation.objects.get(), PostRow.objects.get()

    def write(*texts: str, at: dt.datetime = NOON - dt.timedelta(hours=1), state: str = "sent") -> list[Approval]:
        last = Approval.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
        rows = Approval.objects.bulk_create(
            Approval(
                workspace=alice.workspace, conversation=conversation, channel=channel, target=target, person=alice,
                text=text, digest="d", chain=uuid.uuid4().hex, sequence=last + place, approved_at=at,
            )
            for place, text in enumerate(texts, 1)
        )  # fmt: skip
        Delivery.objects.bulk_create(
            Delivery(
                workspace=alice.workspace, approval=row, channel=channel, conversation=conversation, state=state,
                idempotency_key=uuid.uuid4().hex, next_try_at=at, queued_at=at,
            )
            for row in rows
        )  # fmt: skip
        return rows

    return write


def nearest(channel: Channel, text: str = TEXT, **other: Any) -> list[str]:
    alive = Delivery.objects.filter(state__in=["queued", "sent"])
    asked = {"besides": (0, channel.pk), "least": 0.9, "since": NOON - dt.timedelta(days=7), "now": NOON} | other
    return [each.text for each in like_for_guard(text, channel.workspace_id, "mastodon", alive, **asked)]


def test_a_text_is_found_behind_a_thousand_newer_ones(said: Callable[..., Any], channel: Channel) -> None:
    said(TEXT, at=NOON - dt.timedelta(days=6))
    said(*(f"Number {at} of the answers about matters of all kinds that came in today" for at in range(1_000)))
    assert nearest(channel) == [TEXT]


def test_what_was_taken_back_or_is_of_another_week_or_network_is_not_found(
    said: Callable[..., Any], channel: Channel
) -> None:
    said(TEXT, state="cancelled")
    assert nearest(channel) == []
    said(TEXT, at=NOON - dt.timedelta(days=8))
    assert nearest(channel) == []
    said(TEXT)
    assert nearest(channel) == [TEXT]
    alive = Delivery.objects.all()
    asked = {"besides": (0, 0), "least": 0.9, "since": NOON - dt.timedelta(days=7), "now": NOON}
    assert like_for_guard(TEXT, channel.workspace_id, "bluesky", alive, **asked) == ()


def test_the_same_words_to_the_same_person_from_the_same_account_do_not_count(
    said: Callable[..., Any], channel: Channel
) -> None:
    [row] = said(TEXT)
    person = row.target.handle.person_id
    assert nearest(channel, besides=(person, channel.pk)) == []
    assert nearest(channel, besides=(person, channel.pk + 1)) == [TEXT]


def test_what_a_colleague_approves_is_seen_at_the_next_question(said: Callable[..., Any], channel: Channel) -> None:
    assert nearest(channel) == []
    said(TEXT)
    assert nearest(channel) == [TEXT]
    Approval.objects.update(erased_at=NOON, text="")
    assert nearest(channel) == []


def test_what_was_rolled_back_is_forgotten_and_what_takes_its_place_is_seen(
    said: Callable[..., Any], channel: Channel
) -> None:
    lost = "Another answer that never left the house after all, about a broken lamp"
    with transaction.atomic():
        said(lost)
        assert nearest(channel, lost) == [lost]
        transaction.set_rollback(True)
    assert nearest(channel, lost) == []
    said(TEXT)
    assert nearest(channel) == [TEXT]


def test_people_are_shown_by_whom_to_whom_and_when(said: Callable[..., Any], alice: Any) -> None:
    said(TEXT, "We are glad that you like it, thank you for telling us so nicely")
    [one] = like_for_people(TEXT.replace("Monday", "Friday"), alice, 0.6, now=NOON)
    assert (one.text, one.by, one.to, one.sent_at) == (TEXT, "Alice", "Nadia", NOON - dt.timedelta(hours=1))
    assert one.answered == "My parcel is broken, @fernway"
    assert like_for_people("Thank you!", alice, 0.6, now=NOON) == []


def test_nobody_is_told_whom_a_basket_that_they_do_not_see_wrote_to(
    said: Callable[..., Any], alice: Any, ben: Any
) -> None:
    said(TEXT)
    assert len(like_for_people(TEXT, ben, 0.6, now=NOON)) == 1
    BasketMember.objects.filter(membership=ben).delete()
    assert like_for_people(TEXT, ben, 0.6, now=NOON) == []
    assert len(like_for_people(TEXT, alice, 0.6, now=NOON)) == 1


def test_the_guard_holds_what_was_said_to_somebody_else_behind_any_number_of_other_texts(
    said: Callable[..., Any], channel: Channel, alice: Any, hear: Any, make_post: Callable[..., Post]
) -> None:
    said(TEXT, at=NOON - dt.timedelta(days=6))
    said(*(f"Number {at} of the answers about matters of all kinds that came in today" for at in range(600)))
    hear(make_post("And where is mine, @fernway?", id="2", author="bob"))
    target = PostRow.objects.get(external_id="2")
    talk = Conversation.objects.get(pk=target.conversation_id)
    sent = approve(alice, talk, f"@bob {TEXT}", target=target, channel=channel, version=talk.version, now=NOON)
    assert (sent.state, sent.held_by) == ("held", "near-same")
    assert bytes(sent.approval.fingerprint or b"") == sketch(TEXT)
