"""Colleagues are told once of what belongs together, never of what they did or may not see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import delivery, notice_ways
from rapport.actions.accounts import change_member, invite
from rapport.actions.desk import assign
from rapport.actions.listening import ask_to_reconnect, note_silence
from rapport.actions.notices import note_crisis, notify, read_about, read_notices
from rapport.actions.outbound import approve
from rapport.actions.rules import save_rules
from rapport.actions.tasks import remind_of_tasks
from rapport.core.decision import Crisis
from rapport.core.notices import PATIENCE, REST, Quiet
from rapport.core.post import Author
from rapport.core.rhythm import Silence
from rapport.pipeline.notice_words import words_of
from rapport.store.models import Basket, BasketMember, Conversation, Delivery, DeskEvent, Membership, Notification, Task
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db

RULES = """
[[rule]]
name = "Storm watch"
when = 'text matches "storm"'
then = ["basket:{basket}", "notify:{name}"]
"""


@pytest.fixture
def rita(alice: Membership) -> Membership:
    """An outsourced agent who sees Care alone."""
    care = [Basket.objects.of(alice.workspace).get(slug="care")]
    return invite(alice, "rita@agency.example", "Rita", "restricted", care, now=NOON)[0]


def told(member: Membership) -> list[tuple[str, int]]:
    rows = Notification.objects.filter(membership=member, read_at__isnull=True).order_by("pk")
    return [(words_of(row.text), row.count) for row in rows]


def rules(alice: Membership, name: str, basket: str = "care") -> None:
    save_rules(alice, RULES.format(name=name, basket=basket), now=NOON)


def test_a_rule_that_names_a_basket_tells_its_members(
    alice: Any, rita: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    rules(alice, "care")
    hear(make_post("A storm comes"), make_post("Sun"))
    assert told(rita) == told(alice) == [("Storm watch: Nadia in Care", 1)]


def test_a_rule_may_name_a_colleague_by_address_and_the_leads_by_duty(
    alice: Any, ben: Any, rita: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    lea = invite(alice, "lea@fernway.example", "Lea", "lead", [], now=NOON)[0]
    rules(alice, "ben@fernway.example")
    hear(make_post("A storm comes"))
    rules(alice, "ben")
    hear(make_post("A storm comes", author="pia"))
    rules(alice, "duty")
    hear(make_post("Another storm", author="omar"))
    assert told(ben) == [("Storm watch: Pia in Care", 2)]
    assert told(lea) == [("Storm watch: Omar in Care", 1)]
    assert told(rita) == []


def test_a_name_that_means_nobody_reaches_the_leads_and_says_so(
    alice: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    rules(alice, "zoe")
    hear(make_post("A storm comes"))
    assert told(alice) == [("Storm watch: Nadia in Care (the rule tells “zoe”, and that is nobody here)", 1)]


def test_a_basket_in_which_nobody_works_reaches_the_leads_too(
    alice: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    BasketMember.objects.all().delete()
    rules(alice, "care")
    hear(make_post("A storm comes"))
    assert told(alice) == [("Storm watch: Nadia in Care (the rule tells “care”, and that is nobody here)", 1)]


def test_nobody_is_told_of_a_basket_that_is_not_theirs(
    alice: Any, rita: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    rules(alice, "rita", basket="sales")
    hear(make_post("A storm comes"))
    assert told(rita) == []
    sales = Conversation.objects.get()
    assert notify(alice.workspace, [rita, alice], "rule", text="x", now=NOON, conversation=sales) == 1


def test_a_storm_is_one_row_with_a_count_and_one_time_for_each_way(
    alice: Any, rita: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    rules(alice, "care")
    for _ in range(4):
        hear(*[make_post("A storm comes", author=f"a{number}") for number in range(25)])
    row = Notification.objects.get(membership=rita)
    assert (row.count, row.read_at) == (100, None)
    assert (row.mail_at, row.push_at) == (None, NOON + PATIENCE["push"])
    # one word to open pages for each batch, however many posts it holds
    assert DeskEvent.objects.filter(kind="notices").count() == 4


def test_ten_thousand_times_within_a_minute_are_one_row_for_each_person(alice: Any, rita: Any) -> None:
    for second in range(60):
        at = NOON + dt.timedelta(seconds=second)
        notify(alice.workspace, [alice, rita], "breach", bundle="care", text=f"At {second}", now=at, count=167)
    rows = Notification.objects.all()
    assert [(row.count, row.text, row.first_at) for row in rows] == [(10_020, "At 59", NOON)] * 2
    assert {row.mail_at for row in rows} == {NOON + PATIENCE["mail"]}


def test_what_was_sent_rests_before_the_next_one_even_if_it_was_read(alice: Any) -> None:
    notify(alice.workspace, [alice], "breach", text="One", now=NOON)
    sent = NOON + PATIENCE["mail"]
    Notification.objects.update(mail_at=None, mailed_at=sent)
    later = sent + dt.timedelta(minutes=1)
    notify(alice.workspace, [alice], "breach", text="Two", now=later)
    assert Notification.objects.get().mail_at == sent + REST["mail"]
    read_notices(alice, Notification.objects.all(), now=later)
    notify(alice.workspace, [alice], "breach", text="Three", now=later)
    assert Notification.objects.get(read_at=None).mail_at == sent + REST["mail"]


def test_people_are_told_what_is_given_to_them_but_not_what_they_take(
    alice: Any, ben: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    hear(make_post("My parcel is broken, @fernway!"))
    talk = Conversation.objects.get()
    assign(ben, talk, ben, now=NOON)
    assert told(ben) == []
    assign(alice, talk, ben, now=NOON)
    assert told(ben) == [("Alice gave you Nadia in Care", 1)]
    assert told(alice) == []


def test_opening_the_conversation_takes_its_notice_off_the_bell(
    alice: Any, ben: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    hear(make_post("My parcel is broken, @fernway!"), make_post("Mine too", author="omar"))
    first, second = Conversation.objects.order_by("pk")
    assign(alice, first, ben, now=NOON)
    assert read_about(ben, second, now=NOON) == 0
    assert read_about(ben, first, now=NOON) == 1
    row = Notification.objects.get()
    assert (row.read_at, row.push_at) == (NOON, None)


def test_a_notice_that_stands_for_many_stays_until_it_is_looked_at_itself(
    alice: Any, ben: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    hear(make_post("My parcel is broken, @fernway!"), make_post("Mine too", author="omar"))
    for talk in Conversation.objects.order_by("pk"):
        assign(alice, talk, ben, now=NOON)
    assert [count for _, count in told(ben)] == [2]
    assert read_about(ben, Conversation.objects.latest("pk"), now=NOON) == 0


def test_old_posts_from_a_file_and_noise_tell_nobody(
    alice: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    rules(alice, "care")
    hear(make_post("A storm came", created_at=NOON - dt.timedelta(days=30)))
    noise = RULES.format(name="care", basket="care").replace('"basket:care"', '"quarantine"')
    save_rules(alice, noise, now=NOON)
    hear(make_post("storm storm storm", author="omar"))
    assert Notification.objects.count() == 0


def test_who_left_is_told_nothing(alice: Any, ben: Any) -> None:
    change_member(alice, ben, role="agent", active=False, baskets=[], now=NOON)
    assert notify(alice.workspace, [ben], "task", text="Due", now=NOON) == 0


def test_a_crisis_is_told_once_when_it_begins_and_once_when_it_is_over(alice: Any, ben: Any) -> None:
    crisis = Crisis(0.5, 60, 4.0, 3)
    found = [note_crisis(alice.workspace, state, now=NOON) for state in (None, crisis, crisis, None, None)]
    assert found == [False, True, False, True, False]
    begins, over = told(alice)
    assert begins[0].startswith("Far more trouble than usual: 60 negative posts within 3 hours, usual are 4.")
    assert over == ("The trouble is over: no more negative posts than usual.", 1)
    assert told(ben) == []


def test_a_task_that_is_due_is_told_once_to_whom_it_belongs(alice: Any, ben: Any) -> None:
    hour = dt.timedelta(hours=1)
    fields = {"workspace": alice.workspace, "made_at": NOON, "made_by": alice}
    Task.objects.create(title="Call Nadia", assignee=ben, due_at=NOON, **fields)
    Task.objects.create(title="Later", assignee=ben, due_at=NOON + 2 * hour, **fields)
    Task.objects.create(title="Done", assignee=ben, due_at=NOON, done_at=NOON, **fields)
    Task.objects.create(title="Nobody's", due_at=NOON, **fields)
    assert [remind_of_tasks(alice.workspace, now=NOON + each * hour) for each in (-1, 0, 1)] == [0, 2, 0]
    assert told(ben) == [("Due now: Call Nadia", 1)]
    read_notices(ben, Notification.objects.all(), now=NOON)
    assert remind_of_tasks(alice.workspace, now=NOON + hour) == 0
    assert remind_of_tasks(alice.workspace, now=NOON + 2 * hour) == 1
    # what nobody took is told to whoever asked for it
    assert told(alice) == [("Due now: Nobody's", 1)]


def test_a_reminder_reaches_whoever_can_be_told(alice: Any, ben: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("My parcel is broken, @fernway!"))
    talk = Conversation.objects.get()
    care = Basket.objects.of(alice.workspace).get(slug="care")
    Conversation.objects.update(basket=care)
    BasketMember.objects.filter(membership=ben, basket=care).delete()
    fields = {"workspace": alice.workspace, "made_at": NOON, "due_at": NOON, "made_by": alice, "conversation": talk}
    # who does not see the conversation is told of the task all the same
    Task.objects.create(title="Check the terms", assignee=ben, **fields)
    remind_of_tasks(alice.workspace, now=NOON)
    assert told(ben) == [("Due now: Check the terms", 1)]
    assert told(alice) == []
    # who has left is not, and whoever asked for it is
    Membership.objects.filter(pk=ben.pk).update(active=False)
    Task.objects.create(title="Call her", assignee=ben, **fields)
    remind_of_tasks(alice.workspace, now=NOON)
    assert told(alice) == [("Due now: Call her", 1)]
    # what nobody sees any more hides no task
    Conversation.objects.update(state="unopened")
    Task.objects.create(title="Thank her", assignee=ben, **fields)
    remind_of_tasks(alice.workspace, now=NOON)
    assert ("Due now: Thank her", 1) in told(alice)


def test_nobody_else_is_told_of_a_task_whose_owner_wants_to_hear_of_none(alice: Any, ben: Any) -> None:
    notice_ways.save_wishes(ben, {}, Quiet(), now=NOON)
    care = Basket.objects.of(alice.workspace).get(slug="care")
    fields = {"workspace": alice.workspace, "made_at": NOON, "due_at": NOON, "made_by": alice, "basket": care}
    Task.objects.create(title="Call her", assignee=ben, **fields)
    remind_of_tasks(alice.workspace, now=NOON)
    assert told(ben) == told(alice) == []


@pytest.fixture
def claimed(ben: Any, hear: Callable[..., Any], make_post: Callable[..., Any], channel: Any) -> Delivery:
    """Ben's answer to Nadia, about to leave."""
    hear(make_post("My parcel is broken, @fernway!"))
    talk = Conversation.objects.get()
    post = newest_inbound(talk)
    assert post is not None
    approve(ben, talk, "Sorry, Nadia!", target=post, channel=channel, version=talk.version, now=NOON)
    row = delivery.claim("sender", dt.timedelta(minutes=1), now=NOON)
    assert row is not None
    return row


