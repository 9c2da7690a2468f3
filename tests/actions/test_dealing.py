"""What baskets do by themselves: give work to people, take back what lies, send on what does not fit."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import connection, transaction

from conftest import NOON
from rapport.actions import absences, accounts, baskets, desk, hearing, tasks
from rapport.actions.baskets import Wish
from rapport.actions.dealing import tend_baskets
from rapport.core.errors import InvalidInput
from rapport.core.hours import Hours
from rapport.core.notice_text import write_notice
from rapport.core.post import Author, Post
from rapport.core.promises import Terms
from rapport.pipeline.clock import Clock
from rapport.pipeline.worker import Worker
from rapport.store.models import (
    AuditEntry,
    Basket,
    BasketMember,
    Conversation,
    Membership,
    Notification,
    Outcome,
    Person,
    Promise,
    RuleEffect,
    Task,
)
from rapport.store.models import Post as StoredPost
from rapport.store.queries.load import Room, last_moved, read_opening, read_team_load, staffed

pytestmark = pytest.mark.django_db


def after(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


class Desk:
    """Alice, Ben and Dora work in "care", each with room for two."""

    def __init__(self, alice: Membership, ben: Membership, channel: Any, bus: Any) -> None:
        self.alice, self.ben, self.channel, self.bus, self.now = alice, ben, channel, bus, NOON
        self.workspace = alice.workspace
        self.worker = Worker(bus, lambda: self.now, dt.timedelta(seconds=60))
        self.care = Basket.objects.of(self.workspace).get(slug="care")
        self.sales = Basket.objects.of(self.workspace).get(slug="sales")
        every = list(Basket.objects.of(self.workspace))
        self.dora = accounts.invite(alice, "dora@fernway.example", "Dora", "agent", every, now=NOON)[0]
        Membership.objects.update(capacity=2)
        self.number = 0

    def set(self, basket: Basket | None = None, **wish: Any) -> None:
        row = basket or self.care
        baskets.save_basket(self.alice, row, Wish(row.name, **wish), now=self.now)

    def hear(self, minutes: float, count: int = 1, name: str = "", **fields: Any) -> list[Conversation]:
        """So many people speak, each in a thread of their own."""
        self.now, posts = after(minutes), []
        for _ in range(count):
            self.number += 1
            who = name or f"p{self.number}"
            text = fields.get("text", f"Parcel {self.number} of mine came broken, @fernway!")
            author = Author(id=who, handle=who, name=who)
            posts.append(Post("mastodon", f"m{self.number}", text, self.now, author, in_reply_to=fields.get("to")))
        hearing.hear(self.channel, posts, self.bus, now=self.now)
        self.worker.drain()
        return list(Conversation.objects.filter(links__external_id__in=[post.id for post in posts]).order_by("pk"))

    def tend(self, minutes: float) -> int:
        self.now = after(minutes)
        return tend_baskets(self.workspace, now=self.now)

    def loads(self) -> dict[int, int]:
        found = {each.pk: 0 for each in (self.alice, self.ben, self.dora)}
        for assignee in Conversation.objects.filter(assignee__isnull=False, state="open").values_list(
            "assignee", flat=True
        ):
            assert assignee is not None
            found[assignee] += 1
        return found


@pytest.fixture
def place(alice: Any, ben: Any, channel: Any, bus: Any) -> Desk:
    return Desk(alice, ben, channel, bus)


def test_a_basket_from_which_people_take_gives_nothing_out(place: Desk) -> None:
    place.hear(0, 3)
    place.tend(5)
    assert set(place.loads().values()) == {0}


def test_what_comes_into_a_basket_that_gives_is_given_at_once_and_nobody_has_more_than_they_take(place: Desk) -> None:
    place.set(push=True, strategy="round_robin")
    place.hear(0, 9)
    assert set(place.loads().values()) == {2}
    assert Conversation.objects.filter(assignee=None).count() == 3
    given = AuditEntry.objects.filter(verb="conversation.give")
    assert given.count() == 6
    assert {row.detail["reason"] for row in given} == {"next in turn"}
    assert Notification.objects.filter(event="assigned").count() == 3  # one row for each, with a count


def test_when_there_is_room_who_waits_longest_is_given_first(place: Desk) -> None:
    place.set(push=True, strategy="least_loaded")
    place.hear(0, 6)
    older, newer = place.hear(1)[0], place.hear(2)[0]
    done = Conversation.objects.filter(assignee=place.ben).first()
    assert done is not None
    desk.resolve(place.ben, done, now=after(3))
    assert place.tend(4) == 1
    older.refresh_from_db()
    newer.refresh_from_db()
    moved = last_moved(older)
    assert moved is not None
    assert (moved.verb, moved.reason) == ("conversation.give", "has least")
    desk.assign(place.alice, newer, place.alice, now=after(5))
    newer.refresh_from_db()
    assert last_moved(newer) is None
    desk.assign(place.alice, newer, None, now=after(5))
    newer.refresh_from_db()
    assert (older.assignee, newer.assignee) == (place.ben, None)
    assert older.touched_at == after(4)


def test_nothing_is_given_out_while_the_basket_is_closed(place: Desk) -> None:
    # NOON is a Saturday
    office = Hours("UTC", (*(((540, 1020),),) * 5, (), ()))
    place.set(push=True, hours=office)
    place.hear(0, 2)
    assert place.tend(60) == 0
    opening = read_opening(place.workspace.pk, NOON)
    assert not staffed(opening, NOON)
    body = msgspec.json.decode(Outcome.objects.all()[0].body)
    assert body["business_hours"] is False  # which rules read
    monday = 45 * 60  # Monday, 9:00
    assert place.tend(monday) == 2
    assert staffed(opening, after(monday))


def test_who_is_away_is_given_nothing_and_their_deputy_stands_in(place: Desk) -> None:
    place.set(push=True)
    absences.save_absence(
        place.ben, place.ben, since=NOON, until=after(600), deputy=place.dora, note="Dentist", now=NOON
    )
    Person.objects.create(workspace=place.workspace, name="known", first_seen=NOON, last_seen=NOON)
    (talk,) = place.hear(0, name="regular")
    Person.objects.filter(conversations=talk).update(known_to=place.ben)
    desk.resolve(place.alice, talk, now=after(1))
    Conversation.objects.update(assignee=None)
    (again,) = place.hear(2, name="regular")
    assert again.assignee == place.dora
    place.hear(3, 5)
    assert place.loads()[place.ben.pk] == 0
    # Ben is back
    absences.end_absence(place.ben, place.ben.absences.get(), now=after(4))
    place.tend(5)
    assert place.loads()[place.ben.pk] == 2
    # who says so once more, from a page of before, makes it no longer than it was
    with pytest.raises(InvalidInput, match="over already"):
        absences.end_absence(place.ben, place.ben.absences.get(), now=after(9))
    assert place.ben.absences.get().until == after(4)


def test_who_writes_again_to_somebody_who_is_away_or_gone_reaches_who_stands_in_or_the_basket(place: Desk) -> None:
    talks = [place.hear(0, name=name)[0] for name in ("one", "two", "three", "four")]
    for talk in talks:
        desk.assign(place.alice, talk, place.ben, now=after(1))
        desk.resolve(place.ben, talk, now=after(1))
    absences.save_absence(place.ben, place.ben, since=after(2), until=after(60), deputy=place.dora, now=after(2))
    Notification.objects.all().delete()
    # Dora takes two
    for number, talk in enumerate(talks[:3], 1):
        assert place.hear(2 + number, name=talk.person.name, to=f"m{number}") == [talk]
    found = [Conversation.objects.get(pk=talk.pk) for talk in talks]
    assert [(each.state, each.assignee) for each in found] == [
        ("open", place.dora), ("open", place.dora), ("open", None), ("resolved", place.ben),
    ]  # fmt: skip
    told = Notification.objects.filter(event="assigned").values_list("membership", "conversation")
    assert set(told) <= {(place.dora.pk, talks[0].pk), (place.dora.pk, talks[1].pk)}
    assert told
    entry = AuditEntry.objects.filter(verb="conversation.assign", subject_id=str(talks[2].pk)).latest("id")
    assert (entry.actor, entry.detail) == (None, {"before": {"assignee": place.ben.pk}, "after": {"assignee": None}})
    # Ben is back, and still has what nobody wrote in
    (last,) = place.hear(61, name="four", to="m4")
    assert last.assignee == place.ben
    Membership.objects.filter(pk=place.ben.pk).update(active=False)
    (last,) = place.hear(62, name="four", to="m4")
    assert last.assignee is None


@pytest.mark.parametrize(("role", "active"), [("agent", False), ("viewer", True)])
def test_what_somebody_who_leaves_had_on_their_desk_goes_back(place: Desk, role: str, active: bool) -> None:
    talks = place.hear(0, 3)
    for talk in talks:
        desk.assign(place.alice, talk, place.ben, now=after(1))
    desk.snooze(place.ben, talks[1], after(600), now=after(1))
    desk.resolve(place.ben, talks[2], now=after(1))
    fields = {"assignee": place.ben, "due_at": None, "now": after(1)}
    tasks.make_task(place.dora, "Of the basket", basket=place.care, **fields)
    tasks.make_task(place.dora, "Asked for", **fields)
    tasks.make_task(place.ben, "For themselves", **fields)
    accounts.change_member(place.alice, place.ben, role=role, active=active, baskets=[place.care], now=after(2))
    found = [Conversation.objects.get(pk=talk.pk) for talk in talks]
    assert [(each.state, each.assignee) for each in found] == [
        ("open", None), ("snoozed", None), ("resolved", place.ben),
    ]  # fmt: skip
    assert [(each.title, each.assignee) for each in Task.objects.order_by("pk")] == [
        ("Of the basket", None), ("Asked for", place.dora), ("For themselves", place.alice),
    ]  # fmt: skip
    entry = AuditEntry.objects.filter(verb="conversation.assign", subject_id=str(talks[0].pk)).latest("id")
    assert entry.actor == place.alice
    # what was dealt with comes back to the basket too, once somebody opens it again
    desk.reopen(place.alice, talks[2], now=after(3))
    assert Conversation.objects.get(pk=talks[2].pk).assignee is None


@pytest.mark.parametrize(("role", "active"), [("agent", False), ("viewer", True)])
def test_who_writes_to_somebody_who_answers_no_more_reaches_the_basket(place: Desk, role: str, active: bool) -> None:
    (talk,) = place.hear(0, name="one")
    desk.assign(place.alice, talk, place.ben, now=after(1))
    desk.resolve(place.ben, talk, now=after(1))
    accounts.change_member(place.alice, place.ben, role=role, active=active, baskets=[place.care], now=after(2))
    (again,) = place.hear(3, name="one", to="m1")
    assert (again, again.state, again.assignee) == (talk, "open", None)


def test_the_tasks_of_whoever_leaves_go_to_nobody_who_left_before_and_are_told_of_anew(place: Desk) -> None:
    fields = {"due_at": after(5), "now": after(1)}
    tasks.make_task(place.dora, "Asked for", assignee=place.ben, **fields)
    tasks.make_task(place.alice, "Of the basket", assignee=place.ben, basket=place.care, **fields)
    tasks.remind_of_tasks(place.workspace, now=after(5))
    leaves = {"role": "agent", "active": False, "baskets": []}
    accounts.change_member(place.alice, place.dora, **leaves, now=after(6))
    accounts.change_member(place.alice, place.ben, **leaves, now=after(7))
    assert [each.assignee for each in Task.objects.order_by("pk")] == [place.alice, None]
    tasks.remind_of_tasks(place.workspace, now=after(8))
    assert {each.text for each in Notification.objects.filter(membership=place.alice, event="task")} == {
        write_notice("task", title="Asked for"), write_notice("task", title="Of the basket"),
    }  # fmt: skip


@pytest.mark.skipif(
    "sqlite" in settings.DATABASES["default"]["ENGINE"], reason="SQLite lets one at a time change anything"
)
@pytest.mark.django_db(transaction=True)
def test_the_line_does_not_write_over_what_somebody_does_at_the_same_moment(place: Desk) -> None:
    (talk,) = place.hear(0, name="one")

    def listen() -> None:
        try:
            place.hear(1, name="one", to="m1")
        finally:
            connection.close()

    line = threading.Thread(target=listen)
    with transaction.atomic():
        desk.assign(place.alice, talk, place.ben, now=after(1))
        line.start()
        while line.is_alive() and not is_one_waiting():
            line.join(0.02)
    line.join()
    talk.refresh_from_db()
    assert (talk.assignee, StoredPost.objects.filter(conversation_id=talk.pk).count()) == (place.ben, 2)


def is_one_waiting() -> bool:
    """Whether another connection waits for a lock of this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "sqlite" in settings.DATABASES["default"]["ENGINE"], reason="SQLite lets one at a time change anything"
)
def test_what_somebody_is_just_taking_is_not_given_to_another(place: Desk) -> None:
    talks = place.hear(0, 2)
    place.set(push=True)
    done: list[int] = []

    def tend() -> None:
        try:
            done.append(place.tend(1))
        finally:
            connection.close()

    clock = threading.Thread(target=tend)
    with transaction.atomic():
        desk.assign(place.ben, talks[0], place.ben, now=after(1))
        clock.start()
        clock.join(60)
    clock.join()
    assert done == [1]
    talks[0].refresh_from_db()
    assert talks[0].assignee == place.ben


