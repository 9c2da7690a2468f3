"""Tasks, tickets and ideas: their page, and what is to be done about a conversation."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import tasks as acts
from rapport.core.errors import InvalidInput, RapportError
from rapport.store.models import Conversation, Membership, Task
from rapport.store.queries.desk import visible_baskets
from rapport.store.queries.tasks import TABS, Tab, read_tasks, visible_tasks
from rapport.web.access import DeskRequest, desk, find
from rapport.web.flash import say_done
from rapport.web.forms import number
from rapport.web.inbox.conversation import change, find_conversation, own_time
from rapport.web.told import told


@require_safe
@desk("read")
def index(request: DeskRequest) -> HttpResponse:
    """One tab of what is to be done (`tab`)."""
    wanted = request.GET.get("tab", "mine")
    return _page(request, wanted if wanted in TABS else "mine")


@require_POST
@desk("note")
def create(request: DeskRequest) -> HttpResponse:
    """A task, ticket or idea of no conversation (`title`, `kind`, `due`, `assignee`, `basket`)."""
    now = timezone.now()
    try:
        made = acts.make_task(request.membership, **_asked(request), now=now)
    except RapportError as error:
        messages.error(request, told(error))
        return _page(request, "mine", status=422)
    say_done(request, _("Written down."), now=now)
    tab = made.kind if made.kind != "task" else "mine" if made.assignee_id == request.membership.pk else "team"
    return HttpResponseRedirect(f"/w/{request.workspace.slug}/tasks/?tab={tab}", status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@desk("note")
def edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Other words, another person, another date; what was not touched on the page (`was-NAME`) stays as it is."""
    task = find(_rows(request), pk)
    stands = {"title": task.title, "due": _local(task.due_at), "assignee": str(task.assignee_id or "")}
    was, problem, status = stands, "", 200
    if request.method == "POST":
        was = {name: request.POST.get(f"was-{name}", value) for name, value in stands.items()}
        touched = {name for name, value in was.items() if request.POST.get(name, "") != value}
        if any(stands[name] not in (was[name], request.POST.get(name, "")) for name in touched):
            problem, status, was = _stands(request, task), 409, stands
        else:
            try:
                asked, now = _asked(request), timezone.now()
                acts.change_task(
                    request.membership, task, asked["title"] if "title" in touched else task.title,
                    assignee=asked["assignee"] if "assignee" in touched else task.assignee,
                    due_at=asked["due_at"] if "due" in touched else task.due_at, now=now,
                )  # fmt: skip
            except InvalidInput as error:
                problem, status = told(error), 422
            else:
                say_done(request, _("Saved."), now=now)
                return _back(request)
    context = {
        "task": task, "people": _people(request), "problem": problem, "was": was,
        "typed": request.POST.dict() if problem else stands,
    }  # fmt: skip
    return render(request, "tasks/task.html", context, status=status)


def _stands(request: DeskRequest, task: Task) -> str:
    """That a colleague changed it while this person did, and to what."""
    who = next((str(each) for each in _people(request) if each.pk == task.assignee_id), "")
    due = date_format(timezone.localtime(task.due_at), _("j M Y, H:i")) if task.due_at else ""
    what = ", ".join(filter(None, (task.title, due, who)))
    return _("A colleague changed this meanwhile. It stands as: %(what)s. Save again to replace that.") % {"what": what}


@require_POST
@desk("note")
def settle(request: DeskRequest, pk: int) -> HttpResponse:
    """Done (`how=done`), not to be done (`drop`, with `reason`), or to be done after all (`again`)."""
    task = find(_rows(request), pk)
    how, now = request.POST.get("how", ""), timezone.now()
    try:
        if how == "drop":
            acts.drop_task(request.membership, task, request.POST.get("reason", ""), now=now)
            say_done(request, _("It will not be done; the reason stands with it."), now=now)
        elif how == "again":
            acts.reopen_task(request.membership, task, now=now)
            say_done(request, _("To be done again."), now=now)
        else:
            acts.finish_task(request.membership, task, now=now)
            say_done(request, _("Done."), now=now)
    except RapportError as error:
        messages.error(request, told(error))
    return _back(request)


@require_POST
@desk("note")
def about(request: DeskRequest, pk: int) -> HttpResponse:
    """Something to be done about a conversation; a promise to come back is a task with a date."""

    def act(row: Conversation, now: dt.datetime) -> None:
        acts.make_task(request.membership, **_asked(request), conversation=row, now=now)

    return change(request, pk, act, _("Written down."))


@require_POST
@desk("note")
def about_done(request: DeskRequest, pk: int, task: int) -> HttpResponse:
    """What was to be done about a conversation is done, or open again (`how=again`)."""
    row = find_conversation(request, pk)
    found = find(_rows(request).filter(conversation=row), task)
    if request.POST.get("how") == "again":
        return change(request, pk, lambda _row, now: acts.reopen_task(request.membership, found, now=now))
    return change(request, pk, lambda _row, now: acts.finish_task(request.membership, found, now=now), _("Done."))


def _local(when: dt.datetime | None) -> str:
    """As a field for date and time takes it, in the person's zone."""
    return timezone.localtime(when).strftime("%Y-%m-%dT%H:%M") if when else ""


def _rows(request: DeskRequest) -> Any:
    rows = Task.objects.of(request.workspace).filter(pk__in=visible_tasks(request.membership).values("pk"))
    return rows.select_related("conversation", "person", "basket", "assignee__user")


def _people(request: DeskRequest) -> list[Membership]:
    """Who may be given something; an outsourced agent does not learn who else works here."""
    if request.membership.role == "restricted":
        return [request.membership]
    found = Membership.objects.of(request.workspace).filter(active=True, user__is_active=True).select_related("user")
    return sorted((member for member in found if member.may("note")), key=lambda each: str(each).lower())


def _asked(request: DeskRequest) -> dict[str, Any]:
    """What the form says. Raises `InvalidInput`, and 404 for somebody who is not there."""
    asked = request.POST
    assignee, basket = asked.get("assignee", ""), asked.get("basket", "")
    people = Membership.objects.of(request.workspace).filter(pk__in=[each.pk for each in _people(request)])
    return {
        "title": asked.get("title", ""),
        "kind": asked.get("kind", "task"),
        "due_at": own_time(asked["due"]) if asked.get("due") else None,
        "assignee": find(people.select_related("user"), number(assignee)) if assignee else None,
        **({"basket": find(visible_baskets(request.membership), slug=basket)} if basket else {}),
    }


def _page(request: DeskRequest, tab: Tab, status: int = 200) -> HttpResponse:
    """The list with the form of a new one; what was typed and refused (`status` 422) stands in it still."""
    now = timezone.now()
    member = request.membership
    context = {
        "tab": tab,
        "page": read_tasks(member, tab, now),
        "tabs": [
            ("mine", _("Mine")), ("team", _("The team's")), ("ticket", _("Tickets")), ("idea", _("Ideas")),
            ("done", _("Done")),
        ],
        "people": _people(request),
        "baskets": list(visible_baskets(member)),
        "typed": request.POST.dict() if status != 200 else {"assignee": str(member.pk), "kind": tab},
        "can_note": member.may("note"),
        "now": now,
    }  # fmt: skip
    return render(request, "tasks/index.html", context, status=status)


def _back(request: DeskRequest) -> HttpResponse:
    """To where the person was, inside the workspace; else to the list."""
    root = f"/w/{request.workspace.slug}/"
    back = request.POST.get("back", "")
    inside = back.startswith(root) and url_has_allowed_host_and_scheme(back, None)
    return HttpResponseRedirect(back if inside else f"{root}tasks/", status=303)