def test_whoever_sent_a_reply_is_told_that_it_failed(ben: Any, alice: Any, claimed: Delivery) -> None:
    delivery.settle_failed(claimed, "the post was deleted", now=NOON)
    assert told(ben) == [("Your answer to Nadia did not leave: the post was deleted", 1)]
    assert told(alice) == []


def test_a_reply_that_is_looked_for_is_told_once_and_taken_back_when_it_is_found(
    ben: Any, claimed: Delivery, bus: Any, make_post: Callable[..., Any]
) -> None:
    delivery.mark_pushed(claimed, now=NOON)
    delivery.settle_unconfirmed(claimed, "time-out", NOON, now=NOON)
    for _ in range(2):
        again = delivery.claim("sender", dt.timedelta(minutes=1), now=NOON)
        assert again is not None
        delivery.settle_unconfirmed(again, "still nothing", NOON, now=NOON)
    assert told(ben) == [("Nobody knows yet whether your answer to Nadia arrived: time-out", 1)]
    found = delivery.claim("sender", dt.timedelta(minutes=1), now=NOON)
    assert found is not None
    own = make_post("Sorry, Nadia!", author=Author(id="id-fernway", handle="fernway", ours=True))
    delivery.settle_sent(found, own.id, "", own, bus, how="reconciled", now=NOON)
    assert told(ben) == []


def test_what_a_hold_stops_is_told_to_nobody_because_every_page_says_it(ben: Any, claimed: Delivery) -> None:
    delivery.settle_held(claimed, "crisis-hold: Everything is held.", now=NOON)
    assert told(ben) == []


def test_admins_are_told_of_a_source_that_needs_them_and_agents_are_not(alice: Any, ben: Any, channel: Any) -> None:
    ask_to_reconnect(channel, "the token was revoked", now=NOON)
    note_silence(channel, Silence(NOON, 9.0, 0.0001), now=NOON)
    assert told(alice) == [("Fernway is unusually quiet; look whether it is heard.", 2)]
    assert told(ben) == []
