"""Lists by mood and intent hold what somebody would find who looked at every conversation."""

from __future__ import annotations

import datetime as dt
import itertools
from types import SimpleNamespace
from typing import Any, get_args

import msgspec
import pytest
from django.db import connection

from conftest import NOON
from rapport.core.felt import INTENTS, MOODS, intent_bit
from rapport.store.models import Conversation, Outcome
from rapport.store.queries.conversations import read_words, refresh
from rapport.store.queries.felt import Intent, Mood, count_shares, felt_as
from rapport.store.queries.threads import Linked

pytestmark = pytest.mark.django_db


@pytest.fixture
def talks(alice: Any, channel: Any) -> list[Conversation]:
    """One for each mood (and none) with each of some sets of intents."""
    return [
        Conversation.objects.create(
            workspace=alice.workspace, network="mastodon", channel=channel, mood=mood, intents=bits,
            last_post_at=NOON - dt.timedelta(minutes=5),
        )
        for mood, bits in itertools.product((None, 0, 1, 2, 3), (None, 0, 1, 8, 9, 2, 36, 63))
    ]  # fmt: skip


def holds(talk: Conversation, mood: str, intent: str) -> bool:
    has_mood = not mood or talk.mood == MOODS.index(mood)
    return has_mood and (not intent or bool((talk.intents or 0) & intent_bit(intent)))


def test_a_list_holds_what_is_in_its_mood_and_has_its_intent(talks: list[Conversation]) -> None:
    for mood, intent in itertools.product(get_args(Mood), get_args(Intent)):
        found = set(felt_as(Conversation.objects.all(), mood, intent))
        assert found == {talk for talk in talks if holds(talk, mood, intent)}, (mood, intent)


def test_the_counts_are_those_of_the_lists_that_a_choice_leads_to(
    talks: list[Conversation], django_assert_num_queries: Any
) -> None:
    for mood, intent in itertools.product(("", "negative"), ("", "praise")):
        with django_assert_num_queries(1):
            shares = count_shares(Conversation.objects.all(), 100, mood, intent)
        assert shares.moods == {each: sum(holds(t, each, intent) for t in talks) for each in MOODS[1:]}
        assert shares.intents == {each: sum(holds(t, mood, each) for t in talks) for each in INTENTS}


def test_of_a_long_list_so_many_are_counted(talks: list[Conversation]) -> None:
    assert count_shares(Conversation.objects.all(), 41).whole
    shares = count_shares(Conversation.objects.all(), 40)
    assert (shares.whole, sum(shares.moods.values())) == (False, 24)
    assert sum(count_shares(Conversation.objects.all(), 5).moods.values()) <= 5


def test_a_conversation_is_what_its_deciding_post_is(hear: Any, make_post: Any) -> None:
    hear(make_post("Third parcel left in the rain, this is unacceptable, I am so angry!", author="nadia"))
    talk = Conversation.objects.get()
    read = Outcome.objects.get(pk=talk.decided_by)
    assert (talk.mood, bool((talk.intents or 0) & intent_bit("complaint"))) == (1, True)
    assert (read.sentiment, read.intents) == ("negative", talk.intents)


def test_outcomes_of_before_the_bits_were_kept_tell_them_from_their_body(hear: Any, make_post: Any) -> None:
    hear(make_post("Third parcel left in the rain, this is unacceptable, I am so angry!", author="nadia"))
    talk = Conversation.objects.get()
    known = talk.intents
    Outcome.objects.update(intents=None)
    Conversation.objects.update(mood=None, intents=None)
    assert [word.intents for word in read_words([talk.pk])[talk.pk]] == [known]
    linked = Linked()
    linked.conversations = {talk.decided_by or 0: talk.pk}
    refresh(talk.workspace_id, linked, {}, NOON)
    talk.refresh_from_db()
    assert (talk.mood, talk.intents) == (1, known)


def test_the_migration_fills_conversations_step_by_step(
    hear: Any, make_post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import import_module

    migration = import_module("rapport.store.migrations.0013_corrections_and_moods")
    monkeypatch.setattr(migration, "STEP", 2)
    said = ("I am so angry about this broken parcel!", "Thank you so much, I love it!", "It opens at nine", "Hello you")
    hear(*(make_post(text, author=f"a{number}") for number, text in enumerate(said)))
    hear(make_post("What a terrible, terrible delay", author="odd"))
    known = dict(Conversation.objects.values_list("pk", "mood"))
    odd = Conversation.objects.order_by("-pk")[0]
    Outcome.objects.filter(pk=odd.decided_by).update(body='{"reading": 7}')
    Conversation.objects.update(mood=None, intents=None)
    migration.fill(None, SimpleNamespace(connection=connection))
    assert dict(Conversation.objects.values_list("pk", "mood")) == {**known, odd.pk: None}
    assert set(msgspec.structs.asdict(count_shares(Conversation.objects.all(), 100))["moods"].values()) == {1, 2}