def test_two_workers_that_decided_at_once_do_not_fill_the_same_place_twice(place: Desk) -> None:
    Membership.objects.filter(pk=place.ben.pk).update(capacity=1)
    for name in ("one", "two"):
        (talk,) = place.hear(0, name=name)
        Person.objects.filter(conversations=talk).update(known_to=place.ben)
    Conversation.objects.update(state="resolved", settled_at=NOON)
    # both read that Ben has room, then both write
    second = Worker(place.bus, lambda: place.now, dt.timedelta(seconds=60))
    place.now = after(1)
    decided = []
    from rapport.actions.desk import record
    from rapport.pipeline.line import process

    for name, worker in (("one", place.worker), ("two", second)):
        post = Post("mastodon", f"again-{name}", "Broken again, @fernway!", place.now, Author(id=name, handle=name))
        hearing.hear(place.channel, [post], place.bus, now=place.now)
        batch = place.bus.claim(name, place.now, dt.timedelta(minutes=1))
        decided.append((batch, process([post], worker.snapshot(batch), place.now)))
    assert [outcomes[0].route.person for _, outcomes in decided] == [place.ben.pk] * 2
    for batch, outcomes in decided:
        record(batch, outcomes, place.bus, now=place.now)
    assert place.loads()[place.ben.pk] == 1
    assert Conversation.objects.filter(state="open", assignee=None).count() == 1


