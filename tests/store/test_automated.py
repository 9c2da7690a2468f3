"""Accounts that look automated are told apart wherever posts are counted, and machines alone make no storm."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.db import connection

from conftest import NOON
from rapport.actions import people
from rapport.core.decision import Outcome as Judgement
from rapport.core.post import Author, Post
from rapport.core.understand.accounts import PROBABLE
from rapport.store.models import Conversation, Handle, MoodHour, Outcome, Person
from rapport.store.models import Post as PostRow
from rapport.store.queries.accounts import looks_automated, of_automated, which_look_automated
from rapport.store.queries.moods import read_crisis, read_crowds, read_usual_trouble

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
ANGRY = "This is a disgrace, I hate it, worst service ever!"


def machine(name: str) -> Author:
    return Author(id=f"id-{name}", handle=name, name=name, bot=True)


def judged(name: str) -> Judgement:
    return msgspec.json.decode(Outcome.objects.get(post__external_id=name).body, type=Judgement)


def hours() -> list[tuple[int, int, int | None, int | None]]:
    return list(
        MoodHour.objects.order_by("hour").values_list("posts", "negative", "automated", "automated_negative")
    )  # fmt: skip


def test_sql_tells_the_accounts_that_the_property_tells(alice: Any) -> None:
    person = Person.objects.create(workspace=alice.workspace, first_seen=NOON, last_seen=NOON)
    states = itertools.product((False, True), (None, False, True), (None, 0.0, PROBABLE - 0.001, PROBABLE, 1.0))
    for number, (bot, word, score) in enumerate(states):
        Handle.objects.create(
            workspace=alice.workspace, person=person, network="x", external_id=str(number), bot=bot, bot_word=word,
            bot_score=score,
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {looks_automated('h')} FROM store_handle h")
        told = {row: bool(looks) for row, looks in cursor.fetchall()}
        cursor.execute(f"SELECT id FROM store_handle h WHERE {which_look_automated('h')}")
        found = {row for (row,) in cursor.fetchall()}
    assert told == {handle.pk: handle.automated for handle in Handle.objects.all()}
    assert found == {row for row, looks in told.items() if looks}
    assert found == set(Handle.objects.filter(of_automated("")).values_list("pk", flat=True))
    assert 0 < len(found) < len(told)


@pytest.mark.skipif("connection.vendor == 'postgresql'")
def test_the_few_are_found_by_their_index(alice: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN QUERY PLAN SELECT id FROM store_handle h WHERE workspace_id = 1 AND {which_look_automated('h')}"
        )
        assert "USING INDEX automated_handle" in str(cursor.fetchall())


def test_a_storm_of_machines_alone_is_no_crisis_and_is_told_with_one(
    hear: Callable[..., Any], make_post: Callable[..., Post], alice: Any
) -> None:
    MoodHour.objects.bulk_create(
        MoodHour(workspace=alice.workspace, hour=NOON - number * HOUR, posts=20, negative=2)
        for number in range(3, 24 * 14)
    )
    usual = read_usual_trouble(alice.workspace_id, NOON)
    assert usual is not None
    hear(*[make_post(ANGRY, id=f"m{n}", author=machine(f"robot{n % 7}")) for n in range(60)])
    assert read_crisis(alice.workspace_id, usual, NOON) is None
    hear(*[make_post(ANGRY, id=f"p{n}", author=f"someone{n}") for n in range(60)])
    crisis = read_crisis(alice.workspace_id, usual, NOON)
    assert crisis is not None
    assert (crisis.negative, crisis.automated) == (60, 60)


def test_machines_in_a_thread_are_no_pile_on_and_people_are_counted_without_them(
    hear: Callable[..., Any], make_post: Callable[..., Post], alice: Any
) -> None:
    hear(make_post("The app is broken", id="root", author="ann"))
    hear(*[make_post("Same", id=f"m{n}", author=machine(f"robot{n}"), thread="root") for n in range(9)])
    hear(
        *[make_post("Same", id=f"p{n}", author=f"who{n}", thread="root") for n in range(3)],
        make_post("Same", id="m9", author=machine("robot9"), thread="root"),
    )
    found = [judged(name).pile_on for name in ("m8", "p1", "p2", "m9")]
    assert [each.people if each else 0 for each in found] == [0, 0, 4, 4]
    crowds = read_crowds(alice.workspace_id, [make_post("Me too", in_reply_to="root")], NOON - HOUR)
    assert crowds == {("mastodon", "root"): frozenset({"id-ann", "id-who0", "id-who1", "id-who2"})}


def test_what_an_account_said_moves_with_what_it_looks_like(
    hear: Callable[..., Any], make_post: Callable[..., Post], alice: Any
) -> None:
    hear(
        make_post(ANGRY, id="1", author="robin"),
        make_post("It opens at nine", id="2", author="robin", created_at=NOON - 2 * HOUR),
        make_post(ANGRY, id="3", author="ann"),
        make_post("Same", id="4", author="robin", thread="3"),
    )
    robin = Handle.objects.get(handle="robin")
    negative = Outcome.objects.filter(post__handle=robin, post__external_id__in="14", sentiment="negative").count()
    assert negative >= 1
    as_people = [(1, 0, 0, 0), (3, 1 + negative, 0, 0)]
    assert hours() == as_people
    people.say_automated(alice, robin, True, now=NOON)
    assert hours() == [(0, 0, 1, 0), (1, 1, 2, negative)]
    alone = {"1", "2"}
    marked = Conversation.objects.filter(automated=True).values("pk")
    assert set(PostRow.objects.filter(conversation_id__in=marked).values_list("external_id", flat=True)) == alone
    people.say_automated(alice, robin, False, now=NOON)
    assert hours() == as_people
    assert not Conversation.objects.filter(automated=True).exists()


def test_an_account_that_begins_to_call_itself_a_bot_takes_its_words_along(
    hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    hear(make_post(ANGRY, id="1", author="robot"))
    assert hours() == [(1, 1, 0, 0)]
    hear(make_post("It opens at nine", id="2", author=machine("robot")))
    assert hours() == [(0, 0, 2, 1)]
    assert set(Conversation.objects.values_list("automated", flat=True)) == {True}


def test_a_conversation_with_one_person_in_it_is_not_a_machines(
    hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    hear(make_post(ANGRY, id="1", author=machine("robot")))
    assert Conversation.objects.get().automated is True
    hear(make_post("We are sorry", id="2", thread="1", author=Author(id="us", handle="fernway", ours=True)))
    assert Conversation.objects.get().automated is True
    hear(make_post("Is that so?", id="3", thread="1", author="ann"))
    assert Conversation.objects.get().automated is False


def test_the_migration_marks_the_conversations_of_machines_alone(
    hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    hear(
        make_post(ANGRY, id="1", author=machine("robot")),
        make_post(ANGRY, id="2", author="ann"),
        make_post("Is it?", id="3", author=machine("other")),
        make_post("It is", id="4", thread="3", author="ann"),
    )
    known = dict(Conversation.objects.values_list("pk", "automated"))
    assert sorted(known.values()) == [False, False, True]
    Conversation.objects.update(automated=None)
    migration = import_module("rapport.store.migrations.0017_people_and_machines_apart")
    migration.fill(None, SimpleNamespace(connection=connection))
    assert dict(Conversation.objects.values_list("pk", "automated")) == {
        row: looks or None for row, looks in known.items()
    }  # fmt: skip
