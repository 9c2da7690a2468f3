"""What colleagues write down about a person: notes, fields of the workspace, consent, and who must be left alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

from conftest import NOON
from rapport.actions import people
from rapport.actions.consents import set_consent, withdraw_consent
from rapport.actions.person_fields import delete_field, read_value, save_field, set_value
from rapport.actions.person_notes import add_person_note, remove_person_note
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Consent, Membership, Person, PersonField, PersonNote, PersonValue, Suppression
from rapport.store.queries import person_facts as reads

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(hours=1)


@pytest.fixture
def nadia(alice: Membership, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Person:
    """Somebody who wrote to us once."""
    hear(make_post("My parcel is broken", author="nadia"))
    return Person.objects.get(handles__handle="nadia")


def test_a_form_sent_twice_is_one_note_and_a_note_taken_back_is_shown_to_nobody(
    alice: Membership, ben: Membership, nadia: Person
) -> None:
    first = add_person_note(ben, nadia, "Calls on Mondays", now=NOON)
    assert add_person_note(ben, nadia, " Calls on Mondays\r\n", now=NOON + dt.timedelta(seconds=5)) == first
    assert [note.text for note in reads.notes_on(alice, nadia)] == ["Calls on Mondays"]
    theirs = add_person_note(alice, nadia, "Has two dogs", now=NOON)
    with pytest.raises(NotAllowed, match="Only whoever wrote"):
        remove_person_note(ben, theirs, now=NOON)
    remove_person_note(alice, first, now=NOON)
    assert reads.notes_on(ben, nadia) == [theirs]
    with pytest.raises(InvalidInput, match="taken back already"):
        remove_person_note(ben, first, now=NOON)


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("text", " a b ", "a b"), ("number", "12,50", "12.50"), ("number", "-3", "-3"),
        ("date", "2026-11-30", "2026-11-30"),
        ("choice", "red", "red"), ("flag", "yes", "yes"), ("link", "https://a.example/1", "https://a.example/1"),
        ("number", "", ""),
    ],
)  # fmt: skip
def test_a_field_keeps_what_its_kind_says(kind: str, typed: str, kept: str) -> None:
    assert read_value(PersonField(name="Size", kind=kind, choices=["red", "blue"]), typed) == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("number", "twelve"), ("number", "nan"), ("number", "1e999"), ("number", "1,000,000"), ("date", "30.11.2026"),
        ("choice", "green"), ("flag", "maybe"), ("link", "javascript:alert(1)"), ("text", "x" * 501),
    ],
)  # fmt: skip
def test_a_field_refuses_what_does_not_fit_and_says_what_would(kind: str, typed: str) -> None:
    with pytest.raises(InvalidInput, match="Size"):
        read_value(PersonField(name="Size", kind=kind, choices=["red", "blue"]), typed)


def test_fields_are_made_by_leads_filled_by_agents_and_forgotten_with_what_is_in_them(
    alice: Membership, ben: Membership, charlie: Membership, nadia: Person
) -> None:
    with pytest.raises(NotAllowed):
        save_field(ben, "Size", "text", now=NOON)
    size = save_field(alice, "Size", "text", now=NOON)
    with pytest.raises(InvalidInput, match="already"):
        save_field(alice, "size", "number", now=NOON)
    with pytest.raises(InvalidInput, match="two"):
        save_field(alice, "Colour", "choice", ["red", "red"], now=NOON)
    assert set_value(ben, nadia, size, "42", now=NOON) == "42"
    assert [each.value for each in reads.fields_of(alice, nadia)] == ["42"]
    foreign = save_field(charlie, "Secret", "text", now=NOON)
    with pytest.raises(InvalidInput, match="not there"):
        set_value(ben, nadia, foreign, "x", now=NOON)
    set_value(ben, nadia, size, "", now=NOON)
    assert not PersonValue.objects.exists()
    set_value(ben, nadia, size, "44", now=NOON)
    assert delete_field(alice, size, now=NOON) == 1
    assert not PersonValue.objects.exists()


def test_the_newest_word_on_a_purpose_stands_and_the_older_stays_on_record(ben: Membership, nadia: Person) -> None:
    yes = set_consent(ben, nadia, "quote", True, "her post of 3 May", now=NOON)
    no = set_consent(ben, nadia, "quote", False, "by phone", now=LATER)
    assert [(row.given, row.withdrawn_at) for row in reads.consents_of(ben, nadia)] == [(False, None), (True, LATER)]
    withdraw_consent(ben, no, now=LATER)
    with pytest.raises(InvalidInput, match="already"):
        withdraw_consent(ben, yes, now=LATER)
    with pytest.raises(InvalidInput, match="where they said"):
        set_consent(ben, nadia, "quote", True, " ", now=LATER)


def test_a_join_ends_a_yes_where_the_other_said_no_and_a_split_lets_it_stand_again(
    alice: Membership, nadia: Person, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    hear(make_post("Where is my refund?", author="zoe"))
    zoe = Person.objects.get(handles__handle="zoe")
    set_consent(alice, nadia, "contact", True, "by phone", now=NOON)
    set_consent(alice, zoe, "contact", False, "by mail", now=NOON - dt.timedelta(days=9))
    merge = people.join_people(alice, nadia, zoe, "A guess", now=LATER)
    standing = Consent.objects.filter(withdrawn_at__isnull=True)
    assert [(row.person_id, row.given) for row in standing] == [(nadia.pk, False)]
    people.split_people(alice, merge, now=LATER)
    assert sorted((row.person_id, row.given) for row in standing.all()) == sorted([(nadia.pk, True), (zoe.pk, False)])


def test_what_was_taken_back_while_they_were_one_stays_taken_back(
    alice: Membership, nadia: Person, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    hear(make_post("Where is my refund?", author="zoe"))
    zoe = Person.objects.get(handles__handle="zoe")
    for person in (nadia, zoe):
        set_consent(alice, person, "contact", True, "by phone", now=NOON)
    merge = people.join_people(alice, nadia, zoe, "A guess", now=LATER)
    withdraw_consent(alice, Consent.objects.get(withdrawn_at__isnull=True), now=LATER + dt.timedelta(minutes=1))
    people.split_people(alice, merge, now=LATER + dt.timedelta(minutes=2))
    assert not Consent.objects.filter(withdrawn_at__isnull=True).exists()


def test_a_stop_is_on_record_with_where_it_came_from_and_who_ended_it(
    alice: Membership, ben: Membership, nadia: Person, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    people.suppress_person(ben, nadia, "asked by mail", now=NOON)
    people.lift_suppression(alice, nadia, "asked for a call", now=LATER)
    hear(make_post("Please stop contacting me", author="nadia"))
    told = [(row.source, row.reason, row.by, row.lift_reason) for row in reads.stops_of(alice, nadia)]
    assert sorted(told) == [
        ("colleague", "asked by mail", ben, "asked for a call"),
        ("word", "asked us to stop", None, ""),
    ]


def test_a_stop_names_its_account_to_nobody_and_is_found_when_the_key_is_changed(
    ben: Membership, nadia: Person
) -> None:
    people.suppress_person(ben, nadia, "asked by mail", now=NOON)
    row = Suppression.objects.get()
    assert len(row.digest) == 64
    assert "nadia" not in row.digest + row.reason
    from django.conf import settings

    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert reads.stops_of(ben, nadia) == [row]
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        assert reads.stops_of(ben, nadia) == []


def test_who_answered_them_is_counted_by_conversation(
    alice: Membership, ben: Membership, nadia: Person, channel: Any
) -> None:
    from rapport.actions.outbound import approve
    from rapport.store.models import Conversation, Post

    talk, post = Conversation.objects.get(person=nadia), Post.objects.get()
    for member, text in ((ben, "Which parcel is it, Nadia?"), (ben, "I look for it now"), (alice, "Found it")):
        talk.refresh_from_db()
        approve(member, talk, text=text, target=post, channel=channel, version=talk.version, now=NOON)
    told = [(each.member, each.conversations) for each in reads.knowers_of(alice, nadia)]
    assert sorted(told, key=str) == sorted([(alice, 1), (ben, 1)], key=str)


def test_somebody_of_another_firm_reads_their_own_notes_alone(
    alice: Membership, ben: Membership, nadia: Person
) -> None:
    Membership.objects.filter(pk=ben.pk).update(role="restricted")
    ben.refresh_from_db()
    add_person_note(alice, nadia, "Sister of the mayor", now=NOON)
    own = add_person_note(ben, nadia, "Calls on Mondays", now=NOON)
    size = save_field(alice, "Size", "text", now=NOON)
    set_value(alice, nadia, size, "42", now=NOON)
    set_consent(alice, nadia, "quote", True, "by phone", now=NOON)
    people.suppress_person(alice, nadia, "asked by mail", now=NOON)
    assert reads.notes_on(ben, nadia) == [own]
    kept = (reads.fields_of(ben, nadia, True), reads.consents_of(ben, nadia), reads.stops_of(ben, nadia))
    assert kept == ([], [], [])
    assert reads.knowers_of(ben, nadia) == []
    assert PersonNote.objects.count() == 2