def test_what_somebody_lets_lie_comes_back_and_goes_to_another(place: Desk) -> None:
    place.set(push=True, return_after=60, strategy="round_robin")
    (talk,) = place.hear(0)
    had = talk.assignee
    assert had is not None
    assert place.tend(59) == 0
    assert place.tend(61) > 0
    talk.refresh_from_db()
    assert talk.assignee not in {None, had}
    entry = AuditEntry.objects.get(verb="conversation.return")
    assert (entry.detail["from"], entry.subject_id) == (had.pk, str(talk.pk))


def test_a_draft_that_grows_a_note_and_a_word_of_theirs_are_no_silence(place: Desk) -> None:
    from rapport.actions.drafts import save_draft

    place.set(push=False, return_after=60)
    drafted, noted, left = place.hear(0, 3)
    for talk in (drafted, noted, left):
        desk.assign(place.alice, talk, place.ben, now=after(1))
    save_draft(place.ben, drafted, "I am looking into it", now=after(50))
    desk.add_note(place.ben, noted, "Waiting for the warehouse", now=after(50))
    place.tend(70)
    assert set(Conversation.objects.filter(assignee=place.ben)) == {drafted, noted}
    assert place.tend(200) == 2


def test_what_does_not_fit_goes_on_along_the_chain_the_newest_first(place: Desk) -> None:
    praise = Basket.objects.of(place.workspace).get(slug="praise")
    place.set(capacity=2, overflow=place.sales)
    place.set(place.sales, capacity=1, overflow=praise)
    talks = place.hear(0, 1) + place.hear(1, 1) + place.hear(2, 1) + place.hear(3, 1) + place.hear(4, 1)
    where = [Conversation.objects.get(pk=talk.pk).basket for talk in talks]
    assert where == [place.care, place.care, place.sales, praise, praise]
    assert AuditEntry.objects.filter(verb="conversation.overflow").count() == 3


