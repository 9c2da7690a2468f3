"""What the database itself sees to: what stands once, and what goes and what stays when a person is taken away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from rapport.store.models import (
    ComposerClaim,
    Consent,
    Conversation,
    ConversationTag,
    Hold,
    Invitation,
    Note,
    Offer,
    Person,
    PersonField,
    PersonJob,
    PersonNote,
    PersonValue,
    Presence,
    SavedView,
    Suppression,
    Survey,
    SurveyAnswer,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(hear: Any, make_post: Any) -> Conversation:
    hear(make_post(id="1"))
    return Conversation.objects.select_related("workspace", "person").get()


@pytest.fixture
def person(talk: Conversation) -> Person:
    assert talk.person is not None
    return talk.person


def survey_of(talk: Conversation, now: dt.datetime) -> Invitation:
    """An invitation that was answered."""
    given: dict[str, Any] = {"workspace": talk.workspace}
    survey = Survey.objects.create(slug="csat", name="How was it?", changed_at=now, **given)
    invitation = Invitation.objects.create(
        survey=survey, conversation=talk, person=talk.person, digest="d" * 64, made_at=now, expires_at=now, **given
    )
    SurveyAnswer.objects.create(invitation=invitation, score=4, answers=[4], at=now, **given)
    return invitation


def test_with_a_person_goes_what_is_theirs_and_what_protects_them_and_the_books_stay(
    talk: Conversation, person: Person, alice: Any, now: dt.datetime
) -> None:
    given: dict[str, Any] = {"workspace": talk.workspace}
    field = PersonField.objects.create(slug="number", name="Customer number", **given)
    PersonValue.objects.create(person=person, field=field, value="4711", by=alice, at=now, **given)
    PersonNote.objects.create(person=person, author=alice, text="Rings at noon", at=now, **given)
    Consent.objects.create(person=person, purpose="survey", given=True, source="by phone", by=alice, at=now, **given)
    survey_of(talk, now)
    Offer.objects.create(
        conversation=talk, person=person, what="refund", amount="12.50", currency="EUR", state="agreed", at=now, **given
    )
    Suppression.objects.create(digest="s" * 64, reason="said stop", source="word", at=now, **given)
    PersonJob.objects.create(person=person.pk, kind="erase", reason="asked by mail", asked_at=now, **given)
    person.delete()
    gone = (PersonValue, PersonNote, Consent, Invitation, SurveyAnswer)
    assert [model.__name__ for model in gone if model.objects.exists()] == []
    offer = Offer.objects.get()
    assert (offer.person, str(offer.amount), offer.state) == (None, "12.50", "agreed")
    assert Suppression.objects.count() == PersonJob.objects.count() == PersonField.objects.count() == 1


def twice(make: Callable[[], object]) -> bool:
    """Whether the same row can be made a second time."""
    make()
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        return False
    return True


def test_what_stands_once_is_refused_a_second_time(
    talk: Conversation, person: Person, alice: Any, now: dt.datetime
) -> None:
    given: dict[str, Any] = {"workspace": talk.workspace}
    rows: dict[str, Callable[[], object]] = {
        "a hold": lambda: Hold.objects.create(began_at=now, reason="storm", by=alice, **given),
        "a consent": lambda: Consent.objects.create(
            person=person, purpose="quote", given=False, source="mail", at=now, **given
        ),
        "a suppression": lambda: Suppression.objects.create(
            digest="s" * 64, reason="said stop", source="word", at=now, **given
        ),
        "a note from one form": lambda: Note.objects.create(
            conversation=talk, author=alice, text="x", at=now, key="k", **given
        ),
        "a tag": lambda: ConversationTag.objects.create(conversation=talk, name="vip", at=now, **given),
        "a shared view": lambda: SavedView.objects.create(name="Mine", at=now, **given),
        "a view of one's own": lambda: SavedView.objects.create(name="Mine", owner=alice, at=now, **given),
        "a presence": lambda: Presence.objects.create(conversation=talk, membership=alice, seen_at=now, **given),
        "a claim": lambda: ComposerClaim.objects.create(
            conversation=talk, membership=alice, token="t", claimed_at=now, until=now, **given
        ),
        "an erasure that waits": lambda: PersonJob.objects.create(
            person=person.pk, kind="erase", reason="mail", asked_at=now, **given
        ),
    }
    assert [name for name, make in rows.items() if twice(make)] == []


def test_what_has_ended_leaves_room_for_another(
    talk: Conversation, person: Person, alice: Any, now: dt.datetime
) -> None:
    given: dict[str, Any] = {"workspace": talk.workspace}
    rows: dict[str, Callable[[], object]] = {
        "a hold": lambda: Hold.objects.create(began_at=now, ended_at=now, reason="storm", **given),
        "a consent": lambda: Consent.objects.create(
            person=person, purpose="quote", given=True, source="mail", at=now, withdrawn_at=now, **given
        ),
        "a suppression": lambda: Suppression.objects.create(
            digest="s" * 64, reason="stop", source="word", at=now, lifted_at=now, lift_reason="came back", **given
        ),
        "a note without a form": lambda: Note.objects.create(
            conversation=talk, author=alice, text="x", at=now, **given
        ),
        "an erasure that is done": lambda: PersonJob.objects.create(
            person=person.pk, kind="erase", reason="mail", asked_at=now, state="done", **given
        ),
    }
    assert [name for name, make in rows.items() if not twice(make)] == []
