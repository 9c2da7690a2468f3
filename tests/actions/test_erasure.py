"""Everything of a person goes; what protects them, the chain and the books stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from canary import CANARY, ID, NAME, author, places, plant
from conftest import NOON
from rapport.actions import brands, campaign_posts, people, tasks
from rapport.actions.erasure import ask_erasure, erase_some, word_to_type
from rapport.actions.ledger_check import verify
from rapport.actions.person_jobs import LostClaim, claim_job
from rapport.actions.undo import undo
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Author, Post
from rapport.pipeline.person_jobs import WAIT, carry_out
from rapport.store.models import (
    Approval,
    AuditEntry,
    CampaignPost,
    Conversation,
    Deed,
    Delivery,
    Note,
    Notification,
    Offer,
    Person,
    PersonJob,
    Suppression,
    Task,
)
from rapport.store.models import Post as Row

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def person(alice: Any, channel: Any, hear: Any, make_post: Any, bus: Any) -> Person:
    found: Person = plant(alice, channel, hear, make_post, bus)
    return found


def erase(alice: Any, person: Person) -> PersonJob:
    ask_erasure(alice, person, "asked by mail on 20 November", word_to_type(person), now=NOON)
    job = claim_job("worker", now=NOON)
    assert job is not None
    assert carry_out(job, lambda: NOON, pause=lambda seconds: None)
    return PersonJob.objects.get(pk=job.pk)


def test_no_word_of_theirs_is_left_in_any_column_of_any_table(person: Person, alice: Any) -> None:
    assert len(places()) > 50
    job = erase(alice, person)
    assert sorted(places()) == []
    assert (job.state, job.problem) == ("done", "")
    report = job.report
    assert report["removed"]["Post"] >= 6
    assert {"Note", "Draft", "Task", "PersonMerge", "WebhookCall", "KeptAnswer"} <= report["removed"].keys()
    assert {"Approval", "BusMessage", "Delivery", "AuditEntry", "Offer", "Suppression"} <= report["blanked"].keys()
    assert "backups" in report["unreached"]


def test_the_ledger_stays_whole_and_tells_of_it(person: Person, alice: Any) -> None:
    chains = dict(Approval.objects.values_list("sequence", "chain"))
    erase(alice, person)
    found = verify(alice.workspace)
    assert (found.sequence, found.erased) == (None, len(chains))
    assert {row.sequence: row.chain for row in Approval.objects.filter(sequence__in=chains)} == chains
    entry = Approval.objects.order_by("-sequence")[0]
    assert (entry.kind, entry.person) == ("erase", alice)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"cancelled"}


def test_what_others_said_and_what_is_noted_of_them_stays(person: Person, alice: Any) -> None:
    erase(alice, person)
    assert sorted(Row.objects.values_list("external_id", flat=True)) == ["900", "901", "904"]
    talk = Conversation.objects.get(pk=Row.objects.get(external_id="901").conversation_id)
    assert talk.person is not None
    assert (talk.person.name, talk.preview) == ("Olga", "Same here with the parcel")
    assert [note.text for note in Note.objects.all()] == ["Olga is a customer since 2019"]
    assert [(str(row.amount), row.state, row.person) for row in Offer.objects.all()] == [("5.00", "agreed", None)] * 2
    assert Row.objects.get(external_id="901").in_reply_to == ""


def test_the_audit_still_says_who_did_what_and_when(person: Person, alice: Any) -> None:
    told = AuditEntry.objects.filter(subject="person", subject_id=str(person.pk)).values_list(
        "pk", "verb", "actor", "at"
    )
    before = sorted(told)
    erase(alice, person)
    after = AuditEntry.objects.filter(pk__in=[row[0] for row in before]).values_list("pk", "verb", "actor", "at")
    assert sorted(after) == before
    assert AuditEntry.objects.filter(verb="person.erased", actor=alice).count() == 1


def test_whoever_comes_back_is_a_new_person_and_still_left_alone(
    person: Person, alice: Any, hear: Any, make_post: Callable[..., Post]
) -> None:
    erase(alice, person)
    heard = hear(
        make_post("An old word that a page tells of again", id=f"1-{CANARY}", author=author()),
        make_post("Hello again", id="7", author=author()),
    )
    assert heard.new == 1
    fresh = Person.objects.get(handles__external_id=ID)
    assert (fresh.pk == person.pk, bool(fresh.suppressed_reason)) == (False, True)
    assert list(Row.objects.filter(handle__person=fresh).values_list("external_id", flat=True)) == ["7"]
    assert Suppression.objects.filter(lifted_at=None).count() == 2


def test_an_account_that_nobody_stopped_comes_back_free(alice: Any, hear: Any, make_post: Callable[..., Post]) -> None:
    hear(make_post("Hello", author="maria"))
    erase(alice, Person.objects.get())
    hear(make_post("Hello again", author="maria"))
    assert Person.objects.get().suppressed_reason == ""


def test_asking_takes_the_right_a_reason_and_the_name(person: Person, alice: Any, ben: Any, charlie: Any) -> None:
    with pytest.raises(NotAllowed):
        ask_erasure(ben, person, "asked by mail", NAME, now=NOON)
    with pytest.raises(NotAllowed):
        ask_erasure(charlie, person, "asked by mail", NAME, now=NOON)
    with pytest.raises(InvalidInput, match="does not come back"):
        ask_erasure(alice, person, "asked by mail", "somebody", now=NOON)
    with pytest.raises(InvalidInput, match="without naming"):
        ask_erasure(alice, person, "  ", NAME, now=NOON)
    first = ask_erasure(alice, person, "asked by mail", f" {NAME.lower()} ", now=NOON)
    assert ask_erasure(alice, person, "again", NAME, now=NOON) == first
    assert Person.objects.filter(pk=person.pk).exists()


def test_an_account_of_ours_is_no_person_to_erase(alice: Any, hear: Any, make_post: Callable[..., Post]) -> None:
    hear(make_post("We are open", author=Author(id="id-fernway", handle="fernway", name="Fernway", ours=True)))
    with pytest.raises(InvalidInput, match="account of ours"):
        ask_erasure(alice, Person.objects.get(), "mistake", "Fernway", now=NOON)


def test_whoever_lost_the_right_meanwhile_erases_nothing(person: Person, alice: Any) -> None:
    ask_erasure(alice, person, "asked by mail", NAME, now=NOON)
    type(alice).objects.filter(pk=alice.pk).update(role="agent")
    job = claim_job("worker", now=NOON)
    assert job is not None
    assert not carry_out(job, lambda: NOON, pause=lambda seconds: None)
    job.refresh_from_db()
    assert (job.state, Person.objects.filter(pk=person.pk).exists()) == ("failed", True)


def test_an_erasure_goes_on_where_a_worker_died(person: Person, alice: Any) -> None:
    ask_erasure(alice, person, "asked by mail", NAME, now=NOON)
    dead = claim_job("first", now=NOON)
    assert dead is not None
    assert erase_some(dead, now=NOON)
    assert claim_job("second", now=NOON + dt.timedelta(seconds=30)) is None
    later = NOON + dt.timedelta(minutes=2)
    job = claim_job("second", now=later)
    assert job is not None
    with pytest.raises(LostClaim):
        erase_some(dead, now=later)
    assert carry_out(job, lambda: later, pause=lambda seconds: None)
    assert sorted(places()) == []
    assert verify(alice.workspace).sequence is None
    removed = PersonJob.objects.get().report["removed"]
    assert removed["Post"] == 7


def test_a_reply_that_is_leaving_is_waited_for(person: Person, alice: Any) -> None:
    way = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=way.pk).update(state="sending", lease_until=NOON + dt.timedelta(minutes=1))
    ask_erasure(alice, person, "asked by mail", NAME, now=NOON)
    job = claim_job("worker", now=NOON)
    assert job is not None
    waits: list[float] = []

    def settle(seconds: float) -> None:
        waits.append(seconds)
        if seconds == WAIT:
            assert Approval.objects.filter(erased_at__isnull=False).count() == 0
            Delivery.objects.filter(pk=way.pk).update(state="sent", external_id="99", lease_until=None)

    assert carry_out(job, lambda: NOON, pause=settle)
    assert WAIT in waits
    assert Delivery.objects.get(pk=way.pk).state == "sent"
    assert sorted(places()) == []


def test_a_batch_that_a_worker_holds_meanwhile_is_stored_without_them(
    alice: Any, channel: Any, bus: Any, hear: Any, worker: Any, make_post: Callable[..., Post]
) -> None:
    from rapport.actions.desk import record
    from rapport.actions.hearing import hear as hear_posts
    from rapport.core.copies import Window
    from rapport.pipeline.line import fingerprint, process
    from rapport.store.queries.fingerprints import Recent

    hear_posts(channel, [make_post("Mine", author=author()), make_post("A word of Olga", author="olga")], bus, now=NOON)
    batch = bus.claim("w", NOON, dt.timedelta(minutes=1))
    posts = [post for _, post in batch.posts]
    outcomes = process(posts, worker.snapshot(batch), NOON)
    erase(alice, Person.objects.get(name=NAME))
    kept = record(batch, outcomes, bus, now=NOON, recent=Recent(Window(), fingerprint(posts)))
    assert kept.kept
    assert [row.preview for row in Conversation.objects.all()] == ["A word of Olga"]
    assert sorted(places()) == []


def test_those_who_said_the_same_come_out_from_behind_them(
    alice: Any, hear: Any, make_post: Callable[..., Post]
) -> None:
    said = "The storm took the whole roof of the shop in the harbour and nobody came to help us"
    hear(make_post(said, author=author()))
    hear(*(make_post(said, author=f"reader{number}") for number in range(3)))
    assert sorted(Conversation.objects.values_list("state", flat=True)) == ["folded", "folded", "folded", "open"]
    erase(alice, Person.objects.get(name=NAME))
    found = sorted(Conversation.objects.values_list("state", "copies"))
    assert found == [("folded", None), ("folded", None), ("open", 2)]


def test_a_person_with_many_posts_goes_in_small_steps(alice: Any, hear: Any, make_post: Callable[..., Post]) -> None:
    hear(*(make_post(f"Number {number} of {number * 7919} other words", author=author()) for number in range(130)))
    person = Person.objects.get()
    ask_erasure(alice, person, "asked by mail", NAME, now=NOON)
    job = claim_job("worker", now=NOON)
    assert job is not None
    steps: list[float] = []
    assert carry_out(job, lambda: NOON, pause=steps.append)
    assert len(steps) >= 3
    assert not Row.objects.exists()
    assert PersonJob.objects.get().report["removed"]["Post"] == 130


def test_nothing_is_left_of_an_undone_join_of_a_reminder_and_of_a_brand(
    alice: Any, hear: Any, make_post: Callable[..., Post]
) -> None:
    hear(make_post("Where is my parcel, @fernway?", author=author()), make_post("And mine, @fernway?", author="olga"))
    person, olga = Person.objects.get(name=NAME), Person.objects.get(name="Olga")
    merge = people.join_people(alice, olga, person, f"{NAME} said so on the phone", now=NOON)
    again = people.split_people(alice, merge, now=NOON)
    people.ignore_person(alice, again, "Insults everybody", review_at=NOON + dt.timedelta(days=1), now=NOON)
    assert tasks.remind_of_tasks(alice.workspace, now=NOON + dt.timedelta(days=1))
    handle = again.handles.get()
    brands.add_brand(alice, handle.network, handle.handle, f"{NAME} and sons", now=NOON)
    assert {"store_auditentry.detail", "store_notification.text"} <= places()
    erase(alice, Person.objects.get(pk=again.pk))
    assert sorted(places()) == []
    assert Person.objects.filter(pk=olga.pk).exists()


def test_nothing_is_left_of_campaigns_of_tasks_taken_back_and_of_reminders_by_themselves(
    person: Person, alice: Any
) -> None:
    for row in CampaignPost.objects.order_by("pk"):
        campaign_posts.skip_post(alice, row, f"{NAME} is a friend of the house", now=NOON)
    for title, now in ((f"Ring {NAME} up", NOON + MINUTE), ("Water the plants", NOON + 2 * MINUTE)):
        task = tasks.make_task(alice, title, due_at=now, now=now)
        tasks.remind_of_tasks(alice.workspace, now=now)
        undo(alice, Deed.objects.get(verb="task.make", at=now), now=now)
        assert not Notification.objects.filter(bundle=f"task:{task.pk}").exists()
    Task.objects.filter(conversation__isnull=False).update(due_at=NOON, assignee=alice)
    tasks.remind_of_tasks(alice.workspace, now=NOON)
    # as whoever does not see the conversation is told
    assert Notification.objects.filter(event="task").update(conversation=None) == 2
    erase(alice, person)
    assert sorted(places()) == []
    told = AuditEntry.objects.filter(verb="task.make").values_list("detail", flat=True)
    assert [detail["title"] for detail in told if "title" in detail] == ["Water the plants"]