def test_what_is_written_in_a_language_that_nobody_answers_here_goes_on(place: Desk) -> None:
    place.set(languages=("en",), overflow=place.sales)
    english = place.hear(0, text="My parcel came broken and nobody answers me, this is really terrible service")
    german = place.hear(1, text="Mein Paket ist kaputt angekommen und niemand antwortet mir, das ist schrecklich")
    assert [talk.basket for talk in (*english, *german)] == [place.care, place.sales]
    moved = last_moved(german[0])
    assert moved is not None
    assert moved.reason == "written in another language"


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_was_moved_stays_where_it_is_when_they_speak_again(place: Desk, by_hand: bool) -> None:
    if by_hand:
        (talk,) = place.hear(0, name="nadia")
        desk.move(place.alice, talk, place.sales, now=after(1))
    else:
        place.set(capacity=1, overflow=place.sales)
        _, talk = place.hear(0, 2)
    talk.refresh_from_db()
    assert talk.basket == place.sales
    first = StoredPost.objects.get(conversation_id=talk.pk)
    place.now = after(2)
    post = Post(
        "mastodon", "more", "Still broken, and I am furious!", place.now, Author(id="x"), kind="reply",
        in_reply_to=first.external_id,
    )  # fmt: skip
    hearing.hear(place.channel, [post], place.bus, now=place.now)
    place.worker.drain()
    talk.refresh_from_db()
    assert talk.basket == place.sales
    assert talk.decided_by != first.pk  # the rules put the new word into Care


