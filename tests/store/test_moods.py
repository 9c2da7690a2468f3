"""What happens around posts: who else speaks in a thread, and whether the hour is worse than usual."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.core.decision import Outcome as Judgement
from rapport.core.post import Post
from rapport.store.models import MoodHour, Outcome
from rapport.store.queries.moods import read_crisis, read_crowds, read_usual_trouble

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def judged(name: str) -> Judgement:
    return msgspec.json.decode(Outcome.objects.get(post__external_id=name).body, type=Judgement)


def names(judgement: Judgement) -> set[str]:
    return {factor.name for factor in judgement.score.factors}


def test_the_hours_count_what_others_said_once(
    hear: Callable[..., Any], make_post: Callable[..., Post], worker: Any
) -> None:
    from rapport.core.post import Author

    angry = "This is a disgrace, I hate it, worst service ever!"
    first = make_post(angry, id="1", created_at=NOON - dt.timedelta(minutes=50))
    hear(
        first,
        make_post("I love it", id="2"),
        make_post(angry, id="3", author="olga", created_at=NOON - dt.timedelta(days=80)),
        make_post("We are sorry", id="4", author=Author(id="us", handle="fernway", ours=True)),
    )
    hear(msgspec.structs.replace(first, text=angry + " Really.", edited_at=NOON))
    assert list(MoodHour.objects.values_list("hour", "posts", "negative")) == [(NOON - HOUR, 2, 1)]


def test_a_storm_weighs_on_what_is_negative_and_is_kept_with_it(
    hear: Callable[..., Any], make_post: Callable[..., Post], alice: Any
) -> None:
    MoodHour.objects.bulk_create(
        MoodHour(workspace=alice.workspace, hour=NOON - number * HOUR, posts=20, negative=2)
        for number in range(3, 24 * 14)
    )
    usual = read_usual_trouble(alice.workspace_id, NOON)
    assert usual is not None
    assert read_crisis(alice.workspace_id, usual, NOON) is None
    MoodHour.objects.create(workspace=alice.workspace, hour=NOON - HOUR, posts=90, negative=80)
    hear(
        make_post("This is a disgrace, I hate it, worst service ever!", id="bad"),
        make_post("I love my rucksack so much", id="good", author="olga"),
    )
    bad = judged("bad")
    assert bad.crisis is not None
    assert (bad.crisis.negative, round(bad.crisis.usual)) == (80, 4)
    assert "crisis" in names(bad)
    assert next(f.reason for f in bad.score.factors if f.name == "crisis").startswith("80 negative posts in 3 hours")
    share = next((f.points for f in judged("good").score.factors if f.name == "crisis"), 0)
    assert share < next(f.points for f in bad.score.factors if f.name == "crisis")


def test_a_young_workspace_has_no_usual(alice: Any) -> None:
    assert read_usual_trouble(alice.workspace_id, NOON) is None
    MoodHour.objects.create(workspace=alice.workspace, hour=NOON - HOUR, posts=500, negative=500)
    assert read_usual_trouble(alice.workspace_id, NOON) is None


def test_many_people_in_one_thread_are_a_pile_on_over_batches_and_within_one(
    hear: Callable[..., Any], make_post: Callable[..., Post], alice: Any
) -> None:
    hear(make_post("The app is broken", id="root", author="ann"))
    hear(*[make_post("Same here", id=f"a{n}", author=f"who{n}", in_reply_to="root", thread="root") for n in range(3)])
    hear(
        make_post("Me too", id="b1", author="late", in_reply_to="a1"),
        make_post("And me", id="b2", author="later", in_reply_to="root"),
        make_post("And I say it again", id="b3", author="late", in_reply_to="root"),
        make_post("Something else", id="c", author="olga"),
        make_post("Long ago", id="old", author="old", in_reply_to="root", created_at=NOON - dt.timedelta(hours=2)),
    )
    found = {name: judged(name).pile_on for name in ("root", "a2", "b1", "b2", "b3", "c", "old")}
    people = {name: each.people if each else 0 for name, each in found.items()}
    assert people == {"root": 0, "a2": 4, "b1": 5, "b2": 5, "b3": 6, "c": 0, "old": 0}
    assert "pile_on" in names(judged("b3"))


def test_threads_of_another_workspace_or_network_count_for_nothing(
    hear: Callable[..., Any], make_post: Callable[..., Post], alice: Any, charlie: Any
) -> None:
    hear(*[make_post("Same here", id=f"a{n}", author=f"who{n}", thread="root") for n in range(5)])
    reply = make_post("Me too", author="late", in_reply_to="root")
    since = NOON - HOUR
    assert {len(crowd) for crowd in read_crowds(alice.workspace_id, [reply], since).values()} == {5}
    assert read_crowds(charlie.workspace_id, [reply], since) == {}
    assert read_crowds(alice.workspace_id, [msgspec.structs.replace(reply, network="x")], since) == {}
    assert read_crowds(alice.workspace_id, [reply], NOON) == {}
