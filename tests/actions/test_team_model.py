"""A workspace's own model: learnt from what its people said, in force with the next batch, taken back in one step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import product
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions import desk
from rapport.actions.corrections import correct
from rapport.actions.team_model import (
    LEASE,
    ask_team_model,
    claim_team_model,
    fail_team_model,
    finish_team_model,
    note_progress,
    use_team_model,
    withdraw_team_model,
)
from rapport.core.decision import Outcome as Judged
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.reading import Reading
from rapport.pipeline.teaching import teach, teacher
from rapport.store.models import Conversation, Outcome, Post, TeamModel
from rapport.store.queries.team_model import count_waiting, find_acted_on, read_said, team_version
from rapport.training.team import HEADS, LEAST_CORRECTED, LEAST_STOOD

pytestmark = pytest.mark.django_db
ITEMS = ("parcel", "tram", "app", "invoice", "meter", "router", "ticket", "kettle", "seat", "bag", "lamp", "phone")
PLACES = ("in Graz", "on Monday", "at the depot", "near the lake", "since March", "for my aunt", "by noon", "at home")


def reading_of(text: str) -> Reading:
    return msgspec.json.decode(Outcome.objects.get(post__text=text).body, type=Judged).reading


@pytest.fixture
def busy_team(alice: Any, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Any:
    """Her team corrected trouble in words of its own, and resolved the rest without a word; two more lie there."""
    pairs = list(product(ITEMS, PLACES))
    trouble = [f"Gurkel: {item} gurkels and gurkelled {place}" for item, place in pairs[: LEAST_CORRECTED + 10]]
    calm = [f"One more {item} was handed over {place}" for item, place in pairs[-LEAST_STOOD - 10 :]]
    hear(*(make_post(text, author=f"a{number}") for number, text in enumerate([*trouble, *calm])))
    hear(make_post("Nobody looked at this one", author="late"))
    for post in Post.objects.filter(text__in=trouble):
        correct(alice, post, "intent.complaint", "true", now=NOON)
    for talk in Conversation.objects.filter(pk__in=Post.objects.filter(text__in=calm).values("conversation_id")):
        desk.resolve(alice, talk, now=NOON)
    return alice


def learnt(alice: Any) -> TeamModel:
    ask_team_model(alice, now=NOON)
    row = claim_team_model("w", now=NOON)
    assert row is not None
    teach(row, lambda: NOON, 0.0)
    return TeamModel.objects.get(pk=row.pk)


def check_sources(busy_team: Any) -> None:
    said = list(read_said(busy_team.workspace, HEADS))
    corrected = [row for row in said if row[3]]
    stood = [row for row in said if not row[3]]
    assert {(reading, value) for _, reading, value, _ in corrected} == {("intent.complaint", "true")}
    assert len(corrected) == LEAST_CORRECTED + 10
    assert {reading for _, reading, _, _ in stood} == {"intent.complaint"}
    assert len(stood) == LEAST_STOOD + 10
    assert all("handed over" in post.text for post, *_ in stood)
    assert Post.objects.get(text="Nobody looked at this one").pk not in find_acted_on(busy_team.workspace)
    assert len(find_acted_on(busy_team.workspace, 7)) == 7
    assert find_acted_on(busy_team.workspace, 7) == find_acted_on(busy_team.workspace)[:7]


def test_it_is_learnt_from_what_people_corrected_and_let_stand_put_in_force_and_taken_back(
    busy_team: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    check_sources(busy_team)
    assert count_waiting(busy_team.workspace) == LEAST_CORRECTED + 10
    row = learnt(busy_team)
    assert count_waiting(busy_team.workspace) == 0
    assert (row.state, row.corrections, row.stood) == ("made", LEAST_CORRECTED + 10, LEAST_STOOD + 10)
    (figures,) = row.figures
    assert figures["taken"], figures
    assert row.weights is not None
    assert len(row.weights) < 100_000
    assert team_version(busy_team.workspace_id) == 0
    hear(make_post("Gurkel: scooter gurkels and gurkelled in Linz", author="n1"))
    assert reading_of("Gurkel: scooter gurkels and gurkelled in Linz").intent.complaint < 0.5

    use_team_model(busy_team, row, now=NOON)
    hear(make_post("Gurkel: scooter gurkels and gurkelled in Wels", author="n2"))
    after = reading_of("Gurkel: scooter gurkels and gurkelled in Wels")
    assert after.intent.complaint > 0.5
    assert after.model.endswith("+team-1")
    assert any("gurkel" in line for line in after.why)

    assert withdraw_team_model(busy_team, now=NOON) == 1
    hear(make_post("Gurkel: scooter gurkels and gurkelled in Bonn", author="n3"))
    assert "team" not in reading_of("Gurkel: scooter gurkels and gurkelled in Bonn").model
    with pytest.raises(InvalidInput):
        withdraw_team_model(busy_team, now=NOON)


def test_with_a_word_here_and_there_nothing_is_learnt_and_nothing_can_be_used(
    alice: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    hear(make_post("My parcel is broken"))
    correct(alice, Post.objects.get(), "sentiment", "positive", now=NOON)
    row = learnt(alice)
    assert [(each["reading"], each["reason"]) for each in row.figures] == [("sentiment", "few corrected")]
    assert row.weights is None
    with pytest.raises(InvalidInput, match="Nothing in this version"):
        use_team_model(alice, row, now=NOON)


def test_without_any_correction_there_is_nothing_to_tell(alice: Any) -> None:
    row = learnt(alice)
    assert (row.state, row.figures, row.weights) == ("made", [], None)


def test_two_people_who_ask_at_once_have_one_learnt(alice: Any, ben: Any) -> None:
    assert ask_team_model(alice, now=NOON).pk == ask_team_model(alice, now=NOON).pk
    with pytest.raises(NotAllowed):
        ask_team_model(ben, now=NOON)


def test_one_worker_at_a_time_learns_it_until_it_is_gone_for_long(alice: Any) -> None:
    ask_team_model(alice, now=NOON)
    first = claim_team_model("w1", now=NOON)
    assert first is not None
    assert claim_team_model("w2", now=NOON + LEASE / 2) is None
    later = NOON + LEASE + dt.timedelta(seconds=1)
    second = claim_team_model("w2", now=later)
    assert second is not None
    assert not note_progress(first, "sentiment", 50, now=later)
    assert not finish_team_model(first, [], b"x", beside="", corrections=0, stood=0, now=later)
    assert fail_team_model(second, "no luck", now=later)
    assert TeamModel.objects.get().problem == "no luck"
    assert ask_team_model(alice, now=later).version == 2


def test_a_new_version_takes_the_place_of_the_old_one_in_this_workspace_alone(alice: Any, charlie: Any) -> None:
    for version in (1, 2):
        ask_team_model(alice, now=NOON)
        row = claim_team_model("w", now=NOON)
        assert row is not None
        finish_team_model(row, [], b"x", beside="", corrections=0, stood=0, now=NOON)
        use_team_model(alice, row, now=NOON)
        assert team_version(alice.workspace_id) == version
    assert TeamModel.objects.filter(in_force=True).count() == 1
    assert team_version(charlie.workspace_id) == 0
    with pytest.raises(NotAllowed):
        use_team_model(charlie, TeamModel.objects.get(version=1), now=NOON)


def test_what_breaks_the_training_is_told_and_stops_nothing(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a fault that no real text causes today")

    monkeypatch.setattr("rapport.pipeline.teaching.learn", broken)
    row = learnt(alice)
    assert row.state == "failed"
    assert "log" in row.problem


@pytest.mark.django_db(transaction=True)
def test_the_worker_learns_in_a_thread_of_its_own(alice: Any) -> None:
    ask_team_model(alice, now=NOON)
    jobs = teacher("w", lambda: NOON, 0.0)
    jobs.look()
    assert jobs._thread is not None
    jobs._thread.join(60)
    assert TeamModel.objects.get().state == "made"