def test_two_baskets_that_overflow_into_one_another_do_not_play_ball(place: Desk) -> None:
    place.set(capacity=1, overflow=place.sales, overflow_after=30)
    place.set(place.sales, capacity=1, overflow=place.care, overflow_after=30)
    place.hear(0, 4)
    place.tend(31)
    moved = AuditEntry.objects.filter(verb="conversation.overflow").count()
    for minutes in (62, 93, 124):
        place.tend(minutes)
    assert AuditEntry.objects.filter(verb="conversation.overflow").count() <= moved + 4
    assert place.tend(200) == 0


def test_what_nobody_takes_in_time_goes_on_with_its_promises(place: Desk) -> None:
    place.set(overflow=place.sales, overflow_after=30, terms=Terms(first=(60, 60, 60, 60)))
    place.set(place.sales, terms=Terms(first=(90, 90, 90, 90)))
    (talk,) = place.hear(0)
    assert place.tend(29) == 0
    assert place.tend(31) == 1
    talk.refresh_from_db()
    row = Promise.objects.get(ended_at__isnull=True)
    assert (talk.basket, row.basket, row.due_at, talk.due_at) == (place.sales, place.sales, after(90), after(90))


def test_skills_that_rules_ask_for_choose_who_gets_it(place: Desk) -> None:
    from rapport.actions.rules import save_rules

    save_rules(
        place.alice,
        '[[rule]]\nname = "Refunds"\nwhen = \'text matches "refund"\'\nthen = ["basket:care", "skill:refunds"]\n',
        now=NOON,
    )
    place.set(push=True, strategy="skill")
    baskets.describe_member(place.alice, place.dora, capacity=5, languages=[], skills=["Refunds"], now=NOON)
    texts = ("Where is my refund, @fernway?", "You promised me a refund last week!", "No refund yet, nobody answers")
    assert {place.hear(0, text=text)[0].assignee for text in texts} == {place.dora}


