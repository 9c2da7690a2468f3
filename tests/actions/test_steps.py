"""Steps over days, and what stands promised to a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.articles import save_allowance
from rapport.actions.offers import make_offer
from rapport.actions.steps import begin_plan, end_steps, save_plan
from rapport.actions.tasks import make_task, remind_of_tasks
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.tasks import Step
from rapport.store.models import Conversation, Membership, StepPlan, Task
from rapport.store.queries.policy import promised_to

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
STEPS = [Step("Say goodbye", 10), Step("Ask how it is", 1), Step("Offer help", 3)]


@pytest.fixture
def plan(alice: Membership) -> StepPlan:
    return save_plan(alice, None, "After care", STEPS, now=NOON)


@pytest.fixture
def talk(alice: Membership, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Conversation:
    hear(make_post("My parcel is broken", author="nadia"))
    return Conversation.objects.get()


def test_a_plan_becomes_tasks_by_their_days_and_ends_once_they_speak(
    ben: Membership, talk: Conversation, plan: StepPlan, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    began = NOON - 2 * DAY
    Conversation.objects.update(opened_at=began)
    hear(make_post("Hello?", author="olga"))  # somebody else's word ends nothing
    made = begin_plan(ben, talk, plan, now=NOON)
    assert [(task.title, task.due_at) for task in made] == [
        ("Ask how it is", NOON + DAY), ("Offer help", NOON + 3 * DAY), ("Say goodbye", NOON + 10 * DAY),
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="goes on here already"):
        begin_plan(ben, talk, plan, now=NOON)
    assert end_steps(ben.workspace, now=NOON) == 0
    Task.objects.filter(title="Ask how it is").update(done_at=NOON, done_by=ben)
    Task.objects.update(made_at=began)  # as if it were begun before Nadia's word
    assert end_steps(ben.workspace, now=NOON + DAY) == 2
    ended = Task.objects.filter(dropped="They spoke again.")
    assert {task.title for task in ended} == {"Offer help", "Say goodbye"}
    assert remind_of_tasks(ben.workspace, now=NOON + 20 * DAY) == 0
    assert end_steps(ben.workspace, now=NOON + DAY) == 0
    assert len(begin_plan(ben, talk, plan, now=NOON)) == 3


def test_a_plan_that_no_word_ends_goes_on(alice: Membership, talk: Conversation) -> None:
    plan = save_plan(alice, None, "Onboarding", [Step("Welcome", 0)], until_word=False, now=NOON)
    begin_plan(alice, talk, plan, now=NOON - DAY)
    assert end_steps(alice.workspace, now=NOON) == 0


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([], "at least one"), ([Step("x", 1)] * 11, "at most 10"), ([Step(" ", 1)], "what is to be done"),
        ([Step("x", -1)], "0 to 365"), ([Step("x", 366)], "0 to 365"),
    ],
)  # fmt: skip
def test_a_plan_that_nobody_could_follow_is_refused(alice: Membership, steps: list[Step], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        save_plan(alice, None, "Plan", steps, now=NOON)


def test_plans_are_made_by_leads_and_begun_in_ones_own_workspace(
    alice: Membership, ben: Membership, charlie: Membership, talk: Conversation, plan: StepPlan
) -> None:
    with pytest.raises(NotAllowed):
        save_plan(ben, None, "Mine", STEPS, now=NOON)
    with pytest.raises(NotAllowed):
        save_plan(charlie, plan, "Theirs", STEPS, now=NOON)
    with pytest.raises(NotAllowed):
        begin_plan(charlie, talk, plan, now=NOON)
    with pytest.raises(InvalidInput, match="already"):
        save_plan(alice, None, "After  care", STEPS, now=NOON)


def test_what_is_promised_to_a_person_is_said_to_those_who_see_it(
    alice: Membership, ben: Membership, charlie: Membership, talk: Conversation
) -> None:
    from rapport.actions.accounts import invite

    save_allowance(alice, "agent", "refund", Decimal(40), "EUR", now=NOON)
    make_task(ben, "Call by Friday", conversation=talk, due_at=NOON + DAY, now=NOON)
    make_task(ben, "Some day", conversation=talk, now=NOON)
    offer = make_offer(ben, talk, "refund", Decimal(40), "EUR", now=NOON)
    person = talk.person_id or 0
    tasks, offers = promised_to(ben, person)
    assert ([task.title for task in tasks], offers) == (["Call by Friday"], [offer])
    assert promised_to(ben, person, but=talk.pk) == ([], [])
    far = invite(alice, "far@fernway.example", "Far", "agent", [], now=NOON)[0]
    assert promised_to(far, person) == promised_to(charlie, person) == ([], [])
