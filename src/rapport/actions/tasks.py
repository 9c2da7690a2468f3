"""Tasks, tickets and ideas: promises to come back, work for another team, wishes for the product."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from rapport.actions.audit import announce, require, require_conversation, write_audit
from rapport.actions.notices import notify
from rapport.actions.undo import note_deed
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.notice_text import write_notice
from rapport.core.tasks import MAX_TITLE, due_after, read_task
from rapport.store.models import Basket, Conversation, Membership, RuleEffect, Task, Workspace
from rapport.store.queries.notices import leads_of, resolve_names
from rapport.store.queries.tasks import due_tasks, visible_tasks

#: tasks that people are told of in one round of the clock
ROUND = 200
#: a task further ahead is a wrong year, not a plan
FARTHEST = dt.timedelta(days=3 * 366)


def make_task(
    by: Membership,
    title: str,
    *,
    kind: str = Task.Kind.TASK,
    conversation: Conversation | None = None,
    assignee: Membership | None = None,
    basket: Basket | None = None,
    due_at: dt.datetime | None = None,
    rule: str = "",
    now: dt.datetime,
) -> Task:
    """Write down what is to be done. With a conversation it belongs to its person and, unless told, its basket.

    Without `assignee` and `basket` it is one's own. `rule`: the rule that proposed it.
    """
    if conversation is not None:
        require_conversation(by, conversation, "note")
    else:
        require(by, "note")
    title = _check(by, title, kind, assignee, basket, due_at, now)
    if basket is None and conversation is not None:
        basket = conversation.basket
    with transaction.atomic():
        task = Task.objects.create(
            workspace=by.workspace, kind=kind, title=title, conversation=conversation, due_at=due_at,
            person=conversation.person if conversation else None, basket=basket, rule=rule[:200],
            assignee=by if assignee is None and basket is None else assignee, made_by=by, made_at=now,
        )  # fmt: skip
        write_audit(by.workspace, by, "task.make", task, now, title=title, kind=kind)
        made = {"title": title, "assignee": task.assignee_id, "due_at": _plain(due_at), "done_at": None}
        note_deed(by, "task.make", [(task.pk, {}, made)], now=now)
        _announce(task, now)
    return task


def change_task(
    by: Membership,
    task: Task,
    title: str,
    *,
    assignee: Membership | None,
    due_at: dt.datetime | None,
    now: dt.datetime,
) -> Task:
    """Other words, another person, another date. Whoever is meant then is reminded anew."""
    require_task(by, task)
    title = _check(by, title, task.kind, assignee, None, due_at if due_at != task.due_at else None, now)
    if assignee is None and task.basket_id is None:
        raise InvalidInput("Say who does it: it belongs to no basket.")
    with transaction.atomic():
        # as it is now: the clock may be telling of it, a colleague may be finishing it
        task = Task.objects.of(by.workspace).select_for_update().get(pk=task.pk)
        before = {"title": task.title, "assignee": task.assignee_id, "due_at": _plain(task.due_at)}
        if task.due_at != due_at or task.assignee_id != (assignee.pk if assignee else None):
            task.reminded_at = None
        task.title, task.assignee, task.due_at = title, assignee, due_at
        task.save(update_fields=["title", "assignee", "due_at", "reminded_at"])
        after = {"title": title, "assignee": task.assignee_id, "due_at": _plain(due_at)}
        write_audit(by.workspace, by, "task.change", task, now, before=before, after=after)
        note_deed(by, "task.change", [(task.pk, before, after)], now=now)
        _announce(task, now)
    return task


def finish_task(by: Membership, task: Task, *, now: dt.datetime) -> Task:
    """It is done."""
    return _end(by, task, "task.finish", "", now)


def drop_task(by: Membership, task: Task, reason: str, *, now: dt.datetime) -> Task:
    """It will not be done, and why."""
    reason = reason.replace("\x00", "").strip()[:300]
    if not reason:
        raise InvalidInput("Say why it will not be done: whoever asked for it will read it.")
    return _end(by, task, "task.drop", reason, now)


def reopen_task(by: Membership, task: Task, *, now: dt.datetime) -> Task:
    """It is to be done after all."""
    require_task(by, task)
    with transaction.atomic():
        rows = Task.objects.of(by.workspace).filter(pk=task.pk)
        was: dict[str, Any] = dict(rows.values("done_at", "done_by", "dropped").first() or {})
        before = {**was, "done_at": _plain(was.get("done_at"))}
        if (
            not Task.objects.of(by.workspace)
            .filter(pk=task.pk, done_at__isnull=False)
            .update(done_at=None, done_by=None, dropped="", reminded_at=None)
        ):
            raise InvalidInput("This is open already.")
        write_audit(by.workspace, by, "task.reopen", task, now, title=task.title)
        note_deed(by, "task.reopen", [(task.pk, before, {"done_at": None, "done_by": None, "dropped": ""})], now=now)
        _announce(task, now)
    task.refresh_from_db()
    return task


def open_for_rules(workspace_id: int, due: Sequence[tuple[RuleEffect, Conversation]], *, now: dt.datetime) -> None:
    """What rules opened by themselves, in the caller's transaction; each belongs to whoever has the conversation."""
    if not due:
        return
    zone = ZoneInfo(Workspace.objects.values_list("timezone", flat=True).get(pk=workspace_id))
    tasks = []
    for effect, conversation in due:
        title, due_at = effect.argument, None
        if effect.verb == Task.Kind.TASK:
            asked = read_task(effect.argument)
            title, due_at = asked.title, due_after(now, asked.within, zone) if asked.within else None
        tasks.append(
            Task(
                workspace_id=workspace_id, kind=effect.verb, conversation=conversation, rule=effect.rule,
                title=title.strip()[:MAX_TITLE] or effect.rule, due_at=due_at, made_at=now,
                person_id=conversation.person_id, basket_id=conversation.basket_id,
                assignee_id=conversation.assignee_id,
            )
        )  # fmt: skip
    Task.objects.bulk_create(tasks)