@pytest.mark.skipif(
    "sqlite" in settings.DATABASES["default"]["ENGINE"], reason="SQLite lets one at a time change anything"
)
@pytest.mark.django_db(transaction=True)
def test_two_proposals_taken_at_once_do_not_both_find_somebodys_last_free_place(place: Desk) -> None:
    from rapport.actions import proposals
    from rapport.actions.rules import save_rules

    save_rules(
        place.alice, '[[rule]]\nname = "R"\nwhen = "true"\nautonomy = "suggest"\nthen = ["skill:refunds"]\n', now=NOON
    )
    baskets.describe_member(place.alice, place.dora, capacity=1, languages=[], skills=["refunds"], now=NOON)
    for round_of in range(10):
        talks = place.hear(round_of, 2)
        for talk in talks:
            desk.move(place.alice, talk, place.care, now=place.now)
        effects = list(RuleEffect.objects.filter(conversation__in=talks).select_related("conversation__workspace"))
        assert len(effects) == 2
        told: list[str] = []
        start = threading.Barrier(2)

        def take(effect: RuleEffect, told: list[str] = told, start: threading.Barrier = start) -> None:
            start.wait()
            try:
                proposals.take(place.alice, effect, now=place.now)
                told.append("taken")
            except InvalidInput as error:
                told.append(str(error))
            finally:
                connection.close()

        threads = [threading.Thread(target=take, args=(effect,)) for effect in effects]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(told) == ["Nobody in this basket who is here and has room is good at refunds.", "taken"]
        for talk in talks:
            desk.resolve(place.alice, talk, now=place.now)


def test_a_rule_that_names_a_colleague_is_honoured_while_they_have_room(place: Desk) -> None:
    from rapport.actions.rules import save_rules

    save_rules(
        place.alice,
        '[[rule]]\nname = "Dora"\nwhen = "true"\nthen = ["basket:care", "person:dora@fernway.example"]\n',
        now=NOON,
    )
    place.hear(0, 3)
    assert place.loads() == {place.alice.pk: 0, place.ben.pk: 0, place.dora.pk: 2}


def test_a_hand_over_says_why_in_a_note_that_stays(place: Desk) -> None:
    (talk,) = place.hear(0)
    desk.assign(place.alice, talk, place.ben, note="She was promised a new one by Friday.", now=after(1))
    assert [(note.author, note.text) for note in talk.notes.all()] == [
        (place.alice, "She was promised a new one by Friday.")
    ]
    # into a basket that Ben does not see: the note is written all the same
    place.ben.baskets.filter(basket=place.sales).delete()
    desk.move(place.ben, talk, place.sales, note="She wants ten more of them", now=after(2))
    assert talk.notes.count() == 2


def test_what_somebody_has_can_be_handed_to_who_stands_in_as_far_as_there_is_room(place: Desk) -> None:
    talks = place.hear(0, 3)
    Membership.objects.filter(pk=place.ben.pk).update(capacity=0)
    for talk in talks:
        desk.assign(place.alice, talk, place.ben, now=after(1))
    Notification.objects.all().delete()
    assert absences.hand_back(place.alice, place.ben, deputy=place.dora, now=after(2)) == 3
    (told,) = Notification.objects.filter(event="assigned")
    assert (told.membership, told.count) == (place.dora, 2)
    assert place.loads() == {place.alice.pk: 0, place.ben.pk: 0, place.dora.pk: 2}


def test_nothing_is_handed_to_a_deputy_who_is_away_too(place: Desk) -> None:
    talk = place.hear(0)[0]
    desk.assign(place.alice, talk, place.ben, now=after(1))
    absences.save_absence(place.dora, place.dora, since=after(0), until=None, now=after(1))
    assert absences.hand_back(place.alice, place.ben, deputy=place.dora, now=after(2)) == 1
    talk.refresh_from_db()
    assert talk.assignee is None


