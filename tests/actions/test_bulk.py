"""Acts on several conversations: all in sight or none is touched, one audit entry each, undone as one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import bulk, undo
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Post
from rapport.store.models import AuditEntry, Basket, BasketMember, Conversation, ConversationTag

pytestmark = pytest.mark.django_db
SOON = NOON + dt.timedelta(minutes=1)
LATER = NOON + dt.timedelta(minutes=2)


@pytest.fixture
def talks(alice: Any, hear: Callable[..., Any], make_post: Callable[..., Post]) -> list[Conversation]:
    """Three complaints in Care."""
    for number in range(3):
        hear(make_post(f"Parcel {number} is broken, @fernway!", author=f"p{number}", id=str(number), mentions=("f",)))
    Conversation.objects.update(basket=Basket.objects.of(alice.workspace).get(slug="care"), state="open")
    return list(Conversation.objects.order_by("pk"))


def ids(talks: list[Conversation]) -> list[int]:
    return [each.pk for each in talks]


def test_each_is_changed_with_an_entry_of_its_own_and_undone_as_one(alice: Any, talks: list[Conversation]) -> None:
    before = AuditEntry.objects.count()
    done = bulk.change(alice, ids(talks)[::-1], "assign", assignee=alice, now=SOON)
    # rows are locked in this order, there and back, so that two who change the same ones hold up one at most
    assert done.done == tuple(ids(talks))
    assert set(Conversation.objects.values_list("assignee", flat=True)) == {alice.pk}
    assert AuditEntry.objects.filter(verb="conversation.assign").count() == 3
    assert AuditEntry.objects.count() == before + 3
    deed = undo.newest_deed(alice, now=LATER)
    assert deed is not None
    assert undo.undo(alice, deed, now=LATER).restored == tuple(ids(talks))
    assert set(Conversation.objects.values_list("assignee", flat=True)) == {None}


@pytest.mark.parametrize("stranger", ["foreign", "missing", "hidden", "merged"])
def test_one_that_is_out_of_sight_and_the_whole_call_is_refused(
    alice: Any, ben: Any, charlie: Any, talks: list[Conversation], stranger: str
) -> None:
    by, wrong = alice, talks[2]
    if stranger == "foreign":
        wrong.workspace = charlie.workspace
    elif stranger == "hidden":
        by = ben
        BasketMember.objects.of(alice.workspace).filter(membership=ben).exclude(basket=wrong.basket).delete()
        wrong.basket = Basket.objects.of(alice.workspace).get(slug="praise")
    elif stranger == "merged":
        wrong.state = "merged"
    wrong.save()
    asked = [*ids(talks[:2]), 10**9 if stranger == "missing" else wrong.pk]
    with pytest.raises(NotAllowed):
        bulk.change(by, asked, "resolve", now=SOON)
    assert set(Conversation.objects.exclude(pk=wrong.pk).values_list("state", flat=True)) == {"open"}
    assert not AuditEntry.objects.filter(verb="conversation.resolve").exists()


def test_what_cannot_be_done_is_left_and_said(alice: Any, talks: list[Conversation]) -> None:
    Conversation.objects.filter(pk=talks[0].pk).update(state="quarantined")
    done = bulk.change(alice, ids(talks), "snooze", until=LATER, now=SOON)
    assert done.done == tuple(ids(talks)[1:])
    assert done.kept == ((talks[0].pk, "A conversation that is quarantined cannot become snoozed."),)
    with pytest.raises(InvalidInput, match="quarantined"):
        bulk.change(alice, [talks[0].pk], "snooze", until=LATER, now=SOON)


def test_tags_are_put_on_many_and_taken_off_many(alice: Any, talks: list[Conversation]) -> None:
    bulk.change(alice, ids(talks), "tag", name="#Late Delivery", now=SOON)
    held = ConversationTag.objects.filter(removed_at__isnull=True)
    assert [each.name for each in held] == ["late-delivery"] * 3
    bulk.change(alice, ids(talks)[:1], "untag", name="late-delivery", now=LATER)
    assert held.all().count() == 2
    with pytest.raises(InvalidInput, match="letters"):
        bulk.change(alice, ids(talks), "tag", name="<b>", now=SOON)


def test_nothing_too_many_and_unknown_acts_are_refused(alice: Any, ben: Any, talks: list[Conversation]) -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        bulk.change(alice, [], "resolve", now=SOON)
    with pytest.raises(InvalidInput, match="At most"):
        bulk.change(alice, range(1, bulk.MOST + 2), "resolve", now=SOON)
    with pytest.raises(InvalidInput, match="not one of"):
        bulk.change(alice, ids(talks), "delete", now=SOON)  # type: ignore[arg-type]
    ben.role = "viewer"
    with pytest.raises(NotAllowed):
        bulk.change(ben, ids(talks), "resolve", now=SOON)
