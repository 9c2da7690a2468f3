"""Steps over days: a plan is begun for a conversation, and ends by itself once the person speaks again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction
from django.db.models import Exists, OuterRef

from rapport.actions.audit import announce, require, require_conversation, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.tasks import Step, check_steps, due_after, read_steps
from rapport.store.models import Conversation, Membership, Post, StepPlan, Task, Workspace

#: tasks that end in one round of the clock
ROUND = 200
#: why a step was not done
SPOKE = "They spoke again."


def save_plan(
    by: Membership,
    plan: StepPlan | None,
    name: str,
    steps: Sequence[Step],
    *,
    until_word: bool = True,
    active: bool = True,
    now: dt.datetime,
) -> StepPlan:
    """Write a new plan (None) or change one; what was begun with it goes on as it was."""
    require(by, "configure")
    if plan is not None and plan.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")
    name = " ".join(name.replace("\x00", "").split())[:120]
    if not name:
        raise InvalidInput("Give the plan a name.")
    checked = check_steps(steps)
    others = StepPlan.objects.of(by.workspace).filter(name=name)
    if (others.exclude(pk=plan.pk) if plan is not None else others).exists():
        raise InvalidInput("There is a plan of this name already.")
    with transaction.atomic():
        row = plan or StepPlan(workspace=by.workspace)
        row.name, row.until_word, row.active = name, until_word, active
        row.steps, row.changed_by, row.changed_at = msgspec.to_builtins(checked), by, now
        row.save()
        write_audit(by.workspace, by, "plan.save", row, now, name=name, steps=len(checked))
        announce(by.workspace, now, kind="config")
    return row


def begin_plan(by: Membership, conversation: Conversation, plan: StepPlan, *, now: dt.datetime) -> list[Task]:
    """Open a task for each step, due after its days; they belong to whoever has the conversation, else to oneself.

    Raises `InvalidInput` where the plan goes on here already.
    """
    require_conversation(by, conversation, "note")
    if plan.workspace_id != by.workspace_id or not plan.active:
        raise NotAllowed("This plan is not in use here.")
    going = Task.objects.of(by.workspace).filter(conversation=conversation, plan=plan, done_at__isnull=True)
    zone = ZoneInfo(by.workspace.timezone)
    with transaction.atomic():
        # one at a time: two who press at once begin it once
        Conversation.objects.of(by.workspace).select_for_update().only("pk").get(pk=conversation.pk)
        if going.exists():
            raise InvalidInput(f"“{plan.name}” goes on here already.")
        made = Task.objects.bulk_create(
            Task(
                workspace=by.workspace, title=step.title, conversation=conversation, person_id=conversation.person_id,
                basket_id=conversation.basket_id, assignee_id=conversation.assignee_id or by.pk,
                due_at=due_after(now, dt.timedelta(days=step.after), zone), made_by=by, made_at=now, plan=plan,
                until_word=plan.until_word or None,
            )
            for step in read_steps(plan.steps)
        )  # fmt: skip
        write_audit(by.workspace, by, "plan.begin", plan, now, name=plan.name, conversation=conversation.pk)
        announce(by.workspace, now, [conversation.pk])
    return made


def end_steps(workspace: Workspace, *, now: dt.datetime) -> int:
    """End the steps whose person has spoken since they were begun; returns how many."""
    open_steps = Task.objects.of(workspace).filter(done_at__isnull=True, until_word=True)
    if not open_steps.exists():
        return 0
    word = Post.objects.of(workspace).filter(
        handle__person=OuterRef("person"), ours=False, deleted=False, sort_at__gt=OuterRef("made_at")
    )
    with transaction.atomic():
        found = open_steps.filter(Exists(word.exclude(kind="repost"))).order_by("pk")
        rows = list(found.select_for_update(of=("self",)).values_list("pk", "conversation")[:ROUND])
        if not rows:
            return 0
        Task.objects.filter(pk__in=[pk for pk, _ in rows]).update(done_at=now, done_by=None, dropped=SPOKE)
        write_audit(workspace, None, "plan.end", None, now, tasks=len(rows))
        announce(workspace, now, {talk for _, talk in rows if talk})
    return len(rows)
