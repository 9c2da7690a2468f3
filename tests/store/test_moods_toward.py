"""The mood toward topics, from the line to the lists; a person's word on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions.corrections import correct, withdraw
from rapport.actions.listening import save_topic
from rapport.core.decision import Outcome as Judged
from rapport.core.post import Post
from rapport.store.models import Conversation, Outcome, TopicMatch
from rapport.store.queries.outcomes import read_person_facts
from rapport.store.queries.voices import share_of_voice

pytestmark = pytest.mark.django_db
TEXT = "I love Fernway, so friendly and quick. Rainmail is a complete disaster, they lost my parcel and lied to me."


@pytest.fixture
def topics(alice: Any) -> None:
    save_topic(alice, "fernway", "Fernway", "fernway OR @fernway", active=True, now=NOON)
    save_topic(alice, "rainmail", "Rainmail", "rainmail", active=True, now=NOON)


def judged() -> Judged:
    return msgspec.json.decode(Outcome.objects.get().body, type=Judged)


def moods() -> dict[str, int | None]:
    return dict(TopicMatch.objects.values_list("topic__slug", "mood"))


def test_each_topic_keeps_its_mood_and_ours_is_the_mood_of_lists_and_tallies(
    topics: None, alice: Any, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    post = make_post(TEXT)
    hear(post)
    outcome = Outcome.objects.get()
    assert [(each.topic, each.ours) for each in judged().toward] == [("fernway", True), ("rainmail", False)]
    assert judged().reading.sentiment.label == "negative"
    assert moods() == {"fernway": 3, "rainmail": 1}
    assert outcome.sentiment == "positive"
    assert Conversation.objects.get().mood == 3
    facts = read_person_facts(alice.workspace_id, [(1, post)], NOON)[post.network, post.author.key]
    assert (len(facts.negative), len(facts.positive)) == (0, 1)
    voices = share_of_voice(alice.workspace_id, NOON - dt.timedelta(days=7))
    assert {voice.topic.slug: (voice.negative, voice.positive) for voice in voices} == {
        "fernway": (0, 1), "rainmail": (1, 0),
    }  # fmt: skip


def test_a_text_that_names_one_alone_keeps_no_mood_beside_its_topic(
    topics: None, alice: Any, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    hear(make_post("Fernway left my parcel in the rain, this is terrible and unacceptable"))
    assert moods() == {"fernway": None}
    (voice,) = [each for each in share_of_voice(alice.workspace_id, NOON - dt.timedelta(days=7)) if each.found]
    assert (voice.negative, voice.positive) == (1, 0)


def test_a_person_s_word_on_the_mood_counts_for_us_and_taking_it_back_brings_both_moods_back(
    topics: None, alice: Any, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    hear(make_post(TEXT))
    stored = Outcome.objects.get().post
    before = judged()
    made = correct(alice, stored, "sentiment", "negative", now=NOON)
    assert (Outcome.objects.get().sentiment, Conversation.objects.get().mood) == ("negative", 1)
    assert moods() == {"fernway": None, "rainmail": None}
    withdraw(alice, made, now=NOON)
    assert (Outcome.objects.get().sentiment, Conversation.objects.get().mood) == ("positive", 3)
    assert moods() == {"fernway": 3, "rainmail": 1}
    assert judged().score == before.score


def test_another_workspace_has_none_of_it(
    topics: None, charlie: Any, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    hear(make_post(TEXT))
    assert not TopicMatch.objects.of(charlie.workspace).exists()
    assert share_of_voice(charlie.workspace_id, NOON - dt.timedelta(days=7)) == []
