"""Tasks, tickets and ideas: who sees which, and what is due."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec
from django.db.models import Count, F, Q

from rapport.store.models import Conversation, Membership, Task
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import visible_baskets, within_sight

Tab = Literal["mine", "team", "ticket", "idea", "done"]
TABS: tuple[Tab, ...] = ("mine", "team", "ticket", "idea", "done")
PAGE = 100


class TaskPage(msgspec.Struct, frozen=True):
    """One tab, and how many wait in each."""

    tasks: list[Task]
    #: there are more than are shown
    more: bool
    counts: dict[str, int]
    #: of one's own, how many should be done by now
    late: int


def visible_tasks(member: Membership) -> ScopedQuerySet[Task]:
    """What this person may see: their own, what they made, and those of their baskets and conversations."""
    rows = Task.objects.of(member.workspace_id)
    if member.sees_every_basket is True:
        return rows
    own = Q(assignee=member) | Q(made_by=member)
    inside = Q(basket__in=visible_baskets(member).values("pk"))
    return rows.filter(own | inside | within_sight(member))


def of_tab(rows: ScopedQuerySet[Task], tab: Tab, member: Membership) -> ScopedQuerySet[Task]:
    """The rows of one tab: mine and the team's are tasks; tickets and ideas have their own."""
    waiting = rows.filter(done_at__isnull=True)
    if tab == "done":
        return rows.filter(done_at__isnull=False).order_by("-done_at", "-pk")
    if tab in {"ticket", "idea"}:
        return waiting.filter(kind=tab).order_by(F("due_at").asc(nulls_last=True), "-pk")
    tasks = waiting.filter(kind=Task.Kind.TASK)
    chosen = tasks.filter(assignee=member) if tab == "mine" else tasks.exclude(assignee=member)
    return chosen.order_by(F("due_at").asc(nulls_last=True), "pk")


def read_tasks(member: Membership, tab: Tab, now: dt.datetime) -> TaskPage:
    """One tab of the page; three queries: what is shown is chosen before anything is joined to it."""
    rows = visible_tasks(member)
    mine, tasks = Q(assignee=member), Q(kind=Task.Kind.TASK)
    counts = rows.filter(done_at__isnull=True).aggregate(
        mine=Count("pk", filter=tasks & mine),
        tasks=Count("pk", filter=tasks),
        ticket=Count("pk", filter=Q(kind=Task.Kind.TICKET)),
        idea=Count("pk", filter=Q(kind=Task.Kind.IDEA)),
        late=Count("pk", filter=mine & Q(due_at__lte=now)),
    )
    counts["team"] = counts.pop("tasks") - counts["mine"]
    late = counts.pop("late")
    found = list(of_tab(rows, tab, member).values_list("pk", flat=True)[: PAGE + 1])
    related = Task.objects.select_related(
        "conversation", "person", "basket", "assignee__user", "made_by__user", "done_by__user"
    )
    by_id = related.in_bulk(found[:PAGE])
    return TaskPage([by_id[pk] for pk in found[:PAGE] if pk in by_id], len(found) > PAGE, counts, late)


def tasks_of(conversation: Conversation) -> list[Task]:
    """What is to be done about a conversation, open ones first."""
    rows = Task.objects.of(conversation.workspace_id).filter(conversation=conversation)
    return list(
        rows.select_related("assignee__user", "done_by__user", "made_by__user").order_by(
            F("done_at").desc(nulls_first=True), F("due_at").asc(nulls_last=True), "pk"
        )[:20]
    )


def due_tasks(workspace_id: int, now: dt.datetime) -> ScopedQuerySet[Task]:
    """Open tasks whose time has come, and of which nobody was told yet."""
    return Task.objects.of(workspace_id).filter(done_at__isnull=True, due_at__lte=now, reminded_at__isnull=True)
