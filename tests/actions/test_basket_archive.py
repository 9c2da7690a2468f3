"""Baskets that go, with nothing lost: what lay in them lies elsewhere, and they come back as they were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOON
from rapport.actions import desk, tasks
from rapport.actions.accounts import invite
from rapport.actions.basket_archive import (
    InTheWay,
    archive_basket,
    bring_back_basket,
    find_in_the_way,
    read_ids,
    write_ids,
)
from rapport.actions.baskets import Wish, save_basket
from rapport.actions.rules import save_rules
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.promises import Terms
from rapport.core.rules import default_document
from rapport.store.models import AuditEntry, Basket, BasketMember, Conversation, Promise, Task

pytestmark = pytest.mark.django_db


@given(st.sets(st.integers(1, 10_000)))
def test_row_ids_are_kept_as_ranges(ids: set[int]) -> None:
    assert read_ids(write_ids(ids)) == ids


@pytest.fixture
def press(alice: Any) -> Basket:
    """Promises an answer within an hour; nobody's rule names it."""
    care = Basket.objects.of(alice.workspace).get(slug="care")
    wish = Wish("Press", purpose="Papers", terms=Terms(first=(60, 60, 60, 60)), overflow=care, overflow_after=600)
    return save_basket(alice, None, wish, now=NOON)


@pytest.fixture
def care(alice: Any, press: Basket) -> Basket:
    """Promises two hours, and sends on to Press what is too much."""
    care = Basket.objects.of(alice.workspace).get(slug="care")
    wish = Wish("Care", terms=Terms(first=(120, 120, 120, 120)), overflow=press, capacity=9)
    return save_basket(alice, care, wish, now=NOON)


@pytest.fixture
def talk(alice: Any, press: Basket, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Conversation:
    hear(make_post("My parcel is broken, @fernway!", author="nadia"))
    return desk.move(alice, Conversation.objects.get(), press, now=NOON)


def test_what_lay_in_it_lies_elsewhere_by_the_promises_there_and_comes_back(
    alice: Any, press: Basket, care: Basket, talk: Conversation
) -> None:
    amir, _token = invite(alice, "amir@fernway.example", "Amir", "agent", [press], now=NOON)
    task = tasks.make_task(alice, "Call the paper", basket=press, now=NOON)
    before = Basket.objects.values().get(pk=press.pk)
    later = NOON + dt.timedelta(minutes=10)
    entry = archive_basket(alice, press, care, now=later)
    talk.refresh_from_db()
    task.refresh_from_db()
    care.refresh_from_db()
    assert not Basket.objects.filter(slug="press").exists()
    assert (talk.basket, task.basket) == (care, care)
    assert Promise.objects.get(ended_at=None).minutes == 120
    # it cannot send on to itself
    assert (care.overflow, care.capacity, care.overflow_after) == (None, 0, None)
    assert entry.detail["conversations"] == 1
    with pytest.raises(NotAllowed):
        bring_back_basket(amir, entry, now=later)
    again = bring_back_basket(alice, entry, now=later)
    talk.refresh_from_db()
    task.refresh_from_db()
    care.refresh_from_db()
    assert Basket.objects.values().get(slug="press") == before
    assert (talk.basket, task.basket) == (again, again)
    assert Promise.objects.get(ended_at=None).minutes == 60
    assert (care.overflow, care.capacity) == (again, 9)
    assert amir.pk in BasketMember.objects.filter(basket=again).values_list("membership", flat=True)
    with pytest.raises(InvalidInput, match="there already"):
        bring_back_basket(alice, entry, now=later)


def test_what_was_moved_on_meanwhile_stays_there(alice: Any, press: Basket, care: Basket, talk: Conversation) -> None:
    entry = archive_basket(alice, press, care, now=NOON)
    praise = Basket.objects.of(alice.workspace).get(slug="praise")
    desk.move(alice, Conversation.objects.get(), praise, now=NOON)
    bring_back_basket(alice, entry, now=NOON)
    assert Conversation.objects.get(pk=talk.pk).basket == praise
    assert Task.objects.count() == 0


def test_a_basket_made_meanwhile_keeps_its_short_name(alice: Any, press: Basket) -> None:
    care = Basket.objects.of(alice.workspace).get(slug="care")
    entry = archive_basket(alice, press, care, now=NOON)
    save_basket(alice, None, Wish("Press"), now=NOON)
    assert bring_back_basket(alice, entry, now=NOON).slug == "press-2"


def test_what_names_it_is_listed_and_stands_in_the_way(alice: Any, press: Basket) -> None:
    care = Basket.objects.of(alice.workspace).get(slug="care")
    document = (
        'fallback = "press"\n\n[[group]]\nname = "Papers"\nwhen = \'conversation.basket == "press"\'\n\n'
        '[[rule]]\nname = "Paper"\nwhen = \'text matches "press"\'\nthen = ["basket:press"]\n\n'
        '[[rule]]\nname = "Tell"\nwhen = \'complaint >= 0.5\'\nthen = ["notify:press"]\n\n'
        '[[rule]]\nname = "Asks"\nwhen = \'conversation.basket in ["press"]\'\nthen = ["tag:press"]\n\n'
        '[[rule]]\nname = "Says the word"\nwhen = \'text matches "press"\'\nthen = ["tag:press"]\n'
    )
    save_rules(alice, document, "", now=NOON)
    found = find_in_the_way(alice.workspace, press)
    assert found == [
        InTheWay("rule", "Paper", 7), InTheWay("rule", "Tell", 12), InTheWay("rule", "Asks", 17),
        InTheWay("group", "Papers"), InTheWay("fallback"),
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="still named: Paper, Tell, Asks, Papers, fallback"):
        archive_basket(alice, press, care, now=NOON)
    assert Basket.objects.filter(pk=press.pk).exists()
    assert not AuditEntry.objects.filter(verb="basket.archive").exists()


def test_every_basket_that_ships_is_named_by_the_rules_that_ship(alice: Any) -> None:
    questions = Basket.objects.of(alice.workspace).get(slug="questions")
    assert InTheWay("fallback") in find_in_the_way(alice.workspace, questions)
    assert "basket:questions" in default_document()


def test_a_basket_of_another_workspace_is_not_touched(alice: Any, charlie: Any, press: Basket) -> None:
    theirs = Basket.objects.of(charlie.workspace).first()
    assert theirs is not None
    for one, other in ((press, theirs), (theirs, press)):
        with pytest.raises(NotAllowed):
            archive_basket(alice, one, other, now=NOON)
    with pytest.raises(InvalidInput, match="another basket"):
        archive_basket(alice, press, press, now=NOON)
    entry = archive_basket(alice, press, Basket.objects.of(alice.workspace).get(slug="care"), now=NOON)
    with pytest.raises(NotAllowed):
        bring_back_basket(charlie, entry, now=NOON)
