"""Somebody of another firm is told of the house what lies in their baskets, and no more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.accounts import invite
from rapport.actions.desk import assign
from rapport.actions.people import join_people
from rapport.actions.rules import save_rules
from rapport.core.errors import NotAllowed
from rapport.core.roles import ROLES, is_outside
from rapport.store.models import Basket, Conversation, Escalation, Ignoring, Membership, Person
from rapport.store.queries.desk import visible_colleagues
from rapport.store.queries.identity import told_joins
from rapport.store.queries.ladder import read_standing
from rapport.store.queries.talk import read_talk
from rapport.store.why import explain_to

pytestmark = pytest.mark.django_db

RULES = """
[[rule]]
name = "Broken things"
when = 'text matches "broken"'
then = ["basket:care", "priority:high", "notify:duty", "tag:broken"]

[[rule]]
name = "Takeover talks"
when = 'text matches "takeover"'
then = ["basket:sales"]
"""


def hire(alice: Membership, name: str, role: str, *baskets: str) -> Membership:
    rows = list(Basket.objects.of(alice.workspace).filter(slug__in=baskets))
    return invite(alice, f"{name}@agency.example", name.title(), role, rows, now=NOON)[0]


@pytest.fixture
def rita(alice: Membership) -> Membership:
    return hire(alice, "rita", "restricted", "care")


@pytest.fixture
def talk(alice: Membership, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Conversation:
    """One in Care, whose rules look for more than it says."""
    save_rules(alice, RULES, now=NOON)
    hear(make_post("My parcel is broken, @fernway!"))
    return Conversation.objects.get()


def test_only_a_restricted_agent_is_of_another_firm() -> None:
    assert [role for role in ROLES if is_outside(role)] == ["restricted"]
    assert not is_outside("unheard of")


def test_they_know_the_colleagues_of_their_baskets_alone(alice: Membership, rita: Membership) -> None:
    near, far = hire(alice, "near", "agent", "care"), hire(alice, "far", "agent", "sales")
    assert set(visible_colleagues(rita)) == {alice, rita, near}
    assert set(visible_colleagues(near)) == {alice, rita, near, far}


def test_they_give_a_conversation_to_nobody_else(alice: Membership, rita: Membership, talk: Conversation) -> None:
    near, far = hire(alice, "near", "agent", "care"), hire(alice, "far", "agent", "sales")
    assert assign(rita, talk, near, now=NOON).assignee == near
    with pytest.raises(NotAllowed, match="does not work in your baskets"):
        assign(rita, talk, far, now=NOON)
    assert assign(alice, talk, far, now=NOON).assignee == far


def test_they_are_told_which_rules_matched_and_not_what_else_is_looked_for_or_who_is_told(
    alice: Membership, rita: Membership, talk: Conversation
) -> None:
    whole, part = (explain_to(member, read_talk(talk, member)) for member in (alice, rita))
    assert whole is not None
    assert part is not None
    assert [step.rule for step in whole.steps] == ["Broken things", "Takeover talks"]
    assert whole.steps[0].actions == ("basket:care", "priority:high", "notify:duty", "tag:broken")
    assert [(step.rule, step.actions) for step in part.steps] == [("Broken things", ("priority:high", "tag:broken"))]
    assert part.steps[0].because == whole.steps[0].because
    assert part.untold == 0


def test_of_the_ladder_they_see_the_steps_in_their_baskets(
    alice: Membership, rita: Membership, talk: Conversation
) -> None:
    far = Conversation.objects.create(
        workspace=alice.workspace, network="mastodon", channel=talk.channel, person=talk.person, state="open",
        basket=Basket.objects.of(alice.workspace).get(slug="sales"),
    )  # fmt: skip
    for number, (place, step) in enumerate(((talk, "first"), (far, "second"), (None, "third"))):
        Escalation.objects.create(
            workspace=alice.workspace, person=talk.person, conversation=place, post=number, step=step, rule="R", at=NOON
        )
    Ignoring.objects.create(workspace=alice.workspace, person=talk.person, reason="Insults us", by=alice, at=NOON)
    assert talk.person is not None
    whole, part = (read_standing(talk.person, member) for member in (alice, rita))
    assert {step.step for step in whole.steps} == {"first", "second", "third"}
    assert [step.step for step in part.steps] == ["first"]
    assert (len(whole.ignorings), len(part.ignorings)) == (1, 0)


def test_a_join_that_touches_what_they_do_not_see_is_not_told(
    alice: Membership, rita: Membership, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    at = NOON - dt.timedelta(minutes=10)
    for number, author in enumerate(("nadia", "nadia.n", "nadia.o")):
        hear(make_post(f"My parcel number {number} is broken, @fernway!", author=author, created_at=at))
    one, two, three = Person.objects.order_by("pk")
    Conversation.objects.filter(person=three).update(basket=Basket.objects.of(alice.workspace).get(slug="sales"))
    Conversation.objects.filter(person=two).update(basket=Basket.objects.of(alice.workspace).get(slug="care"))
    join_people(alice, one, two, "Same mail address", now=NOON)
    join_people(alice, one, three, "Same phone", now=NOON)
    assert {join.merge.evidence for join in told_joins(one, alice)} == {"Same mail address", "Same phone"}
    assert [join.merge.evidence for join in told_joins(one, rita)] == ["Same mail address"]
