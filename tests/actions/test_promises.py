"""Promises of time as conversations go their way: kept in step by every act that moves one."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions import baskets, delivery, desk, hearing, outbound
from rapport.actions.baskets import Wish
from rapport.actions.promises import mark_broken, warn
from rapport.core.hours import Hours
from rapport.core.post import Author, Post
from rapport.core.promises import Terms
from rapport.pipeline.worker import Worker
from rapport.store.models import AuditEntry, Basket, BasketMember, Conversation, Membership, Notification, Promise
from rapport.store.queries.outbound import newest_inbound
from rapport.store.queries.promises import broken, tally

pytestmark = pytest.mark.django_db

#: half an hour for an answer, an hour for the next ones, four for a solution; a quarter of that when it is urgent
TERMS = Terms(first=(30, 30, 30, 8), next=(60, 60, 60, 15), resolution=(240, 240, 240, 60))


def after(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


class Desk:
    """A desk with promises in its basket "care", and a clock that the test sets."""

    def __init__(self, alice: Any, channel: Any, bus: Any) -> None:
        self.alice, self.channel, self.bus, self.now = alice, channel, bus, NOON
        self.worker = Worker(bus, lambda: self.now, dt.timedelta(seconds=60))
        self.care = Basket.objects.of(alice.workspace).get(slug="care")
        self.numbers = iter(range(1, 1000))
        self.promise(TERMS)

    def promise(self, terms: Terms, basket: Basket | None = None, **more: Any) -> None:
        row = basket or self.care
        wish = Wish(row.name, terms=terms, **more)
        baskets.save_basket(self.alice, row, wish, now=self.now)

    def hear(self, minutes: float, text: str = "My parcel is broken, @fernway!", **fields: Any) -> Conversation:
        """Somebody speaks, and the line hears it at once."""
        self.now = after(minutes)
        author = fields.pop("author", Author(id="n", handle="nadia", name="Nadia"))
        fields.setdefault("created_at", self.now)
        post = Post("mastodon", fields.pop("id", str(next(self.numbers))), text, author=author, **fields)
        hearing.hear(self.channel, [post], self.bus, now=self.now)
        self.worker.drain()
        return Conversation.objects.get(links__external_id=post.id)

    def answer(self, conversation: Conversation, minutes: float) -> None:
        """Alice answers, the network takes it, and the line hears our own post."""
        self.now = after(minutes)
        target = newest_inbound(conversation)
        assert target is not None
        conversation.refresh_from_db()
        outbound.approve(
            self.alice, conversation, "@nadia I am so sorry, a new one is on its way.", target=target,
            channel=self.channel, version=conversation.version, now=self.now,
        )  # fmt: skip
        row = delivery.claim("sender", dt.timedelta(minutes=1), now=self.now)
        assert row is not None
        delivery.mark_pushed(row, now=self.now)
        ours = Author(id="id-fernway", handle="fernway", ours=True)
        said = Post(
            "mastodon", f"ours-{row.pk}", row.approval.text, self.now, ours, kind="reply",
            in_reply_to=target.external_id,
        )  # fmt: skip
        delivery.settle_sent(row, said.id, "", said, self.bus, now=self.now)

    def drain(self) -> None:
        self.worker.drain()

    def running(self, conversation: Conversation) -> dict[str, dt.datetime | None]:
        rows = Promise.objects.filter(conversation=conversation, ended_at__isnull=True)
        return {row.kind: row.due_at for row in rows}


@pytest.fixture
def place(alice: Any, channel: Any, bus: Any) -> Desk:
    return Desk(alice, channel, bus)


def test_a_promise_runs_from_when_they_spoke(place: Desk) -> None:
    talk = place.hear(1, created_at=NOON)
    assert place.running(talk) == {"first": after(30), "resolution": after(240)}
    assert talk.due_at == after(30)


def test_more_words_of_theirs_do_not_begin_anew(place: Desk) -> None:
    talk = place.hear(0)
    place.hear(10, "Hello? @fernway", kind="reply", in_reply_to="1")
    assert place.running(talk) == {"first": after(30), "resolution": after(240)}
    assert Promise.objects.count() == 2


def test_an_answer_by_a_person_keeps_the_promise_the_moment_it_is_sent(place: Desk) -> None:
    talk = place.hear(0)
    place.answer(talk, 20)
    # even before the line has read our own post
    first = Promise.objects.get(kind="first")
    assert (first.ended_at, first.done, first.used) == (after(20), True, 20)
    place.drain()
    talk.refresh_from_db()
    assert (talk.state, talk.due_at) == ("pending", None)
    resolution = Promise.objects.get(kind="resolution")
    assert (resolution.used, resolution.due_at) == (20, None)
    assert Promise.objects.count() == 2


def test_the_next_answer_is_promised_when_they_speak_again(place: Desk) -> None:
    talk = place.hear(0)
    place.answer(talk, 20)
    place.drain()
    place.hear(100, "And when? @fernway", kind="reply", in_reply_to="1")
    # 220 of the 240 minutes are left for the solution
    assert place.running(talk) == {"next": after(160), "resolution": after(320)}


def test_resolving_ends_what_runs_and_says_what_was_kept(place: Desk) -> None:
    talk = place.hear(0)
    desk.resolve(place.alice, talk, now=after(90))
    kept = {row.kind: (row.done, row.ended_at, row.broken_at) for row in Promise.objects.all()}
    # nobody answered: the promise of an answer was not kept, and it was late when it was given up
    assert kept == {"first": (False, after(90), after(30)), "resolution": (True, after(90), None)}
    talk.refresh_from_db()
    assert talk.due_at is None


def test_a_snooze_does_not_stop_the_clock(place: Desk) -> None:
    talk = place.hear(0)
    desk.snooze(place.alice, talk, after(600), now=after(5))
    assert place.running(talk)["first"] == after(30)


def test_another_basket_goes_on_by_its_own_terms_with_what_was_used(place: Desk) -> None:
    talk = place.hear(0)
    praise = Basket.objects.of(place.alice.workspace).get(slug="praise")
    place.promise(Terms(first=(120, 120, 120, 120)), praise)
    desk.move(place.alice, talk, praise, now=after(10))
    assert place.running(talk) == {"first": after(120)}  # 10 used there, 110 here; no solution is promised here
    row = Promise.objects.get(kind="first")
    assert (row.basket, row.used, row.minutes) == (praise, 10, 120)


def test_a_break_stays_with_the_basket_in_which_it_happened(place: Desk) -> None:
    talk = place.hear(0)
    praise = Basket.objects.of(place.alice.workspace).get(slug="praise")
    place.promise(Terms(first=(120, 120, 120, 120)), praise)
    mark_broken(place.alice.workspace, now=after(31))
    desk.move(place.alice, talk, praise, now=after(40))
    rows = {row.basket: (row.broken_at, row.used) for row in Promise.objects.filter(kind="first")}
    assert rows == {place.care: (after(30), 40), praise: (None, 40)}
    assert place.running(talk) == {"first": after(120)}


def test_hours_and_terms_that_an_admin_changes_count_from_then_on(place: Desk) -> None:
    talk = place.hear(0)
    place.now = after(20)
    # Saturday noon: the office is closed until Monday, 8:00 UTC
    office = Hours("Europe/Berlin", (*(((540, 1020),),) * 5, (), ()))
    place.promise(TERMS, hours=office)
    monday = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
    assert place.running(talk)["first"] == monday + dt.timedelta(minutes=10)
    place.promise(msgspec.structs.replace(TERMS, first=(60, 60, 60, 60)), hours=office)
    assert place.running(talk)["first"] == monday + dt.timedelta(minutes=40)
    place.promise(Terms(), hours=office)
    assert place.running(talk) == {}
    talk.refresh_from_db()
    assert talk.due_at is None


def test_what_waits_already_is_promised_something_from_now_when_a_basket_begins_to(place: Desk) -> None:
    place.promise(Terms())
    talk = place.hear(0)
    assert place.running(talk) == {}
    place.now = after(15)
    place.promise(TERMS)
    assert place.running(talk)["first"] == after(30)  # they have waited for fifteen minutes of it


def test_an_import_of_old_words_promises_nothing_until_they_speak_again(place: Desk) -> None:
    talk = place.hear(0, created_at=NOON - dt.timedelta(days=30))
    assert place.running(talk) == {}
    desk.resolve(place.alice, talk, now=after(1))
    place.hear(5, "Still broken @fernway", kind="reply", in_reply_to="1")
    assert place.running(talk)["first"] == after(35)


def test_two_threads_that_become_one_keep_the_older_promise(place: Desk) -> None:
    first = place.hear(0, id="a")
    second = place.hear(10, "It is broken, @fernway", id="c", in_reply_to="b", kind="reply")
    assert first != second
    place.hear(20, "as I said @fernway", id="b", in_reply_to="a", kind="reply")
    assert place.running(Conversation.objects.get(pk=first.pk))["first"] == after(30)
    merged = Conversation.objects.get(pk=second.pk)
    assert (merged.state, merged.due_at) == ("merged", None)
    assert place.running(merged) == {}


def test_put_aside_nothing_is_promised_and_taken_out_it_is(place: Desk) -> None:
    talk = place.hear(0)
    Conversation.objects.update(state="quarantined")
    desk.take_out(place.alice, Conversation.objects.get(), place.care, now=after(3000))
    assert place.running(talk)["resolution"] == after(240)  # it ran on: nobody put it aside through an act


def test_people_are_warned_once_and_a_break_is_told_to_the_leads(place: Desk, ben: Any) -> None:
    talk = place.hear(0)
    desk.assign(place.alice, talk, ben, now=after(1))
    Notification.objects.all().delete()
    workspace = place.alice.workspace
    assert warn(workspace, now=after(22)) == []
    assert [row.kind for row in warn(workspace, now=after(23))] == ["first"]
    assert warn(workspace, now=after(24)) == []
    assert [(row.membership, row.event) for row in Notification.objects.all()] == [(ben, "promise")]
    assert mark_broken(workspace, now=after(29)) == []
    assert [row.broken_at for row in mark_broken(workspace, now=after(45))] == [after(30)]
    assert mark_broken(workspace, now=after(46)) == []
    told = {(row.membership, row.event) for row in Notification.objects.filter(event="breach")}
    assert told == {(ben, "breach"), (place.alice, "breach")}
    assert AuditEntry.objects.filter(verb="promise.break", subject_id=str(talk.pk)).count() == 1


def test_an_answer_in_time_is_not_late_because_the_line_is(place: Desk) -> None:
    talk = place.hear(0)
    place.answer(talk, 29)
    assert mark_broken(place.alice.workspace, now=after(40)) == []
    assert Promise.objects.get(kind="first").broken_at is None


def test_the_list_of_breaks_tells_what_broke_where_and_who_had_it(place: Desk, charlie: Any) -> None:
    talk = place.hear(0)
    place.hear(1, "Mine came broken, @fernway", author=Author(id="o", handle="omar", name="Omar"))
    mark_broken(place.alice.workspace, now=after(31))
    found = [(row.conversation, row.basket, row.broken_at) for row in broken(place.alice, NOON)]
    omar = Conversation.objects.exclude(pk=talk.pk).get()
    assert found == [(omar, place.care, after(31)), (talk, place.care, after(30))]
    assert list(broken(charlie, NOON)) == []
    counts = tally(place.alice, NOON)
    (count,) = [each for each in counts if each.kind == "first" and each.basket == place.care.pk]
    assert (count.kept, count.late, count.open_late) == (0, 2, 2)


def test_promises_are_counted_as_one_would_by_hand(place: Desk, ben: Membership) -> None:
    sales = Basket.objects.of(place.alice.workspace).get(slug="sales")
    BasketMember.objects.filter(membership=ben).exclude(basket=sales).delete()
    BasketMember.objects.get_or_create(workspace=sales.workspace, basket=sales, membership=ben)
    talk = place.hear(0)
    Promise.objects.all().delete()
    wanted: Counter[tuple[int, str, str]] = Counter()
    for basket, kind, broken_at, ended_at, done in product(
        (place.care, sales, None), Promise.Kind.values, (None, -5, 5), (None, -4, 6, 7), (True, False)
    ):
        if done and ended_at is None:
            continue
        talk.pk = None  # another one like it: one promise of a kind runs in each
        talk.save()
        Promise.objects.create(
            workspace=sales.workspace, conversation=talk, basket=basket, kind=kind, minutes=30, done=done,
            started_at=after(-9), broken_at=None if broken_at is None else after(broken_at),
            ended_at=None if ended_at is None else after(ended_at),
        )  # fmt: skip
        if basket is not None:
            wanted[basket.pk, kind, "kept"] += done and broken_at is None and ended_at > 0
            wanted[basket.pk, kind, "late"] += broken_at == 5
            wanted[basket.pk, kind, "open_late"] += ended_at is None and broken_at is not None
    assert len(+wanted) == 18
    for member, seen in ((place.alice, {place.care.pk, sales.pk}), (ben, {sales.pk})):
        found = {
            (each.basket, each.kind, name): getattr(each, name)
            for each in tally(member, NOON)
            for name in ("kept", "late", "open_late")
        }
        assert found == {key: count for key, count in wanted.items() if key[0] in seen}


def test_without_any_promise_nothing_is_read_or_written(
    place: Desk, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    from rapport.actions.promises import keep_promises

    place.promise(Terms())
    talk = place.hear(0)
    with django_assert_max_num_queries(2):
        keep_promises(place.alice.workspace_id, [talk.pk], now=NOON)


def test_a_hundred_conversations_cost_no_more_statements_than_one(
    place: Desk, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    from rapport.actions.promises import keep_promises

    people = [Author(id=f"p{number}", handle=f"p{number}", name=f"P {number}") for number in range(100)]
    said = [
        Post("mastodon", f"m{number}", f"My parcel {number} is broken, @fernway!", NOON, author)
        for number, author in enumerate(people)
    ]
    hearing.hear(place.channel, said, place.bus, now=NOON)
    place.worker.drain()
    assert Promise.objects.filter(ended_at=None).count() == 200
    talks = list(Conversation.objects.values_list("pk", flat=True))
    Conversation.objects.update(state="resolved")
    # the baskets, the rows, where the conversations stand (three), and one statement for each table that is written
    with django_assert_max_num_queries(8):
        keep_promises(place.alice.workspace_id, talks, now=after(10))
    assert not Promise.objects.filter(ended_at=None).exists()
    assert not Conversation.objects.exclude(due_at=None).exists()
    assert set(Promise.objects.values_list("kind", "done", "used")) == {("first", False, 10), ("resolution", True, 10)}


def test_the_clock_of_a_resolution_runs_again_when_a_snooze_ends(place: Desk) -> None:
    place.promise(Terms(resolution=(480, 480, 480, 480)))
    talk = place.hear(0)
    place.answer(talk, 5)
    place.drain()
    talk.refresh_from_db()
    assert (talk.state, talk.waiting_since) == ("pending", None)
    desk.snooze(place.alice, talk, after(600), now=after(10))
    assert Promise.objects.get(kind="resolution").due_at is None
    desk.wake_snoozed(place.alice.workspace, now=after(600))
    assert Promise.objects.get(kind="resolution").due_at is not None