def remind_of_tasks(workspace: Workspace, *, now: dt.datetime) -> int:
    """Tell whoever is meant that something is due, once; returns how many tasks.

    A task of nobody is told to those of its basket, and without one to whoever asked for it.
    """
    if not due_tasks(workspace.pk, now).exists():
        return 0
    with transaction.atomic():
        found = due_tasks(workspace.pk, now).select_for_update(of=("self",)).order_by("due_at", "pk")
        rows = list(found.select_related("assignee__user", "made_by__user", "basket", "conversation")[:ROUND])
        for task in rows:
            _remind(workspace, task, now)
            task.reminded_at = now
        Task.objects.bulk_update(rows, ["reminded_at"])
        write_audit(workspace, None, "task.remind", None, now, tasks=len(rows))
    return len(rows)


def _remind(workspace: Workspace, task: Task, now: dt.datetime) -> None:
    """Tell whose it is; where they do not work here any more, those of its basket, whoever asked for it, or the leads:
    the first of these whom it reaches.
    """
    bundle, text = f"task:{task.pk}", write_notice("task", title=task.title)

    def reaches(members: list[Membership]) -> bool:
        # who does not see the conversation is told of the task alone
        return any(
            notify(workspace, members, "task", bundle=bundle, text=text, conversation=talk, now=now)
            for talk in (task.conversation, None)
        )

    if task.assignee is not None and task.assignee.may("read") is True:
        reaches([task.assignee])  # who wants to hear of no tasks hears of none, and nobody else is told of theirs
        return
    basket = task.basket
    others: list[Callable[[], list[Membership]]] = [
        lambda: (resolve_names(workspace.pk, [basket.slug])[basket.slug] or []) if basket is not None else [],
        lambda: [task.made_by] if task.made_by is not None else [],
        lambda: leads_of(workspace.pk, task.basket_id),
    ]
    for whose in others:
        if reaches(whose()):
            return


def require_task(by: Membership, task: Task) -> None:
    """Raise `NotAllowed` unless the person may work on it."""
    require(by, "note")
    if task.workspace_id != by.workspace_id or not visible_tasks(by).filter(pk=task.pk).exists():
        raise NotAllowed("This task belongs to a basket that you do not work in.")


def _end(by: Membership, task: Task, verb: str, dropped: str, now: dt.datetime) -> Task:
    require_task(by, task)
    with transaction.atomic():
        changed = Task.objects.of(by.workspace).filter(pk=task.pk, done_at__isnull=True)
        if not changed.update(done_at=now, done_by=by, dropped=dropped):
            raise InvalidInput("Somebody has finished this already.")
        write_audit(by.workspace, by, verb, task, now, title=task.title, **({"reason": dropped} if dropped else {}))
        before, after = {"done_at": None, "done_by": None, "dropped": ""}, {"done_at": _plain(now), "done_by": by.pk}
        note_deed(by, verb, [(task.pk, before, {**after, "dropped": dropped})], now=now)
        _announce(task, now)
    task.refresh_from_db()
    return task


def _check(
    by: Membership,
    title: str,
    kind: str,
    assignee: Membership | None,
    basket: Basket | None,
    due_at: dt.datetime | None,
    now: dt.datetime,
) -> str:
    title = " ".join(title.replace("\x00", "").split())
    if not title:
        raise InvalidInput("Say in a few words what is to be done.")
    if len(title) > MAX_TITLE:
        raise InvalidInput(f"The title has {len(title):,} characters; at most {MAX_TITLE} fit.")
    if kind not in Task.Kind.values:
        raise InvalidInput(f"{kind!r} is not one of: {', '.join(Task.Kind.values)}.")
    if due_at is not None and not now <= due_at <= now + FARTHEST:
        raise InvalidInput("Choose a time that lies ahead, at most three years.")
    if basket is not None and basket.workspace_id != by.workspace_id:
        raise NotAllowed("This basket belongs to another workspace.")
    if assignee is not None and (assignee.workspace_id != by.workspace_id or not assignee.active):
        raise NotAllowed("This colleague is not an active member of the workspace.")
    if assignee is not None and assignee.may("note") is not True:
        raise InvalidInput(f"{assignee} only looks; choose somebody who works here.")
    return title


def _announce(task: Task, now: dt.datetime) -> None:
    if task.conversation_id is not None:
        announce(task.workspace_id, now, [task.conversation_id])


def _plain(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None
