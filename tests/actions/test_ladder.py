"""The ladder and deliberate ignoring: who decided what, why, until when; joins and splits carry it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import keys, ladder, people, webhooks
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Author, Post
from rapport.store.models import BasketMember, Escalation, Handle, Ignoring, Membership, Person, PersonMerge, Task
from rapport.store.models import Post as StoredPost

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def nadia(hear: Callable[..., Any]) -> Person:
    hear(Post("mastodon", "1", "My parcel is broken", NOON, Author(id="n", handle="nadia", name="Nadia")))
    return Person.objects.get(handles__handle="nadia")


@pytest.fixture
def olga(hear: Callable[..., Any], nadia: Person) -> Person:
    hear(Post("mastodon", "2", "Mine too", NOON, Author(id="o", handle="olga", name="Olga")))
    return Person.objects.get(handles__handle="olga")


def step_of(person: Person, step: str = "repeated") -> Escalation:
    post = StoredPost.objects.filter(handle__person=person).first()
    assert post is not None
    return Escalation.objects.create(
        workspace=person.workspace, person=person, conversation_id=post.conversation_id, post=post.pk, step=step,
        rule="R", count=3, at=NOON,
    )  # fmt: skip


# ---------------------------------------------------------------- steps


def test_what_became_of_a_step_is_on_record_and_said_once(alice: Membership, ben: Membership, nadia: Person) -> None:
    step = ladder.handle_step(ben, step_of(nadia), "handed", "Lea calls her", now=NOON)
    assert (step.way, step.handled_by, step.handled_at, step.note) == ("handed", ben, NOON, "Lea calls her")
    with pytest.raises(InvalidInput, match="already"):
        ladder.handle_step(alice, step, "ignored", "x", now=NOON)


def test_who_lets_it_be_or_hands_it_on_says_why(alice: Membership, charlie: Membership, nadia: Person) -> None:
    step = step_of(nadia)
    for way in ("reported", "handed", "ignored"):
        with pytest.raises(InvalidInput, match="few words"):
            ladder.handle_step(alice, step, way, " ", now=NOON)
    with pytest.raises(InvalidInput, match="what became"):
        ladder.handle_step(alice, step, "", "x", now=NOON)
    with pytest.raises(NotAllowed):
        ladder.handle_step(charlie, step, "acknowledged", "", now=NOON)
    ladder.handle_step(alice, step, "acknowledged", "", now=NOON)


def test_a_step_of_somebody_in_other_baskets_is_not_mine(ben: Membership, nadia: Person) -> None:
    BasketMember.objects.filter(membership=ben).delete()
    with pytest.raises(NotAllowed, match="in your baskets"):
        ladder.handle_step(ben, step_of(nadia), "acknowledged", "", now=NOON)


# ---------------------------------------------------------------- ignoring


def test_to_ignore_somebody_takes_a_reason_and_is_looked_at_again(alice: Membership, nadia: Person) -> None:
    with pytest.raises(InvalidInput, match="Say why"):
        people.ignore_person(alice, nadia, " ", now=NOON)
    people.ignore_person(alice, nadia, "Only insults", now=NOON)
    row = Ignoring.objects.get()
    assert (row.reason, row.by, row.until, row.review_at) == ("Only insults", alice, None, NOON + people.REVIEW)
    task = Task.objects.get()
    assert (task.due_at, task.assignee, task.person) == (row.review_at, alice, nadia)
    assert Person.objects.get(pk=nadia.pk).ignored
    with pytest.raises(InvalidInput, match="already"):
        people.ignore_person(alice, nadia, "Again", now=NOON)


def test_it_ends_by_itself_and_the_history_stays(alice: Membership, nadia: Person) -> None:
    people.ignore_person(alice, nadia, "Storm", until=NOON + 7 * DAY, now=NOON)
    assert not Task.objects.exists()  # what has an end needs no review
    assert people.end_lapsed_ignorings(alice.workspace, now=NOON + 6 * DAY) == 0
    assert people.end_lapsed_ignorings(alice.workspace, now=NOON + 7 * DAY) == 1
    row = Ignoring.objects.get()
    assert (row.ended_at, row.ended_by) == (NOON + 7 * DAY, None)
    assert not Person.objects.get(pk=nadia.pk).ignored
    people.ignore_person(alice, Person.objects.get(pk=nadia.pk), "Again", now=NOON + 8 * DAY)
    assert Ignoring.objects.count() == 2


def test_a_review_keeps_it_and_asks_again_and_an_end_closes_the_task(
    alice: Membership, ben: Membership, nadia: Person
) -> None:
    people.ignore_person(alice, nadia, "Insults", review_at=NOON + DAY, now=NOON)
    people.keep_ignoring(ben, nadia, now=NOON + DAY)
    row = Ignoring.objects.get()
    assert (row.reviewed_by, row.review_at) == (ben, NOON + DAY + people.REVIEW)
    assert Task.objects.filter(done_at__isnull=True).get().assignee == ben
    people.stop_ignoring(ben, nadia, now=NOON + 2 * DAY)
    row.refresh_from_db()
    assert row.ended_by == ben
    assert not Task.objects.filter(done_at__isnull=True).exists()
    with pytest.raises(InvalidInput, match="not ignored any more"):
        people.keep_ignoring(ben, nadia, now=NOON + 2 * DAY)


@pytest.mark.parametrize("field", ["until", "review_at"])
@pytest.mark.parametrize("days", [-1, 4000])
def test_a_day_that_makes_no_sense_is_refused(alice: Membership, nadia: Person, field: str, days: int) -> None:
    wrong: dict[str, Any] = {field: NOON + days * DAY}
    with pytest.raises(InvalidInput, match="lies ahead"):
        people.ignore_person(alice, nadia, "x", now=NOON, **wrong)


# ---------------------------------------------------------------- joins


def test_a_join_carries_steps_tasks_and_the_decision_and_a_split_takes_them_back(
    alice: Membership, nadia: Person, olga: Person
) -> None:
    step_of(nadia, "hers")
    step_of(olga, "theirs")
    people.ignore_person(alice, olga, "Insults", now=NOON)
    merge = people.join_people(alice, nadia, olga, "She said so", now=NOON)
    nadia.refresh_from_db()
    assert nadia.ignored
    assert set(Escalation.objects.values_list("person", flat=True)) == {nadia.pk}
    assert Ignoring.objects.get().person == nadia
    assert Task.objects.get().person == nadia
    back = people.split_people(alice, merge, now=NOON + DAY)
    nadia.refresh_from_db()
    assert (nadia.ignored, back.ignored) == (False, True)
    assert Ignoring.objects.get(ended_at__isnull=True).person == back
    assert dict(Escalation.objects.values_list("step", "person")) == {"hers": nadia.pk, "theirs": back.pk}


def test_of_two_decisions_the_one_that_holds_longer_goes_on(alice: Membership, nadia: Person, olga: Person) -> None:
    people.ignore_person(alice, nadia, "A week", until=NOON + 7 * DAY, now=NOON)
    people.ignore_person(alice, olga, "For good", now=NOON)
    people.join_people(alice, nadia, olga, "She said so", now=NOON)
    assert Ignoring.objects.get(ended_at__isnull=True).reason == "For good"
    assert Ignoring.objects.filter(person=nadia).count() == 2


def test_who_is_ignored_while_joined_is_so_on_both_sides_with_its_reason(
    alice: Membership, nadia: Person, olga: Person
) -> None:
    people.join_people(alice, nadia, olga, "She said so", now=NOON)
    nadia.refresh_from_db()
    people.ignore_person(alice, nadia, "Insults", now=NOON)
    back = people.split_people(alice, PersonMerge.objects.get(), now=NOON + DAY)
    rows = Ignoring.objects.filter(ended_at__isnull=True)
    assert {row.person_id: row.reason for row in rows} == {nadia.pk: "Insults", back.pk: "Insults"}
    for person in Person.objects.filter(pk__in=[nadia.pk, back.pk]):
        assert person.ignored
        people.stop_ignoring(alice, person, now=NOON + 2 * DAY)
    assert not Ignoring.objects.filter(ended_at__isnull=True).exists()


def test_a_handle_that_is_split_off_is_ignored_as_before(alice: Membership, nadia: Person, olga: Person) -> None:
    Handle.objects.filter(person=olga).update(person=nadia)
    people.ignore_person(alice, nadia, "Insults", now=NOON)
    alone = people.split_handle(alice, Handle.objects.get(handle="olga"), now=NOON)
    assert Ignoring.objects.filter(person=alone, ended_at__isnull=True).get().reason == "Insults"


def test_secrets_of_webhooks_are_put_under_the_newest_key(alice: Membership, settings: Any) -> None:
    from cryptography.fernet import Fernet

    hook, secret = webhooks.add_webhook(alice, "crm", "https://crm.example/", now=NOON)
    settings.TOKEN_KEYS = [Fernet.generate_key().decode(), *settings.TOKEN_KEYS]
    keys.reseal_everything(now=NOON)
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    hook.refresh_from_db()
    assert webhooks.secret_of(hook) == secret
