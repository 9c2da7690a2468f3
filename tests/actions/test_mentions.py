"""Notes that name colleagues, and notes that their author changes or takes back."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import NOON
from rapport.actions import mentions
from rapport.actions.accounts import change_member, invite
from rapport.actions.desk import add_note
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Basket, Conversation, NoteMention, Notification
from rapport.store.queries.mentions import may_be_named, mentions_of
from rapport.store.queries.talk import read_talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(alice: Any, channel: Any, hear: Any, make_post: Any) -> Any:
    hear(make_post("Where is my parcel?", author="nadia"))
    row = Conversation.objects.get()
    row.basket = Basket.objects.of(alice.workspace).get(slug="care")
    row.save()
    return row


def told(member: Any) -> int:
    return Notification.objects.filter(membership=member, event="mention").count()


def test_who_is_named_is_told_once_and_finds_the_note_again(alice: Any, ben: Any, talk: Any) -> None:
    note = add_note(alice, talk, "@Ben, did the carrier answer?", now=NOON)
    assert [each.note for each in mentions_of(ben)] == [note]
    assert told(ben) == 1
    assert mentions_of(alice) == []
    mentions.edit_note(alice, talk, note, "@Ben, did the carrier answer today?", now=NOON)
    assert told(ben) == 1
    mentions.edit_note(alice, talk, note, "No matter", now=NOON)
    assert mentions_of(ben) == []


def test_who_does_not_see_the_conversation_is_neither_offered_nor_named_nor_told(
    alice: Any, ben: Any, talk: Any
) -> None:
    sales = Basket.objects.of(alice.workspace).get(slug="sales")
    change_member(alice, ben, role="agent", active=True, baskets=[sales], now=NOON)
    assert may_be_named(alice, talk) == []
    add_note(alice, talk, "@Ben, look", now=NOON)
    assert NoteMention.objects.count() == told(ben) == 0


def test_somebody_of_another_firm_names_only_those_of_their_baskets(alice: Any, ben: Any, talk: Any) -> None:
    sales, care = (Basket.objects.of(alice.workspace).get(slug=slug) for slug in ("sales", "care"))
    change_member(alice, ben, role="agent", active=True, baskets=[sales], now=NOON)
    rita = invite(alice, "rita@else.example", "Rita", "restricted", [care], now=NOON)[0]
    assert ben not in may_be_named(rita, talk)
    change_member(alice, ben, role="agent", active=True, baskets=[care], now=NOON)
    assert ben in may_be_named(rita, talk)


def test_a_note_is_changed_and_taken_back_by_its_author_alone(alice: Any, ben: Any, talk: Any) -> None:
    note = add_note(ben, talk, "Called", now=NOON)
    for act in (
        lambda: mentions.edit_note(alice, talk, note, "x", now=NOON),
        lambda: mentions.remove_note(alice, talk, note, now=NOON),
    ):
        with pytest.raises(NotAllowed):
            act()
    with pytest.raises(InvalidInput):
        mentions.edit_note(ben, talk, note, "  ", now=NOON)
    assert mentions.edit_note(ben, talk, note, "Called twice", now=NOON).edited_at == NOON
    assert [entry.note.text for entry in read_talk(talk, ben).entries if entry.note] == ["Called twice"]
    mentions.remove_note(ben, talk, note, now=NOON)
    assert not [entry for entry in read_talk(talk, ben).entries if entry.note]
    with pytest.raises(InvalidInput):
        mentions.edit_note(ben, talk, note, "again", now=NOON)


def test_the_notice_is_in_words_and_stays_within_its_length(alice: Any, ben: Any, talk: Any) -> None:
    from rapport.pipeline.notice_words import words_of

    add_note(alice, talk, "@Ben " + "look at this " * 60, now=NOON)
    said = words_of(Notification.objects.get(membership=ben, event="mention").text)
    assert said.startswith("Alice names you in a note on Nadia: @Ben look at this")