def test_the_clock_does_it_every_few_seconds(place: Desk) -> None:
    place.set(push=True, terms=Terms(first=(10, 10, 10, 10)))
    talk = place.hear(0)[0]
    Conversation.objects.update(assignee=None)
    now = after(11)
    Clock(lambda: now).tick()
    talk.refresh_from_db()
    assert talk.assignee is not None
    assert Promise.objects.get().broken_at == after(10)


def test_who_may_not_triage_is_given_nothing_by_turn(place: Desk) -> None:
    every = list(Basket.objects.of(place.workspace))
    for role in ("viewer", "advocate"):
        accounts.invite(place.alice, f"{role}@fernway.example", role, role, every, now=NOON)
    place.set(push=True, strategy="round_robin")
    place.hear(0, 9)
    assert set(Conversation.objects.exclude(assignee=None).values_list("assignee__role", flat=True)) == {
        "owner", "agent",
    }  # fmt: skip
    assert {member.takes for member in read_team_load(place.workspace.pk, NOON).members["care"]} == {True, False}


def test_the_load_tells_languages_skills_and_who_is_away(place: Desk) -> None:
    baskets.describe_member(place.alice, place.dora, capacity=3, languages=["de"], skills=["refunds"], now=NOON)
    absences.save_absence(place.alice, place.ben, since=NOON, until=None, deputy=place.dora, now=NOON)
    load = read_team_load(place.workspace.pk, after(1))
    members = {member.id: member for member in load.members["care"]}
    assert (members[place.ben.pk].away, members[place.ben.pk].deputy) == (True, place.dora.pk)
    assert members[place.dora.pk].languages == {"de"}
    assert members[place.dora.pk].skills == {"refunds"}
    assert load.addresses["dora@fernway.example"] == place.dora.pk
    assert Room(place.workspace.pk).take(place.dora.pk, 1)


def test_saved_hours_are_read_back_with_their_holidays(place: Desk) -> None:
    from rapport.store.queries.load import hours_of

    hours = Hours("Europe/Berlin", (*(((540, 1020),),) * 5, (), ()), "DE", "BY", frozenset({dt.date(2026, 12, 24)}))
    place.set(hours=hours)
    place.care.refresh_from_db()
    found = hours_of(place.care.hours, NOON)
    assert msgspec.structs.replace(found, holidays=frozenset()) == hours
    assert dt.date(2026, 12, 25) in found.holidays
    assert dt.date(2027, 1, 6) in found.holidays  # Epiphany, in Bavaria alone
    assert "holidays" not in place.care.hours


def test_a_hundred_that_wait_cost_no_more_statements_than_one_to_give_out(
    place: Desk, django_assert_max_num_queries: Any
) -> None:
    place.hear(0, 90)
    Membership.objects.update(capacity=0)
    Basket.objects.filter(pk=place.care.pk).update(push=True, strategy="round_robin")
    Notification.objects.all().delete()
    with django_assert_max_num_queries(32):
        assert place.tend(1) == 90
    assert set(place.loads().values()) == {30}
    assert AuditEntry.objects.filter(verb="conversation.give").count() == 90
    told = Notification.objects.filter(event="assigned").values_list("membership", "count")
    assert dict(told) == dict.fromkeys(place.loads(), 30)


def test_whoever_stays_in_a_basket_keeps_their_turn_when_their_membership_is_changed(
    alice: Membership, ben: Membership
) -> None:
    care, sales = (Basket.objects.of(alice.workspace).get(slug=slug) for slug in ("care", "sales"))
    accounts.change_member(alice, ben, role="agent", active=True, baskets=[care, sales], now=NOON)
    theirs = BasketMember.objects.filter(membership=ben)
    theirs.update(given_at=NOON)
    accounts.change_member(alice, ben, role="agent", active=True, baskets=[care], capacity=5, now=NOON)
    assert dict(theirs.values_list("basket__slug", "given_at")) == {"care": NOON}
    accounts.change_member(alice, ben, role="agent", active=True, baskets=[care, sales], now=NOON)
    assert dict(theirs.values_list("basket__slug", "given_at")) == {"care": NOON, "sales": None}
