"""Weights of a workspace and scores by hand: what they change at once, and what brings the machine's word back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions import desk, score
from rapport.core.errors import InvalidInput, InvalidWeights, NotAllowed
from rapport.core.post import Author, Post
from rapport.core.score import SHIPPED, Weights
from rapport.store.models import Conversation, DeskEvent, Outcome, ScoreCorrection, ScoreWeights, Workspace
from rapport.store.queries.snapshot import configuration_version, read_configuration, weights_of

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(minutes=10)


@pytest.fixture
def talk(hear: Callable[..., Any], make_post: Callable[..., Post]) -> Conversation:
    """A complaint of somebody with many followers."""
    author = Author(id="n", handle="nadia", name="Nadia", followers=50_000)
    hear(make_post("My parcel is broken and nobody answers, @fernway!", author=author, mentions=("fernway",)))
    return Conversation.objects.get()


def again(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def factors() -> dict[str, float]:
    body = msgspec.json.decode(Outcome.objects.get().body)
    return {factor["name"]: factor["points"] for factor in body["score"]["factors"]}


def test_new_weights_are_a_version_in_force_for_the_next_post_and_for_what_is_open(
    alice: Any, talk: Conversation, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    before, version = again(talk).score, configuration_version(alice.workspace_id)
    saved = score.save_weights(alice, Weights(reach=0), "followers do not matter", now=NOON)
    assert (saved.version, saved.note, saved.author) == (1, "followers do not matter", alice)
    assert configuration_version(alice.workspace_id) == version + 1
    assert read_configuration(alice.workspace_id).weights == Weights(reach=0)
    assert "reach" not in factors()
    assert again(talk).score == pytest.approx(sum(factors().values()))
    assert again(talk).score < before
    hear(make_post("And mine!", author=Author(id="o", handle="olga", followers=90_000)))
    newest = msgspec.json.decode(Outcome.objects.latest("pk").body)
    assert newest["weights"] == 1
    assert "reach" not in {factor["name"] for factor in newest["score"]["factors"]}


def test_going_back_to_an_older_version_gives_every_score_back(alice: Any, talk: Conversation) -> None:
    before, said = again(talk).score, factors()
    score.save_weights(alice, Weights(mood=0, urgency=31), now=NOON)
    assert factors() != said
    score.save_weights(alice, SHIPPED, "Version 0 again", now=LATER)
    assert (again(talk).score, factors()) == (before, said)
    assert Workspace.objects.get(pk=alice.workspace_id).score_weights == {}, "the shipped ones are followed"
    assert [row.version for row in ScoreWeights.objects.of(alice.workspace)] == [2, 1]


def test_weights_of_one_workspace_change_nothing_in_another(alice: Any, charlie: Any) -> None:
    score.save_weights(alice, Weights(reach=0), now=NOON)
    assert weights_of(charlie.workspace) == SHIPPED
    assert read_configuration(charlie.workspace_id).weights == SHIPPED


def test_those_who_may_not_configure_may_not_weigh(ben: Any) -> None:
    with pytest.raises(NotAllowed):
        score.save_weights(ben, Weights(reach=0), now=NOON)


def test_weights_that_make_no_sense_never_come_to_be() -> None:
    with pytest.raises(InvalidWeights) as caught:
        Weights(mood=60)
    assert caught.value.field == ""
    assert "take away 41" in str(caught.value)


def test_a_score_by_hand_counts_until_it_is_taken_back(alice: Any, ben: Any, talk: Conversation) -> None:
    machine = again(talk).score
    score.set_score(ben, talk, 80, now=NOON)
    assert (again(talk).score, again(talk).score_by_hand) == (80, 80)
    kept = ScoreCorrection.objects.get()
    assert (kept.value, kept.was, kept.by, kept.post) == (80, machine, ben, talk.decided_by)
    score.set_score(alice, talk, 20, now=LATER)
    assert again(talk).score == 20
    assert [row.was for row in ScoreCorrection.objects.order_by("pk")] == [machine, machine]
    assert ScoreCorrection.objects.filter(removed_at__isnull=True).get().by == alice
    score.clear_score(ben, talk, now=LATER)
    assert (again(talk).score, again(talk).score_by_hand) == (machine, None)
    assert ScoreCorrection.objects.filter(removed_at__isnull=True).count() == 0
    assert DeskEvent.objects.latest("pk").payload["conversations"] == [talk.pk]


def test_it_outlives_new_words_and_new_weights_and_ends_when_the_conversation_is_resolved(
    alice: Any, talk: Conversation, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    score.set_score(alice, talk, 90, now=NOON)
    first = Outcome.objects.get().post
    author = Author(id="n", handle="nadia")
    hear(make_post("Hello? Still broken!", author=author, in_reply_to=first.external_id))
    score.save_weights(alice, Weights(reach=0), now=NOON)
    assert again(talk).score == 90
    desk.resolve(alice, again(talk), now=LATER)
    assert again(talk).score_by_hand is None
    assert again(talk).score == Outcome.objects.get(pk=again(talk).decided_by).score
    assert ScoreCorrection.objects.count() == 1, "kept to learn from"
    with pytest.raises(InvalidInput, match="resolved"):
        score.set_score(alice, talk, 90, now=LATER)


@pytest.mark.parametrize("value", [-1, 100.1, float("nan"), float("inf")])
def test_a_score_by_hand_lies_between_0_and_100(alice: Any, talk: Conversation, value: float) -> None:
    with pytest.raises(InvalidInput, match="from 0 to 100"):
        score.set_score(alice, talk, value, now=NOON)


def test_a_stranger_sets_no_score(charlie: Any, talk: Conversation) -> None:
    with pytest.raises(NotAllowed):
        score.set_score(charlie, talk, 50, now=NOON)
    with pytest.raises(NotAllowed):
        score.clear_score(charlie, talk, now=NOON)
